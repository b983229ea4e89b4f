/* Distances of two points, and the numbers in their place that order points alike ("reduced"), in
   the arithmetic of scikit-learn's trees and searches; of float32 a difference and a reduced
   distance are rounded to it (`single`). */
#ifndef SCLBL_DISTANCES_H
#define SCLBL_DISTANCES_H

#include "abi.h"
#include "scalar_asin.h"
#include "scalar_pow.h"
#include "scalar_sin.h"

/* As in sclbl/ops/distances.py. */
enum {
    EUCLIDEAN,
    MANHATTAN,
    CHEBYSHEV,
    MINKOWSKI,
    SEUCLIDEAN,
    MAHALANOBIS,
    HAVERSINE,
    CANBERRA,
    BRAYCURTIS,
    HAMMING,
    JACCARD,
    DICE,
    ROGERSTANIMOTO,
    RUSSELLRAO,
    SOKALSNEATH,
    /* Of points with their squared length behind them: x.x - 2 x.y + y.y. */
    PRODUCT,
    SQUARED_PRODUCT,
    COSINE
};

/* `vector`: weights, variances, or the matrix of MAHALANOBIS; `work`: as many numbers as columns. */
typedef struct {
    i32 kind, columns, single, weighted;
    f64 p;
    const f64* vector;
    f64* work;
    f64 length; /* of the row, squared */
} metric;

static inline f64 magnitude(f64 v) { return __builtin_fabs(v); }
static inline f64 narrow(i32 single, f64 v) { return single ? (f64)(f32)v : v; }
/* As C++ compares: of NaN and a number the first. */
static inline f64 larger(f64 a, f64 b) { return b > a ? b : a; }
static inline i32 has_lengths(i32 kind) { return kind == PRODUCT || kind == SQUARED_PRODUCT; }
/* Numbers that a point takes. */
static inline i32 stride_of(const metric* d) { return d->columns + has_lengths(d->kind); }

static inline void begin_row(metric* d, const f64* x) {
    d->length = 0;
    if (!has_lengths(d->kind)) return;
    for (i32 j = 0; j < d->columns; j++) d->length += x[j] * x[j];
}

static inline f64 of_flags(const metric* d, const f64* x, const f64* y) {
    i32 both = 0, unlike = 0, any = 0, n = d->columns;
    for (i32 j = 0; j < n; j++) {
        i32 a = x[j] != 0, b = y[j] != 0;
        both += a & b;
        unlike += a != b;
        any += a | b;
    }
    switch (d->kind) {
        case JACCARD: return any ? (f64)(any - both) / any : 0;
        case DICE: return unlike / (2.0 * both + unlike);
        case ROGERSTANIMOTO: return 2.0 * unlike / (n + unlike);
        case RUSSELLRAO: return (f64)(n - both) / n;
        default: return unlike / (0.5 * both + unlike);
    }
}

static inline f64 square_of(const metric* d, f64 product, f64 length) {
    f64 square = d->length + -2 * product + length;
    return square > 0 ? square : 0;
}

static inline f64 of_products(const metric* d, const f64* x, const f64* y) {
    f64 product = 0, length = y[d->columns];
    for (i32 j = 0; j < d->columns; j++) product += x[j] * y[j];
    return square_of(d, product, length);
}

static inline f64 cosine_of(f64 product) {
    f64 v = product * -1 + 1;
    return v < 0 ? 0 : v > 2 ? 2 : v;
}

static inline f64 of_cosine(const metric* d, const f64* x, const f64* y) {
    f64 product = 0;
    for (i32 j = 0; j < d->columns; j++) product += x[j] * y[j];
    return cosine_of(product);
}

static inline f64 sum_of_differences(const metric* d, const f64* x, const f64* y) {
    f64 sum = 0, whole = 0;
    for (i32 j = 0; j < d->columns; j++) {
        f64 v = narrow(d->single, x[j] - y[j]), size = magnitude(v);
        f64 both = magnitude(x[j]) + magnitude(y[j]);
        switch (d->kind) {
            case EUCLIDEAN: sum += v * v; break;
            case MANHATTAN: sum += size; break;
            case CHEBYSHEV: sum = larger(sum, size); break;
            case SEUCLIDEAN: sum += v * v / d->vector[j]; break;
            case CANBERRA: sum += both > 0 ? size / both : 0; break;
            case BRAYCURTIS: sum += size, whole += both; break;
            case HAMMING: sum += x[j] != y[j]; break;
            default: /* MINKOWSKI */
                sum += d->weighted ? d->vector[j] * sclbl_pow(size, d->p) : sclbl_pow(size, d->p);
        }
    }
    if (d->kind == BRAYCURTIS) return whole > 0 ? sum / whole : 0;
    return d->kind == HAMMING ? sum / d->columns : sum;
}

