/* Element-wise operators: `void unary_<name>_<type>(out, x, n)`, one function per operator of
 * `sclbl.strippers.build.UNARY` and per element type. `out` may be `x`.
 *
 * float32: computed in double and rounded once, but for exp and sigmoid (see scalar_expf.h).
 */
#include "scalar.h"

#define UNARY(name, type, suffix, expression)                                    \
    void unary_##name##_##suffix(type* out, const type* in, int n) {             \
        _Pragma("clang loop interleave_count(1)") for (int i = 0; i < n; ++i) {  \
            type x = in[i];                                                      \
            out[i] = (expression);                                               \
        }                                                                        \
    }

#define BOTH(name, expression)             \
    UNARY(name, double, f64, (expression)) \
    UNARY(name, float, f32, (float)(expression))

BOTH(neg, -x)
BOTH(abs, __builtin_elementwise_abs(x))
BOTH(sqrt, __builtin_elementwise_sqrt(x))
BOTH(floor, __builtin_elementwise_floor(x))
BOTH(sign, sclbl_sign(x))
UNARY(reciprocal, double, f64, 1.0 / x)
UNARY(reciprocal, float, f32, 1.0f / x)
UNARY(exp, double, f64, sclbl_exp(x))
UNARY(exp, float, f32, sclbl_expf(x))
UNARY(sigmoid, double, f64, sclbl_sigmoid(x))
UNARY(sigmoid, float, f32, sclbl_sigmoidf(x))
BOTH(log, sclbl_log(x))
BOTH(log1p, sclbl_log1p(x))
BOTH(expm1, sclbl_expm1(x))
BOTH(tanh, sclbl_tanh(x))
BOTH(erf, sclbl_erf(x))
BOTH(erfc, sclbl_erfc(x))
BOTH(normcdf, sclbl_normcdf(x))
BOTH(normppf, sclbl_normppf(x))
