/* The error function, its complement and the normal distribution function.
 *
 * The tails keep their relative accuracy down to underflow: erfc(x) = exp(-x^2) erfcx(x), with x^2
 * carried in two doubles and erfcx smooth and of order 1/x.
 */
#ifndef SCLBL_SCALAR_ERF_H
#define SCLBL_SCALAR_ERF_H

#include "scalar_bits.h"
#include "scalar_exp.h"

/* exp(x^2) erfc(x) for 0 <= x <= 40, as P(q) / (1 + 2x) with q = (x - 4)/(x + 4).
 * P: Chebyshev fit in multiple precision, error 2^-54. */
SCLBL_INLINE double sclbl_erfcx(double x) {
    double q = (x - 4.0) / (x + 4.0);
    double p = -0x1.892268fe21961p-31;
    p = p * q - 0x1.6a5c1ea2f7121p-27;
    p = p * q - 0x1.1a09ca5d26841p-27;
    p = p * q + 0x1.cac70f4e44359p-24;
    p = p * q + 0x1.f8347ea0e57d7p-25;
    p = p * q - 0x1.bb2bcd453180ep-21;
    p = p * q + 0x1.4b60bc62681dbp-22;
    p = p * q + 0x1.7f5370c75a643p-18;
    p = p * q - 0x1.78d63867fbbeep-17;
    p = p * q - 0x1.99621a6fb6f58p-16;
    p = p * q + 0x1.3be21f37eb8abp-13;
    p = p * q - 0x1.a1deb05335272p-13;
    p = p * q - 0x1.8d4ab6b2865bcp-11;
    p = p * q + 0x1.49c671a74a068p-8;
    p = p * q - 0x1.0962386269f9dp-6;
    p = p * q + 0x1.3079edfa521dbp-5;
    p = p * q - 0x1.0fb06dff0e61dp-4;
    p = p * q + 0x1.7fee004deeab4p-4;
    p = p * q - 0x1.9ddb23c3dff0cp-4;
    p = p * q + 0x1.16ecefcfa6653p-4;
    p = p * q + 0x1.f7f5df66fc25fp-7;
    p = p * q - 0x1.1df1ad154a2a5p-3;
    p = p * q + 0x1.3ba5916e9fd7fp+0;
    return p / (1.0 + 2.0 * x);
}

/* exp(-square) * factor, where square = hi + lo; scaled last, so that underflow is gradual. */
SCLBL_INLINE double sclbl_exp_times(sclbl_pair square, double factor) {
    sclbl_exp_parts e = sclbl_exp_reduce(-square.hi, -square.lo);
    return sclbl_scale(sclbl_exp_significand(e) * factor, e.k);
}

/* erfc(a) for a >= 0. */
SCLBL_INLINE double sclbl_erfc_positive(double a) {
    a = a > 28.0 ? 28.0 : a;
    return sclbl_exp_times(sclbl_two_product(a, a), sclbl_erfcx(a));
}

/* erf(x) for |x| < 1/2, as x + x P(x^2). P: Chebyshev fit in multiple precision, error 2^-55.9. */
SCLBL_INLINE double sclbl_erf_small(double x) {
    double z = x * x;
    double p = 0x1.8b46e196ddb45p-20;
    p = p * z - 0x1.f22458d16a63fp-17;
    p = p * z + 0x1.f98dace8138eep-14;
    p = p * z - 0x1.c02d4f4607141p-11;
    p = p * z + 0x1.565bcbf854bfbp-8;
    p = p * z - 0x1.b82ce30f291fdp-6;
    p = p * z + 0x1.ce2f21a03d7d9p-4;
    p = p * z - 0x1.812746b0379b4p-2;
    p = p * z + 0x1.06eba8214db68p-3;
    return x + x * p;
}

SCLBL_INLINE double sclbl_erf(double x) {
    double a = sclbl_fabs(x);
    double large = sclbl_copysign(1.0 - sclbl_erfc_positive(a), x);
    return a < 0.5 ? sclbl_erf_small(x) : large;
}

SCLBL_INLINE double sclbl_erfc(double x) {
    double a = sclbl_fabs(x);
    double y = sclbl_erfc_positive(a);
    y = x < 0.0 ? 2.0 - y : y;
    return a < 0.5 ? 1.0 - sclbl_erf_small(x) : y;
}

/* erfc(-x / sqrt 2) / 2; the exponent is x^2 / 2 exactly, not the square of a rounded quotient. */
SCLBL_INLINE double sclbl_normcdf(double x) {
    double a = sclbl_fabs(x);
    a = a > 39.0 ? 39.0 : a;
    sclbl_pair square = sclbl_two_product(a, a);
    square.hi *= 0.5;
    square.lo *= 0.5;
    double y = sclbl_exp_times(square, 0.5 * sclbl_erfcx(a * 0x1.6a09e667f3bcdp-1));
    y = x > 0.0 ? 1.0 - y : y;
    return a < 0.7 ? 0.5 + 0.5 * sclbl_erf_small(x * 0x1.6a09e667f3bcdp-1) : y;
}

#endif
