/* Logarithms of kernel densities, as scikit-learn adds them up over a tree of points: bounds of nodes
   are split until they are near enough. Sums and differences are of logarithms. */
#include "scalar_exp_libm.h"
#include "scalar_log.h"
#include "search_tree.h"

/* As in sclbl/ops/density.py. */
enum { GAUSSIAN, TOPHAT, EPANECHNIKOV, EXPONENTIAL, LINEAR, COSINES };

/* A node that waits, with the bounds of its points' sum: the least, and how far the largest is. */
typedef struct {
    f64 near, low, spread;
    i32 node;
} waiting;

typedef struct {
    const search_tree* tree;
    const metric* metric;
    const f64 *row, *point_weights, *node_weights;
    f64 h, norm, atol, rtol, total; /* all but h logarithms */
    f64 low, spread;
    i32 kernel, breadth;
} walk;

__attribute__((noinline)) static f64 add(f64 a, f64 b) {
    i32 second = a != a || b > a;
    f64 most = second ? b : a, other = second ? a : b;
    if (most == -__builtin_inf()) return most;
    return most + sclbl_log(1 + sclbl_exp_libm(other - most));
}

__attribute__((noinline)) static f64 subtract(f64 a, f64 b) {
    return a <= b ? -__builtin_inf() : a + sclbl_log(1 - sclbl_exp_libm(b - a));
}

static f64 log_kernel(const walk* w, f64 d) {
    f64 h = w->h;
    if (w->kernel == GAUSSIAN) return -0.5 * (d * d) / (h * h);
    if (w->kernel == EXPONENTIAL) return -d / h;
    if (!(d < h)) return -__builtin_inf();
    switch (w->kernel) {
        case TOPHAT: return 0;
        case EPANECHNIKOV: return sclbl_log(1.0 - (d * d) / (h * h));
        case LINEAR: return sclbl_log(1 - d / h);
        default: return sclbl_log(sclbl_cos(0.5 * 3.141592653589793 * d / h));
    }
}

/* A node as it waits; of nodes that come nearest first, the spread is the largest sum, as in the
   source. */
static waiting bounds_of(const walk* w, i32 node, i32 whole) {
    waiting found = {0, 0, 0, node};
    f64 far;
    reach_of(w->tree, w->metric, w->row, node, &found.near, &far);
    found.low = w->node_weights[node] + log_kernel(w, far);
    f64 most = w->node_weights[node] + log_kernel(w, found.near);
    found.spread = whole ? most : subtract(most, found.low);
    return found;
}

static void push(waiting* heap, i32* n, waiting item) {
    i32 i = (*n)++;
    for (; i > 0 && !(heap[(i - 1) / 2].near <= item.near); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = item;
}

static waiting pop(waiting* heap, i32* n) {
    waiting found = heap[0], last = heap[--*n];
    i32 i = 0;
    for (;;) {
        i32 child = 2 * i + 1;
        if (child >= *n) break;
        if (child + 1 < *n && !(heap[child].near <= heap[child + 1].near)) child++;
        if (!(heap[child].near <= last.near)) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return found;
}

static void add_points(walk* w, const i32* node) {
    const metric* d = w->metric;
    for (i32 q = node[0]; q < node[1]; q += BLOCK) {
        f64 near[BLOCK];
        i32 n = node[1] - q < BLOCK ? node[1] - q : BLOCK;
        reduced_some(d, w->row, w->tree->points + (u32)q * (u32)stride_of(d), n, near);
        for (i32 i = 0; i < n; i++)
            w->low = add(w->low, log_kernel(w, to_distance(d, near[i])) + w->point_weights[q + i]);
    }
}

/* The logarithm of the sum of a row's kernels. */
static f64 sum_of(walk* w, waiting* todo) {
    i32 left = 1;
    todo[0] = bounds_of(w, 0, 0);
    w->low = todo[0].low, w->spread = todo[0].spread;
    while (left) {
        waiting at = w->breadth ? pop(todo, &left) : todo[--left];
        const i32* node = w->tree->nodes + 3 * at.node;
        if (w->norm + at.spread - w->node_weights[at.node] + w->total <=
            add(w->atol, w->rtol + w->norm + at.low))
            continue;
        if (w->norm + w->spread <= add(w->atol, w->rtol + w->norm + w->low)) {
            if (w->breadth) break;
            continue;
        }
        waiting one, two;
        if (!node[2]) {
            one = bounds_of(w, 2 * at.node + 1, w->breadth);
            two = bounds_of(w, 2 * at.node + 2, w->breadth);
        }
        w->low = subtract(w->low, at.low);
        w->spread = subtract(w->spread, at.spread);
        if (node[2]) {
            add_points(w, node);
            continue;
        }
        w->low = add(add(w->low, one.low), two.low);
        w->spread = add(add(w->spread, one.spread), two.spread);
        if (w->breadth) {
            push(todo, &left, one);
            push(todo, &left, two);
        } else {
            todo[left++] = two;
            todo[left++] = one;
        }
    }
    return add(w->low, w->spread - 0.6931471805599453);
}

/* `settings`: bandwidth, logarithms of the norm, of the tolerances, absolute and relative, and of the
   whole weight; `heap`: room for all nodes where the nearest come first. */
void density_of_points(f64* out, const f64* x, const f64* points, const i32* names, const i32* nodes,
                       const f64* bounds, const f64* vector, f64* work, const f64* point_weights,
                       const f64* node_weights, const f64* settings, waiting* heap, i32 m,
                       i32 kernel, i32 breadth, i32 shape, i32 kind, i32 columns, i32 weighted,
                       i32 single, f64 p) {
    metric d = {kind, columns, single, weighted, p, vector, work, 0};
    search_tree t = {points, nodes, bounds, shape};
    waiting stack[DEEPEST];
    for (i32 i = 0; i < m; i++) {
        walk w = {&t,          &d,          x + i * columns, point_weights, node_weights, settings[0],
                  settings[1], settings[2], settings[3],     settings[4],   0,            0,
                  kernel,      breadth};
        out[i] = sum_of(&w, breadth ? heap : stack);
    }
}
