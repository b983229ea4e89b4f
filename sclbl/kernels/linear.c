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

/* Several columns: each value of x is spread over a row of weights, and a sum goes through the row of x
   in order, in a register. Four rows at a time hide the latency of an addition, with one vector of
   columns: engines keep more sums than that in memory. The last row of a tile, and its last columns,
   may be done twice. */
#define MATMUL(S, T, V, LANES)                                                        \
    void linear_matmul_##S(T* out, const T* x, const T* weights, const T* bias, i32 m, \
                           i32 w, i32 c) {                                            \
        for (i32 i = 0; i < m; i += 4) {                                              \
            i32 i1 = i + 1 < m ? i + 1 : i, i2 = i + 2 < m ? i + 2 : i;               \
            i32 i3 = i + 3 < m ? i + 3 : i;                                           \
            const T *x0 = x + i * w, *x1 = x + i1 * w, *x2 = x + i2 * w, *x3 = x + i3 * w; \
            if (c < LANES) {                                                          \
                for (i32 j = 0; j < c; j++) {                                         \
                    T s0 = 0, s1 = 0, s2 = 0, s3 = 0, b = bias ? bias[j] : 0;         \
                    for (i32 k = 0; k < w; k++) {                                     \
                        T q = weights[k * c + j];                                     \
                        s0 += x0[k] * q;                                              \
                        s1 += x1[k] * q;                                              \
                        s2 += x2[k] * q;                                              \
                        s3 += x3[k] * q;                                              \
                    }                                                                 \
                    out[i * c + j] = bias ? s0 + b : s0;                              \
                    out[i1 * c + j] = bias ? s1 + b : s1;                             \
                    out[i2 * c + j] = bias ? s2 + b : s2;                             \
                    out[i3 * c + j] = bias ? s3 + b : s3;                             \
                }                                                                     \
                continue;                                                             \
            }                                                                         \
            for (i32 next = 0; next < c; next += LANES) {                             \
                i32 j = next + LANES <= c ? next : c - LANES;                         \
                V s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};                             \
                for (i32 k = 0; k < w; k++) {                                         \
                    V q = *(const V*)(weights + k * c + j);                           \
                    s0 += x0[k] * q;                                                  \
                    s1 += x1[k] * q;                                                  \
                    s2 += x2[k] * q;                                                  \
                    s3 += x3[k] * q;                                                  \
                }                                                                     \
                if (bias) {                                                           \
                    V b = *(const V*)(bias + j);                                      \
                    s0 += b;                                                          \
                    s1 += b;                                                          \
                    s2 += b;                                                          \
                    s3 += b;                                                          \
                }                                                                     \
                *(V*)(out + i * c + j) = s0;                                          \
                *(V*)(out + i1 * c + j) = s1;                                         \
                *(V*)(out + i2 * c + j) = s2;                                         \
                *(V*)(out + i3 * c + j) = s3;                                         \
            }                                                                         \
        }                                                                             \
    }
MATMUL(f64, f64, f64x2, 2)
MATMUL(f32, f32, f32x4, 4)
