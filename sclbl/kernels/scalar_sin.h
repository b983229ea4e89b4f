/* Sine and cosine, and the reduction of angles. */
#ifndef SCLBL_SCALAR_SIN_H
#define SCLBL_SCALAR_SIN_H

#include "scalar_bits.h"

/* An angle less quadrant * pi/2: |hi + lo| <= pi/4, quadrant modulo 4. */
typedef struct {
    double hi, lo;
    int64_t quadrant;
} sclbl_angle;

/* The bits of 2/pi (floor(2^1216 * 2/pi), in multiple precision), most significant first, behind 64
 * zeros. */
static const uint32_t sclbl_two_over_pi[40] = {
    0x00000000, 0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
    0xfe5163ab, 0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e,
    0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b,
    0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d,
    0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046, 0xfc7b6bab,
};

/* For 2^20 <= x < infinity: x = m 2^e times those bits of 2/pi that are neither a multiple of four
 * quadrants nor too small to matter (Payne and Hanek). Of the 192 bits of the product the first 128
 * are kept: two of the quadrant, 126 of its fraction. No double is closer than 2^-62 to a multiple
 * of pi/2, so the fraction has 62 bits or more. */
SCLBL_INLINE sclbl_angle sclbl_reduce_large_angle(double x) {
    uint64_t bits = sclbl_bits(x);
    uint64_t m = (bits & ((UINT64_C(1) << 52) - 1)) | (UINT64_C(1) << 52);
    int first = (int)(bits >> 52) - (1023 + 52) - 1 + 63; /* the bit of weight 2^(1-e) */
    const uint32_t* word = sclbl_two_over_pi + (first >> 5);
    int shift = first & 31;
    uint64_t product[6];
    uint64_t carry = 0;
    for (int i = 5; i >= 0; --i) {
        uint64_t two = (uint64_t)word[i] << 32 | word[i + 1];
        uint64_t w = two << shift >> 32;
        uint64_t low = (m & 0xffffffff) * w + (carry & 0xffffffff);
        carry = (m >> 32) * w + (carry >> 32) + (low >> 32);
        product[i] = low & 0xffffffff;
    }
    uint64_t high = product[0] << 32 | product[1], low = product[2] << 32 | product[3];
    int64_t quadrant = (int64_t)(((high >> 61) + 1) >> 1 & 3);
    /* The fraction in [-1/2, 1/2), as a number of 2^-128: its bits 127-75, 74-22, 21-0. */
    uint64_t upper = high << 2 | low >> 62, lower = low << 2;
    double a = (double)((int64_t)upper & ~INT64_C(0x7ff)) * 0x1p-64;
    double b = (double)(int64_t)((upper & 0x7ff) << 42 | lower >> 22) * 0x1p-106;
    double c = (double)(int64_t)(lower & 0x3fffff) * 0x1p-128;
    sclbl_pair f = sclbl_fast_two_sum(a, b);
    f.lo += c;
    sclbl_pair r = sclbl_two_product(f.hi, 0x1.921fb54442d18p+0);
    r.lo += f.hi * 0x1.1a62633145c07p-54 + f.lo * 0x1.921fb54442d18p+0;
    r = sclbl_fast_two_sum(r.hi, r.lo);
    return (sclbl_angle){r.hi, r.lo, quadrant};
}

/* For |x| <= 2^20: x - k pi/2, with pi/2 in three parts of 33 bits, whose products by k are exact,
 * and a fourth (Cody and Waite). */
SCLBL_INLINE sclbl_angle sclbl_reduce_small_angle(double x) {
    double shifted = x * 0x1.45f306dc9c883p-1 + SCLBL_SHIFT;
    double k = shifted - SCLBL_SHIFT;
    sclbl_pair a = sclbl_two_sum(x - k * 0x1.921fb544p+0, -(k * 0x1.0b4611a6p-34));
    sclbl_pair b = sclbl_two_sum(a.hi, -(k * 0x1.3198a2ep-69));
    sclbl_pair r = sclbl_fast_two_sum(b.hi, a.lo + (b.lo - k * 0x1.b839a252049c1p-104));
    return (sclbl_angle){r.hi, r.lo, sclbl_shifted_to_int(shifted)};
}

