/* Element-wise mathematics, one value at a time.
 *
 * Freestanding C11; every function is inlined where it is used and its result is the same on every
 * engine. Accuracy and edge cases are tested against mpmath in tests/kernels/test_unary.py.
 */
#ifndef SCLBL_SCALAR_H
#define SCLBL_SCALAR_H

#include "scalar_atan.h"
#include "scalar_bits.h"
#include "scalar_erf.h"
#include "scalar_exp.h"
#include "scalar_exp_libm.h"
#include "scalar_expf.h"
#include "scalar_log.h"
#include "scalar_normppf.h"
#include "scalar_pow.h"

/* -1, 0 or 1; NaN stays, and -0 becomes 0 as in NumPy. */
SCLBL_INLINE double sclbl_sign(double x) {
    double y = x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
    return x == x ? y : x;
}

#endif
