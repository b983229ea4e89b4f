/* Product with a constant matrix. `bias` is added to the finished sums; null for none. */
#include "abi.h"

typedef f64 f64x2 __attribute__((vector_size(16), aligned(8)));
typedef f32 f32x4 __attribute__((vector_size(16), aligned(4)));

/* One output column: partial sums, and two rows at a time, hide the latency of an addition. The last
   row of an odd number is its own neighbour. */
#define DOT(S, T, V, LANES)                                                           \
    void linear_dot_##S(T* out, const T* x, const T* weights, const T* bias, i32 m,   \
                        i32 w) {                                                      \
        i32 whole = w - w % (3 * LANES);                                              \
        for (i32 i = 0; i < m; i += 2, x += 2 * w, out += 2) {                        \
            i32 next = i + 1 < m;                                                     \
            const T* y = next ? x + w : x;                                            \
            V s0 = {0}, s1 = {0}, s2 = {0}, t0 = {0}, t1 = {0}, t2 = {0};             \
            i32 k = 0;                                                                \
            for (; k < whole; k += 3 * LANES) {                                       \
                const V *a = (const V*)(x + k), *b = (const V*)(y + k);               \
                const V* c = (const V*)(weights + k);                                 \
                s0 += a[0] * c[0];                                                    \
                t0 += b[0] * c[0];                                                    \
                s1 += a[1] * c[1];                                                    \
                t1 += b[1] * c[1];                                                    \
                s2 += a[2] * c[2];                                                    \
                t2 += b[2] * c[2];                                                    \
            }                                                                         \
            s0 = s0 + s1 + s2;                                                        \
            t0 = t0 + t1 + t2;                                                        \
            T one = FOLD_##S(s0), other = FOLD_##S(t0);                               \
            for (; k < w; k++) {                                                      \
                one += x[k] * weights[k];                                             \
                other += y[k] * weights[k];                                           \
            }                                                                         \
            out[0] = bias ? one + *bias : one;                                        \
            out[next] = bias ? other + *bias : other;                                 \
        }                                                                             \
    }
#define FOLD_f64(v) (v[0] + v[1])
#define FOLD_f32(v) ((v[0] + v[1]) + (v[2] + v[3]))
DOT(f64, f64, f64x2, 2)
DOT(f32, f32, f32x4, 4)

/* Several columns: each value of x is spread over a row of weights. */
#define MATMUL(S, T)                                                                  \
    void linear_matmul_##S(T* out, const T* x, const T* weights, const T* bias, i32 m, \
                           i32 w, i32 c) {                                            \
        for (i32 i = 0; i < m; i++) {                                                 \
            T* to = out + i * c;                                                      \
            for (i32 j = 0; j < c; j++) to[j] = 0;                                    \
            for (i32 k = 0; k < w; k++) {                                             \
                T value = x[i * w + k];                                               \
                for (i32 j = 0; j < c; j++) to[j] += value * weights[k * c + j];      \
            }                                                                         \
            if (bias)                                                                 \
                for (i32 j = 0; j < c; j++) to[j] += bias[j];                         \
        }                                                                             \
    }
MATMUL(f64, f64)
MATMUL(f32, f32)
