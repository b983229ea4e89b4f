/* Codes of rows by the atoms of a dictionary: what weights of few atoms add up to a row.
   products  [m, k], of rows and atoms; gram [k, k], of atoms and atoms */
#include "abi.h"
#include "scalar.h"

static const f64 EPSILON = 2.220446049250313e-16;

static f64 size(f64 x) { return __builtin_fabs(x); }

static f64 dot(const f64* a, const f64* b, i32 n) {
    f64 sum = 0;
    for (i32 j = 0; j < n; j++) sum += a[j] * b[j];
    return sum;
}

/* Orthogonal matching pursuit: `most` times the atom that has most of what is left, all weights anew.
   work  most * most + 2 * most + k numbers; order [k] */
void coding_pursuit_f64(f64* out, const f64* products, const f64* gram, f64* work, i32* order, i32 m,
                        i32 k, i32 most) {
    f64 *lower = work, *weight = lower + most * most, *half = weight + most, *left = half + most;
    for (i32 i = 0; i < m; i++, out += k, products += k) {
        i32 some = 0;
        for (i32 p = 0; p < k; p++) {
            order[p] = p;
            left[p] = products[p];
            out[p] = 0;
        }
        while (some < most) {
            i32 best = 0;
            for (i32 p = 1; p < k; p++)
                if (size(left[p]) > size(left[best])) best = p;
            if (best < some || left[best] * left[best] < EPSILON) break;
            const f64* row = gram + order[best] * k;
            f64 *last = lower + some * most, rest = row[order[best]], used = 0;
            for (i32 p = 0; p < some; p++)
                last[p] = (row[order[p]] - dot(lower + p * most, last, p)) / lower[p * most + p];
            for (i32 p = 0; p < some; p++) used += last[p] * last[p];
            rest -= used;
            if (some && rest <= EPSILON) break;
            last[some] = __builtin_sqrt(rest);
            i32 atom = order[best];
            order[best] = order[some];
            order[some++] = atom;
            for (i32 p = 0; p < some; p++)
                half[p] = (products[order[p]] - dot(lower + p * most, half, p)) / lower[p * most + p];
            for (i32 p = some - 1; p >= 0; p--) {
                f64 sum = half[p];
                for (i32 r = p + 1; r < some; r++) sum -= lower[r * most + p] * weight[r];
                weight[p] = sum / lower[p * most + p];
            }
            for (i32 p = 0; p < k; p++) {
                f64 made = 0;
                for (i32 r = 0; r < some; r++) made += gram[order[p] * k + order[r]] * weight[r];
                left[p] = products[order[p]] - made;
            }
        }
        for (i32 p = 0; p < some; p++) out[order[p]] = weight[p];
    }
}

/* The duality gap; *norm: the greatest of the products of atoms and what is left. */
static f64 gap_of(f64* norm, f64* slope, const f64* w, const f64* made, const f64* products, f64 own,
                  f64 alpha, i32 k, i32 positive) {
    f64 mixed = dot(w, products, k), all = 0, top = 0;
    for (i32 j = 0; j < k; j++) {
        slope[j] = products[j] - made[j];
        f64 v = positive ? slope[j] : size(slope[j]);
        if (j == 0 || v > top) top = v;
        all += size(w[j]);
    }
    if (alpha == 0) return *norm = dot(slope, slope, k);
    *norm = top;
    f64 left = own + dot(w, made, k) - 2 * mixed, scale = top > alpha ? alpha / top : 1;
    return 0.5 * left + alpha * all - (-0.5 * (scale * scale) * left + scale * (own - mixed));
}

static void spread(f64* made, f64 by, const f64* row, i32 k) {
    for (i32 j = 0; j < k; j++) made[j] += by * row[j];
}

/* Leave out, for good, the atoms that have no weight at the optimum; `kept` holds the others.
   A. Fercoq, A. Gramfort, J. Salmon, Mind the duality gap, 2015. */
static void screen(f64* kept, f64* w, f64* made, const f64* slope, const f64* gram, f64 gap, f64 norm,
                   f64 alpha, i32 k) {
    f64 radius = __builtin_sqrt(2 * size(gap)) / alpha;
    for (i32 j = 0; j < k; j++) {
        if (!kept[j]) continue;
        f64 square = gram[j * k + j];
        if (square == 0) {
            w[j] = kept[j] = 0;
            continue;
        }
        f64 near = slope[j] / (alpha > norm ? alpha : norm);
        if ((1 - size(near)) / __builtin_sqrt(square) <= radius) continue;
        if (w[j] != 0) spread(made, -w[j], gram + j * k, k);
        w[j] = kept[j] = 0;
    }
}

/* Coordinate descent to the least squares with a penalty `alpha` on the sizes of weights.
   squares  [m], of rows; work 3 * k numbers */
void coding_lasso_f64(f64* out, const f64* products, const f64* squares, const f64* gram, f64* work,
                      i32 m, i32 k, i32 most, i32 positive, f64 alpha, f64 tolerance) {
    f64 *made = work, *slope = made + k, *kept = slope + k;
    for (i32 i = 0; i < m; i++, out += k, products += k) {
        f64 own = squares[i], norm, enough = tolerance * own;
        for (i32 j = 0; j < k; j++) {
            out[j] = made[j] = 0;
            kept[j] = 1;
        }
        f64 gap = gap_of(&norm, slope, out, made, products, own, alpha, k, positive);
        if (0 <= gap && gap <= enough) continue;
        if (alpha != 0) screen(kept, out, made, slope, gram, gap, norm, alpha, k);
        for (i32 n = 0; n < most; n++) {
            f64 largest = 0, moved = 0;
            for (i32 j = 0; j < k; j++) {
                f64 square = gram[j * k + j], before = out[j];
                if (!kept[j] || square == 0) continue;
                f64 v = products[j] - made[j] + before * square, beyond = size(v) - alpha;
                f64 next = (v > 0 ? 1 : v < 0 ? -1 : 0) * (beyond > 0 ? beyond : 0) / square;
                out[j] = positive && v < 0 ? 0 : next;
                if (out[j] != before) spread(made, out[j] - before, gram + j * k, k);
                if (size(out[j] - before) > moved) moved = size(out[j] - before);
                if (size(out[j]) > largest) largest = size(out[j]);
            }
            if (!(largest == 0 || moved / largest <= tolerance || n == most - 1)) continue;
            gap = gap_of(&norm, slope, out, made, products, own, alpha, k, positive);
            if (gap <= enough) break;
            if (alpha != 0) screen(kept, out, made, slope, gram, gap, norm, alpha, k);
        }
    }
}
