/* Points within a radius, found as a search tree of boxes or balls finds them: in its order, and with
   its own rounding of how near and how far the points of a node may be. */
#include "abi.h"

static f64 square_of(const f64* a, const f64* b, i32 columns) {
    f64 sum = 0;
    for (i32 j = 0; j < columns; j++) {
        f64 d = a[j] - b[j];
        sum += d * d;
    }
    return sum;
}

static f64 size(f64 v) { return __builtin_fabs(v); }

static void distances_of(f64* low, f64* high, const f64* x, const f64* bound, i32 columns, i32 ball) {
    if (ball) {
        f64 center = __builtin_sqrt(square_of(x, bound, columns));
        f64 nearest = center - bound[columns];
        *low = nearest > 0 ? nearest : 0;
        *high = center + bound[columns];
        return;
    }
    f64 near = 0, far = 0;
    for (i32 j = 0; j < columns; j++) {
        f64 below = bound[j] - x[j], above = x[j] - bound[columns + j];
        f64 d = 0.5 * ((below + size(below)) + (above + size(above)));
        f64 most = size(below) > size(above) ? size(below) : size(above);
        near += d * d;
        far += most * most;
    }
    *low = __builtin_sqrt(near);
    *high = __builtin_sqrt(far);
}

/* A tree in a heap's order is no deeper than its numbers have bits, and each level leaves one node. */
enum { DEEPEST = 40 };

/* `nodes`: [first point, last, is leaf]; the children of node k are 2 k + 1 and 2 k + 2. */
i32 neighbors_within(ragged* distances, ragged* numbers, const f64* x, const f64* radius,
                     const f64* points, const i64* names, const i32* nodes, const f64* bounds,
                     growing* to, i32 m, i32 columns, i32 balls) {
    i32 todo[DEEPEST], width = balls ? columns + 1 : 2 * columns;
    to[0].used = to[1].used = to[2].used = 0;
    i32 code = abi_grow(to, ((u64)(u32)m + 1) * 4);
    if (code) return code;
    u32* offsets = (u32*)to[0].address;
    u32 at = 0;
    for (i32 i = 0; i < m; i++) {
        const f64* row = x + i * columns;
        f64 r = radius[i];
        i32 left = 1;
        offsets[i] = at;
        todo[0] = 0;
        while (left) {
            i32 k = todo[--left];
            f64 low, high;
            distances_of(&low, &high, row, bounds + (u32)k * (u32)width, columns, balls);
            if (low > r) continue;
            i32 whole = high <= r;
            if (!whole && !nodes[3 * k + 2]) {
                todo[left++] = 2 * k + 2;
                todo[left++] = 2 * k + 1;
                continue;
            }
            i32 first = nodes[3 * k], last = nodes[3 * k + 1];
            to[1].used = to[2].used = at * 8;
            code = abi_grow(to + 1, (u64)(u32)(last - first) * 8);
            if (code == OK) code = abi_grow(to + 2, (u64)(u32)(last - first) * 8);
            if (code) return code;
            f64* found = (f64*)to[1].address;
            i64* which = (i64*)to[2].address;
            for (i32 p = first; p < last; p++) {
                f64 square = square_of(row, points + (u32)p * (u32)columns, columns);
                if (!whole && !(square <= r * r)) continue;
                found[at] = __builtin_sqrt(square);
                which[at++] = names[p];
            }
        }
    }
    offsets[m] = at;
    distances->offsets = numbers->offsets = offsets;
    distances->keys = numbers->keys = 0;
    distances->values = (const void*)to[1].address;
    numbers->values = (const void*)to[2].address;
    return OK;
}
