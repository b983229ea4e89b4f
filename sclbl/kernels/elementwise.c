/* Operators on two tensors, element by element. Strides are in elements; 0 repeats a row or column. */
#include "abi.h"
#include "scalar.h"

#define LOOP(R, T, EXPR)                                                              \
    for (i32 i = 0; i < m; i++)                                                       \
        for (i32 j = 0; j < w; j++) {                                                 \
            T x = a[i * ar + j * ac], y = b[i * br + j * bc];                         \
            out[i * w + j] = (R)(EXPR);                                               \
        }

/* Arithmetic on numbers, in vectors; `elementwise_chain` takes two operators at once. */
enum { ADD, SUB, MUL, DIV, NONE };
#define FAMILY "elementwise_rows.h"
#include "vectors.h"

#define BINARY(NAME, R, T, EXPR)                                                      \
    void elementwise_##NAME(R* out, const T* a, const T* b, i32 m, i32 w, i32 ar,     \
                            i32 ac, i32 br, i32 bc) {                                 \
        LOOP(R, T, EXPR)                                                              \
    }

/* A NaN on either side gives NaN, as NumPy's maximum and minimum do. */
#define NUMBERS(S, T)                                                                 \
    BINARY(max_##S, T, T, x != x ? x : (y != y ? y : (x > y ? x : y)))                \
    BINARY(min_##S, T, T, x != x ? x : (y != y ? y : (x < y ? x : y)))                \
    BINARY(equal_##S, u8, T, x == y)                                                  \
    BINARY(less_##S, u8, T, x < y)                                                    \
    BINARY(less_or_equal_##S, u8, T, x <= y)                                          \
    BINARY(greater_##S, u8, T, x > y)                                                 \
    BINARY(greater_or_equal_##S, u8, T, x >= y)

NUMBERS(f64, f64)
NUMBERS(f32, f32)
BINARY(pow_f64, f64, f64, sclbl_pow(x, y))
BINARY(pow_f32, f32, f32, sclbl_powf(x, y))
BINARY(and_u8, u8, u8, x& y)
BINARY(or_u8, u8, u8, x | y)
BINARY(xor_u8, u8, u8, x ^ y)
BINARY(equal_u8, u8, u8, x == y)

static i32 same_text(text x, text y) {
    if (x.length != y.length) return 0;
    if (is_missing(x)) return 1;
    const u8 *p = (const u8*)x.address, *q = (const u8*)y.address;
    for (u32 k = 0; k < x.length; k++)
        if (p[k] != q[k]) return 0;
    return 1;
}

BINARY(equal_text, u8, text, same_text(x, y))

#define WHERE(S, T)                                                                   \
    void elementwise_where_##S(T* out, const u8* c, const T* a, const T* b, i32 m,    \
                               i32 w, i32 cr, i32 cc, i32 ar, i32 ac, i32 br, i32 bc) { \
        for (i32 i = 0; i < m; i++)                                                   \
            for (i32 j = 0; j < w; j++)                                               \
                out[i * w + j] =                                                      \
                    c[i * cr + j * cc] ? a[i * ar + j * ac] : b[i * br + j * bc];     \
    }
WHERE(b8, u64)
WHERE(b4, u32)
WHERE(b2, u16)
WHERE(b1, u8)

#define CAST(FROM, TO, T, R, EXPR)                                                    \
    void elementwise_cast_##FROM##_##TO(R* out, const T* in, i32 n) {                 \
        for (i32 i = 0; i < n; i++) {                                                 \
            T x = in[i];                                                              \
            out[i] = (R)(EXPR);                                                       \
        }                                                                             \
    }
CAST(f64, f32, f64, f32, x)
CAST(f32, f64, f32, f64, x)
CAST(f64, i64, f64, i64, __builtin_wasm_trunc_saturate_s_i64_f64(x))
CAST(f32, i64, f32, i64, __builtin_wasm_trunc_saturate_s_i64_f32(x))
CAST(i64, f64, i64, f64, x)
CAST(i64, f32, i64, f32, x)
CAST(u8, f64, u8, f64, x)
CAST(u8, f32, u8, f32, x)
CAST(u8, i64, u8, i64, x)
CAST(f64, bool, f64, u8, x != 0)
CAST(f32, bool, f32, u8, x != 0)
CAST(i64, bool, i64, u8, x != 0)
