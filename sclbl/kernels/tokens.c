/* Texts: folded, and taken apart into terms. See ops/tokens.py for what each means. */
#include "abi.h"
#include "names.h"
#include "packed.h"

/* -------------------------------------------------------------- case and accents */

enum { OTHER = 0, PASSED_OVER = 1, CASED = 2 };
/* A character becomes at most so many bytes. */
#define MOST_BYTES 128

/* Whether a sigma between these places has a letter with case before it and none behind. */
static inline __attribute__((noinline)) i32 ends_a_word(two_level kinds, const u8* p, u32 from, u32 to, u32 end) {
    u32 kind = OTHER;
    while (from > 0) {
        kind = number_of(kinds, character_before(p, from, 0, &from));
        if (kind != PASSED_OVER) break;
    }
    if (kind != CASED) return 0;
    while (to < end) {
        kind = number_of(kinds, character(p, to, end, &to));
        if (kind != PASSED_OVER) return kind != CASED;
    }
    return 1;
}

/* A syllable of Hangul in its two or three parts. */
static inline __attribute__((noinline)) u32 write_syllable(u8* to, u32 syllable) {
    u32 n = write_character(to, 0x1100 + syllable / 588);
    n += write_character(to + n, 0x1161 + syllable % 588 / 28);
    return syllable % 28 ? n + write_character(to + n, 0x11A7 + syllable % 28) : n;
}

i32 tokens_fold(text* out, const text* x, growing* to, i32 m, const u8* ascii, const u8* index,
                const u8* blocks, u32 index_bits, u32 bits, u32 shift, u32 top, u32 rest,
                const u32* actions, const u8* data, const u8* kind_index, const u8* kind_blocks,
                u32 kind_index_bits, u32 kind_bits, u32 kind_shift, u32 kind_top, u32 kind_rest,
                i32 sigma, i32 drop, i32 hangul) {
    two_level codes = {index, blocks, index_bits, bits, shift, top, rest};
    two_level kinds = {kind_index, kind_blocks, kind_index_bits, kind_bits,
                       kind_shift, kind_top, kind_rest};
    /* Behind the texts of the tiles before: a result may point to them. Where a block has moved, what
       it was stays. */
    for (i32 i = 0; i < m; i++) {
        const u8* p = (const u8*)x[i].address;
        u32 end = is_missing(x[i]) ? 0 : x[i].length, at = 0, first = to->used;
        i32 code = abi_grow(to, (u64)end + MOST_BYTES);
        if (code) return code;
        u8* base = (u8*)to->address;
        u32 n = first;
        while (at < end) {
            u8 one = p[at] < 128 ? ascii[p[at]] : 255;
            if (one != 255) {
                base[n++] = one;
                at++;
                continue;
            }
            u32 next, c = character(p, at, end, &next);
            if (sigma && c == 0x3A3) c = ends_a_word(kinds, p, at, next, end) ? 0x3C2 : 0x3C3;
            at = next;
            u32 number = number_of(codes, c);
            if (number) {
                u32 action = actions[number - 1];
                if (action >> 31) {
                    u32 size = action & 127;
                    __builtin_memcpy(base + n, data + (action >> 7 & 0xFFFFFF), size);
                    n += size;
                } else
                    n += write_character(base + n, c + action - 0x110000);
            } else if (hangul && c - 0xAC00 < 11172)
                n += write_syllable(base + n, c - 0xAC00);
            else if (!drop || c < 128)
                n += write_character(base + n, c);
            /* What is left takes as many bytes as it has, and one more character what it may. */
            to->used = n;
            if ((u64)n + (end - at) + MOST_BYTES > to->capacity) {
                code = abi_grow(to, (u64)(end - at) + MOST_BYTES);
                if (code) return code;
                base = (u8*)to->address;
            }
        }
        to->used = n;
        out[i].address = first;
        out[i].length = n - first;
    }
    for (i32 i = 0; i < m; i++) out[i].address += to->address;
    return OK;
}

/* -------------------------------------------------------------- terms */

/* What a tile's texts become: `to` holds the offsets of the rows, the terms, the bytes that terms
   are parts of, and where the parts of one text begin and end. Terms hold places among the bytes
   until these lie where they stay. */
