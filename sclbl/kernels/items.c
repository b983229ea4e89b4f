/* Numbers of sparse rows, item by item: new values beside the same columns. See ops/items.py. */
#include "abi.h"
#include "packed.h"
#include "scalar.h"
#include "sparse_rows.h"

/* Make room for the values of a tile's items, counted from the first row's first; return how many
   there are, or -1. */
static i64 room(ragged* out, const ragged* x, growing* to, i32 m, u32 item) {
    u32 count = x->offsets[m];
    to->used = 0;
    if (abi_grow(to, (u64)count * item)) return -1;
    *out = (ragged){x->offsets, x->keys, (const void*)to->address};
    return count;
}

#define CAST(S, T, D, R)                                                                       \
    i32 items_cast_##S##_##D(ragged* out, const ragged* x, growing* to, i32 m) {               \
        i64 count = room(out, x, to, m, sizeof(R));                                            \
        const T* from = (const T*)x->values;                                                   \
        R* values = (R*)to->address;                                                           \
        for (i64 k = x->offsets[0]; k < count; k++) values[k] = from ? (R)from[k] : (R)1;      \
        return count < 0 ? NO_MEMORY : OK;                                                     \
    }
CAST(f64, f64, f64, f64)
CAST(f64, f64, f32, f32)
CAST(f32, f32, f64, f64)
CAST(f32, f32, f32, f32)
CAST(i64, i64, f64, f64)
CAST(i64, i64, f32, f32)

#define LOG(S, T)                                                                              \
    i32 items_log_##S(ragged* out, const ragged* x, growing* to, i32 m) {                      \
        i64 count = room(out, x, to, m, sizeof(T));                                            \
        const T* from = (const T*)x->values;                                                   \
        T* values = (T*)to->address;                                                           \
        for (i64 k = x->offsets[0]; k < count; k++)                                            \
            values[k] = (from && from[k] != 1 ? (T)sclbl_log(from[k]) : (T)0) + (T)1;          \
        return count < 0 ? NO_MEMORY : OK;                                                     \
    }
LOG(f64, f64)
LOG(f32, f32)

/* `bits` of a code for each column, or 0 where each has a factor of its own. */
#define SCALE(S, T, D, F, W)                                                                   \
    i32 items_scale_##S##_##D(ragged* out, const ragged* x, growing* to, i32 m,                \
                              const u8* codes, i32 bits, const F* factors) {                   \
        i64 count = room(out, x, to, m, sizeof(T));                                            \
        const T* from = (const T*)x->values;                                                   \
        const i32* keys = (const i32*)x->keys;                                                 \
        T* values = (T*)to->address;                                                           \
        for (i64 k = x->offsets[0]; k < count; k++) {                                          \
            u32 at = bits ? packed_at(codes, (u32)keys[k], (u32)bits) : (u32)keys[k];          \
            values[k] = (T)((W)(from ? from[k] : (T)1) * (W)factors[at]);                      \
        }                                                                                      \
        return count < 0 ? NO_MEMORY : OK;                                                     \
    }
SCALE(f64, f64, f64, f64, f64)
SCALE(f64, f64, f32, f32, f64)
SCALE(f32, f32, f64, f64, f64)
SCALE(f32, f32, f32, f32, f32)

/* Squares are of the values' own type, their sum is not. */
#define NORM(S, T)                                                                             \
    i32 items_norm_##S(ragged* out, const ragged* x, growing* to, i32 m, i32 squares) {        \
        if (room(out, x, to, m, sizeof(T)) < 0) return NO_MEMORY;                              \
        const T* from = (const T*)x->values;                                                   \
        T* values = (T*)to->address;                                                           \
        for (i32 i = 0; i < m; i++) {                                                          \
            u32 start = x->offsets[i], end = x->offsets[i + 1];                                \
            f64 total = 0;                                                                     \
            for (u32 k = start; k < end; k++) {                                                \
                T v = from ? from[k] : (T)1;                                                   \
                total += squares ? v * v : __builtin_elementwise_abs(v);                       \
            }                                                                                  \
            if (squares) total = __builtin_elementwise_sqrt(total);                            \
            for (u32 k = start; k < end; k++) {                                                \
                T v = from ? from[k] : (T)1;                                                   \
                values[k] = total == 0 ? v : (T)(v / total);                                   \
            }                                                                                  \
        }                                                                                      \
        return OK;                                                                             \
    }
NORM(f64, f64)
NORM(f32, f32)

#define ROWS(S, T)                                                                             \
    i32 items_rows_##S(ragged* out, const T* x, growing* to, i32 m, i32 width) {               \
        i32 code = begin_sparse(to, m, (u64)(u32)m * (u32)width, sizeof(T));                   \
        if (code) return code;                                                                 \
        u32* offsets = (u32*)to[0].address;                                                    \
        i32* keys = (i32*)to[1].address;                                                       \
        T* values = (T*)to[2].address;                                                         \
        u32 at = 0;                                                                            \
        for (i32 i = 0; i < m; i++) {                                                          \
            offsets[i] = at;                                                                   \
            for (i32 j = 0; j < width; j++) {                                                  \
                T v = x[i * width + j];                                                        \
                if (v == 0) continue;                                                          \
                keys[at] = j;                                                                  \
                values[at++] = v;                                                              \
            }                                                                                  \
        }                                                                                      \
        offsets[m] = at;                                                                       \
        finish_sparse(out, to);                                                                \
        return OK;                                                                             \
    }
