/* x to the power y, with C's and NumPy's special cases. */
#ifndef SCLBL_SCALAR_POW_H
#define SCLBL_SCALAR_POW_H

#include "scalar_bits.h"
#include "scalar_exp.h"
#include "scalar_log.h"

/* log(x) in two doubles, relative error below 2^-64, for x positive and finite.
 *
 * log(m) = 2 (s + s z (1/3 + z W(z))), s = (m - 1)/(m + 1), z = s^2, all but W in two doubles.
 * W: Chebyshev fit in multiple precision, relative error 2^-53.
 */
SCLBL_INLINE sclbl_pair sclbl_log_pair(double x) {
    sclbl_log_split v = sclbl_log_reduce(x);
    double f = v.m - 1.0;
    sclbl_pair d = sclbl_fast_two_sum(2.0, f);
    double s = f / d.hi;
    sclbl_pair back = sclbl_two_product(s, d.hi);
    double s_lo = (((f - back.hi) - back.lo) - s * d.lo) / d.hi;
    sclbl_pair z = sclbl_two_product(s, s);
    z.lo += 2.0 * s * s_lo;
    double w = 0x1.e032e4d8436a1p-5;
    w = w * z.hi + 0x1.df7c5bc7c7563p-5;
    w = w * z.hi + 0x1.1118c9ee5b8a4p-4;
    w = w * z.hi + 0x1.3b1395c881220p-4;
    w = w * z.hi + 0x1.745d177aad02ap-4;
    w = w * z.hi + 0x1.c71c71c6ea871p-4;
    w = w * z.hi + 0x1.2492492492522p-3;
    w = w * z.hi + 0x1.999999999999ap-3;
    sclbl_pair u = sclbl_fast_two_sum(0x1.5555555555555p-2, z.hi * w);
    u.lo += 0x1.5555555555555p-56;
    sclbl_pair g = sclbl_two_product(z.hi, u.hi);
    g.lo += z.hi * u.lo + z.lo * u.hi;
    sclbl_pair t = sclbl_two_product(s, g.hi);
    t.lo += s * g.lo + s_lo * g.hi;
    sclbl_pair a = sclbl_fast_two_sum(s, t.hi);
    a.lo += t.lo + s_lo;
    double kd = sclbl_int_to_double(v.k);
    sclbl_pair b = sclbl_fast_two_sum(kd * SCLBL_LN2_HI, 2.0 * a.hi);
    b.lo += kd * SCLBL_LN2_LO + 2.0 * a.lo;
    return sclbl_fast_two_sum(b.hi, b.lo);
}

/* Positive finite x, finite y: at most 0.6 ULP. */
SCLBL_INLINE double sclbl_pow_positive(double x, double y) {
    sclbl_pair l = sclbl_log_pair(x);
    double bounded = y > 0x1p70 ? 0x1p70 : y < -0x1p70 ? -0x1p70 : y;
    sclbl_pair e = sclbl_two_product(bounded, l.hi);
    e.lo += bounded * l.lo;
    if (!(sclbl_fabs(e.hi) < 1400.0)) {
        return e.hi > 0.0 ? SCLBL_INF : 0.0;
    }
    sclbl_exp_parts p = sclbl_exp_reduce(e.hi, e.lo);
    return sclbl_scale(sclbl_exp_significand(p), p.k);
}

SCLBL_INLINE double sclbl_pow(double x, double y) {
    if (y == 0.0 || x == 1.0) {
        return 1.0;
    }
    if (x != x || y != y) {
        return SCLBL_NAN;
    }
    double a = sclbl_fabs(x);
    double half = 0.5 * y;
    int whole = __builtin_elementwise_floor(y) == y;
    int odd = whole && __builtin_elementwise_floor(half) != half;
    double r;
    if (y - y != 0.0) {
        r = a == 1.0 ? 1.0 : (a > 1.0) == (y > 0.0) ? SCLBL_INF : 0.0;
    } else if (a == 0.0 || a - a != 0.0) {
        r = (a == 0.0) == (y < 0.0) ? SCLBL_INF : 0.0;
    } else if (x < 0.0 && !whole) {
        return SCLBL_NAN;
    } else {
        /* Squares as everyone computes them: correctly rounded. */
        r = y == 2.0 ? a * a : sclbl_pow_positive(a, y);
    }
    return odd && sclbl_bits(x) >> 63 ? -r : r;
}

SCLBL_INLINE float sclbl_powf(float x, float y) { return (float)sclbl_pow(x, y); }

#endif
