/* The convolution of one element type; conv.c says what the arguments are. */

#include "products.h"

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
                i32 k = first;
                /* Not memory.copy, for which engines call a function: rows are short. */
                if (stride == 1)
                    for (; k + LANES <= end; k += LANES)
                        *(V*)(to + k) = *(const V*)(row + (k - first));
                if (stride == 2) /* the second vector ends one value after the last that counts */
                    for (; k + LANES < end; k += LANES) {
                        const V* two = (const V*)(row + 2 * (k - first));
                        *(V*)(to + k) = EVEN(two[0], two[1]);
                    }
                for (; k < end; k++) to[k] = row[(k - first) * stride];
                for (i32 j = end; j < pitch; j++) to[j] = 0;
            }
}

/* One function for all convolutions of a program: shapes that LLVM knows would gain nothing in the
   loops that take the time. */
__attribute__((noinline)) void NAME(conv_2d_)(T* out, const T* x, const T* weights, const T* bias, T* scratch, i32 m,
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
                    NAME(products_four_)(to, from, packed, biases + f, offsets, taps, rows, ow,
                                     sy * pitch, plane, relu);
                for (; f < made; f++, to += plane, packed += taps)
                    NAME(products_one_)(to, from, packed, biases + f, offsets, taps, rows, ow,
                                    sy * pitch, relu);
            }
            of_group += made * taps;
            biases += made;
        }
    }
}
