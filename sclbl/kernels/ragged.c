/* Rows whose length varies. */
#include "abi.h"
#include "names.h"
#include "sparse_rows.h"

/* -------------------------------------------------------------- names to columns */

static u32 scrambled(u32 k) {
    k *= 0xCC9E2D51u;
    return (k << 15 | k >> 17) * 0x1B873593u;
}

/* MurmurHash3, x86, 32 bits, seed 0: Austin Appleby's, in the public domain. */
static i32 murmur3(const u8* p, u32 length) {
    u32 h = 0, whole = length & ~3u, k;
    for (u32 at = 0; at < whole; at += 4) {
        __builtin_memcpy(&k, p + at, 4);
        h ^= scrambled(k);
        h = (h << 13 | h >> 19) * 5 + 0xE6546B64u;
    }
    k = 0;
    for (u32 at = length; at > whole; at--) k = k << 8 | p[at - 1];
    h ^= scrambled(k) ^ length;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    return (i32)(h ^ h >> 16);
}

/* Names, each with a value or 1, to columns by their hash; zeros are left out. */
i32 ragged_hash(ragged* out, const ragged* x, growing* to, i32 m, i32 columns, i32 is_signed) {
    u32 first = x->offsets[0], count = x->offsets[m] - first, at = 0;
    i32 code = begin_sparse(to, m, count, sizeof(f64));
    if (code) return code;
    u32* offsets = (u32*)to[0].address;
    i32* keys = (i32*)to[1].address;
    f64* values = (f64*)to[2].address;
    const text* given_names = (const text*)x->keys;
    const f64* given = (const f64*)x->values;
    for (i32 i = 0; i < m; i++) {
        offsets[i] = at;
        for (u32 k = x->offsets[i]; k < x->offsets[i + 1]; k++) {
            f64 value = given ? given[k] : 1;
            if (value == 0) continue;
            i32 hash = murmur3((const u8*)given_names[k].address, given_names[k].length);
            keys[at] = (i32)((hash < 0 ? 0 - (u32)hash : (u32)hash) % (u32)columns);
            values[at++] = is_signed && hash < 0 ? -value : value;
        }
    }
    offsets[m] = at;
    finish_sparse(out, to);
    return OK;
}

/* Names to their columns, others left out; `item` is the bytes of a value, 0 where there is none and
   each counts 1 (i64). */
i32 ragged_find(ragged* out, const ragged* x, growing* to, i32 m, const u8* slots,
                const u32* starts, const u8* data, const u8* places, u32 known, u32 number_bits,
                u32 mark_bits, u32 place_bits, i32 item) {
    names table = {slots, starts, data, places, known, number_bits, mark_bits, place_bits};
    u32 count = x->offsets[m] - x->offsets[0], at = 0, size = item ? (u32)item : 8;
    i32 code = begin_sparse(to, m, count, size);
    if (code) return code;
    u32* offsets = (u32*)to[0].address;
    i32* keys = (i32*)to[1].address;
    u8* values = (u8*)to[2].address;
    const text* given = (const text*)x->keys;
    const i64 one = 1;
    for (i32 i = 0; i < m; i++) {
        offsets[i] = at;
        for (u32 k = x->offsets[i]; k < x->offsets[i + 1]; k++) {
            i32 key = name_of(table, (const u8*)given[k].address, given[k].length);
            if (key < 0) continue;
            keys[at] = key;
            const u8* from = item ? (const u8*)x->values + k * size : (const u8*)&one;
            __builtin_memcpy(values + at++ * size, from, size);
        }
    }
    offsets[m] = at;
    finish_sparse(out, to);
    return OK;
}

/* -------------------------------------------------------------- sparse rows */

/* Order the places of a row's items by their columns, keeping the order of equal ones: runs of
   doubling length are merged from one half of `places` into the other. */
static u32* ordered(u32* places, const i32* keys, u32 n) {
    u32 *from = places, *into = places + n;
    for (u32 i = 0; i < n; i++) from[i] = i;
    for (u32 run = 1; run < n; run *= 2) {
        for (u32 low = 0; low < n; low += 2 * run) {
            u32 middle = low + run < n ? low + run : n, high = low + 2 * run < n ? low + 2 * run : n;
            u32 a = low, b = middle;
            for (u32 k = low; k < high; k++)
                into[k] = a < middle && (b >= high || keys[from[a]] <= keys[from[b]]) ? from[a++]
                                                                                      : from[b++];
        }
        u32* other = from;
        from = into;
        into = other;
    }
    return from;
}

