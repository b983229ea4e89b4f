/* Conversions from and to narrow types: `void cast_<from>_<to>(out, x, n)`. Those among float64,
   float32, int64 and bool stand in elementwise.c.

   Integers wrap around. A float becomes the integer towards zero, beyond the type its end, and NaN 0.
   A float16 is 16 bits that nothing computes with. */
#include "abi.h"
#include "half.h"

#define CAST(FROM, TO, T, R, EXPR)                         \
    void cast_##FROM##_##TO(R* out, const T* in, i32 n) {  \
        for (i32 i = 0; i < n; i++) {                      \
            T x = in[i];                                   \
            out[i] = (R)(EXPR);                            \
        }                                                  \
    }

#define FROM_INTEGER(S, T)                \
    CAST(S, i8, T, i8, x)                 \
    CAST(S, i16, T, i16, x)               \
    CAST(S, i32, T, i32, x)               \
    CAST(S, i64, T, i64, x)               \
    CAST(S, u8, T, u8, x)                 \
    CAST(S, u16, T, u16, x)               \
    CAST(S, u32, T, u32, x)               \
    CAST(S, u64, T, u64, x)               \
    CAST(S, f16, T, u16, half_of((f64)x)) \
    CAST(S, f32, T, f32, x)               \
    CAST(S, f64, T, f64, x)               \
    CAST(S, bool, T, u8, x != 0)
FROM_INTEGER(i8, i8)
FROM_INTEGER(i16, i16)
FROM_INTEGER(i32, i32)
FROM_INTEGER(i64, i64)
FROM_INTEGER(u8, u8)
FROM_INTEGER(u16, u16)
FROM_INTEGER(u32, u32)
FROM_INTEGER(u64, u64)

static inline i64 within(f64 x, i64 low, i64 high) {
    i64 whole = __builtin_wasm_trunc_saturate_s_i64_f64(x);
    return whole < low ? low : whole > high ? high : whole;
}

#define FROM_FLOAT(S, T, WIDE)                                            \
    CAST(S, i8, T, i8, within(WIDE, INT8_MIN, INT8_MAX))                  \
    CAST(S, i16, T, i16, within(WIDE, INT16_MIN, INT16_MAX))              \
    CAST(S, i32, T, i32, within(WIDE, INT32_MIN, INT32_MAX))              \
    CAST(S, i64, T, i64, __builtin_wasm_trunc_saturate_s_i64_f64(WIDE))   \
    CAST(S, u8, T, u8, within(WIDE, 0, UINT8_MAX))                        \
    CAST(S, u16, T, u16, within(WIDE, 0, UINT16_MAX))                     \
    CAST(S, u32, T, u32, within(WIDE, 0, UINT32_MAX))                     \
    CAST(S, u64, T, u64, __builtin_wasm_trunc_saturate_u_i64_f64(WIDE))   \
    CAST(S, f16, T, u16, half_of(WIDE))                                   \
    CAST(S, f32, T, f32, WIDE)                                            \
    CAST(S, f64, T, f64, WIDE)                                            \
    CAST(S, bool, T, u8, (WIDE) != 0)
FROM_FLOAT(f16, u16, (f64)of_half(x))
FROM_FLOAT(f32, f32, (f64)x)
FROM_FLOAT(f64, f64, x)
