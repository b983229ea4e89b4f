/* The program around its nodes: the check of a call, the loop over tiles of rows, results on their
   way out. Sizes are constants where generated code calls, so LLVM specialises all of it. */
#include "abi.h"

/* Generated: the nodes of a method, in order, on the tile of `m` rows that begins at `row`. `numeric`
   is the tile's first row, `out` the first row of the whole block. Returns 0 or an error code. */
i32 program_tile(i32 method, i32 m, i32 row, const u8* numeric, const u32* texts, u8* out);

/* One call of a method; a refused tile ends it. */
i32 program_run(i32 rows, const u8* numeric, const u32* texts, u8* out, i32 method, i32 out_bytes,
                i32 row_bytes, i32 text_columns, i32 tile) {
    i32 code = abi_check(rows, (u32)numeric, (u32)row_bytes, (u32)out, (u32)out_bytes);
    if (code == OK && text_columns) code = abi_check_text(rows, (u32)texts, text_columns);
    /* Unsigned: the last step may pass the largest i32. */
    for (u32 row = 0; code == OK && row < (u32)rows; row += (u32)tile) {
        u32 rest = (u32)rows - row;
        i32 m = rest < (u32)tile ? (i32)rest : tile;
        code = program_tile(method, m, (i32)row, numeric + row * (u32)row_bytes, texts, out);
    }
    return code;
}

/* A tile's results to their place in the host's block, `bytes` a row. */
void program_store(u8* out, const u8* x, i32 m, i32 row, i32 bytes) {
    __builtin_memcpy(out + (u32)row * (u32)bytes, x, (u32)m * (u32)bytes);
}

/* Floats, `w` a row: every NaN as the one quiet NaN. Engines, and tiers of one engine, differ in a
   NaN's sign and payload, and a model's own NaN has another one again. */
#define STORE(S, T, V, BITS, QUIET)                                                    \
    typedef T V __attribute__((vector_size(16), aligned(sizeof(T))));                  \
    typedef BITS V##_bits __attribute__((vector_size(16)));                            \
    void program_store_##S(u8* to, const T* x, i32 m, i32 row, i32 w) {                \
        T* out = (T*)to + (u32)row * (u32)w;                                           \
        const V##_bits quiet = (V##_bits){0} + QUIET;                                  \
        i32 lanes = (i32)(16 / sizeof(T)), n = m * w, k = 0;                           \
        for (; k + lanes <= n; k += lanes) {                                           \
            V v = *(const V*)(x + k);                                                  \
            V##_bits same = (V##_bits)(v == v);                                        \
            *(V*)(out + k) = (V)(((V##_bits)v & same) | (quiet & ~same));              \
        }                                                                              \
        for (; k < n; k++) out[k] = x[k] == x[k] ? x[k] : __builtin_nan("");           \
    }
STORE(f64, f64, f64x2, i64, 0x7FF8000000000000)
STORE(f32, f32, f32x4, i32, 0x7FC00000)
