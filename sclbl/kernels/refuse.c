/* What a model refuses, its program refuses. Returns 0 or an error code; the first bad cell counts. */
#include "abi.h"

/* A value times zero is NaN exactly when it is NaN or infinite, so one sum tests a whole tile. */
#define REFUSE(S, T)                                                                  \
    i32 refuse_##S(const T* x, const i32* columns, i32 m, i32 row, i32 w, i32 nan,    \
                   i32 inf) {                                                         \
        u32 bad = 0;                                                                  \
        for (i32 i = 0; i < m * w; i++) bad |= x[i] * 0 != 0;                         \
        if (!bad) return OK;                                                          \
        for (i32 i = 0; i < m; i++)                                                   \
            for (i32 j = 0; j < w; j++) {                                             \
                T v = x[i * w + j];                                                   \
                if (v != v) {                                                         \
                    if (nan) return fail(REFUSED_MISSING, row + i, columns[j]);       \
                } else if (inf && v * 0 != 0)                                         \
                    return fail(REFUSED_INFINITE, row + i, columns[j]);               \
            }                                                                         \
        return OK;                                                                    \
    }
REFUSE(f64, f64)
REFUSE(f32, f32)

i32 refuse_unknown(const i64* x, const i32* columns, i32 m, i32 row, i32 w) {
    for (i32 i = 0; i < m; i++)
        for (i32 j = 0; j < w; j++)
            if (x[i * w + j] < 0) return fail(REFUSED_UNKNOWN, row + i, columns[j]);
    return OK;
}

i32 refuse_missing_text(const text* x, const i32* columns, i32 m, i32 row, i32 w) {
    for (i32 i = 0; i < m; i++)
        for (i32 j = 0; j < w; j++)
            if (x[i * w + j].length == MISSING)
                return fail(REFUSED_MISSING, row + i, columns[j]);
    return OK;
}
