/* Weighted medians of rows. */
#include "abi.h"

/* Whether a number is sorted behind another: NaN last, equal ones in the order of the columns. */
#define BEHIND(a, b) (v[a] > v[b] || (v[a] != v[a] && v[b] == v[b]) ||                \
                      (!(v[a] < v[b]) && !(v[a] == v[a] && v[b] != v[b]) && (a) > (b)))

/* A heap of columns, the last of them in front, until they are sorted. */
#define MEDIAN(S, T)                                                                  \
    static void median_sift_##S(const T* v, u32* order, i32 at, i32 count) {          \
        for (;;) {                                                                    \
            i32 child = 2 * at + 1;                                                   \
            if (child >= count) return;                                               \
            if (child + 1 < count && BEHIND(order[child + 1], order[child])) child++; \
            if (BEHIND(order[at], order[child])) return;                              \
            u32 moved = order[at];                                                    \
            order[at] = order[child];                                                 \
            order[child] = moved;                                                     \
            at = child;                                                               \
        }                                                                             \
    }                                                                                 \
    void median_##S(T* out, const T* x, const f64* weights, u32* order, i32 m, i32 w) { \
        for (i32 i = 0; i < m; i++) {                                                 \
            const T* v = x + i * w;                                                   \
            for (i32 j = 0; j < w; j++) order[j] = (u32)j;                            \
            for (i32 j = w / 2 - 1; j >= 0; j--) median_sift_##S(v, order, j, w);     \
            for (i32 j = w - 1; j > 0; j--) {                                         \
                u32 last = order[0];                                                  \
                order[0] = order[j];                                                  \
                order[j] = last;                                                      \
                median_sift_##S(v, order, 0, j);                                      \
            }                                                                         \
            f64 total = 0, below = 0;                                                 \
            for (i32 j = 0; j < w; j++) total += weights[order[j]];                   \
            i32 at = 0;                                                               \
            for (; at < w; at++) {                                                    \
                below += weights[order[at]];                                          \
                if (below >= 0.5 * total) break;                                      \
            }                                                                         \
            out[i] = v[order[at < w ? at : 0]];                                       \
        }                                                                             \
    }

MEDIAN(f64, f64)
MEDIAN(f32, f32)
