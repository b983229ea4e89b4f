/* The convolution of one element type; conv.c says what the arguments are. */

#define LANES ((i32)(sizeof(V) / sizeof(T)))

/* Taps of an output pixel are the weights that meet it, channel by channel; the value that tap k
   meets lies `offsets[k]` bytes from the pixel's first one. A turn of the loop takes two taps: engines
   look at the clock at every turn, and V8 does all loads of a turn first, so that those of more taps
   would not fit its registers. */
#define TAPS(TAP, STEP)                                           \
    const i32* at = offsets;                                      \
    const T* w = weights;                                         \
    for (i32 k = taps; k > 0; k -= 2, at += 2, w += 2 * (STEP)) { \
        TAP(0)                                                    \
        if (k == 1) break;                                        \
        TAP(1)                                                    \
    }
#define VALUES(P, K) *(const V*)((const u8*)(P) + at[K])

/* Where a group of pixels that stand side by side lies: a row has `across` groups; the last one ends
   with the row and may overlap the one before it, which then computes the same values. */
#define GROUP(K, NUMBER)                                                   \
    i32 row##K = (NUMBER) / across, column##K = (NUMBER) % across * LANES; \
    if (column##K > last) column##K = last;                                \
    const T* x##K = x + row##K * row_step + column##K;                     \
    T* to##K = out + row##K * width + column##K;
#define TILES(BODY)                                                        \
    i32 lanes = width < LANES ? width : LANES, last = width - lanes;       \
    i32 across = (width + LANES - 1) / LANES, groups = rows * across;      \
    for (i32 g = 0; g < groups; g += 2) {                                  \
        i32 next = g + 1 < groups ? g + 1 : g;                             \
        GROUP(0, g)                                                        \
        GROUP(1, next)                                                     \
        BODY                                                               \
    }

INLINE void NAME(conv_store_)(T* to, V v, i32 relu, i32 lanes) {
    if (relu) v = (V)((BITS)v & ~(BITS)(v < 0));
    if (lanes == LANES)
        *(V*)to = v;
    else
        for (i32 j = 0; j < lanes; j++) to[j] = v[j];
}
#define STORE(A, B)                         \
    NAME(conv_store_)(to0, A, relu, lanes); \
    NAME(conv_store_)(to1, B, relu, lanes);

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

/* Some rows of four filters. This and the next function stand once in a program, whatever number of
   convolutions it has. */
__attribute__((noinline)) void NAME(conv_four_)(T* out, const T* x, const T* weights, const T* bias,
                                                const i32* offsets, i32 taps, i32 rows, i32 width,
                                                i32 row_step, i32 plane, i32 relu) {
    TILES(FOUR_WEIGHTS(bias)
          V a0 = wa; V b0 = wb; V c0 = wc; V d0 = wd;
          V a1 = wa; V b1 = wb; V c1 = wc; V d1 = wd;
          TAPS(TAP4, 4)
          STORE(a0, a1) to0 += plane; to1 += plane;
          STORE(b0, b1) to0 += plane; to1 += plane;
          STORE(c0, c1) to0 += plane; to1 += plane;
          STORE(d0, d1))
}

#define TAP1(K)                   \
    {                             \
        V wa = SPREAD(w[K]);      \
        a0 += VALUES(x0, K) * wa; \
        a1 += VALUES(x1, K) * wa; \
    }

/* Some rows of one filter: what is left of fours, and depthwise convolutions. */
__attribute__((noinline)) void NAME(conv_one_)(T* out, const T* x, const T* weights, const T* bias,
                                               const i32* offsets, i32 taps, i32 rows, i32 width,
                                               i32 row_step, i32 relu) {
    TILES(V a0 = SPREAD(bias[0]); V a1 = a0; TAPS(TAP1, 1) STORE(a0, a1))
}

/* Input rows `from` .. `from + rows` with zeros around them. Columns of one phase (their number modulo
   the stride) stand side by side, so that neighbours of an output row are neighbours here. */
INLINE void NAME(conv_pad_)(T* to, const T* x, i32 channels, i32 h, i32 w, i32 from, i32 rows,
                            i32 left, i32 stride, i32 phases, i32 pitch) {
    for (i32 c = 0; c < channels; c++, x += h * w)
        for (i32 r = from; r < from + rows; r++)
            for (i32 p = 0; p < phases; p++, to += pitch) {
                i32 first = left > p ? (left - p + stride - 1) / stride : 0;
                i32 end = w + left > p ? (w + left - p + stride - 1) / stride : 0;
                if (end > pitch) end = pitch;
                if (r < 0 || r >= h) end = 0;
                if (first > end) first = end;
                const T* row = x + (r * w + first * stride - left + p);
                for (i32 j = 0; j < first; j++) to[j] = 0;
                if (stride == 1)
                    __builtin_memcpy(to + first, row, (u32)(end - first) * sizeof(T));
                else
                    for (i32 j = first; j < end; j++) to[j] = row[(j - first) * stride];
                for (i32 j = end; j < pitch; j++) to[j] = 0;
            }
}

void NAME(conv_2d_)(T* out, const T* x, const T* weights, const T* bias, T* scratch, i32 m,
                    i32 channels, i32 h, i32 w, i32 filters, i32 kh, i32 kw, i32 sy, i32 sx, i32 dy,
                    i32 dx, i32 top, i32 left, i32 oh, i32 ow, i32 groups, i32 band, i32 relu) {
    if (kh == 1 && kw == 1 && sy == 1 && sx == 1 && !top && !left && oh == h && ow == w &&
        band == oh) {
        /* Nothing but the channels is mixed: a picture is one long row. */
        w = ow = h * w;
        h = oh = band = 1;
    }
    i32 in = channels / groups, made = filters / groups, taps = in * kh * kw;
    i32 span = (kw - 1) * dx, phases = span < sx ? span + 1 : sx;
    i32 direct = sx == 1 && !top && !left && ow >= LANES && ow + span <= w &&
                 (oh - 1) * sy + (kh - 1) * dy < h && band == oh;
    i32 phase = ow + span / sx + (ow < LANES ? LANES : 0), pitch = direct ? w : phases * phase;
    i32 band_rows = (band - 1) * sy + (kh - 1) * dy + 1;
    i32 channel_step = direct ? h * w : band_rows * pitch, plane = oh * ow;
    i32* offsets = (i32*)scratch;
    T* padded = scratch + ((u32)taps * sizeof(i32) + sizeof(T) - 1) / sizeof(T);
    for (i32 c = 0; c < in; c++)
        for (i32 ky = 0; ky < kh; ky++)
            for (i32 kx = 0; kx < kw; kx++)
                *offsets++ = (c * channel_step + ky * dy * pitch +
                              (direct ? kx * dx : kx * dx % sx * phase + kx * dx / sx)) *
                             (i32)sizeof(T);
    offsets -= taps;
    for (i32 i = 0; i < m; i++) {
        const T *of_group = weights, *biases = bias;
        for (i32 g = 0; g < groups; g++, x += in * h * w, out += made * plane) {
            for (i32 y = 0; y < oh; y += band) {
                i32 rows = oh - y < band ? oh - y : band, f = 0;
                const T *from = direct ? x : padded, *packed = of_group;
                T* to = out + y * ow;
                if (!direct)
                    NAME(conv_pad_)(padded, x, in, h, w, y * sy - top, band_rows, left, sx, phases,
                                    phase);
                for (; f + 4 <= made; f += 4, to += 4 * plane, packed += 4 * taps)
                    NAME(conv_four_)(to, from, packed, biases + f, offsets, taps, rows, ow,
                                     sy * pitch, plane, relu);
                for (; f < made; f++, to += plane, packed += taps)
                    NAME(conv_one_)(to, from, packed, biases + f, offsets, taps, rows, ow,
                                    sy * pitch, relu);
            }
            of_group += made * taps;
            biases += made;
        }
    }
}

#undef LANES
#undef TAPS
#undef VALUES
#undef GROUP
#undef TILES
#undef STORE
#undef TAP4
#undef TAP1
