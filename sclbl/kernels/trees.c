/* Ensembles of decision trees: unpack the table once, then walk eight paths at a time.

   A slot of the table has a threshold and a word:

       child << shift | column * 4 | category << 1

   The children of a node stand side by side at `child` and `child + 1`; a value greater than the
   threshold goes to the second. A leaf tests a column that is always NaN and its child is itself,
   so a path that has arrived stays, and every path of a tree takes the same number of steps with no
   branch. Instead of a threshold a leaf holds its value (float32) or the row of its values. Where a
   missing value goes stands apart, a byte a slot, for tiles of rows that hold one.

   In the file the table is packed: breadth first, the place of the children is implied, so a slot
   costs a bit, a node its feature and threshold, a leaf its value or row. `trees_unpack` runs when
   a program is instantiated. */
#include "abi.h"

#define INLINE static inline __attribute__((always_inline))
/* Keeps LLVM from computing eight rows' addresses ahead, which would take eight registers. */
#define KEEP(V) __asm__("" : "+r"(V))

static i32 bit(const u8* bits, u32 k) { return bits[k >> 3] >> (k & 7) & 1; }
static u32 number(const u8* values, i32 bytes, u32 k) {
    if (bytes == 1) return values[k];
    if (bytes == 2) return ((const uint16_t*)values)[k];
    return bytes == 4 ? ((const u32*)values)[k] : k;
}

void trees_unpack(u8* table, u8* missing_left, u32* roots, const u8* leaf_bits,
                  const u8* missing_bits, const u8* category_bits, const u8* features,
                  const u32* limits, const u8* leaves, i32 trees, i32 feature_bytes,
                  i32 leaf_bytes, i32 shift, i32 leaf_feature, i32 size) {
    u32 base = 1, read = 0, node = 0, leaf = 0;
    for (i32 t = 0; t < trees; t++) {
        u32 at = base, free = base + 1;
        roots[t] = base;
        for (; at < free; at++, read++) {
            u32* slot = (u32*)(table + at * (u32)size);
            u32 word, child;
            if (bit(leaf_bits, read)) {
                slot[0] = number(leaves, leaf_bytes, leaf);
                leaf++;
                child = at;
                word = (u32)leaf_feature << 2;
                if (missing_bits) missing_left[at] = 1;
            } else {
                slot[0] = limits[node];
                child = free;
                free += 2;
                word = number(features, feature_bytes, node) << 2;
                if (missing_bits) missing_left[at] = (u8)bit(missing_bits, node);
                if (category_bits) word |= (u32)bit(category_bits, node) << 1;
                node++;
            }
            if (size == 12) {
                slot[1] = word;
                slot[2] = child;
            } else {
                slot[1] = child << shift | word;
            }
        }
        base = free | 1; /* children stand on even slots: a pair never straddles a cache line */
    }
    for (i32 t = trees; t & 7; t++) roots[t] = roots[trees - 1];
}

/* Everything about an ensemble that is constant when a program is compiled. The parts of slot k lie
   `k * size` from `limits`, `words` and `children` (wide slots only: too many columns and nodes for
   one word); each has a symbol of its own, so that an instruction that loads can hold its address. */
typedef struct {
    const u8 *limits, *words, *children, *missing_left;
    const u32* categories; /* of a node: how many words follow, then a bit per category going left */
    i32 shift, size, column_bytes, category;
} forest;

#define LANES(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

INLINE u32 category_right(const forest* f, u32 limit, f32 x, u32 missing_left) {
    if (!(x >= 0 && x < 2147483648.0f)) return !missing_left;
    u32 code = (u32)x, words = f->categories[limit];
    if (code >= words * 32) return 1;
    return !(f->categories[limit + 1 + (code >> 5)] >> (code & 31) & 1);
}

/* Where in a row the value lies that the slot at byte `k` tests. */
INLINE u32 column(const forest* f, u32 k) {
    if (f->column_bytes == 1) return f->words[k];
    if (f->column_bytes == 2) return *(const uint16_t*)(f->words + k);
    u32 word = *(const u32*)(f->words + k);
    return f->size == 12 ? word & ~3u : word & ((1u << f->shift) - 1) & ~3u;
}

/* One step from slot `at` for the row at `x + row`; missing values are handled where `nan` says so.
   `x` is a constant address, so that all eight rows share the register that holds `row`. */
INLINE u32 step(const forest* f, u32 at, const f32* x, u32 row, i32 nan) {
    u32 k = at * (u32)f->size, where = row + column(f, k);
    KEEP(where);
    f32 value = *(const f32*)((const u8*)x + where);
    u32 right = value > *(const f32*)(f->limits + k);
    if (nan) right |= (u32)(value != value) & !f->missing_left[at];
    if (f->category && (f->words[k] & 2)) {
        u32 missing_left = nan ? f->missing_left[at] : 1;
        right = category_right(f, *(const u32*)(f->limits + k), value, missing_left);
    }
    if (f->size == 12) return *(const u32*)(f->children + k) + right;
    return (*(const u32*)(f->words + k) >> f->shift) + right;
}

