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

   A sum starts with the bias and goes through channels, then rows, then columns of the window.
   Vectors hold pixels that stand side by side, and a tile is two of them for four filters: each
   value that is read meets four weights, each weight eight pixels. */
#include "abi.h"

#define INLINE static inline __attribute__((always_inline))

#define T f32
#define V f32x4
#define BITS i32x4
#define SPREAD(X) ((V){(X), (X), (X), (X)})
#define FOUR_WEIGHTS(P)                               \
    V q = *(const V*)(P);                             \
    V wa = __builtin_shufflevector(q, q, 0, 0, 0, 0); \
    V wb = __builtin_shufflevector(q, q, 1, 1, 1, 1); \
    V wc = __builtin_shufflevector(q, q, 2, 2, 2, 2); \
    V wd = __builtin_shufflevector(q, q, 3, 3, 3, 3);
#define NAME(F) F##f32
typedef f32 f32x4 __attribute__((vector_size(16), aligned(4)));
typedef i32 i32x4 __attribute__((vector_size(16)));
#include "conv_direct.h"
#undef T
#undef V
#undef BITS
#undef SPREAD
#undef FOUR_WEIGHTS
#undef NAME

#define T f64
#define V f64x2
#define BITS i64x2
#define SPREAD(X) ((V){(X), (X)})
#define FOUR_WEIGHTS(P)                             \
    V q = *(const V*)(P), r = *(const V*)((P) + 2); \
    V wa = __builtin_shufflevector(q, q, 0, 0);     \
    V wb = __builtin_shufflevector(q, q, 1, 1);     \
    V wc = __builtin_shufflevector(r, r, 0, 0);     \
    V wd = __builtin_shufflevector(r, r, 1, 1);
#define NAME(F) F##f64
typedef f64 f64x2 __attribute__((vector_size(16), aligned(8)));
typedef i64 i64x2 __attribute__((vector_size(16)));
#include "conv_direct.h"
