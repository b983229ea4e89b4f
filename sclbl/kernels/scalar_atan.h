/* The arc tangent. No table. */
#ifndef SCLBL_SCALAR_ATAN_H
#define SCLBL_SCALAR_ATAN_H

#include "scalar_bits.h"

/* atan: at most 1.5 ULP. |x| is turned by 0, pi/4 or pi/2 into t, |t| <= tan(pi/8), with one division;
 * atan(t) = t + t^3 P(t^2). P: Chebyshev fit in multiple precision, error 2^-57. */
SCLBL_INLINE double sclbl_atan(double x) {
    double a = sclbl_fabs(x);
    int steep = a > 0x1.3504f333f9de6p+1, middle = a > 0x1.a827999fcef32p-2;
    double above = steep ? -1.0 : middle ? a - 1.0 : a;
    double below = steep ? a : middle ? a + 1.0 : 1.0;
    double turn = steep ? 0x1.921fb54442d18p+0 : middle ? 0x1.921fb54442d18p-1 : 0.0;
    double turn_lo = steep ? 0x1.1a62633145c07p-54 : middle ? 0x1.1a62633145c07p-55 : 0.0;
    double t = above / below;
    double z = t * t;
    double p = -0x1.3a2f1cc1ba3c5p-6;
    p = p * z + 0x1.4161b24be475bp-5;
    p = p * z - 0x1.a0993ef875d4ap-5;
    p = p * z + 0x1.dfe637a48099bp-5;
    p = p * z - 0x1.10fa76aa9b02cp-4;
    p = p * z + 0x1.3b1262f3a2b5bp-4;
    p = p * z - 0x1.745d0b27da190p-4;
    p = p * z + 0x1.c71c7185386f1p-4;
    p = p * z - 0x1.2492492436180p-3;
    p = p * z + 0x1.999999999934bp-3;
    p = p * z - 0x1.5555555555555p-2;
    double y = turn + (t + (t * z * p + turn_lo));
    return sclbl_copysign(y, x);
}

#endif
