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

/* `most`: what the heap holds before there are k points, with the number 0. */
void nearest_points(f64* distances, i64* numbers, const f64* x, const f64* points, const i32* names,
                    const i32* nodes, const f64* bounds, const f64* vector, f64* work, i32 m, i32 k,
                    i32 shape, i32 kind, i32 columns, i32 weighted, i32 single, f64 p, f64 most) {
    metric d = {kind, columns, single, weighted, p, vector, work, 0};
    search_tree t = {points, nodes, bounds, shape};
    u32 stride = (u32)stride_of(&d);
    i32 todo[DEEPEST];
    f64 least[DEEPEST];
    for (i32 i = 0; i < m; i++) {
        const f64* row = x + i * columns;
        f64* found = distances + i * k;
        i64* which = numbers + i * k;
        for (i32 j = 0; j < k; j++) found[j] = most, which[j] = 0;
        begin_row(&d, row);
        i32 left = 1;
        todo[0] = 0, least[0] = nearest_of(&t, &d, row, 0);
        while (left) {
            i32 node = todo[--left];
            if (least[left] > found[0]) continue;
            if (nodes[3 * node + 2]) {
                for (i32 q = nodes[3 * node]; q < nodes[3 * node + 1]; q++)
                    push(found, which, k, reduced(&d, row, points + (u32)q * stride), names[q]);
                continue;
            }
            i32 one = 2 * node + 1;
            f64 a = nearest_of(&t, &d, row, one), b = nearest_of(&t, &d, row, one + 1);
            i32 first = a <= b; /* the nearer child is looked at first */
            todo[left] = first ? one + 1 : one, least[left++] = first ? b : a;
            todo[left] = first ? one : one + 1, least[left++] = first ? a : b;
        }
        sort_by_value(found, which, k);
        for (i32 j = 0; j < k; j++) found[j] = to_distance(&d, larger(found[j], 0));
    }
}
