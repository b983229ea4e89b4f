/* What each column of a row adds to the sum of an ensemble of trees (SHAP values).

   Two ways to the same numbers, each with its own rounding: `path` keeps, for each way down a tree,
   how much of all orders of its columns agrees with it (Lundberg et al., Consistent Individualized
   Feature Attribution for Tree Ensembles, 2018, algorithm 2); `quadrature` integrates over how many
   of the columns are known, at eight points. Both go down every branch, from a stack of their own. */
#include "abi.h"

#define POINTS 8
#define UNSEEN -999.0f

typedef struct {
    i32 feature; /* -1: a leaf */
    u32 limit;   /* a threshold, the place of a set of categories, or a leaf's value */
    u32 left, right;
    f32 share; /* of the parent's weight in training */
    u32 flags; /* 1: missing goes left, 2: categories */
} node;

static f32 number_of(u32 bits) {
    f32 v;
    __builtin_memcpy(&v, &bits, 4);
    return v;
}

static i32 goes_left(const node* n, const u32* words, f32 v) {
    if (v != v) return n->flags & 1;
    if (!(n->flags & 2)) return v < number_of(n->limit);
    if (!(v >= 0 && v < 2147483648.0f)) return n->flags & 1;
    u32 code = (u32)v, count = words[n->limit];
    return code < count * 32 && (words[n->limit + 1 + (code >> 5)] >> (code & 31) & 1);
}

/* One column on the way down: what share of the weight goes this way where the column is not known,
   whether the row goes this way (0 or 1), and the weight of its place among orders. */
typedef struct {
    i32 feature;
    f32 zero, one, weight;
} element;

typedef struct {
    u32 at, depth, above;
    f32 zero, one;
    i32 feature;
} pending;

static void extend(element* p, u32 depth, f32 zero, f32 one, i32 feature) {
    p[depth] = (element){feature, zero, one, depth ? 0.0f : 1.0f};
    for (i32 i = (i32)depth - 1; i >= 0; i--) {
        p[i + 1].weight += one * p[i].weight * (f32)(i + 1) / (f32)(depth + 1);
        p[i].weight = zero * p[i].weight * (f32)(depth - (u32)i) / (f32)(depth + 1);
    }
}

static void unwind(element* p, u32 depth, u32 k) {
    f32 one = p[k].one, zero = p[k].zero, next = p[depth].weight;
    for (i32 i = (i32)depth - 1; i >= 0; i--) {
        if (one != 0) {
            f32 held = p[i].weight;
            p[i].weight = next * (f32)(depth + 1) / ((f32)(i + 1) * one);
            next = held - p[i].weight * zero * (f32)(depth - (u32)i) / (f32)(depth + 1);
        } else {
            p[i].weight = p[i].weight * (f32)(depth + 1) / (zero * (f32)(depth - (u32)i));
        }
    }
    for (u32 i = k; i < depth; i++) {
        p[i].feature = p[i + 1].feature;
        p[i].zero = p[i + 1].zero;
        p[i].one = p[i + 1].one;
    }
}

static f32 unwound_sum(const element* p, u32 depth, u32 k) {
    f32 one = p[k].one, zero = p[k].zero, next = p[depth].weight, total = 0;
    for (i32 i = (i32)depth - 1; i >= 0; i--) {
        f32 part = (f32)(depth - (u32)i) / (f32)(depth + 1);
        if (one != 0) {
            f32 found = next * (f32)(depth + 1) / ((f32)(i + 1) * one);
            total += found;
            next = p[i].weight - found * zero * part;
        } else {
            total += p[i].weight / zero / part;
        }
    }
    return total;
}

static void path_tree(f32* phi, const f32* x, const node* nodes, const u32* words, u32 root,
                      element* path, pending* stack) {
    u32 waiting = 1;
    stack[0] = (pending){root, 0, 0, 1.0f, 1.0f, -1};
    while (waiting) {
        pending now = stack[--waiting];
        const node* n = nodes + now.at;
        u32 depth = now.depth, begin = now.above + depth + 1;
        element* p = path + begin;
        for (u32 i = 0; i < depth; i++) p[i] = path[now.above + i];
        extend(p, depth, now.zero, now.one, now.feature);
        if (n->feature < 0) {
            f32 value = number_of(n->limit);
            for (u32 i = 1; i <= depth; i++)
                phi[p[i].feature] += unwound_sum(p, depth, i) * (p[i].one - p[i].zero) * value;
            continue;
        }
        i32 left = goes_left(n, words, x[n->feature]);
        u32 hot = left ? n->left : n->right, cold = left ? n->right : n->left;
        f32 zero = 1, one = 1;
        u32 k = 1;
        while (k <= depth && p[k].feature != n->feature) k++;
        if (k <= depth) {
            zero = p[k].zero;
            one = p[k].one;
            unwind(p, depth, k);
            depth--;
        }
        stack[waiting++] =
            (pending){cold, depth + 1, begin, nodes[cold].share * zero, 0.0f, n->feature};
        stack[waiting++] =
            (pending){hot, depth + 1, begin, nodes[hot].share * zero, one, n->feature};
    }
}

