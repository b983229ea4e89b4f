/* Element-wise operators: `void unary_<name>_<type>(out, x, n)`, one function per operator of
 * `sclbl/ops/elementwise.py` and per element type. `out` may be `x`.
 *
 * float32: computed in double and rounded once, but for exp and sigmoid (see scalar_expf.h).
 * Only the short functions become SIMD loops: for the long ones that gains a third of the time in
 * large batches and costs two to three times the bytes.
 */
#include "scalar.h"

#define LOOP(pragma, name, type, suffix, expression)            \
    void unary_##name##_##suffix(type* out, const type* in, int n) { \
        _Pragma(pragma) for (int i = 0; i < n; ++i) {           \
            type x = in[i];                                     \
            out[i] = (expression);                              \
        }                                                       \
    }

#define SIMD(name, type, suffix, expression) \
    LOOP("clang loop interleave_count(1)", name, type, suffix, expression)

#define UNARY(name, type, suffix, expression) \
    LOOP("clang loop vectorize(disable) unroll(disable)", name, type, suffix, expression)

/* For both types; float is computed in double. */
#define BOTH(loop, name, expression)      \
    loop(name, double, f64, (expression)) \
    loop(name, float, f32, (float)(expression))

BOTH(SIMD, neg, -x)
BOTH(SIMD, abs, __builtin_elementwise_abs(x))
BOTH(SIMD, sqrt, __builtin_elementwise_sqrt(x))
BOTH(SIMD, floor, __builtin_elementwise_floor(x))
BOTH(SIMD, ceil, __builtin_elementwise_ceil(x))
BOTH(SIMD, round, __builtin_elementwise_roundeven(x))
BOTH(SIMD, sign, sclbl_sign(x))
BOTH(SIMD, relu, x < 0 ? 0 : x)

/* Integers wrap around: the negative of the least one is itself. */
#define UNSIGNED(type, suffix)    \
    SIMD(abs, type, suffix, x)    \
    SIMD(sign, type, suffix, x > 0) \
    SIMD(bitwise_not, type, suffix, (type)~x)
#define SIGNED(bits)                                                                 \
    UNSIGNED(uint##bits##_t, u##bits)                                                \
    SIMD(neg, int##bits##_t, i##bits, (int##bits##_t)(0 - (uint##bits##_t)x))        \
    SIMD(abs, int##bits##_t, i##bits,                                                \
         x < 0 ? (int##bits##_t)(0 - (uint##bits##_t)x) : x)                         \
    SIMD(sign, int##bits##_t, i##bits, (int##bits##_t)((x > 0) - (x < 0)))           \
    SIMD(relu, int##bits##_t, i##bits, x < 0 ? 0 : x)                                \
    SIMD(bitwise_not, int##bits##_t, i##bits, (int##bits##_t)~x)
SIGNED(8)
SIGNED(16)
SIGNED(32)
SIGNED(64)

SIMD(reciprocal, double, f64, 1.0 / x)
SIMD(reciprocal, float, f32, 1.0f / x)
UNARY(exp, double, f64, sclbl_exp(x))
UNARY(exp, float, f32, sclbl_expf(x))
UNARY(sigmoid, double, f64, sclbl_sigmoid(x))
UNARY(sigmoid, float, f32, sclbl_sigmoidf(x))
BOTH(UNARY, log, sclbl_log(x))
BOTH(UNARY, log1p, sclbl_log1p(x))
BOTH(UNARY, expm1, sclbl_expm1(x))
BOTH(UNARY, tanh, sclbl_tanh(x))
BOTH(UNARY, sin, sclbl_sin(x))
BOTH(UNARY, cos, sclbl_cos(x))
BOTH(UNARY, tan, sclbl_tan(x))
BOTH(UNARY, asin, sclbl_asin(x))
BOTH(UNARY, acos, sclbl_acos(x))
BOTH(UNARY, atan, sclbl_atan(x))
BOTH(UNARY, sinh, sclbl_sinh(x))
BOTH(UNARY, cosh, sclbl_cosh(x))
BOTH(UNARY, asinh, sclbl_asinh(x))
BOTH(UNARY, acosh, sclbl_acosh(x))
BOTH(UNARY, atanh, sclbl_atanh(x))
BOTH(UNARY, softplus, sclbl_softplus(x))
BOTH(SIMD, softsign, sclbl_softsign(x))
BOTH(UNARY, erf, sclbl_erf(x))
BOTH(UNARY, erfc, sclbl_erfc(x))
BOTH(UNARY, norm_cdf, sclbl_normcdf(x))
BOTH(UNARY, norm_ppf, sclbl_normppf(x))

/* Results of another type than their argument's. */
#define TEST(name, type, suffix, expression)                            \
    void unary_##name##_##suffix(uint8_t* out, const type* in, int n) { \
        for (int i = 0; i < n; ++i) {                                   \
            type x = in[i];                                             \
            out[i] = (expression);                                      \
        }                                                               \
    }
TEST(is_nan, double, f64, x != x)
TEST(is_nan, float, f32, x != x)
TEST(not, uint8_t, u8, !x)

/* For boosting: bit-equal to the C library (scalar_exp_libm.h), as float's are in any case. */
UNARY(libm_exp, double, f64, sclbl_exp_libm(x))
UNARY(libm_exp, float, f32, sclbl_expf(x))
UNARY(libm_sigmoid, double, f64, sclbl_sigmoid_libm(x))
UNARY(libm_sigmoid, float, f32, sclbl_sigmoidf(x))
