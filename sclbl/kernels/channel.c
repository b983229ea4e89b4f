/* Arithmetic of a tensor with one constant for each channel: what a normalisation does to pictures.

   channel_<operator>_<type>(out, x, c, m, n, inner)

   out, x       [m, n, inner]; they may be the same memory
   c            [n], one number for all that lies behind it */
#include "abi.h"

typedef f64 f64x2 __attribute__((vector_size(16), aligned(8)));
typedef f32 f32x4 __attribute__((vector_size(16), aligned(4)));

#define CHANNEL(NAME, T, V, OP)                                                             \
    void channel_##NAME(T* out, const T* x, const T* c, i32 m, i32 n, i32 inner) {          \
        const i32 lanes = sizeof(V) / sizeof(T);                                            \
        for (i32 i = 0; i < m; i++)                                                         \
            for (i32 j = 0; j < n; j++, out += inner, x += inner) {                         \
                const T y = c[j];                                                           \
                const V wide = (V){0} + y;                                                  \
                i32 k = 0;                                                                  \
                for (; k + 2 * lanes <= inner; k += 2 * lanes) {                            \
                    V a = *(const V*)(x + k) OP wide, b = *(const V*)(x + k + lanes) OP wide; \
                    *(V*)(out + k) = a;                                                     \
                    *(V*)(out + k + lanes) = b;                                             \
                }                                                                           \
                for (; k < inner; k++) out[k] = x[k] OP y;                                  \
            }                                                                               \
    }
CHANNEL(add_f64, f64, f64x2, +)
CHANNEL(sub_f64, f64, f64x2, -)
CHANNEL(mul_f64, f64, f64x2, *)
CHANNEL(div_f64, f64, f64x2, /)
CHANNEL(add_f32, f32, f32x4, +)
CHANNEL(sub_f32, f32, f32x4, -)
CHANNEL(mul_f32, f32, f32x4, *)
CHANNEL(div_f32, f32, f32x4, /)
