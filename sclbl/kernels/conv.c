/* Two-dimensional convolution over pictures [channels, h, w], one a row: correlation, as ONNX's Conv.

   conv_2d_<type>(out, x, weights, bias, scratch, m, channels, h, w, filters, kh, kw, sy, sx, dy, dx,
                  top, left, oh, ow, groups, band, relu)

   m            rows (pictures) of the tile
   out          [m, filters, oh, ow]; x: [m, channels, h, w]; not the same memory
   weights      packed: for each group, its filters in fours; each four as [channels / groups, kh, kw, 4];
                the one to three that are left of a group as [channels / groups, kh, kw] each
   bias         one for each filter
   kh, kw       the window; sy, sx: its strides; dy, dx: its dilations
   top, left    zeros above and to the left; those below and to the right follow from oh and ow
   band         output rows that are computed from one padded copy of their input rows, 1 to oh
   relu         1: what is below zero becomes zero (NaN stays)
   scratch      a word for each weight of a filter, then the padded copy of a band of one group's
                channels (sclbl/ops/packing.py says how much, and packs weights)

   A sum starts with the bias and goes through channels, then rows, then columns of the window. */
#include "abi.h"

#define FAMILY "conv_direct.h"
#include "vectors.h"
