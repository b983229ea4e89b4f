/* Bits of floating-point numbers, and sums and products whose rounding error is known.
 *
 * Every function below this header relies on round-to-nearest without contraction or reassociation.
 * Those of one path are written without branches, so that a loop over them can become SIMD code.
 */
#ifndef SCLBL_SCALAR_BITS_H
#define SCLBL_SCALAR_BITS_H

#include <stdint.h>

#define SCLBL_INLINE static inline __attribute__((always_inline))
#define SCLBL_INF __builtin_inf()
#define SCLBL_NAN __builtin_nan("")

SCLBL_INLINE uint64_t sclbl_bits(double x) {
    union { double f; uint64_t u; } v = {x};
    return v.u;
}

SCLBL_INLINE double sclbl_from_bits(uint64_t u) {
    union { uint64_t u; double f; } v = {u};
    return v.f;
}

SCLBL_INLINE double sclbl_fabs(double x) { return __builtin_elementwise_abs(x); }

SCLBL_INLINE double sclbl_copysign(double x, double sign) {
    const uint64_t top = UINT64_C(1) << 63;
    return sclbl_from_bits((sclbl_bits(x) & ~top) | (sclbl_bits(sign) & top));
}

/* x without the lower 27 bits of its significand: products of two such heads are exact. */
SCLBL_INLINE double sclbl_head(double x) {
    return sclbl_from_bits(sclbl_bits(x) & ~((UINT64_C(1) << 27) - 1));
}

/* 1.5 * 2^52: adding it rounds to an integer, which then stands in the low bits. */
#define SCLBL_SHIFT 0x1.8p52

SCLBL_INLINE int64_t sclbl_shifted_to_int(double shifted) {
    return (int64_t)(sclbl_bits(shifted) - sclbl_bits(SCLBL_SHIFT));
}

/* (double)k for |k| < 2^51; SIMD128 has no instruction for it. */
SCLBL_INLINE double sclbl_int_to_double(int64_t k) {
    return sclbl_from_bits((uint64_t)k + sclbl_bits(SCLBL_SHIFT)) - SCLBL_SHIFT;
}

/* 2^k for -1022 <= k <= 1023. */
SCLBL_INLINE double sclbl_power_of_two(int64_t k) {
    return sclbl_from_bits((uint64_t)(k + 1023) << 52);
}

/* x * 2^k for -2044 <= k <= 2046: gradual underflow, overflow to infinity. */
SCLBL_INLINE double sclbl_scale(double x, int64_t k) {
    int64_t half = k >> 1;
    return x * sclbl_power_of_two(half) * sclbl_power_of_two(k - half);
}

/* hi + lo stands for a number of about twice double's precision. */
typedef struct {
    double hi, lo;
} sclbl_pair;

/* a + b exactly; |a| >= |b| or a == 0 (Dekker). */
SCLBL_INLINE sclbl_pair sclbl_fast_two_sum(double a, double b) {
    double s = a + b;
    return (sclbl_pair){s, b - (s - a)};
}

/* a + b exactly (Knuth). */
SCLBL_INLINE sclbl_pair sclbl_two_sum(double a, double b) {
    double s = a + b;
    double v = s - a;
    return (sclbl_pair){s, (a - (s - v)) + (b - v)};
}

/* a * b, with an error below 2^-104 of it where nothing under- or overflows (Dekker). */
SCLBL_INLINE sclbl_pair sclbl_two_product(double a, double b) {
    double p = a * b;
    double ah = sclbl_head(a), bh = sclbl_head(b);
    double al = a - ah, bl = b - bh;
    return (sclbl_pair){p, ((ah * bh - p) + (ah * bl + al * bh)) + al * bl};
}

/* n / d, with an error of about 2^-102 of it where nothing under- or overflows. */
SCLBL_INLINE sclbl_pair sclbl_pair_quotient(sclbl_pair n, sclbl_pair d) {
    double q = n.hi / d.hi;
    sclbl_pair back = sclbl_two_product(q, d.hi);
    return (sclbl_pair){q, (((n.hi - back.hi) - back.lo) + (n.lo - q * d.lo)) / d.hi};
}

#endif
