/* float16 as its 16 bits, from and to wider floats: rounded to the nearest, ties to even. */
#ifndef SCLBL_HALF_H
#define SCLBL_HALF_H

#include "abi.h"

static inline f32 of_half(u16 h) {
    u32 sign = (u32)(h & 0x8000) << 16, rest = h & 0x7FFF;
    union { u32 u; f32 f; } v;
    if (rest >= 0x7C00)
        v.u = 0x7F800000u | (rest & 0x3FF) << 13; /* infinities and NaN */
    else if (rest >= 0x400)
        v.u = (rest << 13) + (112u << 23);
    else
        v.f = (f32)rest * 0x1p-24f; /* zeros and what is below the normal numbers */
    v.u |= sign;
    return v.f;
}

static inline u16 half_of(f64 x) {
    union { f64 f; u64 u; } v = {x};
    u16 sign = (u16)(v.u >> 48 & 0x8000);
    v.u &= ~(UINT64_C(1) << 63);
    if (v.f != v.f) return sign | 0x7E00;
    if (v.f >= 65520.0) return sign | 0x7C00;
    if (v.f < 0x1p-14) {
        /* In units of 2^-24, the sum's low bits; a carry makes the least normal number. */
        v.f = v.f * 0x1p24 + 0x1p52;
        return sign | (u16)v.u;
    }
    /* Ten bits of 52 stay; the exponent's bias is 15 instead of 1023. */
    u64 odd = v.u >> 42 & 1;
    v.u += (UINT64_C(1) << 41) - 1 + odd;
    return sign | (u16)((v.u >> 42) - (UINT64_C(1008) << 10));
}

#endif
