/* What is made of the points that a search found: their values, votes, means, sparse rows. */
#include "search_tree.h"
#include "sparse_rows.h"

/* Rows of `size` bytes; zeros for a number that the table has not. */
void neighborhoods_take(u8* out, const i64* x, const u8* table, i32 cells, i32 count, i32 size) {
    for (i32 i = 0; i < cells; i++) {
        i32 known = x[i] >= 0 && x[i] < count;
        if (known)
            __builtin_memcpy(out + i * size, table + (u32)x[i] * (u32)size, (u32)size);
        else
            __builtin_memset(out + i * size, 0, (u32)size);
    }
}

/* What is added: the weights of one class among others, or products of values and weights. */
typedef struct {
    const f64* weights;
    const i64* numbers; /* of classes, or of rows of `values` */
    i64 class;
    const f64* values;
    i32 step, by_distance, same;
} terms;

/* 1 / distance; where some point is the row itself, 1 for it and 0 for others. */
static inline f64 weight_of(const terms* t, i32 i) {
    if (!t->by_distance) return 1;
    return t->same ? t->weights[i] == 0 : 1 / t->weights[i];
}

static inline f64 term(const terms* t, i32 i) {
    if (t->values) {
        f64 v = t->step ? t->values[t->numbers[i] * t->step] : 1;
        return t->by_distance ? v * weight_of(t, i) : v;
    }
    return t->numbers[i] == t->class ? (t->weights ? t->weights[i] : 1) : 0;
}

/* As numpy.sum adds what lies side by side: eight sums from eight terms on, halves beyond 128. */
__attribute__((noinline)) static f64 sum_in_pairs(const terms* t, i32 begin, i32 n) {
    if (n < 8) {
        f64 sum = 0;
        for (i32 i = 0; i < n; i++) sum += term(t, begin + i);
        return sum;
    }
    if (n > 128) {
        i32 half = n / 2;
        half -= half % 8;
        return sum_in_pairs(t, begin, half) + sum_in_pairs(t, begin + half, n - half);
    }
    f64 r[8];
    for (i32 j = 0; j < 8; j++) r[j] = term(t, begin + j);
    i32 whole = n - n % 8;
    for (i32 i = 8; i < whole; i += 8)
        for (i32 j = 0; j < 8; j++) r[j] += term(t, begin + i + j);
    f64 sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (i32 i = whole; i < n; i++) sum += term(t, begin + i);
    return sum;
}

void neighborhoods_votes(f64* out, const i64* x, const f64* weights, i32 m, i32 k, i32 classes,
                         i32 pairs) {
    for (i32 i = 0; i < m; i++) {
        const i64* row = x + i * k;
        const f64* own = weights ? weights + i * k : 0;
        f64* sums = out + i * classes;
        for (i32 c = 0; c < classes; c++) {
            terms t = {own, row, c, 0, 0, 0, 0};
            sums[c] = pairs ? sum_in_pairs(&t, 0, k) : 0;
        }
        for (i32 j = 0; !pairs && j < k; j++)
            if (row[j] >= 0 && row[j] < classes) sums[row[j]] += own ? own[j] : 1;
    }
}

static i32 has_zero(const f64* v, i32 n) {
    i32 found = 0;
    for (i32 i = 0; i < n; i++) found |= v[i] == 0;
    return found;
}

/* `room`: for the distances and the numbers of all points. */
void neighborhoods_votes_within(f64* out, const f64* x, const f64* radius, const f64* points,
                                const i32* names, const i32* nodes, const f64* bounds,
                                const f64* vector, f64* work, const i32* codes, f64* room, i32 m,
                                i32 classes, i32 by_distance, i32 shape, i32 kind, i32 columns,
                                i32 weighted, i32 single, f64 p) {
    metric d = {kind, columns, single, weighted, p, vector, work, 0};
    search_tree t = {points, nodes, bounds, shape};
    f64* near = room;
    i64* which = (i64*)(room + nodes[1]);
    for (i32 i = 0; i < m; i++) {
        const f64* row = x + i * columns;
        begin_row(&d, row);
        i32 n = points_within(&t, &d, names, row, radius[i], near, which);
        f64* sums = out + i * classes;
        for (i32 c = 0; c < classes; c++) sums[c] = 0;
        terms s = {near, which, 0, 0, 0, by_distance, has_zero(near, n)};
        for (i32 j = 0; j < n; j++) sums[codes[which[j]]] += weight_of(&s, j);
    }
}

/* Of one column `numpy.mean` adds in pairs, of several row by row. */
static f64 total(const terms* t, i32 n, i32 pairs) {
    if (pairs) return sum_in_pairs(t, 0, n);
    f64 sum = 0;
    for (i32 i = 0; i < n; i++) sum += term(t, i);
    return sum;
}

void neighborhoods_means_within(f64* out, const f64* x, const f64* radius, const f64* points,
                                const i32* names, const i32* nodes, const f64* bounds,
                                const f64* vector, f64* work, const f64* table, const f64* none,
                                f64* room, i32 m, i32 width, i32 by_distance, i32 shape, i32 kind,
                                i32 columns, i32 weighted, i32 single, f64 p) {
    metric d = {kind, columns, single, weighted, p, vector, work, 0};
    search_tree t = {points, nodes, bounds, shape};
    f64* near = room;
    i64* which = (i64*)(room + nodes[1]);
    for (i32 i = 0; i < m; i++) {
        const f64* row = x + i * columns;
        begin_row(&d, row);
        i32 n = points_within(&t, &d, names, row, radius[i], near, which);
        i32 same = by_distance && has_zero(near, n);
        /* The weights alone have one column. */
        terms weights = {near, which, 0, table, 0, by_distance, same};
        f64 whole = by_distance ? sum_in_pairs(&weights, 0, n) : n;
        for (i32 j = 0; j < width; j++) {
            terms s = {near, which, 0, table + j, width, by_distance, same};
            out[i * width + j] = n ? total(&s, n, width == 1) / whole : none[j];
        }
    }
}

/* ------------------------------------------------------------------ sparse rows */

static i32 sparse(ragged* out, growing* to, const u32* from, i32 m, i32 k, const f64* values,
                  const i64* numbers, i32 columns, i32 ones) {
    u32 first = from ? from[0] : 0, count = from ? from[m] - first : (u32)(m * k);
    i32 code = begin_sparse(to, m, count, sizeof(f64));
    if (code) return code;
    u32* offsets = (u32*)to[0].address;
    i32* keys = (i32*)to[1].address;
    f64* kept = (f64*)to[2].address;
    for (i32 i = 0; i <= m; i++) offsets[i] = from ? from[i] - first : (u32)(i * k);
    for (u32 i = 0; i < count; i++) {
        i64 number = numbers[first + i];
        keys[i] = number >= 0 && number < columns ? (i32)number : 0;
        kept[i] = ones ? 1 : values[first + i];
    }
    finish_sparse(out, to);
    return OK;
}

i32 neighborhoods_sparse_lists(ragged* out, const ragged* distances, const ragged* numbers,
                               growing* to, i32 m, i32 columns, i32 ones) {
    return sparse(out, to, distances->offsets, m, 0, (const f64*)distances->values,
                  (const i64*)numbers->values, columns, ones);
}

i32 neighborhoods_sparse_rows(ragged* out, const f64* distances, const i64* numbers, growing* to,
                              i32 m, i32 k, i32 columns, i32 ones) {
    return sparse(out, to, 0, m, k, distances, numbers, columns, ones);
}
