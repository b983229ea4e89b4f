/* Ensembles of decision trees: unpack the table once, then walk eight paths at a time.

   A slot of the table has a threshold and a word `meta`:

       meta = child << shift | feature * 4 | category << 1 | missing_left

   The children of a node stand side by side at `child` and `child + 1`; a value greater than the
   threshold goes to the second. A leaf tests a column that is always NaN and its child is itself,
   so a path that has arrived stays, and every path of a tree takes the same number of steps with no
   branch. Instead of a threshold a leaf holds its value (float32) or the row of its values.

   In the file the table is packed: breadth first, the place of the children is implied, so a slot
   costs a bit, a node its feature and threshold, a leaf its value or row. `trees_unpack` runs when
   a program is instantiated. */
#include "abi.h"

#define INLINE static inline __attribute__((always_inline))
#define SLOT 8
#define WIDE_SLOT 12

typedef struct {
    u32 limit;
    u32 meta;
    u32 child; /* wide slots only: too many columns and nodes for one word */
} slot;

static i32 bit(const u8* bits, u32 k) { return bits[k >> 3] >> (k & 7) & 1; }

void trees_unpack(u8* table, u32* roots, const u8* leaf_bits, const u8* missing_bits,
                  const u8* category_bits, const u8* features, const u32* limits,
                  const u8* leaves, i32 trees, i32 feature_bytes, i32 leaf_bytes, i32 shift,
                  i32 leaf_feature, i32 wide) {
    u32 size = wide ? WIDE_SLOT : SLOT;
    u32 base = 1, read = 0, node = 0, leaf = 0;
    for (i32 t = 0; t < trees; t++) {
        u32 at = base, free = base + 1;
        roots[t] = base;
        for (; at < free; at++, read++) {
            slot* s = (slot*)(table + at * size);
            u32 word, child;
            if (bit(leaf_bits, read)) {
                u32 payload = leaf;
                if (leaf_bytes == 1) payload = leaves[leaf];
                if (leaf_bytes == 2) payload = ((const uint16_t*)leaves)[leaf];
                if (leaf_bytes == 4) payload = ((const u32*)leaves)[leaf];
                leaf++;
                s->limit = payload;
                child = at;
                word = (u32)leaf_feature << 2 | 1;
            } else {
                u32 feature = feature_bytes == 1   ? features[node]
                              : feature_bytes == 2 ? ((const uint16_t*)features)[node]
                                                   : ((const u32*)features)[node];
                s->limit = limits[node];
                child = free;
                free += 2;
                word = feature << 2;
                if (missing_bits) word |= (u32)bit(missing_bits, node);
                if (category_bits) word |= (u32)bit(category_bits, node) << 1;
                node++;
            }
            if (wide) {
                s->meta = word;
                s->child = child;
            } else {
                s->meta = child << shift | word;
            }
        }
        base = free | 1; /* children stand on even slots: a pair never straddles a cache line */
    }
}

/* Everything about an ensemble that is constant when a program is compiled. */
typedef struct {
    const u8* table;
    const u32* roots;
    const uint16_t* depths;
    const u32* words; /* of a node: how many words follow, then a bit per category that goes left */
    i32 trees, shift, wide, missing, category;
} forest;

#define LANES(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

INLINE u32 category_right(const forest* f, u32 limit, f32 x, u32 missing_left) {
    /* limit is where the node's words start; the first of them counts the others */
    if (!(x >= 0 && x < 2147483648.0f)) return !missing_left;
    u32 code = (u32)x, words = f->words[limit];
    if (code >= words * 32) return 1;
    return !(f->words[limit + 1 + (code >> 5)] >> (code & 31) & 1);
}

/* One step from slot `at` for the row at `x + row`; missing values are handled where `nan` says so.
   `x` is a constant address, so that all eight rows share the register that holds `row`. */
INLINE u32 step(const forest* f, u32 at, const u8* x, u32 row, i32 nan) {
    const slot* s = (const slot*)(f->table + at * (f->wide ? WIDE_SLOT : SLOT));
    u32 word = s->meta, mask = (f->wide ? 0xFFFFFFFFu : (1u << f->shift) - 1) & ~3u;
    f32 value = *(const f32*)(x + (row + (word & mask)));
    f32 limit;
    __builtin_memcpy(&limit, &s->limit, 4);
    u32 right = value > limit;
    if (nan) right |= (u32)(value != value) & ~word & 1;
    if (f->category && (word & 2)) right = category_right(f, s->limit, value, word & 1);
    return (f->wide ? s->child : word >> f->shift) + right;
}

