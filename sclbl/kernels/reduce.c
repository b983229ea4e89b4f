/* From a row to one number, and functions of whole rows. */
#include "abi.h"
#include "scalar.h"

/* A: integers are added without a sign, so that they wrap around. */
#define REDUCE(NAME, S, T, A, START, STEP, END)                                       \
    void reduce_##NAME##_##S(T* out, const T* x, i32 m, i32 w) {                      \
        for (i32 i = 0; i < m; i++) {                                                 \
            const T* row = x + i * w;                                                 \
            A s = (START);                                                            \
            for (i32 j = 0; j < w; j++) {                                             \
                A v = row[j];                                                         \
                STEP;                                                                 \
            }                                                                         \
            out[i] = (T)(END);                                                        \
        }                                                                             \
    }
#define NUMBERS(S, T, A, ABS)                                                         \
    REDUCE(sum, S, T, A, 0, s += v, s)                                                \
    REDUCE(l1, S, T, A, 0, s += ABS(v), s)                                            \
    REDUCE(sum_square, S, T, A, 0, s += v * v, s)                                     \
    REDUCE(max, S, T, T, row[0], if (v > s || v != v) s = v, s)                       \
    REDUCE(min, S, T, T, row[0], if (v < s || v != v) s = v, s)                       \
    void reduce_arg_max_##S(i64* out, const T* x, i32 m, i32 w) {                      \
        for (i32 i = 0; i < m; i++) {                                                 \
            const T* row = x + i * w;                                                 \
            i32 best = 0;                                                             \
            for (i32 j = 1; j < w; j++)                                               \
                if (row[j] > row[best] || (row[j] != row[j] && row[best] == row[best])) \
                    best = j;                                                         \
            out[i] = best;                                                            \
        }                                                                             \
    }
#define FLOATS(S, T, SQRT)                                                            \
    REDUCE(l2, S, T, T, 0, s += v * v, SQRT(s))                                          \
    void reduce_softmax_##S(T* out, const T* x, i32 m, i32 w) {                       \
        for (i32 i = 0; i < m; i++) {                                                 \
            const T* row = x + i * w;                                                 \
            T top = row[0], sum = 0;                                                  \
            for (i32 j = 1; j < w; j++)                                               \
                if (row[j] > top || row[j] != row[j]) top = row[j];                   \
            for (i32 j = 0; j < w; j++) {                                             \
                T e = EXP_##S(row[j] - top);                                          \
                out[i * w + j] = e;                                                   \
                sum += e;                                                             \
            }                                                                         \
            for (i32 j = 0; j < w; j++) out[i * w + j] /= sum;                        \
        }                                                                             \
    }
#define EXP_f64 sclbl_exp
#define EXP_f32 sclbl_expf
#define ABS_i32(v) ((i32)(v) < 0 ? 0 - (v) : (v))
#define ABS_i64(v) ((i64)(v) < 0 ? 0 - (v) : (v))
NUMBERS(f64, f64, f64, __builtin_fabs)
NUMBERS(f32, f32, f32, __builtin_fabsf)
NUMBERS(i32, i32, u32, ABS_i32)
NUMBERS(i64, i64, u64, ABS_i64)
NUMBERS(u32, u32, u32, )
NUMBERS(u64, u64, u64, )
FLOATS(f64, f64, __builtin_sqrt)
FLOATS(f32, f32, __builtin_sqrtf)
