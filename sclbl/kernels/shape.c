/* Moving columns: copy, choose, put side by side. */
#include "abi.h"

#define SHAPE(S, T)                                                                   \
    void shape_gather_##S(T* out, const T* x, const i32* index, i32 m, i32 w, i32 xw) { \
        for (i32 i = 0; i < m; i++)                                                   \
            for (i32 j = 0; j < w; j++) out[i * w + j] = x[i * xw + index[j]];        \
    }                                                                                 \
    void shape_place_##S(T* out, const T* x, i32 m, i32 xw, i32 w, i32 at) {          \
        for (i32 i = 0; i < m; i++)                                                   \
            for (i32 j = 0; j < xw; j++) out[i * w + at + j] = x[i * xw + j];         \
    }                                                                                 \
    void shape_part_##S(T* out, const T* x, i32 m, i32 w, i32 xw, i32 at) {           \
        for (i32 i = 0; i < m; i++)                                                   \
            for (i32 j = 0; j < w; j++) out[i * w + j] = x[i * xw + at + j];          \
    }
SHAPE(b8, u64)
SHAPE(b4, u32)
SHAPE(b2, u16)
SHAPE(b1, u8)

/* Two columns from one: what it leaves of `*whole`, and itself. */
#define REST(S, T)                                                                    \
    void shape_rest_##S(T* out, const T* x, const T* whole, i32 m) {                  \
        for (i32 i = 0; i < m; i++) {                                                 \
            out[2 * i] = *whole - x[i];                                               \
            out[2 * i + 1] = x[i];                                                    \
        }                                                                             \
    }
REST(f64, f64)
REST(f32, f32)
