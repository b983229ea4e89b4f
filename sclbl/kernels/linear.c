/* Matrix product with a constant matrix. */
#include "abi.h"

typedef f64 f64x2 __attribute__((vector_size(16), aligned(8)));
typedef f32 f32x4 __attribute__((vector_size(16), aligned(4)));

/* One output column: four partial sums hide the latency of an addition. */
#define DOT(S, T, V, LANES)                                                           \
    void linear_dot_##S(T* out, const T* x, const T* weights, i32 m, i32 w) {         \
        i32 blocks = w / (4 * LANES), rest = w - blocks * 4 * LANES;                  \
        for (i32 i = 0; i < m; i++) {                                                 \
            const V *row = (const V*)(x + i * w), *by = (const V*)weights;            \
            V s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};                                 \
            for (i32 k = 0; k < blocks; k++, row += 4, by += 4) {                     \
                s0 += row[0] * by[0];                                                 \
                s1 += row[1] * by[1];                                                 \
                s2 += row[2] * by[2];                                                 \
                s3 += row[3] * by[3];                                                 \
            }                                                                         \
            i32 k = blocks * 4 * LANES;                                               \
            for (i32 pairs = rest / LANES; pairs > 0; pairs--, k += LANES)            \
                s0 += *row++ * *by++;                                                 \
            s0 = (s0 + s1) + (s2 + s3);                                               \
            T total = FOLD_##S(s0);                                                   \
            for (; k < w; k++) total += x[i * w + k] * weights[k];                    \
            out[i] = total;                                                           \
        }                                                                             \
    }
#define FOLD_f64(v) (v[0] + v[1])
#define FOLD_f32(v) ((v[0] + v[1]) + (v[2] + v[3]))
DOT(f64, f64, f64x2, 2)
DOT(f32, f32, f32x4, 4)

/* Several columns: each value of x is spread over a row of weights. */
#define MATMUL(S, T)                                                                  \
    void linear_matmul_##S(T* out, const T* x, const T* weights, i32 m, i32 w, i32 c) { \
        for (i32 i = 0; i < m; i++) {                                                 \
            T* to = out + i * c;                                                      \
            for (i32 j = 0; j < c; j++) to[j] = 0;                                    \
            for (i32 k = 0; k < w; k++) {                                             \
                T value = x[i * w + k];                                               \
                for (i32 j = 0; j < c; j++) to[j] += value * weights[k * c + j];      \
            }                                                                         \
        }                                                                             \
    }
MATMUL(f64, f64)
MATMUL(f32, f32)
