/* Equations that each row has of its own. */
#include "abi.h"

/* `g` [k, k]: below and on the diagonal the products of pairs of vectors, then Cholesky's factor. */
void solving_barycenter(f64* out, const f64* x, f64* g, i32 m, i32 k, i32 width, f64 added) {
    for (i32 row = 0; row < m; row++, out += k, x += k * width) {
        f64 trace = 0, total = 0;
        for (i32 a = 0; a < k; a++)
            for (i32 b = 0; b <= a; b++) {
                f64 sum = 0;
                for (i32 j = 0; j < width; j++) sum += x[a * width + j] * x[b * width + j];
                g[a * k + b] = sum;
                if (a == b) trace += sum;
            }
        f64 more = trace > 0 ? added * trace : added;
        for (i32 a = 0; a < k; a++) {
            out[a] = 1;
            for (i32 b = 0; b <= a; b++) {
                f64 left = g[a * k + b] + (a == b ? more : 0);
                for (i32 t = 0; t < b; t++) left -= g[a * k + t] * g[b * k + t];
                g[a * k + b] = a == b ? __builtin_sqrt(left) : left / g[b * k + b];
            }
            for (i32 t = 0; t < a; t++) out[a] -= g[a * k + t] * out[t];
            out[a] /= g[a * k + a];
        }
        for (i32 a = k - 1; a >= 0; a--) {
            for (i32 t = a + 1; t < k; t++) out[a] -= g[t * k + a] * out[t];
            out[a] /= g[a * k + a];
        }
        for (i32 a = 0; a < k; a++) total += out[a];
        for (i32 a = 0; a < k; a++) out[a] /= total;
    }
}
