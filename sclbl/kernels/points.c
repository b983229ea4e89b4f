/* Sums over the differences between rows and points: eight points at a time, whose numbers of a column
   lie side by side, so that each sum goes through the columns in order, in a register. */
#include "abi.h"

typedef f64 f64x2 __attribute__((vector_size(16), aligned(8)));
typedef i64 i64x2 __attribute__((vector_size(16), aligned(8)));
enum { BLOCK = 8, PAIRS = BLOCK / 2 };

static inline f64x2 squares(f64x2 d, f64x2 total) { return d * d; }

static inline f64x2 sizes(f64x2 d, f64x2 total) {
    return (f64x2)((i64x2)d & 0x7FFFFFFFFFFFFFFFll);
}

static inline f64x2 chi2(f64x2 d, f64x2 total) {
    f64x2 term = d * d / total;
    return (f64x2)((i64x2)term & (i64x2)(total != 0));
}

/* A difference and a sum are rounded in the type T of rows and points. */
#define POINTS(TERM, S, T)                                                            \
    void points_##TERM##_##S(T* out, const T* x, const T* points, i32 m, i32 w,       \
                             i32 n) {                                                 \
        for (i32 first = 0; first < n; first += BLOCK, points += BLOCK * w) {         \
            i32 some = n - first < BLOCK ? n - first : BLOCK;                         \
            for (i32 i = 0; i < m; i++) {                                             \
                const T* row = x + i * w;                                             \
                f64x2 sums[PAIRS] = {0};                                              \
                for (i32 j = 0; j < w; j++) {                                         \
                    T v = row[j];                                                     \
                    const T* p = points + j * BLOCK;                                  \
                    for (i32 k = 0; k < PAIRS; k++) {                                 \
                        T d0 = v - p[2 * k], d1 = v - p[2 * k + 1];                   \
                        T t0 = v + p[2 * k], t1 = v + p[2 * k + 1];                   \
                        sums[k] += TERM((f64x2){d0, d1}, (f64x2){t0, t1});            \
                    }                                                                 \
                }                                                                     \
                T* to = out + i * n + first;                                          \
                for (i32 k = 0; k < some; k++) to[k] = (T)sums[k / 2][k % 2];         \
            }                                                                         \
        }                                                                             \
    }
POINTS(squares, f64, f64)
POINTS(squares, f32, f32)
POINTS(sizes, f64, f64)
POINTS(sizes, f32, f32)
POINTS(chi2, f64, f64)
POINTS(chi2, f32, f32)