/* Slots of eight bytes without categories, whose column fills one byte or two. */
#define NARROW(BYTES, COLUMN)                                                         \
    INLINE u32 column_##BYTES(const forest* f, u32 k) { return COLUMN; }              \
    INLINE u32 step_##BYTES(const forest* f, u32 at, const f32* x, u32 row, i32 nan) { \
        u32 k = at * 8, where = row + column_##BYTES(f, k);                           \
        KEEP(where);                                                                  \
        f32 value = *(const f32*)((const u8*)x + where);                              \
        u32 right = value > *(const f32*)(f->limits + k);                             \
        if (nan) right |= (u32)(value != value) & !f->missing_left[at];               \
        return (*(const u32*)(f->words + k) >> (8 * BYTES)) + right;                  \
    }
NARROW(1, f->words[k])
NARROW(2, *(const uint16_t*)(f->words + k))

#define START(K) u32 at##K = START_OF(K);
#define ONWARD(K) at##K = STEP(f, at##K, x##K, row, nan);
#define ARRIVED(K) moving |= COLUMN(f, at##K * (u32)SLOT) ^ leaf;
#define STORE(K) found[K] = *(const u32*)(limits + at##K * (u32)SLOT);
/* Four steps at a time, without a turn of a loop, where an engine would look at the clock;
   unbalanced trees stop early once all eight paths have arrived. */
#define WALK(DEPTH)                                                                   \
    {                                                                                 \
        LANES(START)                                                                  \
        i32 left = (DEPTH);                                                           \
        while (left > 4) {                                                            \
            _Pragma("clang loop unroll(disable)") for (i32 s = 0; s < 4; s++) { LANES(ONWARD) } \
            u32 moving = 0;                                                           \
            LANES(ARRIVED)                                                            \
            left = moving ? left - 4 : 0;                                             \
        }                                                                             \
        _Pragma("clang loop unroll(disable)") for (; left > 0; left--) { LANES(ONWARD) } \
        LANES(STORE)                                                                  \
    }

#define PARAMETERS                                                                    \
    u32 *found, const f32 *x0, const f32 *x1, const f32 *x2, const f32 *x3,           \
        const f32 *x4, const f32 *x5, const f32 *x6, const f32 *x7, i32 t, u32 row,   \
        const u8 *limits, const u8 *words, const u8 *children, const u8 *missing_left, \
        const u32 *roots, const uint16_t *depths, const u32 *categories, i32 columns, \
        i32 shift, i32 size, i32 column_bytes, i32 category, i32 nan
#define FOREST                                                                        \
    const forest model = {limits, words, children, missing_left, categories,          \
                          shift,  size,  column_bytes, category}, *f = &model;        \
    u32 leaf = (u32)columns << 2

#define STEP step
#define COLUMN column
#define SLOT size
#define WALK_NAME(NAME) NAME
#include "trees_walk.h"

#define STEP step_1
#define COLUMN column_1
#define SLOT 8
#define WALK_NAME(NAME) NAME##_1
#include "trees_walk.h"

#define STEP step_2
#define COLUMN column_2
#define SLOT 8
#define WALK_NAME(NAME) NAME##_2
#include "trees_walk.h"

typedef void walk(i32 t, u32 row);

/* How a leaf adds to the sums of a row: its own float32, or a row of `span` values, to the sums from
   its tree's target on. */
#define ADD(T, SUMS, T_INDEX, PAYLOAD)                                                \
    {                                                                                 \
        T* sums_ = (SUMS);                                                            \
        u32 p_ = (PAYLOAD);                                                           \
        if (direct) {                                                                 \
            f32 v_;                                                                   \
            __builtin_memcpy(&v_, &p_, 4);                                            \
            sums_[targets ? targets[T_INDEX] : 0] += (T)v_;                           \
        } else {                                                                      \
            if (targets) sums_ += targets[T_INDEX];                                   \
            for (i32 c_ = 0; c_ < span; c_++) sums_[c_] += values[p_ * (u32)span + (u32)c_]; \
        }                                                                             \
    }

/* Small trees over columns of few thresholds, 32 rows at a time. A tree's leaves are numbered
   from left to right; a row that goes right at a node loses the leaves to the left of it, and the
   first leaf that is left is where it arrives (the QuickScorer of Lucchese et al., SIGIR 2015, over
   rows in place of features). Ranks below 256 take a byte, so one instruction compares 16 rows. */
typedef struct {
    u32 lost;
    uint16_t plane;
    int8_t limit;
} scored_node;

