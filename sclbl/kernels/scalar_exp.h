/* exp and what is made of it: sigmoid, expm1, tanh. No table; see scalar_expf.h for float. */
#ifndef SCLBL_SCALAR_EXP_H
#define SCLBL_SCALAR_EXP_H

#include "scalar_bits.h"

#define SCLBL_LN2_HI 0x1.62e42fefa3800p-1 /* 42 bits: times an integer below 2^11 is exact */
#define SCLBL_LN2_LO 0x1.ef35793c76730p-45
#define SCLBL_INV_LN2 0x1.71547652b82fep+0

/* exp(x) = 2^k * (1 + hi + lo), |hi| <= 0.42. */
typedef struct {
    double hi, lo;
    int64_t k;
} sclbl_exp_parts;

/* exp(x + tail) for |x| < 1500, tail an afterthought below an ULP of x or so.
 *
 * x = k ln2 + r, |r| <= 0.3466; exp(r) = 1 + r + r^2/2 + r^3 P(r), where r and r^2/2 are carried
 * exactly (r's head has 26 bits). P: Chebyshev fit in multiple precision, relative error 2^-59.8.
 */
SCLBL_INLINE sclbl_exp_parts sclbl_exp_reduce(double x, double tail) {
    double shifted = x * SCLBL_INV_LN2 + SCLBL_SHIFT;
    double kd = shifted - SCLBL_SHIFT;
    double h = x - kd * SCLBL_LN2_HI;
    double l = kd * SCLBL_LN2_LO - tail;
    double r = h - l;
    double rh = sclbl_head(r);
    double rl = (r - rh) + ((h - r) - l);
    /* Even and odd powers apart: two short chains of operations instead of a long one. */
    double z = r * r;
    double odd = 0x1.1f66e6fce31d7p-29;
    odd = odd * z + 0x1.27e4e1f15f05bp-22;
    odd = odd * z + 0x1.a01a01a47bd4dp-16;
    odd = odd * z + 0x1.6c16c16c167e0p-10;
    odd = odd * z + 0x1.5555555555555p-5;
    double even = 0x1.af38b6cc9f96ap-26;
    even = even * z + 0x1.71de0da8e0958p-19;
    even = even * z + 0x1.a01a01a7c588ap-13;
    even = even * z + 0x1.11111111109b1p-7;
    even = even * z + 0x1.5555555555556p-3;
    double p = even + r * odd;
    sclbl_pair a = sclbl_fast_two_sum(rh, 0.5 * rh * rh);
    double lo = a.lo + (z * r * p + (rl + rl * (0.5 * (r + rh))));
    return (sclbl_exp_parts){a.hi, lo, sclbl_shifted_to_int(shifted)};
}

/* 1 + hi + lo, rounded once but for 0.02 ULP. */
SCLBL_INLINE double sclbl_exp_significand(sclbl_exp_parts e) {
    sclbl_pair s = sclbl_fast_two_sum(1.0, e.hi);
    return s.hi + (s.lo + e.lo);
}

/* Keeps the exponent in range without touching NaN: exp is 0 below and infinite above. */
SCLBL_INLINE double sclbl_exp_clamp(double x) {
    x = x < -746.0 ? -746.0 : x;
    return x > 710.0 ? 710.0 : x;
}

/* exp: at most 0.52 ULP (0.78 where the result is subnormal). */
SCLBL_INLINE double sclbl_exp(double x) {
    sclbl_exp_parts e = sclbl_exp_reduce(sclbl_exp_clamp(x), 0.0);
    return sclbl_scale(sclbl_exp_significand(e), e.k);
}

/* 1 / (1 + exp(-x)), as scipy.special.expit computes it. */
SCLBL_INLINE double sclbl_sigmoid(double x) { return 1.0 / (1.0 + sclbl_exp(-x)); }

/* exp(x) - 1, summed as ((1 - 2^-k) + hi + lo) 2^k: at most 1 ULP. */
SCLBL_INLINE double sclbl_expm1(double x) {
    double bounded = x < -40.0 ? -40.0 : x;
    bounded = bounded > 710.0 ? 710.0 : bounded;
    sclbl_exp_parts e = sclbl_exp_reduce(bounded, 0.0);
    double q = sclbl_power_of_two(e.k > 64 ? -64 : -e.k);
    double w = 1.0 - q;
    sclbl_pair s = sclbl_two_sum(w, e.hi);
    double y = sclbl_scale(s.hi + (s.lo + (e.lo + ((1.0 - w) - q))), e.k);
    return sclbl_fabs(x) < 0x1p-54 ? x : y; /* keeps -0 */
}

/* tanh = t / (t + 2) with t = expm1(2|x|). */
SCLBL_INLINE double sclbl_tanh(double x) {
    double a = sclbl_fabs(x);
    a = a > 22.0 ? 22.0 : a;
    double t = sclbl_expm1(2.0 * a);
    return sclbl_copysign(t / (t + 2.0), x);
}

#endif
