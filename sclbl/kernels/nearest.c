/* The k points nearest to a row, found and put in order as scikit-learn's searches do, ties included:
   a heap of fixed size with the farthest on top, filled leaf by leaf, then sorted by an introsort. */
#include "introsort.h"
#include "search_tree.h"

static inline void push(f64* v, i64* names, i32 size, f64 value, i64 name) {
    if (value >= v[0]) return;
    i32 at = 0;
    for (;;) {
        i32 left = 2 * at + 1, right = left + 1, up;
        if (left >= size) break;
        up = right >= size || v[left] >= v[right] ? left : right;
        if (!(value < v[up])) break;
        v[at] = v[up], names[at] = names[up];
        at = up;
    }
    v[at] = value, names[at] = name;
}

/* Put points from `begin` to `end` on a row's heap. */
static inline void push_points(f64* found, i64* which, i32 k, const metric* d, const f64* row,
                               const f64* points, const i32* names, i32 begin, i32 end) {
    for (i32 q = begin; q < end; q += BLOCK) {
        f64 near[BLOCK];
        i32 n = end - q < BLOCK ? end - q : BLOCK;
        reduced_some(d, row, points + (u32)q * (u32)stride_of(d), n, near);
        for (i32 i = 0; i < n; i++) push(found, which, k, near[i], names[q + i]);
    }
}

/* Rows that are held against a block of points while it is near the processor. */
enum { ROWS = 16 };

/* Without a tree: every point, a block of them for several rows at a time. */
static inline void push_all(f64* distances, i64* numbers, i32 k, metric* d, const f64* x,
                            const f64* points, const i32* names, i32 rows, i32 count) {
    f64 lengths[ROWS];
    for (i32 i = 0; i < rows; i++) begin_row(d, x + i * d->columns), lengths[i] = d->length;
    for (i32 q = 0; q < count; q += BLOCK) {
        i32 end = count - q < BLOCK ? count : q + BLOCK;
        for (i32 i = 0; i < rows; i++) {
            d->length = lengths[i];
            push_points(distances + i * k, numbers + i * k, k, d, x + i * d->columns, points, names,
                        q, end);
        }
    }
}

static inline void push_nearest(f64* found, i64* which, i32 k, const search_tree* t, metric* d,
                                const f64* row, const i32* names) {
    i32 todo[DEEPEST], left = 1;
    f64 least[DEEPEST];
    begin_row(d, row);
    todo[0] = 0, least[0] = nearest_of(t, d, row, 0);
    while (left) {
        i32 node = todo[--left];
        if (least[left] > found[0]) continue;
        const i32* own = t->nodes + 3 * node;
        if (own[2]) {
            push_points(found, which, k, d, row, t->points, names, own[0], own[1]);
            continue;
        }
        i32 one = 2 * node + 1;
        f64 a = nearest_of(t, d, row, one), b = nearest_of(t, d, row, one + 1);
        i32 first = a <= b; /* the nearer child is looked at first */
        todo[left] = first ? one + 1 : one, least[left++] = first ? b : a;
        todo[left] = first ? one : one + 1, least[left++] = first ? a : b;
    }
}

/* `most`: what the heap holds before there are k points, with the number 0. */
void nearest_points(f64* distances, i64* numbers, const f64* x, const f64* points, const i32* names,
                    const i32* nodes, const f64* bounds, const f64* vector, f64* work, i32 m, i32 k,
                    i32 shape, i32 kind, i32 columns, i32 weighted, i32 single, f64 p, f64 most) {
    metric d = {kind, columns, single, weighted, p, vector, work, 0};
    search_tree t = {points, nodes, bounds, shape};
    for (i32 j = 0; j < m * k; j++) distances[j] = most, numbers[j] = 0;
    if (shape == NO_BOUNDS) {
        for (i32 i = 0; i < m; i += ROWS)
            push_all(distances + i * k, numbers + i * k, k, &d, x + i * columns, points, names,
                     m - i < ROWS ? m - i : ROWS, nodes[1]);
    } else {
        for (i32 i = 0; i < m; i++)
            push_nearest(distances + i * k, numbers + i * k, k, &t, &d, x + i * columns, names);
    }
    for (i32 i = 0; i < m; i++) {
        f64* found = distances + i * k;
        sort_by_value(found, numbers + i * k, k);
        for (i32 j = 0; j < k; j++) found[j] = to_distance(&d, larger(found[j], 0));
    }
}