#define PLANE 256
#define MOST_LEAVES 32
#define SCORED 32

void trees_score_unpack(scored_node* nodes, u32* starts, u32* leaves, const u8* limits,
                        const u8* words, const u32* roots, i32 trees, i32 columns, i32 shift) {
    u32 n = 0;
    for (i32 t = 0; t < trees; t++) {
        u32 stack[MOST_LEAVES], node_of[MOST_LEAVES], first[MOST_LEAVES];
        u32 at = roots[t], depth = 0, count = 0;
        n = (n + 3) & ~3u; /* a turn of the loop takes four nodes; no-ops are all zeros */
        starts[t] = n;
        for (;;) {
            u32 word = *(const u32*)(words + at * 8), limit = *(const u32*)(limits + at * 8);
            u32 feature = (word & ((1u << shift) - 1)) >> 2;
            if (feature != (u32)columns) {
                f32 rank;
                __builtin_memcpy(&rank, &limit, 4);
                nodes[n].plane = (uint16_t)feature;
                nodes[n].limit = (int8_t)((i32)rank - 128);
                stack[depth] = at;
                node_of[depth] = n++;
                first[depth++] = count;
                at = word >> shift;
                continue;
            }
            leaves[t * MOST_LEAVES + count++] = limit;
            if (!depth) break;
            depth--;
            nodes[node_of[depth]].lost = (u32)((1ull << count) - (1ull << first[depth]));
            at = (*(const u32*)(words + stack[depth] * 8) >> shift) + 1;
        }
    }
    starts[trees] = (n + 3) & ~3u;
}

/* Ranks as bytes, a plane a column; signed, because processors compare signed bytes. */
INLINE void trees_planes(int8_t* planes, const f32* x, i32 m, i32 columns) {
    for (i32 i = 0; i < m; i++)
        for (i32 j = 0; j < columns; j++)
            planes[j * PLANE + i] = (int8_t)((i32)x[i * (columns + 1) + j] - 128);
}

typedef u8 u8x16 __attribute__((vector_size(16), aligned(1)));
typedef int8_t i8x16 __attribute__((vector_size(16), aligned(1)));
typedef u32 u32x4 __attribute__((vector_size(16), aligned(4)));

#define NODE                                                                          \
    {                                                                                 \
        const i8x16* x = (const i8x16*)(planes + node->plane * PLANE + row);          \
        u8x16 right0 = (u8x16)(x[0] > node->limit), right1 = (u8x16)(x[1] > node->limit); \
        const u8* lost = (const u8*)&node->lost;                                      \
        a0 |= right0 & lost[0];                                                       \
        a1 |= right1 & lost[0];                                                       \
        b0 |= right0 & lost[1];                                                       \
        b1 |= right1 & lost[1];                                                       \
        c0 |= right0 & lost[2];                                                       \
        c1 |= right1 & lost[2];                                                       \
        d0 |= right0 & lost[3];                                                       \
        d1 |= right1 & lost[3];                                                       \
        node++;                                                                       \
    }

/* Bytes of four planes become the words of sixteen rows: the leaves that are left. */
INLINE void leaves_left(u32x4* to, u8x16 a, u8x16 b, u8x16 c, u8x16 d) {
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define LOW_PAIRS 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23
#define HIGH_PAIRS 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31
    u8x16 ab = __builtin_shufflevector(a, b, LOW), cd = __builtin_shufflevector(c, d, LOW);
    to[0] = ~(u32x4)__builtin_shufflevector(ab, cd, LOW_PAIRS);
    to[1] = ~(u32x4)__builtin_shufflevector(ab, cd, HIGH_PAIRS);
    ab = __builtin_shufflevector(a, b, HIGH), cd = __builtin_shufflevector(c, d, HIGH);
    to[2] = ~(u32x4)__builtin_shufflevector(ab, cd, LOW_PAIRS);
    to[3] = ~(u32x4)__builtin_shufflevector(ab, cd, HIGH_PAIRS);
}

