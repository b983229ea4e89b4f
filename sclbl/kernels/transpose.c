/* Strided copies of n axes: transposes, slices, expansions.

   transpose_<bytes of an element>(out, x, m, row, first, n0, s0, ..., n7, s7)

   m            rows of the tile
   out          [m, n0, ..., n7], dense; not the same memory as x
   row          elements of a row of x
   first        where in a row of x the first element of the result lies
   n, s         length of an axis of the result, and how far apart its elements lie in a row of x: 0
                repeats one, a negative distance runs backwards

   Axes that are not there have length 1; sclbl/ops/strides.py finds the fewest.

   transpose_take_<bytes>(out, x, index, m, outer, n, inner, size)

   out, x       [m, outer, n, inner] and [m, outer, size, inner]; not the same memory
   index        [n], places on the axis of `size` */
#include "abi.h"

#define INLINE static inline __attribute__((always_inline))
/* Where memory.copy begins to pay: engines call a function for it. */
#define LONG 512

typedef u8 u8x16 __attribute__((vector_size(16), aligned(1)));
typedef u32 u32x4 __attribute__((vector_size(16), aligned(4)));
typedef u64 u64x2 __attribute__((vector_size(16), aligned(8)));

INLINE void copy(u8* to, const u8* from, i32 bytes) {
    i32 k = 0;
    if (bytes >= LONG) {
        __builtin_memcpy(to, from, (u32)bytes);
        return;
    }
    for (; k + 16 <= bytes; k += 16) *(u8x16*)(to + k) = *(const u8x16*)(from + k);
    for (; k < bytes; k++) to[k] = from[k];
}

/* Square blocks of a matrix whose columns are dense in x: as many rows and columns as a vector has
   lanes, so that both sides are read and written in vectors. */
INLINE void square_b4(u32* to, const u32* from, i32 width, i32 step) {
#define ROW(K) *(const u32x4*)(from + (K) * step)
#define INTO(K) *(u32x4*)(to + (K) * width)
    u32x4 a = ROW(0), b = ROW(1), c = ROW(2), d = ROW(3);
    u32x4 p = __builtin_shufflevector(a, b, 0, 4, 1, 5), q = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    u32x4 r = __builtin_shufflevector(a, b, 2, 6, 3, 7), s = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    INTO(0) = __builtin_shufflevector(p, q, 0, 1, 4, 5);
    INTO(1) = __builtin_shufflevector(p, q, 2, 3, 6, 7);
    INTO(2) = __builtin_shufflevector(r, s, 0, 1, 4, 5);
    INTO(3) = __builtin_shufflevector(r, s, 2, 3, 6, 7);
#undef ROW
#undef INTO
}
INLINE void square_b8(u64* to, const u64* from, i32 width, i32 step) {
    u64x2 a = *(const u64x2*)from, b = *(const u64x2*)(from + step);
    *(u64x2*)to = __builtin_shufflevector(a, b, 0, 2);
    *(u64x2*)(to + width) = __builtin_shufflevector(a, b, 1, 3);
}
INLINE void square_b2(u16* to, const u16* from, i32 width, i32 step) { *to = *from; }
INLINE void square_b1(u8* to, const u8* from, i32 width, i32 step) { *to = *from; }

/* The last two axes: [rows, columns]. */
#define MATRIX(S, T, SIDE)                                                                  \
    INLINE void matrix_##S(T* out, const T* x, i32 rows, i32 down, i32 columns, i32 across) { \
        if (down == 1 && across != 1) {                                                     \
            i32 i = 0;                                                                      \
            for (; i + SIDE <= rows; i += SIDE) {                                           \
                i32 j = 0;                                                                  \
                for (; j + SIDE <= columns; j += SIDE)                                      \
                    square_##S(out + i * columns + j, x + i + j * across, columns, across); \
                for (; j < columns; j++)                                                    \
                    for (i32 k = i; k < i + SIDE; k++)                                      \
                        out[k * columns + j] = x[k + j * across];                           \
            }                                                                               \
            for (; i < rows; i++)                                                           \
                for (i32 j = 0; j < columns; j++) out[i * columns + j] = x[i + j * across]; \
            return;                                                                         \
        }                                                                                   \
        for (i32 i = 0; i < rows; i++, out += columns, x += down)                           \
            if (across == 1)                                                                \
                copy((u8*)out, (const u8*)x, columns * (i32)sizeof(T));                     \
            else                                                                            \
                for (i32 j = 0; j < columns; j++) out[j] = x[j * across];                   \
    }

#define EACH(K) for (i32 i##K = 0; i##K < n##K; i##K++)
#define TRANSPOSE(S, T, SIDE)                                                               \
    MATRIX(S, T, SIDE)                                                                      \
    void transpose_##S(T* out, const T* x, i32 m, i32 row, i32 first, i32 n0, i32 s0, i32 n1, \
                       i32 s1, i32 n2, i32 s2, i32 n3, i32 s3, i32 n4, i32 s4, i32 n5,      \
                       i32 s5, i32 n6, i32 s6, i32 n7, i32 s7) {                            \
        for (; m > 0; m--, x += row)                                                        \
            EACH(0) EACH(1) EACH(2) EACH(3) EACH(4) EACH(5) {                               \
                matrix_##S(out,                                                             \
                           x + (first + i0 * s0 + i1 * s1 + i2 * s2 + i3 * s3 + i4 * s4 +   \
                                i5 * s5),                                                   \
                           n6, s6, n7, s7);                                                 \
                out += n6 * n7;                                                             \
            }                                                                               \
    }                                                                                       \
    void transpose_take_##S(T* out, const T* x, const i32* index, i32 m, i32 outer, i32 n,  \
                            i32 inner, i32 size) {                                          \
        for (i32 i = 0; i < m * outer; i++, x += size * inner)                              \
            for (i32 j = 0; j < n; j++, out += inner)                                       \
                copy((u8*)out, (const u8*)(x + index[j] * inner), inner * (i32)sizeof(T));  \
    }
TRANSPOSE(b8, u64, 2)
TRANSPOSE(b4, u32, 4)
TRANSPOSE(b2, u16, 1)
TRANSPOSE(b1, u8, 1)
