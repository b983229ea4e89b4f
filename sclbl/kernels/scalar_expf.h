/* exp in float, bit-equal to the GNU C library's expf, and the float sigmoid made of it.
 *
 * XGBoost's probabilities depend on expf, so this is its algorithm (ARM's optimized routines,
 * "single-precision exp", 0.502 ULP): x = (k + r) ln2 / 32, exp(x) = 2^(k/32) 2^(r/32), the first
 * factor from a table, the second a polynomial, all in double and rounded once. Where that library
 * multiplies and adds in one step, the reduction below splits the constant, so that both products
 * are exact.
 */
#ifndef SCLBL_SCALAR_EXPF_H
#define SCLBL_SCALAR_EXPF_H

#include "scalar_bits.h"

/* Bits of 2^(i/32), less i << 47, so that adding k << 47 gives the bits of 2^(k/32). */
static const uint64_t sclbl_expf_table[32] = {
    UINT64_C(0x3ff0000000000000), UINT64_C(0x3fefd9b0d3158574), UINT64_C(0x3fefb5586cf9890f),
    UINT64_C(0x3fef9301d0125b51), UINT64_C(0x3fef72b83c7d517b), UINT64_C(0x3fef54873168b9aa),
    UINT64_C(0x3fef387a6e756238), UINT64_C(0x3fef1e9df51fdee1), UINT64_C(0x3fef06fe0a31b715),
    UINT64_C(0x3feef1a7373aa9cb), UINT64_C(0x3feedea64c123422), UINT64_C(0x3feece086061892d),
    UINT64_C(0x3feebfdad5362a27), UINT64_C(0x3feeb42b569d4f82), UINT64_C(0x3feeab07dd485429),
    UINT64_C(0x3feea47eb03a5585), UINT64_C(0x3feea09e667f3bcd), UINT64_C(0x3fee9f75e8ec5f74),
    UINT64_C(0x3feea11473eb0187), UINT64_C(0x3feea589994cce13), UINT64_C(0x3feeace5422aa0db),
    UINT64_C(0x3feeb737b0cdc5e5), UINT64_C(0x3feec49182a3f090), UINT64_C(0x3feed503b23e255d),
    UINT64_C(0x3feee89f995ad3ad), UINT64_C(0x3feeff76f2fb5e47), UINT64_C(0x3fef199bdd85529c),
    UINT64_C(0x3fef3720dcef9069), UINT64_C(0x3fef5818dcfba487), UINT64_C(0x3fef7c97337b9b5f),
    UINT64_C(0x3fefa4afa2a490da), UINT64_C(0x3fefd0765b6e4540),
};

#define SCLBL_EXPF_SCALE_HI 0x1.7154760000000p+5 /* 32 / ln2, 26 bits ... */
#define SCLBL_EXPF_SCALE_LO 0x1.4ae0bf8000000p-21 /* ... and the rest of its double */

SCLBL_INLINE float sclbl_expf(float x) {
    double bounded = x < -150.0f ? -150.0 : x > 100.0f ? 100.0 : (double)x;
    double zh = SCLBL_EXPF_SCALE_HI * bounded;
    double zl = SCLBL_EXPF_SCALE_LO * bounded;
    double shifted = (zh + zl) + SCLBL_SHIFT;
    double r = (zh - (shifted - SCLBL_SHIFT)) + zl;
    uint64_t k = sclbl_bits(shifted);
    double s = sclbl_from_bits(sclbl_expf_table[k & 31] + (k << 47));
    double p = 0x1.c6af84b912394p-20 * r + 0x1.ebfce50fac4f3p-13;
    double y = 0x1.62e42ff0c52d6p-6 * r + 1.0;
    return (float)((p * (r * r) + y) * s);
}

/* As scipy.special.expit computes it for float32. */
SCLBL_INLINE float sclbl_sigmoidf(float x) { return 1.0f / (1.0f + sclbl_expf(-x)); }

#endif
