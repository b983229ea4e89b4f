/* The program around its nodes: the check of a call, the loop over tiles of rows, results on their
   way out. Sizes are constants where generated code calls, so LLVM specialises all of it. */
#include "abi.h"

/* Generated: the nodes of a method, in order, on the tile of `m` rows that begins at `row`. `numbers`
   is the tile's first row of the table. Returns 0 or an error code. */
i32 program_tile(i32 method, i32 m, i32 row, const u8* numbers);

/* All rows of a checked call, tile by tile; a refused tile ends it. */
static i32 run(i32 rows, const u8* numbers, i32 method, i32 row_bytes, i32 tile) {
    i32 code = OK;
    /* Unsigned: the last step may pass the largest i32. */
    for (u32 row = 0; code == OK && row < (u32)rows; row += (u32)tile) {
        u32 rest = (u32)rows - row;
        i32 m = rest < (u32)tile ? (i32)rest : tile;
        code = program_tile(method, m, (i32)row, numbers + row * (u32)row_bytes);
    }
    return code;
}

i32 program_run(i32 rows, const input_record* inputs, i32 method, i32 row_bytes, i32 tile) {
    return run(rows, row_bytes ? (const u8*)inputs->word[0] : 0, method, row_bytes, tile);
}

/* A whole call of a method that takes the table alone and gives one plain result. */
i32 program_call(i32 rows, const input_record* inputs, const u32* outputs, input_record* own_input,
                 u32* own_output, i32 method, i32 row_bytes, i32 out_bytes, i32 text_columns,
                 i32 tile) {
    i32 bad = rows < 0 || abi_foreign((u32)inputs, 1, 16) || abi_foreign((u32)outputs, 1, 4);
    u32 numbers = 0;
    if (!bad) {
        numbers = inputs->word[0];
        if (text_columns) own_input->word[1] = inputs->word[1];
        *own_output = *outputs;
        bad = abi_foreign(numbers, (u32)rows, (u32)row_bytes) ||
              abi_foreign(*own_output, (u32)rows, (u32)out_bytes);
    }
    if (bad) return fail(BAD_ARGUMENT, -1, -1);
    i32 code = text_columns ? abi_texts(rows, own_input, text_columns) : OK;
    return code ? code : run(rows, (const u8*)numbers, method, row_bytes, tile);
}

/* A tile's results to their place in the host's block, `bytes` a row. */
void program_store(const u32* out, const u8* x, i32 m, i32 row, i32 bytes) {
    __builtin_memcpy((u8*)*out + (u32)row * (u32)bytes, x, (u32)m * (u32)bytes);
}

/* Floats, `w` a row: every NaN as the one quiet NaN. Engines, and tiers of one engine, differ in a
   NaN's sign and payload, and a model's own NaN has another one again. */
#define STORE(S, T, V, BITS, QUIET)                                                    \
    typedef T V __attribute__((vector_size(16), aligned(sizeof(T))));                  \
    typedef BITS V##_bits __attribute__((vector_size(16)));                            \
    void program_store_##S(const u32* to, const T* x, i32 m, i32 row, i32 w) {                \
        T* out = (T*)*to + (u32)row * (u32)w;                                          \
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
