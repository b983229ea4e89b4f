/* Iterations of each row alone, until a rule of the source's own ends them. */
#include "abi.h"
#include "scalar.h"

/* Coordinate descent to w >= 0 where w @ gram is nearest to a row of products; `most` passes. */
#define DESCENT(S, T, ABS)                                                            \
    void iteration_descent_##S(T* out, const T* products, const T* gram, i32 m, i32 k, \
                               i32 most, f64 tolerance) {                             \
        for (i32 i = 0; i < m; i++, out += k, products += k) {                        \
            f64 first = 0;                                                            \
            for (i32 t = 0; t < k; t++) out[t] = 0;                                   \
            for (i32 n = 0; n < most; n++) {                                          \
                T violation = 0;                                                      \
                for (i32 t = 0; t < k; t++) {                                         \
                    const T* row = gram + t * k;                                      \
                    T slope = -products[t];                                           \
                    for (i32 r = 0; r < k; r++) slope += row[r] * out[r];             \
                    violation += ABS(out[t] == 0 && !(slope < 0) ? 0 : slope);        \
                    T next = out[t] - slope / row[t];                                 \
                    if (row[t] != 0) out[t] = 0 > next ? 0 : next;                    \
                }                                                                     \
                if (n == 0) first = violation;                                        \
                if (first == 0 || violation / first <= tolerance) break;              \
            }                                                                         \
        }                                                                             \
    }
DESCENT(f64, f64, __builtin_fabs)
DESCENT(f32, f32, __builtin_fabsf)

/* What NumPy's float32 has for its epsilon: whatever is smaller is taken for it. */
static const f64 LEAST = 1.1920928955078125e-07;
static const f64 EPSILON = 2.220446049250313e-16;

static __attribute__((noinline)) f64 power(f64 x, f64 exponent) {
    return exponent == 2 ? x * x : exponent == 1 ? x : exponent == -1 ? 1 / x : sclbl_pow(x, exponent);
}

static f64 dot(const f64* a, const f64* b, i32 n) {
    f64 sum = 0;
    for (i32 j = 0; j < n; j++) sum += a[j] * b[j];
    return sum;
}

/* made = w @ h, for h [k, d]. */
static void product(f64* made, const f64* w, const f64* h, i32 d, i32 k) {
    for (i32 j = 0; j < d; j++) made[j] = 0;
    for (i32 t = 0; t < k; t++)
        for (i32 j = 0; j < d; j++) made[j] += w[t] * h[t * d + j];
}

/* The root of twice the beta-divergence of x from w @ h, which is left in `made`. */
static __attribute__((noinline)) f64 divergence(f64* made, const f64* x, const f64* w, const f64* h, const f64* sums, i32 d, i32 k,
                      f64 beta) {
    f64 found = 0;
    product(made, w, h, d, k);
    if (beta == 2) {
        for (i32 j = 0; j < d; j++) found += (x[j] - made[j]) * (x[j] - made[j]);
        return __builtin_sqrt(found / 2 * 2);
    }
    f64 quotients = 0, logs = 0, own = 0, mixed = 0, all = 0;
    for (i32 j = 0; j < d; j++) {
        if (beta != 0 && beta != 1) all += power(made[j], beta);
        if (!(x[j] > LEAST)) continue;
        f64 v = made[j] < LEAST ? LEAST : made[j], quotient = x[j] / v;
        if (beta == 1) {
            logs += x[j] * sclbl_log(quotient);
            own += x[j];
        } else if (beta == 0) {
            quotients += quotient;
            logs += sclbl_log(quotient);
        } else {
            mixed += x[j] * power(v, beta - 1);
            own += power(x[j], beta);
        }
    }
    if (beta == 1)
        found = logs + (dot(w, sums, k) - own);
    else if (beta == 0)
        found = quotients - d - logs;
    else
        found = (own - beta * mixed + all * (beta - 1)) / (beta * (beta - 1));
    return __builtin_sqrt(2 * (found > 0 ? found : 0));
}

/* Multiplicative updates from `start` of each row on. `moves`: stop when w moves little, otherwise
   when the divergence falls little in ten updates.
   gram      [k, k], h @ h.T; sums [k] of the rows of h
   work      2 * d + 4 * k numbers */