/* The angle of any x; infinities become NaN. */
SCLBL_INLINE sclbl_angle sclbl_reduce_angle(double x) {
    double a = sclbl_fabs(x);
    if (a < 0.78125) { /* keeps -0 */
        return (sclbl_angle){x, 0.0, 0};
    }
    if (!(a > 0x1p20)) { /* NaN too */
        return sclbl_reduce_small_angle(x);
    }
    if (a == SCLBL_INF) {
        return (sclbl_angle){SCLBL_NAN, 0.0, 0};
    }
    sclbl_angle r = sclbl_reduce_large_angle(a);
    return x < 0.0 ? (sclbl_angle){-r.hi, -r.lo, -r.quadrant} : r;
}

/* sin(r) - hi for r = hi + lo, |r| <= pi/4: hi^3 P(hi^2), and what lo adds. The cube of a head of 17
 * bits is exact, so that -hi^3/6, the first term, is rounded once.
 * P: Chebyshev fit in multiple precision, relative error of the sine 2^-57.1. */
SCLBL_INLINE double sclbl_sin_beyond(double hi, double lo) {
    double z = hi * hi;
    double p = -0x1.ab17d37ab5989p-41;
    p = p * z + 0x1.61217f0a95ad6p-33;
    p = p * z - 0x1.ae645412c4390p-26;
    p = p * z + 0x1.71de3a5460950p-19;
    p = p * z - 0x1.a01a01a019938p-13;
    p = p * z + 0x1.1111111111110p-7;
    double head = sclbl_from_bits(sclbl_bits(hi) & ~((UINT64_C(1) << 36) - 1));
    double rest = (hi - head) * (z + head * (hi + head)); /* hi^3 - head^3 */
    double small = z * z * hi * p - rest * 0x1.5555555555555p-3;
    return (small + (lo - 0.5 * z * lo)) - head * head * head * 0x1.5555555555555p-3;
}

/* cos(r) for r = hi + lo, |r| <= pi/4, in two doubles: 1 - r^2/2 + r^4 P(r^2), where the head of
 * r^2 is exact. P: Chebyshev fit in multiple precision, relative error of the cosine 2^-59.4. */
SCLBL_INLINE sclbl_pair sclbl_cos_parts(double hi, double lo) {
    double z = hi * hi;
    double p = -0x1.907da2e9cd397p-37;
    p = p * z + 0x1.1eeb68e88cbb9p-29;
    p = p * z - 0x1.27e4fa17d9624p-22;
    p = p * z + 0x1.a01a019f4eaf9p-16;
    p = p * z - 0x1.6c16c16c16967p-10;
    p = p * z + 0x1.5555555555555p-5;
    double head = sclbl_head(hi);
    double rest = 0.5 * ((hi - head) * (hi + head)) + hi * lo;
    sclbl_pair c = sclbl_fast_two_sum(1.0, -(0.5 * head * head));
    return sclbl_fast_two_sum(c.hi, c.lo + (z * z * p - rest));
}

/* sin(quadrant pi/2 + r). */
SCLBL_INLINE double sclbl_sin_of_angle(sclbl_angle r) {
    double y;
    if (r.quadrant & 1) {
        y = sclbl_cos_parts(r.hi, r.lo).hi;
    } else { /* what is added to -0 would make it 0 */
        y = sclbl_fabs(r.hi) < 0x1p-28 ? r.hi : r.hi + sclbl_sin_beyond(r.hi, r.lo);
    }
    return r.quadrant & 2 ? -y : y;
}

/* sin: at most 0.7 ULP. */
SCLBL_INLINE double sclbl_sin(double x) { return sclbl_sin_of_angle(sclbl_reduce_angle(x)); }

/* cos: at most 0.7 ULP. It is the sine a quadrant further. */
SCLBL_INLINE double sclbl_cos(double x) {
    sclbl_angle r = sclbl_reduce_angle(x);
    r.quadrant += 1;
    return sclbl_sin_of_angle(r);
}

#endif
