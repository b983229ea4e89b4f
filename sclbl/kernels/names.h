/* Texts that are looked up, packed: see ops/names.py. */
#ifndef SCLBL_NAMES_H
#define SCLBL_NAMES_H

#include "packed.h"

/* Texts of a block. */
#define NAME_BLOCK 8

typedef struct {
    const u8* slots;
    const u32* starts;
    const u8* data;
    const u8* places;
    u32 count, number_bits, mark_bits, place_bits;
} names;

static inline u32 name_hash(const u8* p, u32 length) {
    u32 h = 2166136261u;
    for (u32 k = 0; k < length; k++) h = (h ^ p[k]) * 16777619u;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    return h ^ h >> 16;
}

static inline u32 name_length(const u8** p) {
    u32 value = 0, shift = 0, byte;
    do {
        byte = *(*p)++;
        value |= (byte & 127) << shift;
        shift += 7;
    } while (byte & 128);
    return value;
}

/* Whether a text is the one with this number in the order of their bytes. Of each text before it in
   its block so many bytes are the same as those of `q`. */
static inline i32 is_name(names t, u32 number, const u8* q, u32 length) {
    const u8* p = t.data + t.starts[number / NAME_BLOCK];
    u32 same = 0;
    for (u32 left = number % NAME_BLOCK;; left--) {
        u32 byte = *p++, shared = byte >> 4, rest = byte & 15;
        if (shared == 15) {
            shared = name_length(&p);
            rest = name_length(&p);
        }
        if (shared <= same) {
            u32 k = 0;
            while (k < rest && shared + k < length && p[k] == q[shared + k]) k++;
            same = shared + k;
        }
        if (left == 0) return same == length && shared + rest == length;
        p += rest;
    }
}

/* The number that a text was given, or -1. */
static inline i32 name_of(names t, const u8* q, u32 length) {
    u32 h = name_hash(q, length), bits = t.number_bits + t.mark_bits;
    u32 mark = h & ((1u << t.mark_bits) - 1);
    for (u32 at = (u32)((u64)h * t.count >> 32);; at++) {
        u32 entry = packed_at(t.slots, at, bits);
        if (entry == 0) return -1;
        u32 number = (entry & ((1u << t.number_bits) - 1)) - 1;
        if (entry >> t.number_bits == mark && is_name(t, number, q, length))
            return (i32)(t.place_bits ? packed_at(t.places, number, t.place_bits) : number);
    }
}

#endif
