/* Arithmetic on rows whose values lie side by side, one operator or two in one pass: for the element
   type T; vectors.h says what the macros are. Operators and strides are constants where generated code
   calls, so nothing of the choice is left. */

INLINE V NAME(step_vector_)(i32 op, V x, V y) {
    return op == ADD ? x + y : op == SUB ? x - y : op == MUL ? x * y : op == DIV ? x / y : x;
}

INLINE T NAME(step_)(i32 op, T x, T y) {
    return op == ADD ? x + y : op == SUB ? x - y : op == MUL ? x * y : op == DIV ? x / y : x;
}

#define AT(P, K) ((const V*)((P) + j))[K]
#define VECTOR(K) NAME(step_vector_)(second, NAME(step_vector_)(first, AT(p, K), AT(q, K)), AT(r, K))

/* out = (x first a) second b, each step rounded. Engines look at the clock at every turn of a loop, so
   a turn does four vectors. Where one number stands for a row there are none. */
INLINE void NAME(rows_)(T* out, const T* x, const T* a, const T* b, i32 m, i32 w, i32 xr, i32 xc, i32 ar,
                        i32 ac, i32 br, i32 bc, i32 first, i32 second) {
    i32 vectors = w >= LANES && xc == 1 && ac == 1 && bc == 1;
    for (i32 i = 0; i < m; i++, out += w) {
        const T *p = x + i * xr, *q = a + i * ar, *r = b + i * br;
        i32 j = 0;
        if (vectors) {
            for (; j + 4 * LANES <= w; j += 4 * LANES) {
                V z0 = VECTOR(0), z1 = VECTOR(1), z2 = VECTOR(2), z3 = VECTOR(3);
                V* z = (V*)(out + j);
                z[0] = z0;
                z[1] = z1;
                z[2] = z2;
                z[3] = z3;
            }
            for (; j + LANES <= w; j += LANES) *(V*)(out + j) = VECTOR(0);
        }
        for (; j < w; j++)
            out[j] = NAME(step_)(second, NAME(step_)(first, p[j * xc], q[j * ac]), r[j * bc]);
    }
}

#define ONE(OP, CODE)                                                                   \
    void NAME(elementwise_##OP##_)(T* out, const T* a, const T* b, i32 m, i32 w,        \
                                   i32 ar, i32 ac, i32 br, i32 bc) {                    \
        NAME(rows_)(out, a, b, b, m, w, ar, ac, br, bc, br, bc, CODE, NONE);            \
    }
ONE(add, ADD)
ONE(sub, SUB)
ONE(mul, MUL)
ONE(div, DIV)

void NAME(elementwise_chain_)(T* out, const T* x, const T* a, const T* b, i32 m, i32 w, i32 xr, i32 xc,
                              i32 ar, i32 ac, i32 br, i32 bc, i32 first, i32 second) {
    NAME(rows_)(out, x, a, b, m, w, xr, xc, ar, ac, br, bc, first, second);
}

#undef AT
#undef VECTOR
#undef ONE