void trees_score(u32* found, i32 t, u32 row, const scored_node* nodes, const u32* starts,
                 const u32* leaves, const int8_t* planes) {
    u8x16 a0 = {0}, a1 = {0}, b0 = {0}, b1 = {0}, c0 = {0}, c1 = {0}, d0 = {0}, d1 = {0};
    const scored_node *node = nodes + starts[t], *end = nodes + starts[t + 1];
    while (node < end) {
        NODE NODE NODE NODE
    }
    leaves_left((u32x4*)found, a0, b0, c0, d0);
    leaves_left((u32x4*)(found + 16), a1, b1, c1, d1);
    leaves += t * MOST_LEAVES;
    for (i32 k = 0; k < SCORED; k++) found[k] = leaves[__builtin_ctz(found[k])];
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

#define SUM(S, T)                                                                     \
    void trees_sum_##S(T* out, const f32* x, i32 m, const T* init, i32 step,          \
                       const T* values, const i32* targets, const u32* found,         \
                       walk* rows, walk* trees, walk* rows_nan, walk* trees_nan,      \
                       walk* score, int8_t* planes, i32 count, i32 width, i32 span,       \
                       i32 direct, i32 columns, i32 missing) {                                    \
        u32 stride = (u32)(columns + 1) * 4;                                          \
        i32 nan = missing && trees_any_missing(x, m, columns), eights = m & ~7;       \
        for (i32 i = 0; i < m; i++)                                                   \
            for (i32 c = 0; c < width; c++) out[i * width + c] = init[i * step + c];  \
        i32 scored = score && !nan ? m & ~(SCORED - 1) : 0;                           \
        if (scored) {                                                                 \
            trees_planes(planes, x, m, columns);                                      \
            for (i32 t = 0; t < count; t++)                                           \
                for (i32 i = 0; i < scored; i += SCORED) {                            \
                    score(t, (u32)i);                                                 \
                    for (i32 k = 0; k < SCORED; k++)                                  \
                        ADD(T, out + (i + k) * width, t, found[k])                    \
                }                                                                     \
        }                                                                             \
        for (i32 t = 0; t < count; t++)                                               \
            for (i32 i = scored; i < eights; i += 8) {                                     \
                if (nan) rows_nan(t, (u32)i * stride);                                \
                else rows(t, (u32)i * stride);                                        \
                for (i32 k = 0; k < 8; k++) ADD(T, out + (i + k) * width, t, found[k]) \
            }                                                                         \
        for (i32 i = eights; i < m; i++)                                              \
            for (i32 t = 0; t < count; t += 8) {                                      \
                if (nan) trees_nan(t, (u32)i * stride);                               \
                else trees(t, (u32)i * stride);                                       \
                i32 here = count - t < 8 ? count - t : 8;                             \
                for (i32 k = 0; k < here; k++) ADD(T, out + i * width, t + k, found[k]) \
            }                                                                         \
    }

SUM(f64, f64)
SUM(f32, f32)

/* The row of its values that each tree ends in. */
void trees_leaves(i64* out, i32 m, const u32* found, walk* trees, i32 count, i32 columns) {
    u32 stride = (u32)(columns + 1) * 4;
    for (i32 i = 0; i < m; i++)
        for (i32 t = 0; t < count; t += 8) {
            trees(t, (u32)i * stride);
            i32 here = count - t < 8 ? count - t : 8;
            for (i32 k = 0; k < here; k++) out[i * count + t + k] = found[k];
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

/* The same with the thresholds of every column filled up to `size`, a power of two, by infinities:
   eight columns are searched at once, in steps that are the same for all. `raw` marks columns that
   hold categories; `index` and the table go on to a multiple of eight columns. */
void trees_spread(f64* table, const f64* limits, const u32* ends, i32 columns, i32 size) {
    u32 from = 0;
    i32 all = (columns + 7) & ~7;
    for (i32 j = 0; j < all; j++)
        for (i32 k = 0; k < size; k++)
            *table++ = j < columns && from < ends[j] ? limits[from++] : __builtin_inf();
}

#define CELL(K) f64 v##K = row[index[j + K]]; u32 at##K = (u32)((j + K) * size) * 8;
#define HALVE(K) \
    { \
        f64 limit = *(const f64*)(below + at##K + half); \
        at##K += (u32)(strict ? limit < v##K : limit <= v##K) * half; \
    }
#define RANK(K)                                                                       \
    {                                                                                 \
        f32 rank = (f32)(i32)((at##K >> 3) - (u32)((j + K) * size));                  \
        if (raw && raw[j + K])                                                        \
            rank = v##K < 0 || v##K >= 2147483648.0                                   \
                       ? -1.0f                                                        \
                       : (f32)__builtin_wasm_trunc_saturate_s_i32_f64(v##K);          \
        to[j + K] = v##K != v##K ? __builtin_nanf("") : rank;                         \
    }

void trees_ranks8(f32* out, const f64* x, const i32* index, const f64* table, const u8* raw,
                  i32 m, i32 columns, i32 width, i32 size, i32 strict) {
    const u8* below = (const u8*)table - 8;
    for (i32 i = 0; i < m; i++) {
        const f64* row = x + i * width;
        f32* to = out + i * (columns + 1);
        for (i32 j = 0; j < columns; j += 8) {
            LANES(CELL)
            _Pragma("clang loop unroll(disable)") for (u32 half = (u32)size * 4; half > 4;
                                                       half >>= 1) {
                LANES(HALVE)
            }
            LANES(RANK) /* what goes beyond the row is written over next */
        }
        to[columns] = __builtin_nanf("");
    }
}
