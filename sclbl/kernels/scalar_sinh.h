/* Hyperbolic sine and cosine; the tangent is in scalar_exp.h. */
#ifndef SCLBL_SCALAR_SINH_H
#define SCLBL_SCALAR_SINH_H

#include "scalar_bits.h"
#include "scalar_exp.h"

/* (exp(a) + sign exp(-a)) / 2 for a >= 0, each in two doubles; beyond 711 it overflows. */
SCLBL_INLINE double sclbl_half_sum_of_exps(double a, double sign) {
    sclbl_exp_parts e = sclbl_exp_reduce(a > 711.0 ? 711.0 : a, 0.0);
    sclbl_pair up = sclbl_fast_two_sum(1.0, e.hi);
    up = sclbl_fast_two_sum(up.hi, up.lo + e.lo);
    sclbl_pair down = sclbl_pair_quotient((sclbl_pair){sign, 0.0}, up);
    double q = sclbl_power_of_two(e.k > 30 ? -60 : -2 * e.k);
    sclbl_pair sum = sclbl_fast_two_sum(up.hi, q * down.hi);
    return sclbl_scale(sum.hi + (sum.lo + (up.lo + q * down.lo)), e.k - 1);
}

/* sinh: at most 0.65 ULP. Below 1/2: x + x^3 P(x^2).
 * P: Chebyshev fit in multiple precision, relative error of the hyperbolic sine 2^-58.6. */
SCLBL_INLINE double sclbl_sinh(double x) {
    double a = sclbl_fabs(x);
    if (a < 0.5) {
        double z = x * x;
        double p = 0x1.6267cf434f12cp-33;
        p = p * z + 0x1.ae63a07779c78p-26;
        p = p * z + 0x1.71de3a84a10c3p-19;
        p = p * z + 0x1.a01a01a00ef0fp-13;
        p = p * z + 0x1.1111111111120p-7;
        p = p * z + 0x1.5555555555555p-3;
        return x + x * (z * p);
    }
    return sclbl_copysign(sclbl_half_sum_of_exps(a, -1.0), x);
}

/* cosh: at most 0.6 ULP. */
SCLBL_INLINE double sclbl_cosh(double x) { return sclbl_half_sum_of_exps(sclbl_fabs(x), 1.0); }

#endif
