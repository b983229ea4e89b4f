/* scikit-learn's introsort of values and the names beside them (sklearn/utils/_sorting.pyx). */
#ifndef SCLBL_INTROSORT_H
#define SCLBL_INTROSORT_H

#include "abi.h"

static inline void swap(f64* v, i64* names, i32 a, i32 b) {
    f64 value = v[a];
    i64 name = names[a];
    v[a] = v[b], names[a] = names[b];
    v[b] = value, names[b] = name;
}

static void sift_down(f64* v, i64* names, i32 start, i32 end) {
    for (i32 root = start;;) {
        i32 child = root * 2 + 1, most = root;
        if (child < end && v[most] < v[child]) most = child;
        if (child + 1 < end && v[most] < v[child + 1]) most = child + 1;
        if (most == root) return;
        swap(v, names, root, most);
        root = most;
    }
}

static void heapsort(f64* v, i64* names, i32 n) {
    for (i32 start = (n - 2) / 2; start >= 0; start--) sift_down(v, names, start, n);
    for (i32 end = n - 1; end > 0; end--) {
        swap(v, names, 0, end);
        sift_down(v, names, 0, end);
    }
}

/* The median of three goes to the end, the least to the front. */
static f64 median_last(f64* v, i64* names, i32 n) {
    i32 last = n - 1, middle = n / 2;
    if (v[0] > v[last]) swap(v, names, 0, last);
    if (v[last] > v[middle]) {
        swap(v, names, last, middle);
        if (v[0] > v[last]) swap(v, names, 0, last);
    }
    return v[last];
}

__attribute__((noinline)) static void introsort(f64* v, i64* names, i32 n, i32 depth) {
    while (n > 15) {
        if (depth-- <= 0) {
            heapsort(v, names, n);
            return;
        }
        f64 pivot = median_last(v, names, n);
        i32 i = 1, j = n - 2;
        for (;; i++, j--) {
            while (i <= j && v[i] < pivot) i++;
            while (i <= j && v[j] > pivot) j--;
            if (i >= j) break;
            swap(v, names, i, j);
        }
        swap(v, names, i, n - 1);
        introsort(v, names, i, depth);
        v += i + 1, names += i + 1, n -= i + 1;
    }
    for (i32 i = 1; i < n; i++) {
        f64 value = v[i];
        i64 name = names[i];
        i32 j = i;
        for (; j > 0 && v[j - 1] > value; j--) v[j] = v[j - 1], names[j] = names[j - 1];
        v[j] = value, names[j] = name;
    }
}

/* Put values and their names in order; where equal values end is scikit-learn's own. */
static inline void sort_by_value(f64* v, i64* names, i32 n) {
    if (n) introsort(v, names, n, 2 * (31 - __builtin_clz((u32)n)));
}

#endif
