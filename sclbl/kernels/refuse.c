/* What a model refuses, its program refuses. Returns 0 or an error code; the first bad cell counts.
   `columns` names a cell's input column; null where they are in order. */
#include "abi.h"

/* A value times zero is NaN exactly when it is NaN or infinite, so one sum tests a whole tile. */
typedef f64 f64x2 __attribute__((vector_size(16), aligned(8)));
typedef f32 f32x4 __attribute__((vector_size(16), aligned(4)));

#define REFUSE(S, T, V, LANES, FOLD)                                                  \
    static inline i32 finite_##S(const T* x, i32 cells) {                             \
        i32 k = 0;                                                                    \
        V s0 = {0}, s1 = {0}, s2 = {0};                                               \
        for (; k + 3 * LANES <= cells; k += 3 * LANES) {                              \
            const V* v = (const V*)(x + k);                                           \
            s0 += v[0] * 0;                                                           \
            s1 += v[1] * 0;                                                           \
            s2 += v[2] * 0;                                                           \
        }                                                                             \
        s0 = s0 + s1 + s2;                                                            \
        T bad = FOLD;                                                                 \
        for (; k < cells; k++) bad += x[k] * 0;                                       \
        return bad == 0;                                                              \
    }                                                                                 \
    static inline i32 look_##S(const T* x, const i32* columns, i32 m, i32 row, i32 w, \
                               i32 nan, i32 inf) {                                    \
        for (i32 k = 0; k < m * w; k++) {                                             \
            T v = x[k];                                                               \
            i32 code = v * 0 == 0 ? OK                                                \
                       : v != v   ? nan * REFUSED_MISSING                             \
                                  : inf * REFUSED_INFINITE;                           \
            if (code) return fail(code, row + k / w, columns ? columns[k % w] : k % w); \
        }                                                                             \
        return OK;                                                                    \
    }                                                                                 \
    i32 refuse_##S(const T* x, const i32* columns, i32 m, i32 row, i32 w, i32 nan,    \
                   i32 inf) {                                                         \
        return finite_##S(x, m * w) ? OK : look_##S(x, columns, m, row, w, nan, inf); \
    }                                                                                 \
    /* `sums`, c a row, are products of rows with finite weights: where a cell is not  \
       finite, those of its row are not. */                                           \
    i32 refuse_behind_##S(const T* sums, const T* x, const i32* columns, i32 m, i32 row, \
                          i32 c, i32 w, i32 nan, i32 inf) {                           \
        return finite_##S(sums, m * c) ? OK                                           \
                                       : look_##S(x, columns, m, row, w, nan, inf);   \
    }
REFUSE(f64, f64, f64x2, 2, s0[0] + s0[1])
REFUSE(f32, f32, f32x4, 4, (s0[0] + s0[1]) + (s0[2] + s0[3]))

/* A row of zeros alone. */
i32 refuse_zeros(const f64* x, i32 m, i32 row, i32 w) {
    for (i32 i = 0; i < m; i++) {
        i32 some = 0;
        for (i32 j = 0; j < w; j++) some |= x[i * w + j] != 0;
        if (!some) return fail(OUT_OF_REACH, row + i, -1);
    }
    return OK;
}

i32 refuse_unknown(const i64* x, const i32* columns, i32 m, i32 row, i32 w) {
    for (i32 i = 0; i < m; i++)
        for (i32 j = 0; j < w; j++)
            if (x[i * w + j] < 0) return fail(REFUSED_UNKNOWN, row + i, columns ? columns[j] : j);
    return OK;
}

#define OUTSIDE(S, T)                                                                 \
    i32 refuse_outside_##S(const T* x, const i32* columns, const T* bounds, i32 m,    \
                           i32 row, i32 w) {                                          \
        for (i32 i = 0; i < m; i++, x += w)                                           \
            for (i32 j = 0; j < w; j++)                                               \
                if (x[j] < bounds[j] || x[j] > bounds[w + j])                         \
                    return fail(REFUSED_RANGE, row + i, columns ? columns[j] : j);    \
        return OK;                                                                    \
    }
OUTSIDE(f64, f64)
OUTSIDE(f32, f32)

i32 refuse_missing_text(const text* x, const i32* columns, i32 m, i32 row, i32 w, i32 none,
                        i32 nan, i32 na) {
    for (i32 i = 0; i < m; i++)
        for (i32 j = 0; j < w; j++) {
            u32 length = x[i * w + j].length;
            if ((none && length == MISSING_NONE) || (nan && length == MISSING_NAN) ||
                (na && length == MISSING_NA))
                return fail(REFUSED_MISSING, row + i, columns ? columns[j] : j);
        }
    return OK;
}
