/* Element-wise mathematics, one value at a time.
 *
 * Freestanding C11; every function is inlined where it is used and its result is the same on every
 * engine. Each family is a header of its own, scalar_<family>.h, which the build puts before every
 * kernel file. "name: at most N ULP" in a header, or "name(x) = formula: at most N ULP", is a promise
 * that tests/kernels/test_unary.py holds against mpmath, with the edge cases.
 */
#ifndef SCLBL_SCALAR_H
#define SCLBL_SCALAR_H

#include "scalar_bits.h"

/* -1, 0 or 1; NaN stays, and -0 becomes 0 as in NumPy. */
SCLBL_INLINE double sclbl_sign(double x) {
    double y = x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
    return x == x ? y : x;
}

#endif
