/* Pooling of one element type; pool.c says what the arguments are. */

#define TAKE_MAX(S, X) S = (X) > (S) || (X) != (X) ? (X) : (S)
#define TAKE_MAX_LANES(S, X)                          \
    {                                                 \
        BITS more_ = ((X) > (S)) | ((X) != (X));      \
        S = (V)(((BITS)(X) & more_) | ((BITS)(S) & ~more_)); \
    }
#define TAKE_SUM(S, X) S += (X)
#define TAKE_SUM_LANES(S, X) S += (X)

/* A row of results takes one step of the window after the other, over all columns that the step meets:
   columns side by side are a vector; with a stride of two they are every other value of two vectors. */
#define POOL_ROW(TAKE, TAKE_LANES)                                                         \
    {                                                                                      \
        i32 start = kx * dx - left, ox = pool_first(start, sx);                            \
        i32 end = pool_end(start, sx, ow, w);                                              \
        const T* from = row + start;                                                       \
        if (sx == 1)                                                                       \
            for (; ox + LANES <= end; ox += LANES) {                                       \
                V v = *(const V*)(from + ox), s = *(V*)(to + ox);                          \
                TAKE_LANES(s, v);                                                          \
                *(V*)(to + ox) = s;                                                        \
            }                                                                              \
        if (sx == 2) /* the second vector ends one value after the last that counts */     \
            for (; ox + LANES < end; ox += LANES) {                                        \
                const V* two = (const V*)(from + 2 * ox);                                  \
                V v = EVEN(two[0], two[1]), s = *(V*)(to + ox);                            \
                TAKE_LANES(s, v);                                                          \
                *(V*)(to + ox) = s;                                                        \
            }                                                                              \
        for (; ox < end; ox++) {                                                           \
            T v = from[ox * sx], s = to[ox];                                               \
            TAKE(s, v);                                                                    \
            to[ox] = s;                                                                    \
        }                                                                                  \
    }

#define POOL_PLANES(NOTHING, TAKE, TAKE_LANES, END)                              \
    for (; m > 0; m--, x += h * w)                                               \
        for (i32 oy = 0; oy < oh; oy++, out += ow) {                             \
            T* to = out;                                                         \
            for (i32 j = 0; j < ow; j++) to[j] = (NOTHING);                      \
            i32 above = oy * sy - top;                                           \
            i32 ky = pool_first(above, dy), last = pool_end(above, dy, kh, h);   \
            END(for (; ky < last; ky++) {                                        \
                const T* row = x + (above + ky * dy) * w;                        \
                for (i32 kx = 0; kx < kw; kx++) POOL_ROW(TAKE, TAKE_LANES)       \
            })                                                                   \
        }

#define AS_IT_IS(LOOP) LOOP
void NAME(pool_max_)(T* out, const T* x, i32 m, i32 h, i32 w, i32 kh, i32 kw, i32 sy, i32 sx, i32 dy,
                     i32 dx, i32 top, i32 left, i32 oh, i32 ow) {
    POOL_PLANES(-__builtin_inf(), TAKE_MAX, TAKE_MAX_LANES, AS_IT_IS)
}

/* How many steps of a window meet the input and, where they count, the zeros around it. */
INLINE i32 NAME(pool_count_)(i32 start, i32 step, i32 steps, i32 size, i32 after, i32 padding) {
    if (padding) return pool_end(start, step, steps, size + after);
    i32 first = pool_first(start, step), end = pool_end(start, step, steps, size);
    return end > first ? end - first : 0;
}

#define DIVIDE(LOOP)                                                                      \
    i32 high = NAME(pool_count_)(above, dy, kh, h, bottom, padding);                      \
    LOOP                                                                                  \
    for (i32 j = 0; j < ow; j++)                                                          \
        to[j] /= (T)(high * NAME(pool_count_)(j * sx - left, dx, kw, w, right, padding));
void NAME(pool_average_)(T* out, const T* x, i32 m, i32 h, i32 w, i32 kh, i32 kw, i32 sy, i32 sx,
                         i32 dy, i32 dx, i32 top, i32 left, i32 oh, i32 ow, i32 bottom, i32 right,
                         i32 padding) {
    POOL_PLANES(0, TAKE_SUM, TAKE_SUM_LANES, DIVIDE)
}

void NAME(pool_global_max_)(T* out, const T* x, i32 m, i32 n) {
    for (i32 i = 0; i < m; i++, x += n) {
        T s = -__builtin_inf();
        for (i32 j = 0; j < n; j++) TAKE_MAX(s, x[j]);
        out[i] = s;
    }
}

void NAME(pool_global_average_)(T* out, const T* x, i32 m, i32 n) {
    for (i32 i = 0; i < m; i++, x += n) {
        f64 a = 0, b = 0, c = 0, d = 0;
        i32 j = 0;
        for (; j + 4 <= n; j += 4) {
            a += x[j];
            b += x[j + 1];
            c += x[j + 2];
            d += x[j + 3];
        }
        for (; j < n; j++) a += x[j];
        out[i] = (T)(((a + b) + (c + d)) / n);
    }
}

#undef TAKE_MAX
#undef TAKE_MAX_LANES
#undef TAKE_SUM
#undef TAKE_SUM_LANES
#undef POOL_ROW
#undef POOL_PLANES
#undef AS_IT_IS
#undef DIVIDE