/* Where in a row the value lies that slot `at` tests. */
INLINE u32 column(const forest* f, u32 at) {
    const slot* s = (const slot*)(f->table + at * (f->wide ? WIDE_SLOT : SLOT));
    return s->meta & (f->wide ? 0xFFFFFFFFu : (1u << f->shift) - 1) & ~3u;
}

INLINE u32 payload(const forest* f, u32 at) {
    return ((const slot*)(f->table + at * (f->wide ? WIDE_SLOT : SLOT)))->limit;
}

#define START(K) u32 at##K = START_OF(K);
#define STEP(K) at##K = step(f, at##K, ROW_OF(K), row, nan);
#define ARRIVED(K) moving |= column(f, at##K) ^ leaf;
#define STORE(K) found[K] = payload(f, at##K);
/* Four steps at a time; unbalanced trees stop early once all eight paths have arrived. */
#define WALK(DEPTH)                                                                   \
    {                                                                                 \
        LANES(START)                                                      \
        i32 left = (DEPTH);                                                           \
        while (left > 4) {                                                            \
            _Pragma("clang loop unroll(disable)") for (i32 s = 0; s < 4; s++) {       \
                LANES(STEP)                                                           \
            }                                                                         \
            u32 moving = 0;                                                           \
            LANES(ARRIVED)                                                            \
            left = moving ? left - 4 : 0;                                             \
        }                                                                             \
        _Pragma("clang loop unroll(disable)") for (; left > 0; left--) { LANES(STEP) } \
        LANES(STORE)                                                                  \
    }

/* Eight rows down one tree. */
INLINE void walk_rows(const forest* f, const u8* x, u32 row, u32 stride, i32 t, u32 leaf,
                      i32 nan, u32* found) {
    u32 root = f->roots[t];
#define START_OF(K) root
#define ROW_OF(K) (x + K * stride)
    WALK(f->depths[t])
#undef START_OF
#undef ROW_OF
}

/* One row down eight trees. */
INLINE void walk_trees(const forest* f, const u8* x, u32 row, i32 t, u32 leaf, i32 nan,
                       u32* found) {
    i32 depth = 0;
    for (i32 k = 0; k < 8; k++) depth = f->depths[t + k] > depth ? f->depths[t + k] : depth;
#define START_OF(K) f->roots[t + K]
#define ROW_OF(K) x
    WALK(depth)
#undef START_OF
#undef ROW_OF
}

/* What is left after the eights: one row down one tree. */
INLINE u32 walk_one(const forest* f, const u8* x, u32 row, i32 t, i32 nan) {
    u32 at = f->roots[t];
    for (i32 left = f->depths[t]; left > 0; left--) at = step(f, at, x, row, nan);
    return payload(f, at);
}

/* How a leaf adds to the sums of a row: its own float32, or a row of values; to one output or all. */
#define ADD(T, SUMS, T_INDEX, PAYLOAD)                                                \
    {                                                                                 \
        T* sums_ = (SUMS);                                                            \
        u32 p_ = (PAYLOAD);                                                           \
        if (direct) {                                                                 \
            f32 v_;                                                                   \
            __builtin_memcpy(&v_, &p_, 4);                                            \
            sums_[targets ? targets[T_INDEX] : 0] += (T)v_;                           \
        } else if (targets) {                                                         \
            sums_[targets[T_INDEX]] += values[p_];                                    \
        } else {                                                                      \
            for (i32 c_ = 0; c_ < width; c_++) sums_[c_] += values[p_ * (u32)width + (u32)c_]; \
        }                                                                             \
    }

