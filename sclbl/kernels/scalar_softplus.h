/* Softplus and softsign, activations of networks. */
#ifndef SCLBL_SCALAR_SOFTPLUS_H
#define SCLBL_SCALAR_SOFTPLUS_H

#include "scalar_asinh.h"
#include "scalar_bits.h"
#include "scalar_exp.h"

/* softplus(x) = log1p(exp(x)): at most 0.8 ULP.
 * The larger of x and 0, and log(1 + u) with u = exp(-|x|). */
SCLBL_INLINE double sclbl_softplus(double x) {
    double above = x < 0.0 ? 0.0 : x;
    double a = sclbl_fabs(x);
    sclbl_exp_parts e = sclbl_exp_reduce(sclbl_exp_clamp(-a), 0.0);
    sclbl_pair u = sclbl_fast_two_sum(1.0, e.hi);
    u = sclbl_fast_two_sum(u.hi, u.lo + e.lo);
    if (a > 20.0) { /* log(1 + u) = u - u^2/2 */
        double half = a > 40.0 ? 0.0 : 0.5 * sclbl_power_of_two(e.k) * u.hi;
        return above + sclbl_scale(u.hi + (u.lo - half * u.hi), e.k);
    }
    double scale = sclbl_power_of_two(e.k);
    sclbl_pair w = sclbl_fast_two_sum(1.0, scale * u.hi);
    w.lo += scale * u.lo;
    sclbl_pair l = sclbl_log_of_pair(w);
    sclbl_pair y = sclbl_two_sum(above, l.hi);
    return y.hi + (y.lo + l.lo);
}

/* softsign(x) = x / (1 + abs(x)): at most 1.5 ULP. */
SCLBL_INLINE double sclbl_softsign(double x) { return x / (1.0 + sclbl_fabs(x)); }

#endif
