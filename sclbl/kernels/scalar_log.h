/* log and log1p. No table. */
#ifndef SCLBL_SCALAR_LOG_H
#define SCLBL_SCALAR_LOG_H

#include "scalar_bits.h"
#include "scalar_exp.h"

/* x = 2^k m with sqrt(1/2) <= m < sqrt(2), for x positive and finite, subnormals included. */
typedef struct {
    double m;
    int64_t k;
} sclbl_log_split;

SCLBL_INLINE sclbl_log_split sclbl_log_reduce(double x) {
    int64_t subnormal = x < 0x1p-1022;
    uint64_t bits = sclbl_bits(subnormal ? x * 0x1p54 : x);
    int64_t k = (int64_t)(bits - UINT64_C(0x3fe6a09e667f3bcd)) >> 52;
    double m = sclbl_from_bits(bits - ((uint64_t)k << 52));
    return (sclbl_log_split){m, k - (subnormal ? 54 : 0)};
}

/* k ln2 + log(1 + f) + tail.
 *
 * log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)) with s = f / (2 + f); f^2/2 is carried exactly.
 * R: Chebyshev fit in multiple precision of (log((1+s)/(1-s)) - 2s)/s, relative error 2^-57.7.
 */
SCLBL_INLINE double sclbl_log_sum(double f, int64_t k, double tail) {
    double s = f / (2.0 + f);
    double z = s * s;
    double p = 0x1.2b5b5fb2eac92p-3;
    p = p * z + 0x1.39fe208c33457p-3;
    p = p * z + 0x1.7462b69705382p-3;
    p = p * z + 0x1.c71c62debf86bp-3;
    p = p * z + 0x1.2492492df6947p-2;
    p = p * z + 0x1.99999999952b2p-2;
    p = p * z + 0x1.5555555555558p-1;
    double fh = sclbl_head(f);
    double square = 0.5 * fh * fh;
    double square_lo = (f - fh) * (0.5 * (f + fh));
    sclbl_pair a = sclbl_fast_two_sum(f, -square);
    double lo = (a.lo - square_lo) + s * ((square + square_lo) + z * p);
    double kd = sclbl_int_to_double(k);
    sclbl_pair t = sclbl_fast_two_sum(kd * SCLBL_LN2_HI, a.hi);
    return t.hi + (t.lo + (kd * SCLBL_LN2_LO + (lo + tail)));
}

/* log: at most 0.65 ULP. */
SCLBL_INLINE double sclbl_log(double x) {
    sclbl_log_split v = sclbl_log_reduce(x);
    double y = sclbl_log_sum(v.m - 1.0, v.k, 0.0);
    y = x < SCLBL_INF ? y : x; /* infinity and NaN stay */
    return x <= 0.0 ? (x == 0.0 ? -SCLBL_INF : SCLBL_NAN) : y;
}

/* log(1 + x): at most 1 ULP. What 1 + x rounds away comes back as a first-order term. */
SCLBL_INLINE double sclbl_log1p(double x) {
    double u = 1.0 + x;
    double lost = x >= 1.0 ? 1.0 - (u - x) : x - (u - 1.0);
    sclbl_log_split v = sclbl_log_reduce(u);
    double f = v.k == 0 ? x : v.m - 1.0;
    double y = sclbl_log_sum(f, v.k, v.k == 0 ? 0.0 : lost / u);
    y = x < SCLBL_INF ? y : x;
    y = sclbl_fabs(x) < 0x1p-54 ? x : y; /* keeps -0 */
    return x <= -1.0 ? (x == -1.0 ? -SCLBL_INF : SCLBL_NAN) : y;
}

#endif
