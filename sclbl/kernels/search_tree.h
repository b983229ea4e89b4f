/* Points in the order of a search tree's leaves, whose nodes are bounded by boxes or by balls; and
   how near and how far the points of a node may be, with the tree's own rounding. */
#ifndef SCLBL_SEARCH_TREE_H
#define SCLBL_SEARCH_TREE_H

#include "distances.h"

enum { BOXES, BALLS, NO_BOUNDS };
/* A tree in a heap's order is no deeper than its numbers have bits, and each level leaves one node. */
enum { DEEPEST = 40 };

/* `nodes`: [first point, last, is leaf]; the children of node k are 2 k + 1 and 2 k + 2. `bounds`: a
   box's lower and upper corner, or a ball's center and radius. */
typedef struct {
    const f64* points;
    const i32* nodes;
    const f64* bounds;
    i32 shape;
} search_tree;

static inline const f64* bound_of(const search_tree* t, const metric* d, i32 k) {
    u32 width = (u32)(t->shape == BALLS ? d->columns + 1 : 2 * d->columns);
    return t->bounds + (u32)k * width;
}

static inline f64 power(const metric* d, f64 v) {
    if (d->kind == EUCLIDEAN) return v * v;
    return d->kind == MINKOWSKI ? sclbl_pow(v, d->p) : v;
}

static inline f64 from_ball(const metric* d, const f64* x, const f64* ball) {
    return to_distance(d, reduced(d, x, ball));
}

static inline f64 side_of_box(const metric* d, const f64* x, const f64* box, i32 j, i32 far) {
    f64 below = box[j] - x[j], above = x[j] - box[d->columns + j];
    if (far) return larger(magnitude(below), magnitude(above));
    return 0.5 * ((below + magnitude(below)) + (above + magnitude(above)));
}

/* How near the points of a box may be, or how far, reduced. */
static inline f64 from_box(const metric* d, const f64* x, const f64* box, i32 far) {
    f64 sum = 0;
    for (i32 j = 0; j < d->columns; j++) {
        f64 side = side_of_box(d, x, box, j, far);
        sum = d->kind == CHEBYSHEV ? larger(sum, side) : sum + power(d, side);
    }
    return sum;
}

/* How near the points of a node may be, reduced. */
static inline f64 nearest_of(const search_tree* t, const metric* d, const f64* x, i32 k) {
    if (t->shape == NO_BOUNDS) return 0;
    const f64* bound = bound_of(t, d, k);
    if (t->shape == BOXES) return from_box(d, x, bound, 0);
    return to_reduced(d, larger(0, from_ball(d, x, bound) - bound[d->columns]));
}

/* How near and how far the points of a node may be. */
static inline void reach_of(const search_tree* t, const metric* d, const f64* x, i32 k, f64* low,
                            f64* high) {
    const f64* bound = bound_of(t, d, k);
    if (t->shape == BALLS) {
        f64 center = from_ball(d, x, bound);
        *low = larger(0, center - bound[d->columns]);
        *high = center + bound[d->columns];
    } else {
        *low = to_distance(d, from_box(d, x, bound, 0));
        *high = to_distance(d, from_box(d, x, bound, 1));
    }
}

/* Put the points within a radius behind each other; there must be room for all. Returns how many. */
static inline i32 points_within(const search_tree* t, const metric* d, const i32* names,
                                const f64* row, f64 r, f64* found, i64* which) {
    i32 todo[DEEPEST], left = 1, at = 0;
    f64 most = d->kind == SQUARED_PRODUCT ? r : to_reduced(d, r);
    u32 stride = (u32)stride_of(d);
    todo[0] = 0;
    while (left) {
        i32 k = todo[--left], whole = 0;
        if (t->shape != NO_BOUNDS) {
            f64 low, high;
            reach_of(t, d, row, k, &low, &high);
            if (low > r) continue;
            whole = high <= r;
            if (!whole && !t->nodes[3 * k + 2]) {
                todo[left++] = 2 * k + 2;
                todo[left++] = 2 * k + 1;
                continue;
            }
        }
        i32 end = t->nodes[3 * k + 1];
        for (i32 q = t->nodes[3 * k]; q < end; q += BLOCK) {
            f64 near[BLOCK];
            i32 n = end - q < BLOCK ? end - q : BLOCK;
            reduced_some(d, row, t->points + (u32)q * stride, n, near);
            for (i32 i = 0; i < n; i++) {
                if (!whole && !(near[i] <= most)) continue;
                found[at] = to_distance(d, near[i]);
                which[at++] = names[q + i];
            }
        }
    }
    return at;
}

#endif
