/* Functions of the values along one axis, of which all values come back.

   normalize_softmax_<type>(out, x, m, n, inner), normalize_log_softmax_<type>(out, x, m, n, inner)

   out, x       [m, n, inner]; may be the same memory
   m            rows of the tile times the axes before the axis of n

   The greatest value is taken off first; a NaN makes all of its axis NaN. Sums go in order.

   normalize_layer_<type>(out, x, scale, bias, m, n, epsilon)

   out, x       [m, n]; may be the same memory
   scale, bias  [n], or null: 1, or 0
   epsilon      added to the variance, a double

   Mean and variance are summed in double, each value is rounded once.

   normalize_channels_<type>(out, x, scale, bias, m, channels, n, relu)

   out, x       [m, channels, n]; may be the same memory
   scale, bias  [channels]: what BatchNormalization comes to; a product is rounded, then the sum
   relu         1: what is below zero becomes zero (NaN stays) */
#include "abi.h"
#include "scalar.h"
#define FAMILY "normalize_channels.h"
#include "vectors.h"

#define EXP_f64 sclbl_exp
#define EXP_f32 sclbl_expf
#define LOG_f64 sclbl_log
#define LOG_f32(x) ((f32)sclbl_log(x))

/* Values of one axis lie `inner` apart. */
#define SOFTMAX(S, T, AFTER, EACH)                                            \
    for (i32 i = 0; i < m; i++, x += n * inner, out += n * inner)             \
        for (i32 k = 0; k < inner; k++) {                                     \
            T top = x[k], sum = 0;                                            \
            for (i32 j = 1; j < n; j++) {                                     \
                T v = x[j * inner + k];                                       \
                if (v > top || v != v) top = v;                               \
            }                                                                 \
            for (i32 j = 0; j < n; j++) {                                     \
                T v = x[j * inner + k] - top, e = EXP_##S(v);                 \
                out[j * inner + k] = EACH;                                    \
                sum += e;                                                     \
            }                                                                 \
            AFTER                                                             \
        }

#define FAMILY_OF(S, T)                                                       \
    void normalize_softmax_##S(T* out, const T* x, i32 m, i32 n, i32 inner) { \
        SOFTMAX(S, T, for (i32 j = 0; j < n; j++) out[j * inner + k] /= sum;, e) \
    }                                                                         \
    void normalize_log_softmax_##S(T* out, const T* x, i32 m, i32 n, i32 inner) { \
        SOFTMAX(S, T, T log = LOG_##S(sum);                                   \
                for (i32 j = 0; j < n; j++) out[j * inner + k] -= log;, v)    \
    }                                                                         \
    void normalize_layer_##S(T* out, const T* x, const T* scale, const T* bias, i32 m, i32 n, \
                             f64 epsilon) {                                   \
        for (i32 i = 0; i < m; i++, x += n, out += n) {                       \
            f64 a = 0, b = 0, c = 0, d = 0;                                   \
            i32 j = 0;                                                        \
            for (; j + 2 <= n; j += 2) {                                      \
                a += x[j];                                                    \
                b += x[j + 1];                                                \
            }                                                                 \
            for (; j < n; j++) a += x[j];                                     \
            f64 mean = (a + b) / n;                                           \
            for (j = 0; j + 2 <= n; j += 2) {                                 \
                f64 u = x[j] - mean, v = x[j + 1] - mean;                     \
                c += u * u;                                                   \
                d += v * v;                                                   \
            }                                                                 \
            for (; j < n; j++) c += (x[j] - mean) * (x[j] - mean);            \
            f64 scaling = 1 / __builtin_sqrt((c + d) / n + epsilon);          \
            for (j = 0; j < n; j++) {                                         \
                f64 v = (x[j] - mean) * scaling;                              \
                out[j] = (T)((scale ? v * scale[j] : v) + (bias ? bias[j] : 0)); \
            }                                                                 \
        }                                                                     \
    }
FAMILY_OF(f64, f64)
FAMILY_OF(f32, f32)
