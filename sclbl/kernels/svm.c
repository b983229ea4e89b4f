/* Support vector classifiers of many classes, in the order of libsvm's own sums. */
#include "abi.h"
#include "scalar_exp_libm.h"

/* `coef`, a vector's coefficients side by side: against class c it is number c, or c - 1 where its own
   class comes before. A class goes on where the sums of the classes before it stand, all at once;
   `held` [classes, classes] and `sums` [classes] keep them in between. */
void svm_pair_sums(f64* out, const f64* x, const f64* coef, const i32* counts, f64* held, i32 m,
                   i32 classes, i32 vectors) {
    f64* sums = held + classes * classes;
    for (i32 row = 0; row < m; row++, x += vectors) {
        i32 s = 0;
        for (i32 c = 0; c < classes; c++) {
            for (i32 j = 0; j < c; j++) sums[j] = held[j * classes + c];
            for (i32 j = c; j < classes - 1; j++) sums[j] = 0;
            for (i32 last = s + counts[c]; s < last; s++)
                for (i32 j = 0; j < classes - 1; j++) sums[j] += x[s] * coef[s * (classes - 1) + j];
            for (i32 j = 0; j < c; j++) held[j * classes + c] = sums[j];
            for (i32 j = c; j < classes - 1; j++) held[c * classes + j + 1] = sums[j];
        }
        for (i32 i = 0; i < classes; i++)
            for (i32 j = i + 1; j < classes; j++) *out++ = held[i * classes + j];
    }
}

#define LEAST 1e-7

static f64 chance(f64 f) {
    f64 p;
    if (f >= 0) {
        f64 small = sclbl_exp_libm(-f);
        p = small / (1.0 + small);
    } else {
        p = 1.0 / (1 + sclbl_exp_libm(f));
    }
    p = p > LEAST ? p : LEAST; /* NaN is not */
    return p < 1 - LEAST ? p : 1 - LEAST;
}

/* `r` and `q` [k, k] and `qp` [k] lie one after the other. */
void svm_couple(f64* out, const f64* x, const f64* slopes, const f64* offsets, f64* r, i32 m, i32 k) {
    f64 *q = r + k * k, *qp = q + k * k;
    i32 most = k > 100 ? k : 100;
    f64 eps = 0.005 / k;
    for (i32 row = 0; row < m; row++, out += k, x += k * (k - 1) / 2) {
        f64* p = out;
        for (i32 i = 0, pair = 0; i < k; i++)
            for (i32 j = i + 1; j < k; j++, pair++) {
                r[i * k + j] = chance(x[pair] * slopes[pair] + offsets[pair]);
                r[j * k + i] = 1 - r[i * k + j];
            }
        for (i32 t = 0; t < k; t++) {
            f64 own = 0;
            p[t] = 1.0 / k;
            for (i32 j = 0; j < k; j++) {
                if (j == t) continue;
                own += r[j * k + t] * r[j * k + t];
                q[t * k + j] = -r[j * k + t] * r[t * k + j];
            }
            q[t * k + t] = own;
        }
        for (i32 turn = 0; turn < most; turn++) {
            f64 pqp = 0, largest = 0;
            for (i32 t = 0; t < k; t++) {
                qp[t] = 0;
                for (i32 j = 0; j < k; j++) qp[t] += q[t * k + j] * p[j];
                pqp += p[t] * qp[t];
            }
            for (i32 t = 0; t < k; t++) {
                f64 error = __builtin_fabs(qp[t] - pqp);
                if (error > largest) largest = error;
            }
            if (largest < eps) break;
            for (i32 t = 0; t < k; t++) {
                f64 own = q[t * k + t], step = (-qp[t] + pqp) / own;
                p[t] += step;
                pqp = (pqp + step * (step * own + 2 * qp[t])) / (1 + step) / (1 + step);
                for (i32 j = 0; j < k; j++) {
                    qp[j] = (qp[j] + step * q[t * k + j]) / (1 + step);
                    p[j] /= 1 + step;
                }
            }
        }
    }
}