/* One node on the way down: how far it is done (0, 1 or 2 children), the weight of the way to it,
   the factor of its column after and before it, polynomials above it, and of its first child. */
typedef struct {
    u32 at, done;
    f32 weight, entered, before;
    f32 above[POINTS], below[POINTS];
} level;

static f32 gained(const f32* points, const f32* h, f32 enter, f32 leave) {
    f32 sum = 0;
    if (enter != 1.0f)
        for (i32 i = 0; i < POINTS; i++)
            sum += (enter - 1.0f) * h[i] / (1.0f + (enter - 1.0f) * points[i]);
    if (leave != 1.0f)
        for (i32 i = 0; i < POINTS; i++)
            sum -= (leave - 1.0f) * h[i] / (1.0f + (leave - 1.0f) * points[i]);
    return sum;
}

static void quadrature_tree(f32* phi, const f32* x, const node* nodes, const u32* words, u32 root,
                            const f32* points, f32* factors, level* l) {
    const f32* sizes = points + POINTS;
    const level* first = l;
    f32 found[POINTS];
    if (nodes[root].feature < 0) return;
    l->at = root;
    l->done = 0;
    l->weight = 1;
    for (i32 i = 0; i < POINTS; i++) l->above[i] = 1;
    for (;;) {
        const node* n = nodes + l->at;
        if (n->feature < 0) {
            f32 value = l->weight * number_of(n->limit);
            for (i32 i = 0; i < POINTS; i++) found[i] = l->above[i] * value * sizes[i];
            l--;
            continue;
        }
        f32* factor = factors + n->feature;
        if (l->done) {
            f32 before = l->before == UNSEEN ? 1.0f : l->before;
            phi[n->feature] += gained(points, found, l->entered, before);
            *factor = l->before;
        }
        if (l->done == 2) {
            for (i32 i = 0; i < POINTS; i++) found[i] = l->below[i] + found[i];
            if (l == first) return;
            l--;
            continue;
        }
        if (l->done == 1)
            for (i32 i = 0; i < POINTS; i++) l->below[i] = found[i];
        /* Sets of categories say what goes right in the source, so there left comes second. */
        u32 left = (l->done == 0) ^ (n->flags >> 1 & 1);
        u32 child = left ? n->left : n->right;
        u32 goes = (u32)(goes_left(n, words, x[n->feature]) != 0) == left;
        f32 share = nodes[child].share, before = *factor;
        f32 entered = !goes ? 0.0f : (before == UNSEEN ? 1.0f : before) / share;
        level* next = l + 1;
        for (i32 i = 0; i < POINTS; i++)
            next->above[i] = l->above[i] * (1.0f + (entered - 1.0f) * points[i]);
        if (before != UNSEEN && before - 1.0f != 0.0f)
            for (i32 i = 0; i < POINTS; i++) next->above[i] /= 1.0f + (before - 1.0f) * points[i];
        *factor = entered;
        l->entered = entered;
        l->before = before;
        l->done++;
        next->at = child;
        next->done = 0;
        next->weight = l->weight * share;
        l = next;
    }
}

#define CONTRIBUTIONS(NAME, GIVEN, START, TREE)                                                \
    void contributions_##NAME(f32* out, const f32* x, i32 m, const node* nodes,                \
                              const u32* words, const u32* roots, const i32* targets,          \
                              const f32* weights, const f32* bias, f32* phi, GIVEN, i32 trees, \
                              i32 outputs, i32 width) {                                        \
        START;                                                                                 \
        for (i32 i = 0; i < m; i++, x += width) {                                              \
            f32* to = out + i * outputs * (width + 1);                                         \
            for (i32 k = 0; k < outputs; k++) {                                                \
                for (i32 j = 0; j < width; j++) to[k * (width + 1) + j] = 0;                   \
                to[k * (width + 1) + width] = bias[k];                                         \
            }                                                                                  \
            for (i32 t = 0; t < trees; t++) {                                                  \
                for (i32 j = 0; j < width; j++) phi[j] = 0;                                    \
                TREE;                                                                          \
                f32* sums = to + targets[t] * (width + 1);                                     \
                for (i32 j = 0; j < width; j++) sums[j] += phi[j] * weights[t];                \
            }                                                                                  \
        }                                                                                      \
    }
#define PATH element *path, pending *stack
#define QUADRATURE const f32 *points, f32 *factors, level *levels
CONTRIBUTIONS(path_f32, PATH, , path_tree(phi, x, nodes, words, roots[t], path, stack))
CONTRIBUTIONS(quadrature_f32, QUADRATURE,
              for (i32 j = 0; j < width; j++) factors[j] = UNSEEN,
              quadrature_tree(phi, x, nodes, words, roots[t], points, factors, levels))
