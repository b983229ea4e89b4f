/* Texts that are keys: an open-addressed table of key numbers (-1: empty), where key k is
   bytes[ends[k-1] .. ends[k]). */
#ifndef SCLBL_KEYS_H
#define SCLBL_KEYS_H

#include "abi.h"

static inline u32 key_hash(const u8* p, u32 length) {
    u32 h = 2166136261u;
    for (u32 k = 0; k < length; k++) h = (h ^ p[k]) * 16777619u;
    h ^= h >> 15;
    return h;
}

/* The number of the key that a text is, or -1. */
static inline i32 key_of(text v, const i32* slots, const u32* ends, const u8* bytes, u32 mask) {
    const u8* p = (const u8*)v.address;
    for (u32 at = key_hash(p, v.length) & mask;; at = (at + 1) & mask) {
        i32 key = slots[at];
        if (key < 0) return -1;
        u32 start = key ? ends[key - 1] : 0;
        if (ends[key] - start != v.length) continue;
        u32 k = 0;
        while (k < v.length && p[k] == bytes[start + k]) k++;
        if (k == v.length) return key;
    }
}

#endif