#define SUM(S, T)                                                                     \
    INLINE void sum_##S(const forest* f, T* out, const u8* x, u32 stride, i32 m,      \
                        i32 width, i32 direct, const T* values, const i32* targets,   \
                        u32 leaf, i32 nan) {                                          \
        u32 found[8];                                                                 \
        i32 i = 0;                                                                    \
        i32 eights = m & ~7;                                                          \
        for (i32 t = 0; t < f->trees; t++)                                            \
            for (i = 0; i < eights; i += 8) {                                         \
                walk_rows(f, x, (u32)i * stride, stride, t, leaf, nan, found);        \
                for (i32 k = 0; k < 8; k++) ADD(T, out + (i + k) * width, t, found[k]) \
            }                                                                         \
        for (i = eights; i < m; i++) {                                                \
            i32 t = 0;                                                                \
            for (; t + 8 <= f->trees; t += 8) {                                       \
                walk_trees(f, x, (u32)i * stride, t, leaf, nan, found);               \
                for (i32 k = 0; k < 8; k++) ADD(T, out + i * width, t + k, found[k])  \
            }                                                                         \
            for (; t < f->trees; t++)                                                 \
                ADD(T, out + i * width, t, walk_one(f, x, (u32)i * stride, t, nan))   \
        }                                                                             \
    }                                                                                 \
    void trees_sum_##S(T* out, const f32* x, i32 m, const u8* table, const u32* roots, \
                       const uint16_t* depths, const u32* words, const T* init,       \
                       i32 step, const T* values, const i32* targets, i32 trees,      \
                       i32 width, i32 direct, i32 columns, i32 shift, i32 wide,       \
                       i32 missing, i32 category) {                                   \
        forest f = {table, roots, depths, words, trees, shift, wide, missing, category}; \
        u32 stride = (u32)(columns + 1) * 4, leaf = (u32)columns << 2;                \
        for (i32 i = 0; i < m; i++)                                                   \
            for (i32 c = 0; c < width; c++) out[i * width + c] = init[i * step + c];  \
        if (missing && trees_any_missing(x, m, columns))                              \
            sum_##S(&f, out, (const u8*)x, stride, m, width, direct, values, targets, \
                    leaf, 1);                                                         \
        else                                                                          \
            sum_##S(&f, out, (const u8*)x, stride, m, width, direct, values, targets, \
                    leaf, 0);                                                         \
    }

/* The last column of x is the leaves' NaN. */
INLINE i32 trees_any_missing(const f32* x, i32 m, i32 columns) {
    u32 any = 0;
    for (i32 i = 0; i < m; i++)
        for (i32 j = 0; j < columns; j++) {
            f32 v = x[i * (columns + 1) + j];
            any |= v != v;
        }
    return any != 0;
}

SUM(f64, f64)
SUM(f32, f32)

/* The row of its values that each tree ends in. */
void trees_leaves(i64* out, const f32* x, i32 m, const u8* table, const u32* roots,
                  const uint16_t* depths, const u32* words, i32 trees, i32 columns, i32 shift,
                  i32 wide, i32 missing, i32 category) {
    forest f = {table, roots, depths, words, trees, shift, wide, missing, category};
    u32 stride = (u32)(columns + 1) * 4, leaf = (u32)columns << 2, found[8];
    for (i32 i = 0; i < m; i++) {
        u32 row = (u32)i * stride;
        i32 t = 0;
        for (; t + 8 <= trees; t += 8) {
            walk_trees(&f, (const u8*)x, row, t, leaf, missing, found);
            for (i32 k = 0; k < 8; k++) out[i * trees + t + k] = found[k];
        }
        for (; t < trees; t++) out[i * trees + t] = walk_one(&f, (const u8*)x, row, t, missing);
    }
}

/* Rows for the walk: the columns that the trees test, then the leaves' NaN. */
void trees_rows(f32* out, const f32* x, const i32* index, i32 m, i32 columns, i32 width) {
    for (i32 i = 0; i < m; i++) {
        f32* to = out + i * (columns + 1);
        for (i32 j = 0; j < columns; j++) to[j] = x[i * width + (index ? index[j] : j)];
        to[columns] = __builtin_nanf("");
    }
}

/* A float64 becomes the number of thresholds of its column that it passes, which decides every
   comparison with them exactly; `strict` counts those below it, else those not above it. Columns
   with no thresholds (they hold categories) keep their value. */
void trees_ranks(f32* out, const f64* x, const i32* index, const u32* ends, const f64* limits,
                 i32 m, i32 columns, i32 width, i32 strict) {
    for (i32 i = 0; i < m; i++) {
        f32* to = out + i * (columns + 1);
        for (i32 j = 0; j < columns; j++) {
            f64 v = x[i * width + index[j]];
            u32 start = j ? ends[j - 1] : 0, size = ends[j] - start;
            const f64* base = limits + start;
            const f64* low = base;
            while (size > 1) {
                u32 half = size >> 1;
                f64 limit = low[half - 1];
                low += (strict ? limit < v : limit <= v) ? half : 0;
                size -= half;
            }
            f32 rank;
            if (size)
                rank = (f32)((u32)(low - base) + (strict ? *low < v : *low <= v));
            else
                rank = v < 0 || v >= 2147483648.0 ? -1.0f : (f32)(i32)v;
            to[j] = v != v ? __builtin_nanf("") : rank;
        }
        to[columns] = __builtin_nanf("");
    }
}