ROWS(f64, f64)
ROWS(f32, f32)
ROWS(i64, i64)

/* The items of x, then those of y, whose columns lie behind `first` others. */
#define JOIN(S, T)                                                                             \
    static u32 items_put_##S(const ragged* x, i32 row, i32 first, i32* keys, T* values,        \
                             u32 at) {                                                         \
        for (u32 k = x->offsets[row]; k < x->offsets[row + 1]; k++) {                          \
            keys[at] = ((const i32*)x->keys)[k] + first;                                       \
            values[at++] = x->values ? ((const T*)x->values)[k] : (T)1;                        \
        }                                                                                      \
        return at;                                                                             \
    }                                                                                          \
    i32 items_join_##S(ragged* out, const ragged* x, const ragged* y, growing* to, i32 m,      \
                       i32 first) {                                                            \
        u64 count = (u64)(x->offsets[m] - x->offsets[0]) + (y->offsets[m] - y->offsets[0]);    \
        i32 code = begin_sparse(to, m, count, sizeof(T));                                      \
        if (code) return code;                                                                 \
        u32* offsets = (u32*)to[0].address;                                                    \
        i32* keys = (i32*)to[1].address;                                                       \
        T* values = (T*)to[2].address;                                                         \
        u32 at = 0;                                                                            \
        for (i32 i = 0; i < m; i++) {                                                          \
            offsets[i] = at;                                                                   \
            at = items_put_##S(x, i, 0, keys, values, at);                                     \
            at = items_put_##S(y, i, first, keys, values, at);                                 \
        }                                                                                      \
        offsets[m] = at;                                                                       \
        finish_sparse(out, to);                                                                \
        return OK;                                                                             \
    }
JOIN(f64, f64)
JOIN(f32, f32)
JOIN(i64, i64)

/* Where a column is among `count` sorted ones, or -1. */
static i32 place_of(i32 column, const i32* columns, i32 count) {
    i32 low = 0;
    for (i32 high = count; low < high;) {
        i32 middle = low + (high - low) / 2;
        if (columns[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && columns[low] == column ? low : -1;
}

#define CHOOSE(S, T)                                                                           \
    i32 items_choose_##S(ragged* out, const ragged* x, growing* to, i32 m, const i32* columns, \
                         i32 count) {                                                          \
        i32 code = begin_sparse(to, m, x->offsets[m] - x->offsets[0], sizeof(T));              \
        if (code) return code;                                                                 \
        u32* offsets = (u32*)to[0].address;                                                    \
        i32* keys = (i32*)to[1].address;                                                       \
        T* values = (T*)to[2].address;                                                         \
        u32 at = 0;                                                                            \
        for (i32 i = 0; i < m; i++) {                                                          \
            offsets[i] = at;                                                                   \
            for (u32 k = x->offsets[i]; k < x->offsets[i + 1]; k++) {                          \
                i32 place = place_of(((const i32*)x->keys)[k], columns, count);                \
                if (place < 0) continue;                                                       \
                keys[at] = place;                                                              \
                values[at++] = x->values ? ((const T*)x->values)[k] : (T)1;                    \
            }                                                                                  \
        }                                                                                      \
        offsets[m] = at;                                                                       \
        finish_sparse(out, to);                                                                \
        return OK;                                                                             \
    }
CHOOSE(f64, f64)
CHOOSE(f32, f32)
CHOOSE(i64, i64)

/* NumPy compares with the threshold in float64, integers too. */
#define ABOVE(S, T)                                                                            \
    i32 items_above_##S(ragged* out, const ragged* x, growing* to, i32 m, f64 threshold) {     \
        i32 code = begin_sparse(to, m, x->offsets[m] - x->offsets[0], sizeof(T));              \
        if (code) return code;                                                                 \
        u32* offsets = (u32*)to[0].address;                                                    \
        i32* keys = (i32*)to[1].address;                                                       \
        T* values = (T*)to[2].address;                                                         \
        u32 at = 0;                                                                            \
        for (i32 i = 0; i < m; i++) {                                                          \
            offsets[i] = at;                                                                   \
            for (u32 k = x->offsets[i]; k < x->offsets[i + 1]; k++) {                          \
                f64 v = x->values ? (f64)((const T*)x->values)[k] : 1;                         \
                if (!(v > threshold)) continue;                                                \
                keys[at] = ((const i32*)x->keys)[k];                                           \
                values[at++] = 1;                                                              \
            }                                                                                  \
        }                                                                                      \
        offsets[m] = at;                                                                       \
        finish_sparse(out, to);                                                                \
        return OK;                                                                             \
    }
ABOVE(f64, f64)
ABOVE(f32, f32)
ABOVE(i64, i64)
