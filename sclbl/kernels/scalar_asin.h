/* Arc sine and arc cosine. */
#ifndef SCLBL_SCALAR_ASIN_H
#define SCLBL_SCALAR_ASIN_H

#include "scalar_bits.h"

/* asin(s) / s - 1 = z P(z) for 0 <= z = s^2 <= 1/4.
 * P: Chebyshev fit in multiple precision, relative error of the arc sine 2^-57.4. */
SCLBL_INLINE double sclbl_asin_excess(double z) {
    double p = 0x1.d72b2bc8155f8p-6;
    p = p * z - 0x1.e6aaa8a0a04ccp-7;
    p = p * z + 0x1.1d189408314eep-6;
    p = p * z + 0x1.65a9c4dfcf8b2p-8;
    p = p * z + 0x1.52420b04b37bep-7;
    p = p * z + 0x1.782651caa6547p-7;
    p = p * z + 0x1.c9cf07674736ap-7;
    p = p * z + 0x1.1c4d35cf95421p-6;
    p = p * z + 0x1.6e8bb1c8209a2p-6;
    p = p * z + 0x1.f1c71c1db0623p-6;
    p = p * z + 0x1.6db6db6e31f13p-5;
    p = p * z + 0x1.3333333332ecap-4;
    p = p * z + 0x1.5555555555556p-3;
    return z * p;
}

/* acos(a) = 2 asin(sqrt((1 - a) / 2)) for 1/2 <= a <= 1, in two doubles; NaN above. */
SCLBL_INLINE sclbl_pair sclbl_acos_near_one(double a) {
    double z = 0.5 * (1.0 - a); /* exact */
    double s = __builtin_elementwise_sqrt(z);
    sclbl_pair square = sclbl_two_product(s, s);
    double lost = s > 0.0 ? ((z - square.hi) - square.lo) / s : 0.0;
    return (sclbl_pair){2.0 * s, 2.0 * s * sclbl_asin_excess(z) + lost};
}

/* asin: at most 0.75 ULP. */
SCLBL_INLINE double sclbl_asin(double x) {
    double a = sclbl_fabs(x);
    if (a <= 0.5) {
        return x + x * sclbl_asin_excess(x * x);
    }
    sclbl_pair c = sclbl_acos_near_one(a);
    sclbl_pair y = sclbl_fast_two_sum(0x1.921fb54442d18p+0, -c.hi);
    return sclbl_copysign(y.hi + (y.lo + (0x1.1a62633145c07p-54 - c.lo)), x);
}

/* acos: at most 0.75 ULP. */
SCLBL_INLINE double sclbl_acos(double x) {
    if (sclbl_fabs(x) <= 0.5) {
        sclbl_pair y = sclbl_fast_two_sum(0x1.921fb54442d18p+0, -x);
        return y.hi + (y.lo + (0x1.1a62633145c07p-54 - x * sclbl_asin_excess(x * x)));
    }
    sclbl_pair c = sclbl_acos_near_one(sclbl_fabs(x));
    if (x > 0.0) {
        return c.hi + c.lo;
    }
    sclbl_pair y = sclbl_fast_two_sum(0x1.921fb54442d18p+1, -c.hi);
    return y.hi + (y.lo + (0x1.1a62633145c07p-53 - c.lo));
}

#endif