static i32 begin(growing* to, i32 m) {
    for (u32 k = 0; k < 4; k++) to[k].used = 0;
    return abi_grow(to, ((u64)(u32)m + 1) * 4);
}

static void finish(ragged* out, growing* to, i32 m, i32 moved) {
    text* terms = (text*)to[1].address;
    u32 count = to[1].used / (u32)sizeof(text), base = moved ? to[2].address : 0;
    for (u32 k = 0; k < count && moved; k++) terms[k].address += base;
    ((u32*)to[0].address)[m] = count;
    out->offsets = (const u32*)to[0].address;
    out->keys = terms;
    out->values = 0;
}

static inline __attribute__((noinline)) i32 add_term(growing* to, u32 address, u32 length) {
    if (to[1].used + sizeof(text) > to[1].capacity) {
        i32 code = abi_grow(to + 1, sizeof(text));
        if (code) return code;
    }
    text* term = (text*)(to[1].address + to[1].used);
    term->address = address;
    term->length = length;
    to[1].used += sizeof(text);
    return OK;
}

static inline __attribute__((noinline)) i32 add_place(growing* places, u32 begin, u32 end) {
    if (places->used + 8 > places->capacity) {
        i32 code = abi_grow(places, 8);
        if (code) return code;
    }
    u32* place = (u32*)(places->address + places->used);
    place[0] = begin;
    place[1] = end;
    places->used += 8;
    return OK;
}

/* Every run of `low` to `high` of the parts between two of the places. */
static inline __attribute__((noinline)) i32 add_runs(growing* to, u32 first, u32 count, u32 low, u32 high) {
    for (u32 n = low; n <= high && n <= count; n++)
        for (u32 k = 0; k + n <= count; k++) {
            const u32* place = (const u32*)to[3].address + 2 * (first + k);
            i32 code = add_term(to, place[0], place[2 * n - 1] - place[0]);
            if (code) return code;
        }
    return OK;
}

/* Where a thread's match began, and where its group begins and ends. */
typedef struct {
    u32 start, first, last;
} thread;

static inline thread noted(const thread* threads, i32 source, i32 notes, u32 at) {
    thread t = {at, ~0u, ~0u};
    if (source >= 0) t = threads[source];
    if (notes & 1) t.first = at;
    if (notes & 2) t.last = at;
    return t;
}

