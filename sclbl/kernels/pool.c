/* Pooling over pictures [channels, h, w], one a row, as ONNX's MaxPool and AveragePool.

   pool_max_<type>(out, x, m, h, w, kh, kw, sy, sx, dy, dx, top, left, oh, ow)
   pool_average_<type>(out, x, m, h, w, kh, kw, sy, sx, dy, dx, top, left, oh, ow, bottom, right, padding)

   m            planes: rows of the tile times channels
   out, x       [m, oh, ow] and [m, h, w]; not the same memory
   kh, kw       the window; sy, sx: its strides; dy, dx: its dilations
   top, left    rows above and columns to the left that are not there
   bottom, right, padding
                padding 1: what is not there counts as zeros (count_include_pad), as far as `bottom`
                rows below and `right` columns to the right; 0: an average is over what is there

   pool_global_max_<type>(out, x, m, n), pool_global_average_<type>(out, x, m, n)
   n            values of a plane

   A NaN in a window makes its maximum NaN. A window that meets nothing has the maximum -infinity and
   the average NaN. Averages add rows of the window from top to bottom, each from left to right, and
   divide; those of whole planes are summed in float64 for float32. */
#include "abi.h"

/* The steps along one axis that meet the input: the first, and the one after the last. */
static inline i32 pool_first(i32 start, i32 step) { return start < 0 ? (step - 1 - start) / step : 0; }
static inline i32 pool_end(i32 start, i32 step, i32 steps, i32 size) {
    i32 end = size > start ? (size - start + step - 1) / step : 0;
    return end < steps ? end : steps;
}

#define FAMILY "pool_planes.h"
#include "vectors.h"
