/* Points within a radius, found as a search tree of boxes or balls finds them: in its order, and with
   its own rounding of how near and how far the points of a node may be. */
#include "introsort.h"
#include "search_tree.h"

i32 neighbors_within(ragged* distances, ragged* numbers, const f64* x, const f64* radius,
                     const f64* points, const i32* names, const i32* nodes, const f64* bounds,
                     const f64* vector, f64* work, growing* to, i32 m, i32 sorted, i32 shape,
                     i32 kind, i32 columns, i32 weighted, i32 single, f64 p) {
    metric d = {kind, columns, single, weighted, p, vector, work, 0};
    search_tree t = {points, nodes, bounds, shape};
    u32 at = 0, count = (u32)nodes[1];
    to[0].used = 0;
    i32 code = abi_grow(to, ((u64)(u32)m + 1) * 4);
    if (code) return code;
    for (i32 i = 0; i < m; i++) {
        const f64* row = x + i * columns;
        to[1].used = to[2].used = at * 8;
        code = abi_grow(to + 1, (u64)count * 8);
        if (code == OK) code = abi_grow(to + 2, (u64)count * 8);
        if (code) return code;
        f64* found = (f64*)to[1].address + at;
        i64* which = (i64*)to[2].address + at;
        begin_row(&d, row);
        i32 n = points_within(&t, &d, names, row, radius[i], found, which);
        if (sorted) sort_by_value(found, which, n);
        ((u32*)to[0].address)[i] = at;
        at += (u32)n;
    }
    ((u32*)to[0].address)[m] = at;
    distances->offsets = numbers->offsets = (const u32*)to[0].address;
    distances->keys = numbers->keys = 0;
    distances->values = (const void*)to[1].address;
    numbers->values = (const void*)to[2].address;
    return OK;
}