void iteration_updates_f64(f64* out, const f64* x, const f64* start, const f64* h, const f64* gram,
                           const f64* sums, f64* work, i32 m, i32 d, i32 k, i32 most, i32 moves,
                           f64 beta, f64 gamma, f64 l1, f64 l2, f64 tolerance) {
    f64 *made = work, *ratio = work + d, *up = ratio + d, *down = up + k, *before = down + k,
        *added = before + k;
    for (i32 i = 0; i < m; i++, out += k, x += d) {
        for (i32 t = 0; t < k; t++) {
            out[t] = before[t] = start[i];
            added[t] = sums[t];
        }
        f64 first = moves ? 0 : divergence(made, x, out, h, sums, d, k, beta), last = first;
        for (i32 n = 1; n <= most; n++) {
            if (beta == 2) {
                for (i32 t = 0; t < k; t++) {
                    up[t] = dot(x, h + t * d, d);
                    down[t] = dot(out, gram + t * k, k);
                }
            } else {
                product(made, out, h, d, k);
                for (i32 j = 0; j < d; j++) {
                    f64 v = made[j], safe = beta < 2 && v < LEAST ? LEAST : v;
                    if (beta < 1 && v < LEAST) v = LEAST;
                    ratio[j] = beta == 1   ? x[j] / safe
                               : beta == 0 ? 1 / safe * (1 / safe) * x[j]
                                           : power(safe, beta - 2) * x[j];
                    made[j] = power(v, beta - 1);
                }
                for (i32 t = 0; t < k; t++) {
                    up[t] = dot(ratio, h + t * d, d);
                    down[t] = beta == 1 ? added[t] : dot(made, h + t * d, d);
                }
            }
            for (i32 t = 0; t < k; t++) {
                if (l1 > 0) down[t] += l1;
                /* The source adds to the sums that it keeps from one update to the next. */
                if (!moves && l2 <= 0) added[t] = down[t] == 0 ? LEAST : down[t];
                if (!moves && l2 > 0) added[t] = down[t];
                if (l2 > 0) down[t] += l2 * out[t];
                if (down[t] == 0) down[t] = LEAST;
                f64 factor = up[t] / down[t];
                out[t] *= gamma == 1 ? factor : power(factor, gamma);
                if (!moves && beta < 1 && out[t] < EPSILON) out[t] = 0;
            }
            if (moves) {
                f64 moved = 0, size = 0;
                for (i32 t = 0; t < k; t++) {
                    moved += (out[t] - before[t]) * (out[t] - before[t]);
                    size += out[t] * out[t];
                    before[t] = out[t];
                }
                if (tolerance > 0 && __builtin_sqrt(moved) / __builtin_sqrt(size) <= tolerance) break;
            } else if (tolerance > 0 && n % 10 == 0) {
                f64 now = divergence(made, x, out, h, sums, d, k, beta);
                if ((last - now) / first < tolerance) break;
                last = now;
            }
        }
    }
}

/* The logarithmic derivative of the gamma function, to about 1e-9 as the source has it: after J.
   Bernardo, Algorithm AS 103, Applied Statistics 25 (1976). */
static __attribute__((noinline)) f64 psi(f64 x) {
    if (x <= 1e-6) return -0.577215664901532860606512090082402431 - 1 / x;
    f64 found = 0;
    while (x < 6) {
        found -= 1 / x;
        x += 1;
    }
    f64 r = 1 / x;
    found += sclbl_log(x) - 0.5 * r;
    r = r * r;
    return found - r * (1. / 12. - r * (1. / 120. - r * (1. / 252.)));
}

/* How much of each topic a row of counts of words holds.
   words     [k, d]: how likely topics are to have words
   work      d + 2 * k numbers */
void iteration_topics_f64(f64* out, const f64* x, const f64* words, f64* work, i32 m, i32 d, i32 k,
                          i32 most, f64 prior, f64 start, f64 tolerance) {
    f64 *share = work, *likely = work + d, *before = likely + k;
    for (i32 i = 0; i < m; i++, out += k, x += d) {
        for (i32 t = 0; t < k; t++) {
            out[t] = 1;
            likely[t] = start;
        }
        for (i32 n = 0; n < most; n++) {
            for (i32 j = 0; j < d; j++) {
                if (x[j] == 0) {
                    share[j] = 0;
                    continue;
                }
                f64 sum = 0;
                for (i32 t = 0; t < k; t++) sum += likely[t] * words[t * d + j];
                share[j] = x[j] / (sum + EPSILON);
            }
            f64 total = 0, change = 0;
            for (i32 t = 0; t < k; t++) {
                before[t] = out[t];
                out[t] = likely[t] * dot(share, words + t * d, d) + prior;
                total += out[t];
            }
            total = psi(total);
            for (i32 t = 0; t < k; t++) {
                likely[t] = sclbl_exp_libm(psi(out[t]) - total);
                change += __builtin_fabs(before[t] - out[t]);
            }
            if (change / k < tolerance) break;
        }
    }
}
