/* Missing numbers from the nearest points that have them. Points are packed eight at a time, whose
   numbers of a column lie side by side; what they miss is NaN. */
#include "abi.h"

typedef f64 f64x2 __attribute__((vector_size(16), aligned(8)));
typedef i64 i64x2 __attribute__((vector_size(16), aligned(8)));
enum { BLOCK = 8, PAIRS = BLOCK / 2 };

/* Distances of a row to all points, over the columns that both have; NaN without any. */
__attribute__((noinline)) static void distances(f64* near, const f64* row, const f64* points,
                                                i32 w, i32 blocks) {
    for (i32 b = 0; b < blocks; b++, points += BLOCK * w, near += BLOCK) {
        f64x2 sums[PAIRS] = {{0}}, counts[PAIRS] = {{0}};
        for (i32 j = 0; j < w; j++) {
            if (row[j] != row[j]) continue;
            for (i32 k = 0; k < PAIRS; k++) {
                f64x2 d = row[j] - *(const f64x2*)(points + j * BLOCK + 2 * k);
                i64x2 both = (i64x2)(d == d);
                f64x2 one = {1, 1};
                sums[k] += (f64x2)((i64x2)(d * d) & both);
                counts[k] += (f64x2)((i64x2)one & both);
            }
        }
        for (i32 k = 0; k < PAIRS; k++) {
            f64x2 v = sums[k] / counts[k] * (f64)w;
            near[2 * k] = __builtin_sqrt(v[0]), near[2 * k + 1] = __builtin_sqrt(v[1]);
        }
    }
}

/* Some number's square is out of range, which leaves no distance a number. */
static i32 is_too_large(const f64* row, i32 w, f64 most) {
    i32 found = 0;
    for (i32 j = 0; j < w; j++) found |= row[j] * row[j] >= most;
    return found;
}

/* The mean of the values of the k nearest points that have one in a column; `none` without any. */
static f64 mean_of(const f64* near, const f64* column, f64* best, f64* values, i32 w, i32 blocks,
                   i32 k, i32 by_distance, f64 none) {
    i32 n = 0;
    for (i32 b = 0; b < blocks; b++, column += BLOCK * w, near += BLOCK) {
        for (i32 q = 0; q < BLOCK; q++) {
            f64 d = near[q], v = column[q];
            if (d != d || v != v || (n == k && !(d < best[k - 1]))) continue;
            i32 at = n < k ? n++ : k - 1;
            for (; at > 0 && d < best[at - 1]; at--)
                best[at] = best[at - 1], values[at] = values[at - 1];
            best[at] = d, values[at] = v;
        }
    }
    if (!n) return none;
    /* The nearest one is the row itself, or none is. */
    i32 same = by_distance && 1 / best[0] == __builtin_inf();
    f64 sum = 0, whole = 0;
    for (i32 i = 0; i < n; i++) {
        f64 part = !by_distance ? 1 : same ? 1 / best[i] == __builtin_inf() : 1 / best[i];
        sum += values[i] * part;
        whole += part;
    }
    return whole ? sum / whole : 0;
}

/* `near`: room for as many numbers as points; `room`: for 2 k. */
void imputing_nearest(f64* out, const f64* x, const f64* points, const f64* means, f64* near,
                      f64* room, i32 m, i32 w, i32 blocks, i32 k, i32 by_distance, f64 most) {
    for (i32 i = 0; i < m; i++, x += w, out += w) {
        i32 known = 0, large = 0;
        for (i32 j = 0; j < w; j++) {
            if (x[j] == x[j]) {
                out[j] = x[j];
                continue;
            }
            if (!known) {
                large = is_too_large(x, w, most);
                if (!large) distances(near, x, points, w, blocks);
                known = 1;
            }
            out[j] = large ? means[j]
                           : mean_of(near, points + j * BLOCK, room, room + k, w, blocks, k,
                                     by_distance, means[j]);
        }
    }
}
