/* Sums of products, four planes of results at a time: the inner loops of convolutions and of matrix
   products, for the element type T. Vectors hold results that stand side by side, and a tile is two of
   them for four planes: a value that is read meets four weights, a weight eight (float64: four)
   values. vectors.h says what the macros are. */

/* A result is a sum of taps: a weight times a value, which lies `offsets[k]` bytes from the result's
   first one. A turn of the loop takes four taps, because engines look at the clock at every turn. The
   way out after each tap ends a block: V8 does all loads of a block first, and those of two taps do
   not fit its registers beside the sums. LLVM must not know the number of taps, or it takes ways out
   away. */
#define TAPS(TAP, STEP)                                           \
    const i32* at = offsets;                                      \
    const T* w = weights;                                         \
    i32 k = taps;                                                 \
    __asm__("" : "+r"(k));                                        \
    for (; k > 0; k -= 4, at += 4, w += 4 * (STEP)) {             \
        TAP(0)                                                    \
        if (k == 1) break;                                        \
        TAP(1)                                                    \
        if (k == 2) break;                                        \
        TAP(2)                                                    \
        if (k == 3) break;                                        \
        TAP(3)                                                    \
    }
#define VALUES(P, K) *(const V*)((const u8*)(P) + at[K])

/* Where the next group of results lies that stand side by side. The last group of a row ends with it
   and may overlap the one before, which then computes the same values; a tile that has more groups
   than are left computes the last one again. */
#define GROUP(K)                                                     \
    i32 column##K = column < last ? column : last;                   \
    const T* x##K = x + column##K;                                   \
    T* to##K = out + column##K;                                      \
    column += LANES;                                                 \
    if (column >= width) {                                           \
        if (rows > 1) column = 0, x += row_step, out += width;       \
        rows--;                                                      \
    }
#define TILES(GROUPS, BODY)                                          \
    i32 lanes = width < LANES ? width : LANES, last = width - lanes; \
    i32 column = 0;                                                  \
    while (rows > 0) {                                               \
        GROUPS                                                       \
        BODY                                                         \
    }

INLINE void NAME(products_store_)(T* to, V v, i32 relu, i32 lanes) {
    if (relu) v = (V)((BITS)v & ~(BITS)(v < 0));
    if (lanes == LANES)
        *(V*)to = v;
    else
        for (i32 j = 0; j < lanes; j++) to[j] = v[j];
}
#define STORE(K, A) NAME(products_store_)(to##K, A, relu, lanes);

#define TAP4(K)                                   \
    {                                             \
        V p0 = VALUES(x0, K), p1 = VALUES(x1, K); \
        FOUR_WEIGHTS(w + 4 * (K))                 \
        a0 += p0 * wa;                            \
        a1 += p1 * wa;                            \
        b0 += p0 * wb;                            \
        b1 += p1 * wb;                            \
        c0 += p0 * wc;                            \
        c1 += p1 * wc;                            \
        d0 += p0 * wd;                            \
        d1 += p1 * wd;                            \
    }

/* Four planes of results, each [rows, width], from the same values: `weights` [taps, 4] and `bias` [4]
   are theirs. Rows of values lie `row_step` apart, planes of results `plane`. The functions stand
   once in a program, however many places call them. */
static __attribute__((noinline)) void NAME(products_four_)(T* out, const T* x, const T* weights,
                                                           const T* bias, const i32* offsets, i32 taps,
                                                           i32 rows, i32 width, i32 row_step,
                                                           i32 plane, i32 relu) {
    TILES(GROUP(0) GROUP(1), FOUR_WEIGHTS(bias)
          V a0 = wa; V b0 = wb; V c0 = wc; V d0 = wd;
          V a1 = wa; V b1 = wb; V c1 = wc; V d1 = wd;
          TAPS(TAP4, 4)
          STORE(0, a0) STORE(1, a1) to0 += plane; to1 += plane;
          STORE(0, b0) STORE(1, b1) to0 += plane; to1 += plane;
          STORE(0, c0) STORE(1, c1) to0 += plane; to1 += plane;
          STORE(0, d0) STORE(1, d1))
}

#define TAP1(K)                   \
    {                             \
        V wa = SPREAD(w[K]);      \
        a0 += VALUES(x0, K) * wa; \
        a1 += VALUES(x1, K) * wa; \
        a2 += VALUES(x2, K) * wa; \
        a3 += VALUES(x3, K) * wa; \
    }

/* One plane: `weights` [taps] and `bias` [1] are its own. */
static __attribute__((noinline)) void NAME(products_one_)(T* out, const T* x, const T* weights,
                                                          const T* bias, const i32* offsets, i32 taps,
                                                          i32 rows, i32 width, i32 row_step,
                                                          i32 relu) {
    TILES(GROUP(0) GROUP(1) GROUP(2) GROUP(3), V a0 = SPREAD(bias[0]);
          V a1 = a0; V a2 = a0; V a3 = a0;
          TAPS(TAP1, 1)
          STORE(0, a0) STORE(1, a1) STORE(2, a2) STORE(3, a3))
}

#undef TAPS
#undef VALUES
#undef GROUP
#undef TILES
#undef STORE
#undef TAP4
#undef TAP1
