/* Matrix product with a constant matrix. */
#include "abi.h"

typedef f64 f64x2 __attribute__((vector_size(16), aligned(8)));
typedef f32 f32x4 __attribute__((vector_size(16), aligned(4)));

/* One output column: four partial sums hide the latency of an addition. */
#define DOT(S, T, V, LANES)                                                           \
    void linear_dot_##S(T* out, const T* x, const T* weights, i32 m, i32 w) {         \
        i32 whole = w / (2 * LANES) * (2 * LANES);                                    \
        for (i32 i = 0; i < m; i++) {                                                 \
            const T* row = x + i * w;                                                 \
            V s0 = {0}, s1 = {0};                                                     \
            for (i32 k = 0; k < whole; k += 2 * LANES) {                              \
                s0 += *(const V*)(row + k) * *(const V*)(weights + k);                \
                s1 += *(const V*)(row + k + LANES) * *(const V*)(weights + k + LANES); \
            }                                                                         \
            s0 += s1;                                                                 \
            T total = 0;                                                              \
            for (i32 k = 0; k < LANES; k++) total += s0[k];                           \
            for (i32 k = whole; k < w; k++) total += row[k] * weights[k];             \
            out[i] = total;                                                           \
        }                                                                             \
    }
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
