/* Products of matrices of one element type; matmul.c says what the arguments are. */

#include "products.h"

/* Four rows of a, side by side, are weights that the values of b meet. Stands once in a program. */
static __attribute__((noinline)) void NAME(matmul_one_)(T* out, const T* a, const T* b,
                                                        const i32* offsets, T* scratch, i32 r, i32 k,
                                                        i32 c) {
    if (c < LANES) {
        for (i32 i = 0; i < r; i++, a += k, out += c)
            for (i32 j = 0; j < c; j++) {
                T sum = 0;
                for (i32 l = 0; l < k; l++) sum += a[l] * b[l * c + j];
                out[j] = sum;
            }
        return;
    }
    T* packed = scratch + 4;
    i32 i = 0;
    for (; i + 4 <= r; i += 4, a += 4 * k, out += 4 * c) {
        for (i32 l = 0; l < k; l++)
            for (i32 q = 0; q < 4; q++) packed[4 * l + q] = a[q * k + l];
        NAME(products_four_)(out, b, packed, scratch, offsets, k, 1, c, 0, c, 0);
    }
    for (; i < r; i++, a += k, out += c)
        NAME(products_one_)(out, b, a, scratch, offsets, k, 1, c, 0, 0);
}

/* Where the rows of b lie, and zeros for sums to start with; returns what follows. */
INLINE T* NAME(matmul_prepare_)(T* scratch, i32 k, i32 c) {
    i32* offsets = (i32*)scratch;
    for (i32 l = 0; l < k; l++) offsets[l] = l * c * (i32)sizeof(T);
    T* rest = scratch + ((u32)k * sizeof(i32) + sizeof(T) - 1) / sizeof(T);
    for (i32 q = 0; q < 4; q++) rest[q] = 0;
    return rest;
}

void NAME(matmul_batch_)(T* out, const T* a, const T* b, T* scratch, i32 m, i32 a_row, i32 b_row,
                         i32 n0, i32 a0, i32 b0, i32 n1, i32 a1, i32 b1, i32 n2, i32 a2, i32 b2,
                         i32 r, i32 k, i32 c) {
    T* rest = NAME(matmul_prepare_)(scratch, k, c);
    for (; m > 0; m--, a += a_row, b += b_row)
        for (i32 i = 0; i < n0; i++)
            for (i32 j = 0; j < n1; j++)
                for (i32 l = 0; l < n2; l++, out += r * c)
                    NAME(matmul_one_)(out, a + (i * a0 + j * a1 + l * a2),
                                      b + (i * b0 + j * b1 + l * b2), (const i32*)scratch, rest, r, k, c);
}

void NAME(matmul_rows_)(T* out, const T* x, const T* weights, T* scratch, i32 m, i32 k, i32 c) {
    T* rest = NAME(matmul_prepare_)(scratch, k, c);
    NAME(matmul_one_)(out, x, weights, (const i32*)scratch, rest, m, k, c);
}
