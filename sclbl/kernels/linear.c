/* Matrix product with a constant matrix. */
#include "abi.h"

typedef f64 f64x2 __attribute__((vector_size(16), aligned(8)));
typedef f32 f32x4 __attribute__((vector_size(16), aligned(4)));

/* One output column: partial sums hide the latency of an addition. */
#define DOT(S, T, V, LANES)                                                           \
    void linear_dot_##S(T* out, const T* x, const T* weights, i32 m, i32 w) {         \
        i32 whole = w - w % (3 * LANES);                                              \
        for (i32 i = 0; i < m; i++, x += w) {                                         \
            V s0 = {0}, s1 = {0}, s2 = {0};                                           \
            i32 k = 0;                                                                \
            for (; k < whole; k += 3 * LANES) {                                       \
                const V *a = (const V*)(x + k), *b = (const V*)(weights + k);         \
                s0 += a[0] * b[0];                                                    \
                s1 += a[1] * b[1];                                                    \
                s2 += a[2] * b[2];                                                    \
            }                                                                         \
            s0 = s0 + s1 + s2;                                                        \
            T total = FOLD_##S(s0);                                                   \
            for (; k < w; k++) total += x[k] * weights[k];                            \
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