static inline f64 of_matrix(const metric* d, const f64* x, const f64* y) {
    f64 sum = 0;
    i32 n = d->columns;
    for (i32 i = 0; i < n; i++) d->work[i] = narrow(d->single, x[i] - y[i]);
    for (i32 i = 0; i < n; i++) {
        f64 line = 0;
        for (i32 j = 0; j < n; j++) line += d->vector[i * n + j] * d->work[j];
        sum += line * d->work[i];
    }
    return sum;
}

static inline f64 on_sphere(const metric* d, const f64* x, const f64* y) {
    f64 a = sclbl_sin(0.5 * narrow(d->single, x[0] - y[0]));
    f64 b = sclbl_sin(0.5 * narrow(d->single, x[1] - y[1]));
    return a * a + sclbl_cos(x[0]) * sclbl_cos(y[0]) * b * b;
}

static inline f64 reduced(const metric* d, const f64* x, const f64* y) {
    switch (d->kind) {
        case PRODUCT:
        case SQUARED_PRODUCT: return of_products(d, x, y);
        case COSINE: return of_cosine(d, x, y);
        case MAHALANOBIS: return narrow(d->single, of_matrix(d, x, y));
        case HAVERSINE: return narrow(d->single, on_sphere(d, x, y));
        case JACCARD:
        case DICE:
        case ROGERSTANIMOTO:
        case RUSSELLRAO:
        case SOKALSNEATH: return of_flags(d, x, y);
        default: return narrow(d->single, sum_of_differences(d, x, y));
    }
}

/* Points that are measured at a time: each sum goes through the columns in order, in a lane of its
   own. */
enum { BLOCK = 8, PAIRS = BLOCK / 2 };
typedef f64 pair __attribute__((vector_size(16), aligned(8)));

static inline i32 is_plain_sum(const metric* d) {
    i32 product = has_lengths(d->kind) || d->kind == COSINE;
    return product || (!d->single && (d->kind == EUCLIDEAN || d->kind == MANHATTAN));
}

static inline pair term_of(const metric* d, f64 x, f64 first, f64 second) {
    pair v = {first, second};
    if (d->kind == EUCLIDEAN) return (x - v) * (x - v);
    if (d->kind == MANHATTAN) return __builtin_elementwise_abs(x - v);
    return x * v;
}

static inline void block_sums(const metric* d, const f64* x, const f64* points, f64* sums) {
    pair s[PAIRS] = {{0}};
    i32 n = d->columns, j = 0;
    u32 stride = (u32)stride_of(d);
    for (; j + 1 < n; j += 2) {
        for (u32 k = 0; k < PAIRS; k++) {
            const f64* at = points + 2 * k * stride + j;
            pair one = *(const pair*)at, two = *(const pair*)(at + stride);
            s[k] += term_of(d, x[j], one[0], two[0]);
            s[k] += term_of(d, x[j + 1], one[1], two[1]);
        }
    }
    for (u32 k = 0; k < PAIRS; k++) {
        const f64* at = points + 2 * k * stride + j;
        if (j < n) s[k] += term_of(d, x[j], at[0], at[stride]);
        sums[2 * k] = s[k][0], sums[2 * k + 1] = s[k][1];
    }
}

/* Reduced distances of at most BLOCK points. */
static inline void reduced_some(const metric* d, const f64* x, const f64* points, i32 n, f64* near) {
    u32 stride = (u32)stride_of(d);
    if (n < BLOCK || !is_plain_sum(d)) {
        for (i32 k = 0; k < n; k++) near[k] = reduced(d, x, points + (u32)k * stride);
        return;
    }
    block_sums(d, x, points, near);
    for (i32 k = 0; k < BLOCK; k++) {
        if (has_lengths(d->kind)) near[k] = square_of(d, near[k], points[(u32)k * stride + stride - 1]);
        if (d->kind == COSINE) near[k] = cosine_of(near[k]);
    }
}

static inline f64 to_distance(const metric* d, f64 v) {
    v = narrow(d->single, v);
    switch (d->kind) {
        case PRODUCT:
        case EUCLIDEAN:
        case SEUCLIDEAN:
        case MAHALANOBIS: v = __builtin_sqrt(v); break;
        case MINKOWSKI: v = sclbl_pow(v, 1 / d->p); break;
        case HAVERSINE: v = 2 * sclbl_asin(__builtin_sqrt(v));
    }
    return narrow(d->single, v);
}

static inline f64 to_reduced(const metric* d, f64 v) {
    v = narrow(d->single, v);
    switch (d->kind) {
        case PRODUCT:
        case EUCLIDEAN:
        case SEUCLIDEAN:
        case MAHALANOBIS: v = v * v; break;
        case MINKOWSKI: v = sclbl_pow(v, d->p); break;
        case HAVERSINE: v = sclbl_sin(0.5 * v), v = v * v;
    }
    return narrow(d->single, v);
}

#endif
