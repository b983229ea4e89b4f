/* The inverse hyperbolic functions: logarithms of numbers carried in two doubles.
 *
 * Such a logarithm is exact to 2^-64 of it or 2^-100; below 2^-28, x is the result.
 */
#ifndef SCLBL_SCALAR_ASINH_H
#define SCLBL_SCALAR_ASINH_H

#include "scalar_bits.h"
#include "scalar_pow.h"

/* log(w), w finite and 1 or more. */
SCLBL_INLINE sclbl_pair sclbl_log_of_pair(sclbl_pair w) {
    sclbl_pair l = sclbl_log_pair(w.hi);
    l.lo += w.lo / w.hi;
    return l;
}

/* log(b + sqrt(d)), b and d not negative. */
SCLBL_INLINE double sclbl_log_with_root(double b, sclbl_pair d) {
    double s = __builtin_elementwise_sqrt(d.hi);
    sclbl_pair square = sclbl_two_product(s, s);
    double lost = s > 0.0 ? (((d.hi - square.hi) - square.lo) + d.lo) / (2.0 * s) : 0.0;
    sclbl_pair w = sclbl_two_sum(b, s);
    w.lo += lost;
    sclbl_pair l = sclbl_log_of_pair(w);
    return l.hi + l.lo;
}

/* log(2a), a finite and 1 or more. */
SCLBL_INLINE double sclbl_log_of_twice(double a) {
    sclbl_pair l = sclbl_log_pair(a);
    sclbl_pair y = sclbl_two_sum(l.hi, 0x1.62e42fefa39efp-1);
    return y.hi + (y.lo + (l.lo + 0x1.abc9e3b39803fp-56));
}

/* asinh: at most 0.55 ULP. log(a + sqrt(1 + a^2)). */
SCLBL_INLINE double sclbl_asinh(double x) {
    double a = sclbl_fabs(x);
    if (!(a >= 0x1p-28 && a < SCLBL_INF)) {
        return x;
    }
    if (a > 0x1p28) {
        return sclbl_copysign(sclbl_log_of_twice(a), x);
    }
    sclbl_pair square = sclbl_two_product(a, a);
    sclbl_pair d = sclbl_two_sum(1.0, square.hi);
    d.lo += square.lo;
    return sclbl_copysign(sclbl_log_with_root(a, d), x);
}

/* acosh: at most 0.55 ULP.
 * log(x + sqrt(x^2 - 1)), where x^2 - 1 = 2t + t^2 with t = x - 1 exactly. */
SCLBL_INLINE double sclbl_acosh(double x) {
    if (!(x >= 1.0 && x < SCLBL_INF)) {
        return x < 1.0 ? SCLBL_NAN : x;
    }
    if (x > 0x1p28) {
        return sclbl_log_of_twice(x);
    }
    double t = x - 1.0;
    sclbl_pair square = sclbl_two_product(t, t);
    sclbl_pair d = sclbl_two_sum(2.0 * t, square.hi);
    d.lo += square.lo;
    return sclbl_log_with_root(x, d);
}

/* atanh: at most 0.55 ULP. log((1 + a) / (1 - a)) / 2. */
SCLBL_INLINE double sclbl_atanh(double x) {
    double a = sclbl_fabs(x);
    if (!(a < 1.0)) {
        return a == 1.0 ? sclbl_copysign(SCLBL_INF, x) : SCLBL_NAN;
    }
    if (a < 0x1p-28) {
        return x;
    }
    sclbl_pair n = sclbl_fast_two_sum(1.0, a), d = sclbl_fast_two_sum(1.0, -a);
    sclbl_pair l = sclbl_log_of_pair(sclbl_pair_quotient(n, d));
    return sclbl_copysign(0.5 * (l.hi + l.lo), x);
}

#endif
