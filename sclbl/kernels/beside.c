/* Inputs beside the table, tile by tile: tensors, values of the call, ragged rows. Offsets and keys
   are checked here and not once for the call, because results may be wanted over the host's blocks. */
#include "abi.h"

/* A tensor's rows. */
void beside_tensor(u8* out, const input_record* input, i32 m, i32 row, i32 row_bytes) {
    const u8* from = (const u8*)input->word[0] + (u32)row * (u32)row_bytes;
    __builtin_memcpy(out, from, (u32)m * (u32)row_bytes);
}

/* A value of the call, or its default, once for each row of the tile. */
#define PARAMETER(S, T)                                                                     \
    i32 beside_parameter_##S(T* out, const input_record* input, i32 m, const T* usual) {    \
        u32 at = input->word[0];                                                            \
        if (at && abi_foreign(at, 1, sizeof(T))) return fail(BAD_ARGUMENT, -1, -1);                \
        T value = at ? *(const T*)at : *usual;                                              \
        for (i32 i = 0; i < m; i++) out[i] = value;                                         \
        return OK;                                                                          \
    }
PARAMETER(f64, f64)
PARAMETER(f32, f32)
PARAMETER(i64, i64)
PARAMETER(u8, u8)

/* The offsets of a tile of ragged rows, whose items have so many bytes of keys and of values. */
static i32 offsets_of(ragged* out, const input_record* input, i32 m, i32 row, u32 keys, u32 values) {
    if (abi_foreign(input->word[0], (u32)(row + m) + 1, 4)) return fail(BAD_ARGUMENT, row, -1);
    const u32* offsets = (const u32*)input->word[0] + row;
    for (i32 i = 0; i < m; i++)
        if (offsets[i + 1] < offsets[i]) return fail(BAD_ARGUMENT, row + i, -1);
    if (abi_foreign(input->word[1], offsets[m], keys) ||
        (input->word[2] && abi_foreign(input->word[2], offsets[m], values)))
        return fail(BAD_ARGUMENT, row, -1);
    out->offsets = offsets;
    out->values = (const void*)input->word[2];
    return OK;
}

/* Sparse rows: keys are numbers of columns, below `columns`. */
i32 beside_sparse(ragged* out, const input_record* input, i32 m, i32 row, i32 item, i32 columns) {
    i32 code = offsets_of(out, input, m, row, 4, (u32)item);
    if (code) return code;
    const u32* keys = (const u32*)input->word[1];
    for (i32 i = 0; i < m; i++)
        for (u32 k = out->offsets[i]; k < out->offsets[i + 1]; k++)
            if (keys[k] >= (u32)columns) return fail(BAD_ARGUMENT, row + i, -1);
    out->keys = keys;
    return OK;
}

/* Lists of numbers: values alone. */
i32 beside_list(ragged* out, const input_record* input, i32 m, i32 row, i32 item) {
    i32 code = offsets_of(out, input, m, row, 0, (u32)item);
    if (code == OK && !out->values && out->offsets[m]) return fail(BAD_ARGUMENT, row, -1);
    out->keys = 0;
    return code;
}

/* Texts, alone or each with a value: the texts' own offsets and bytes become (address, length). The
   tile's items then begin at 0. */
i32 beside_texts(ragged* out, const input_record* input, i32 m, i32 row, i32 item, growing* cells,
                 growing* places) {
    i32 code = offsets_of(out, input, m, row, 4, (u32)item);
    if (code) return code;
    const u32* given = out->offsets;
    u32 first = given[0], count = given[m] - first, bytes = input->word[3];
    /* One more than the texts; `offsets_of` refused 2**32 - 1 of them. */
    if (given[m] && abi_foreign(input->word[1], given[m] + 1, 4)) return fail(BAD_ARGUMENT, row, -1);
    const u32* ends = (const u32*)input->word[1] + first;
    cells->used = places->used = 0;
    code = abi_grow(cells, (u64)count * sizeof(text));
    if (code == OK) code = abi_grow(places, ((u64)(u32)m + 1) * 4);
    if (code) return code;
    text* cell = (text*)cells->address;
    u32* offsets = (u32*)places->address;
    for (i32 i = 0; i <= m; i++) offsets[i] = given[i] - first;
    for (i32 i = 0; i < m; i++)
        for (u32 k = offsets[i]; k < offsets[i + 1]; k++) {
            u32 start = ends[k], end = ends[k + 1];
            if (end < start || end - start > LONGEST || abi_foreign(bytes, end, 1))
                return fail(BAD_ARGUMENT, row + i, -1);
            cell[k].address = bytes + start;
            cell[k].length = end - start;
        }
    out->offsets = offsets;
    out->keys = cell;
    /* Texts alone have no values, whatever the record says. */
    out->values = item && out->values ? (const u8*)out->values + first * (u32)item : 0;
    return OK;
}

/* Begin a ragged result: its offsets, keys and values. */
i32 beside_open(growing* result) {
    i32 code = abi_grow(result, 4);
    if (code) return code;
    *(u32*)result->address = 0;
    result->used = 4;
    return OK;
}

/* The rows of a tile after those before; `key` and `item` are bytes of one. */
static i32 append(growing* result, const ragged* x, i32 m, u32 key, u32 item) {
    u32 count = x->offsets[m] - x->offsets[0];
    i32 code = abi_grow(result, (u64)(u32)m * 4);
    if (code == OK) code = abi_grow(result + 1, (u64)count * key);
    if (code == OK) code = abi_grow(result + 2, (u64)count * item);
    if (code) return code;
    u32* end = (u32*)(result->address + result->used) - 1;
    for (i32 i = 0; i < m; i++) end[i + 1] = end[0] + (x->offsets[i + 1] - x->offsets[0]);
    result->used += (u32)m * 4;
    if (key)
        __builtin_memcpy((u8*)result[1].address + result[1].used,
                         (const u8*)x->keys + x->offsets[0] * key, count * key);
    result[1].used += count * key;
    return OK;
}

/* NaN is stored as program.c does. */
#define APPEND(S, T, QUIET)                                                                  \
    i32 beside_append_##S(growing* result, const ragged* x, i32 m, i32 key) {                \
        i32 code = append(result, x, m, (u32)key, sizeof(T));                                \
        if (code) return code;                                                               \
        T* out = (T*)(result[2].address + result[2].used);                                   \
        const T* from = (const T*)x->values + x->offsets[0];                                 \
        u32 count = x->offsets[m] - x->offsets[0];                                           \
        for (u32 k = 0; k < count; k++) out[k] = !x->values ? (T)1 : QUIET(from[k]);         \
        result[2].used += count * (u32)sizeof(T);                                            \
        return OK;                                                                           \
    }
#define QUIET_NAN(v) ((v) == (v) ? (v) : __builtin_nan(""))
#define AS_IT_IS(v) (v)
APPEND(f64, f64, QUIET_NAN)
APPEND(f32, f32, QUIET_NAN)
APPEND(i64, i64, AS_IT_IS)
APPEND(u8, u8, AS_IT_IS)

/* Tell the host where a ragged result lies. */
void beside_close(const u32* out, const growing* result) {
    u32* record = (u32*)*out;
    record[0] = result[0].address;
    record[1] = result[1].address;
    record[2] = result[2].address;
    record[3] = 0;
}