/* Columns in order, each once: their values added in the order in which they came, or the last. */
#define SUM(S, T)                                                                              \
    i32 ragged_sum_##S(ragged* out, const ragged* x, growing* to, i32 m, i32 distinct) {       \
        u32 first = x->offsets[0], count = x->offsets[m] - first, at = 0;                      \
        i32 code = begin_sparse(to, m, count, sizeof(T));                                      \
        to[3].used = 0;                                                                        \
        if (code == OK) code = abi_grow(to + 3, (u64)count * 8);                               \
        if (code) return code;                                                                 \
        u32* offsets = (u32*)to[0].address;                                                    \
        i32* keys = (i32*)to[1].address;                                                       \
        T* values = (T*)to[2].address;                                                         \
        const T* given = (const T*)x->values;                                                  \
        for (i32 i = 0; i < m; i++) {                                                          \
            u32 start = x->offsets[i], n = x->offsets[i + 1] - start;                          \
            const i32* columns = (const i32*)x->keys + start;                                  \
            const u32* place = ordered((u32*)to[3].address, columns, n);                       \
            offsets[i] = at;                                                                   \
            for (u32 k = 0; k < n; k++) {                                                      \
                T value = given ? given[start + place[k]] : (T)1;                              \
                if (at > offsets[i] && keys[at - 1] == columns[place[k]])                      \
                    values[at - 1] = distinct ? value : values[at - 1] + value;                \
                else {                                                                         \
                    keys[at] = columns[place[k]];                                              \
                    values[at++] = value;                                                      \
                }                                                                              \
            }                                                                                  \
        }                                                                                      \
        offsets[m] = at;                                                                       \
        finish_sparse(out, to);                                                                \
        return OK;                                                                             \
    }
SUM(f64, f64)
SUM(f32, f32)
SUM(i64, i64)

#define REFUSE(S, T)                                                                           \
    i32 ragged_refuse_##S(const ragged* x, i32 m, i32 row, i32 nan, i32 inf) {                 \
        const T* values = (const T*)x->values;                                                 \
        for (i32 i = 0; i < m && values; i++)                                                  \
            for (u32 k = x->offsets[i]; k < x->offsets[i + 1]; k++) {                          \
                T v = values[k];                                                               \
                i32 code = v * 0 == 0 ? OK                                                     \
                           : v != v   ? nan * REFUSED_MISSING                                  \
                                      : inf * REFUSED_INFINITE;                                \
                if (code) return fail(code, row + i, ((const i32*)x->keys)[k]);                \
            }                                                                                  \
        return OK;                                                                             \
    }
REFUSE(f64, f64)
REFUSE(f32, f32)

#define DENSE(S, T)                                                                            \
    void ragged_dense_##S(T* out, const ragged* x, i32 m, i32 n) {                             \
        const i32* keys = (const i32*)x->keys;                                                 \
        const T* values = (const T*)x->values;                                                 \
        __builtin_memset(out, 0, (u32)m * (u32)n * sizeof(T));                                 \
        for (i32 i = 0; i < m; i++)                                                            \
            for (u32 k = x->offsets[i]; k < x->offsets[i + 1]; k++)                            \
                out[i * n + keys[k]] += values ? values[k] : (T)1;                             \
    }
DENSE(f64, f64)
DENSE(f32, f32)
DENSE(i64, i64)

/* The same with NaN where a row has no item; of several of one column the last counts. */
#define DENSE_MISSING(S, T)                                                                    \
    void ragged_dense_missing_##S(T* out, const ragged* x, i32 m, i32 n) {                     \
        const i32* keys = (const i32*)x->keys;                                                 \
        const T* values = (const T*)x->values;                                                 \
        for (i32 i = 0; i < m * n; i++) out[i] = (T)__builtin_nanf("");                        \
        for (i32 i = 0; i < m; i++)                                                            \
            for (u32 k = x->offsets[i]; k < x->offsets[i + 1]; k++)                            \
                out[i * n + keys[k]] = values ? values[k] : (T)1;                              \
    }
DENSE_MISSING(f64, f64)
DENSE_MISSING(f32, f32)

/* Times a matrix [columns, n]: a row's products are added in the order of its items. */
#define DOT(S, T, R)                                                                           \
    void ragged_dot_##S(R* out, const ragged* x, const R* w, i32 m, i32 n) {                   \
        const i32* keys = (const i32*)x->keys;                                                 \
        const T* values = (const T*)x->values;                                                 \
        for (i32 i = 0; i < m; i++) {                                                          \
            R* y = out + i * n;                                                                \
            for (i32 j = 0; j < n; j++) y[j] = 0;                                              \
            for (u32 k = x->offsets[i]; k < x->offsets[i + 1]; k++) {                          \
                const R* row = w + (u32)keys[k] * (u32)n;                                      \
                R value = values ? (R)values[k] : (R)1;                                        \
                for (i32 j = 0; j < n; j++) y[j] += value * row[j];                            \
            }                                                                                  \
        }                                                                                      \
    }
DOT(f64_f64, f64, f64)
DOT(f32_f64, f32, f64)
DOT(f32_f32, f32, f32)
