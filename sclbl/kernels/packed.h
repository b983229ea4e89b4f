/* Tables in as few bits as their entries need, and the characters of a text: see ops/packed.py. */
#ifndef SCLBL_PACKED_H
#define SCLBL_PACKED_H

#include "abi.h"

/* The entry at `i` of so many bits each, at most 25. */
static inline u32 packed_at(const u8* p, u32 i, u32 bits) {
    u64 at = (u64)i * bits;
    u32 word;
    __builtin_memcpy(&word, p + (at >> 3), 4);
    return word >> (at & 7) & ((1u << bits) - 1);
}

/* A number for each code point: blocks of 1 << shift of them, and `rest` from `top` on. */
typedef struct {
    const u8* index;
    const u8* blocks;
    u32 index_bits, bits, shift, top, rest;
} two_level;

static inline u32 number_of(two_level t, u32 point) {
    if (point >= t.top) return t.rest;
    u32 block = packed_at(t.index, point >> t.shift, t.index_bits);
    return packed_at(t.blocks, (block << t.shift) + (point & ((1u << t.shift) - 1)), t.bits);
}

/* The character at `at`, before `end`, and where the next one begins. What is no UTF-8 stands for
   some character or other; nothing behind `end` is read. */
static inline __attribute__((noinline)) u32 several_bytes(const u8* p, u32 at, u32 end, u32* next) {
    u32 c = p[at];
    *next = at + 1;
    u32 n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC0 || end - at < n) return 0xFFFD;
    *next = at + n;
    c &= 0x7Fu >> n;
    for (u32 k = 1; k < n; k++) c = c << 6 | (p[at + k] & 0x3F);
    return c;
}

static inline u32 character(const u8* p, u32 at, u32 end, u32* next) {
    if (p[at] >= 0x80) return several_bytes(p, at, end, next);
    *next = at + 1;
    return p[at];
}

/* The character before `at`, after `begin`, and where it begins. */
static inline __attribute__((noinline)) u32 character_before(const u8* p, u32 at, u32 begin, u32* start) {
    u32 first = at - 1;
    while (first > begin && at - first < 4 && (p[first] & 0xC0) == 0x80) first--;
    u32 next;
    *start = first;
    return character(p, first, at, &next);
}

/* Write a character and return how many bytes it takes, at most 4. */
static inline __attribute__((noinline)) u32 write_character(u8* p, u32 c) {
    if (c < 0x80) {
        p[0] = (u8)c;
        return 1;
    }
    u32 n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (u32 k = n - 1; k > 0; k--, c >>= 6) p[k] = (u8)(0x80 | (c & 0x3F));
    p[0] = (u8)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | c);
    return n;
}

#endif
