/* Functions of one column that are made of pieces. */
#include "abi.h"

static inline i32 is_nan(f64 v) { return v != v; }

/* As numpy.interp: the line through the last point that is not beyond x and the next one. */
void curves_interp(f64* out, const f64* x, const f64* points, const f64* heights, i32 m, i32 w, i32 n) {
    for (i32 i = 0; i < m; i++)
        for (i32 c = 0; c < w; c++) {
            f64 v = *x++, y;
            const f64* p = points + c * n;
            i32 low = -1, high = n; /* p[low] <= v < p[high] */
            while (high - low > 1) {
                i32 middle = (low + high) / 2;
                if (p[middle] <= v) low = middle;
                else high = middle;
            }
            if (is_nan(v)) {
                y = v;
            } else if (low < 0) {
                y = heights[0];
            } else if (low == n - 1 || p[low] == v) {
                y = heights[low];
            } else {
                f64 slope = (heights[low + 1] - heights[low]) / (p[low + 1] - p[low]);
                y = slope * (v - p[low]) + heights[low];
                if (is_nan(y)) {
                    y = slope * (v - p[low + 1]) + heights[low + 1];
                    if (is_nan(y) && heights[low] == heights[low + 1]) y = heights[low];
                }
            }
            *out++ = y;
        }
}

/* v modulo a positive number, with its sign: each difference is exact. */
static f64 modulo(f64 v, f64 by) {
    f64 rest = v < 0 ? -v : v, part = by;
    if (!(rest - rest == 0)) return rest - rest; /* NaN of an infinity */
    while (part <= rest / 2) part *= 2;
    for (; part >= by; part /= 2)
        if (rest >= part) rest -= part;
    return v < 0 && rest != 0 ? by - rest : rest;
}

/* `h` holds degree + 1 numbers, and as many behind them. */
void curves_spline(f64* out, const f64* x, const f64* knots, f64* h, i32 m, i32 w, i32 n, i32 degree,
                   i32 count, i32 periodic, i32 products) {
    f64* before = h + degree + 1;
    i32 last = n - degree - 1;
    for (i32 i = 0; i < m; i++)
        for (i32 c = 0; c < w; c++, out += count) {
            const f64* t = knots + c * n;
            f64 v = *x++;
            if (periodic) {
                f64 period = t[last] - t[degree];
                v = period > 0 ? t[degree] + modulo(v - t[degree], period) : 0;
            }
            for (i32 j = 0; j < count; j++) out[j] = is_nan(v) ? v : 0;
            if (is_nan(v)) continue;
            i32 at = degree;
            while (at < last - 1 && v >= t[at + 1]) at++;
            h[0] = 1;
            for (i32 j = 1; j <= degree; j++) {
                for (i32 k = 0; k < j; k++) before[k] = h[k];
                h[0] = 0;
                for (i32 k = 1; k <= j; k++) {
                    f64 right = t[at + k], left = t[at + k - j];
                    if (right == left) {
                        h[k] = 0;
                        continue;
                    }
                    f64 part = before[k - 1] / (right - left);
                    h[k - 1] += part * (right - v);
                    h[k] = part * (v - left);
                }
            }
            for (i32 a = 0; a <= degree; a++) {
                i32 own = (at + a - degree) % count;
                /* In a product with zeros what is not finite is in every function. */
                for (i32 j = 0; j < count; j++)
                    if (products || j == own) out[j] += (j == own) * h[a];
            }
        }
}
