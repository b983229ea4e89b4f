/* A scale and a bias for each channel, in one element type; normalize.c says what the arguments are. */

INLINE V NAME(normalize_rectified_)(V v, i32 relu) {
    return relu ? (V)((BITS)v & ~(BITS)(v < 0)) : v;
}

void NAME(normalize_channels_)(T* out, const T* x, const T* scale, const T* bias, i32 m, i32 channels,
                               i32 n, i32 relu) {
    for (i32 i = 0; i < m; i++)
        for (i32 c = 0; c < channels; c++, x += n, out += n) {
            V factor = SPREAD(scale[c]), term = SPREAD(bias[c]);
            i32 j = 0;
            for (; j + LANES <= n; j += LANES)
                *(V*)(out + j) =
                    NAME(normalize_rectified_)(*(const V*)(x + j) * factor + term, relu);
            for (; j < n; j++)
                out[j] = NAME(normalize_rectified_)(SPREAD(x[j]) * factor + term, relu)[0];
        }
}
