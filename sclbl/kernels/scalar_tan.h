/* The tangent. */
#ifndef SCLBL_SCALAR_TAN_H
#define SCLBL_SCALAR_TAN_H

#include "scalar_bits.h"
#include "scalar_sin.h"

/* tan: at most 0.85 ULP. sin(r) / cos(r), or -cos(r) / sin(r) in odd quadrants, in pairs. */
SCLBL_INLINE double sclbl_tan(double x) {
    sclbl_angle r = sclbl_reduce_angle(x);
    int odd = r.quadrant & 1;
    if (!odd && sclbl_fabs(r.hi) < 0x1p-28) {
        return r.hi; /* keeps -0 */
    }
    sclbl_pair s = sclbl_fast_two_sum(r.hi, sclbl_sin_beyond(r.hi, r.lo));
    sclbl_pair c = sclbl_cos_parts(r.hi, r.lo);
    sclbl_pair q = odd ? sclbl_pair_quotient(c, s) : sclbl_pair_quotient(s, c);
    double y = q.hi + q.lo;
    return odd ? -y : y;
}

#endif
