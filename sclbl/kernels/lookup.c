/* From a value to the number of the key that it equals. */
#include "abi.h"
#include "keys.h"

/* Keys are sorted; NaN, where it is a key, stands apart as `nan`. */
#define LOOKUP(S, T)                                                                  \
    void lookup_##S(i64* out, const T* x, const T* keys, const i32* values, i32 m,    \
                    i32 count, i32 missing, i32 unknown) {                            \
        for (i32 i = 0; i < m; i++) {                                                 \
            T v = x[i];                                                               \
            i32 low = 0, size = count;                                                \
            while (size > 1) {                                                        \
                i32 half = size >> 1;                                                 \
                low += keys[low + half] <= v ? half : 0;                              \
                size -= half;                                                         \
            }                                                                         \
            i32 found = count > 0 && keys[low] == v ? values[low] : unknown;          \
            out[i] = v != v ? missing : found;                                        \
        }                                                                             \
    }
LOOKUP(f64, f64)
LOOKUP(f32, f32)
LOOKUP(i64, i64)

/* Text: an open-addressed table of key numbers (-1: empty); key k is bytes[ends[k-1] .. ends[k]). */
void lookup_text(i64* out, const text* x, const i32* slots, const u32* ends, const u8* bytes,
                 const i32* values, i32 m, u32 mask, i32 none, i32 nan, i32 na, i32 unknown) {
    for (i32 i = 0; i < m; i++) {
        text v = x[i];
        if (is_missing(v)) {
            out[i] = v.length == MISSING_NONE ? none : v.length == MISSING_NAN ? nan : na;
            continue;
        }
        i32 key = key_of(v, slots, ends, bytes, mask);
        out[i] = key < 0 ? unknown : values[key];
    }
}

/* The end of a classifier: class numbers as int32. */
void lookup_labels_i64(i32* out, const i64* x, i32 n) {
    for (i32 i = 0; i < n; i++) out[i] = (i32)x[i];
}
void lookup_labels_u8(i32* out, const u8* x, i32 n) {
    for (i32 i = 0; i < n; i++) out[i] = x[i];
}