i32 tokens_words(ragged* out, const text* x, growing* to, i32 m, const u8* ascii, const u8* index,
                 const u8* blocks, u32 index_bits, u32 bits, u32 shift, u32 top, u32 rest,
                 const u16* steps, const u16* begins, const i32* lists, thread* room,
                 const u8* slots, const u32* starts, const u8* names_data, const u8* name_places,
                 u32 name_count, u32 number_bits, u32 mark_bits, u32 place_bits, i32 width,
                 i32 thread_count, i32 group, i32 leaves_out, i32 low, i32 high) {
    two_level classes = {index, blocks, index_bits, bits, shift, top, rest};
    names without = {slots, starts, names_data, name_places, name_count, number_bits, mark_bits,
                     place_bits};
    i32 joins = high > 1;
    i32 code = begin(to, m);
    for (i32 i = 0; i < m && code == OK; i++) {
        ((u32*)to[0].address)[i] = to[1].used / (u32)sizeof(text);
        to[3].used = 0;
        const u8* p = (const u8*)x[i].address;
        u32 end = is_missing(x[i]) ? 0 : x[i].length, at = 0, before = (u32)width - 1, empty = 0;
        while (code == OK) {
            u32 state = begins[before * 2 + empty], place = at, kind_before = before;
            thread *threads = room, *others = room + thread_count, match = {0, 0, 0};
            u32 stop = 0, kind_stop = 0, found = 0;
            for (;;) {
                u32 next = place, kind = (u32)width - 1;
                if (place < end) {
                    u32 c = character(p, place, end, &next);
                    kind = c < 128 ? ascii[c] : number_of(classes, c);
                }
                const u16* step = steps + (state * (u32)width + kind) * 2;
                if (step[1]) {
                    const i32* list = lists + lists[step[1]];
                    if (list[0] >= -1) {
                        match = noted(threads, list[0], list[1], place);
                        stop = place;
                        kind_stop = kind_before;
                        found = 1;
                    }
                    if (list[2]) {
                        for (i32 k = 0; k < list[2]; k++)
                            others[k] = noted(threads, list[3 + 2 * k], list[4 + 2 * k], place);
                        thread* done = threads;
                        threads = others;
                        others = done;
                    }
                }
                state = step[0];
                if (place >= end || state == 0) break;
                place = next;
                kind_before = kind;
            }
            /* An automaton that finds nothing twice at one place would never end. */
            if (!found || (empty && stop == at && match.start == stop)) break;
            u32 first = group ? match.first : match.start, last = group ? match.last : stop;
            if (first > last || last > end) first = last = stop;
            empty = match.start == stop;
            at = stop;
            before = kind_stop;
            if (leaves_out && name_of(without, p + first, last - first) >= 0) continue;
            if (!joins) {
                code = add_term(to, (u32)p + first, last - first);
                continue;
            }
            u32 n = to[2].used;
            code = abi_grow(to + 2, (u64)(last - first) + 1);
            if (code) break;
            u8* joined = (u8*)to[2].address + n;
            __builtin_memcpy(joined, p + first, last - first);
            joined[last - first] = ' ';
            to[2].used = n + (last - first) + 1;
            code = add_place(to + 3, n, n + (last - first));
        }
        if (code == OK && joins) code = add_runs(to, 0, to[3].used / 8, (u32)low, (u32)high);
    }
    if (code == OK) finish(out, to, m, joins);
    return code;
}

static inline __attribute__((noinline)) i32 add_character(growing* to, const u8* p, u32 length) {
    i32 code = abi_grow(to + 2, 4);
    if (code) return code;
    u32 n = to[2].used;
    for (u32 k = 0; k < length; k++) ((u8*)to[2].address)[n + k] = p[k];
    to[2].used = n + length;
    return add_place(to + 3, n, n + length);
}

/* The terms of a word; one that is shorter than a term is one, once. */
static inline __attribute__((noinline)) i32 add_word(growing* to, u32 low, u32 high) {
    u32 count = to[3].used / 8;
    i32 code = add_runs(to, 0, count, low, high < count ? high : count);
    if (code == OK && low > count) code = add_runs(to, 0, count, count, count);
    to[3].used = 0;
    return code;
}

i32 tokens_characters(ragged* out, const text* x, growing* to, i32 m, const u8* index,
                      const u8* blocks, u32 index_bits, u32 bits, u32 shift, u32 top, u32 rest,
                      i32 words, i32 low, i32 high) {
    two_level spaces = {index, blocks, index_bits, bits, shift, top, rest};
    const u8 blank = ' ';
    i32 code = begin(to, m);
    for (i32 i = 0; i < m && code == OK; i++) {
        ((u32*)to[0].address)[i] = to[1].used / (u32)sizeof(text);
        to[3].used = 0;
        const u8* p = (const u8*)x[i].address;
        u32 end = is_missing(x[i]) ? 0 : x[i].length, at = 0;
        while (at < end && code == OK) {
            u32 next, start = at, run = 0;
            while (at < end && number_of(spaces, character(p, at, end, &next))) {
                at = next;
                run++;
            }
            if (run && !words)
                code = run > 1 ? add_character(to, &blank, 1) : add_character(to, p + start, at - start);
            if (at == end) break;
            if (words && code == OK) code = add_character(to, &blank, 1);
            while (at < end && code == OK && !number_of(spaces, character(p, at, end, &next))) {
                code = add_character(to, p + at, next - at);
                at = next;
            }
            if (words && code == OK) code = add_character(to, &blank, 1);
            if (words && code == OK) code = add_word(to, (u32)low, (u32)high);
        }
        if (code == OK && !words) code = add_runs(to, 0, to[3].used / 8, (u32)low, (u32)high);
    }
    if (code == OK) finish(out, to, m, 1);
    return code;
}
