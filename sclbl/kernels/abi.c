/* The program's own functions: blocks for the host, the check of its arguments, its text. */
#include "abi.h"

extern u8 heap_base[];
static u32 heap_top;
/* Where blocks that grow end: above the host's blocks, until it takes another. */
static u32 growth_top;

static u64 memory_bytes(void) { return (u64)__builtin_wasm_memory_size(0) << 16; }

static u32 take(u32 start, u64 bytes, u32* top) {
    u64 end = start + ((bytes + 15) & ~(u64)15);
    u64 have = memory_bytes();
    if (end > 0xFFFF0000u) return 0;
    if (end > have) {
        u64 pages = (end - have + 65535) >> 16;
        if (__builtin_wasm_memory_grow(0, (u32)pages) == (u32)-1) return 0;
    }
    *top = (u32)end;
    return start;
}

/* Hand out a block aligned to 16 bytes, or 0. */
u32 abi_alloc(i32 bytes) {
    return take(heap_top ? heap_top : (u32)heap_base, (u32)bytes, &heap_top);
}

/* Forget the blocks that grew in the call before. */
void abi_begin(growing* blocks, i32 count) {
    growth_top = heap_top ? heap_top : (u32)heap_base;
    for (i32 k = 0; k < count; k++) blocks[k] = (growing){0, 0, 0};
}

i32 abi_grow(growing* block, u64 bytes) {
    u64 wanted = block->used + bytes;
    if (wanted <= block->capacity) return OK;
    u64 capacity = (u64)block->capacity * 2;
    if (capacity < wanted) capacity = wanted;
    if (capacity < 256) capacity = 256;
    capacity = (capacity + 15) & ~(u64)15;
    /* The last block grows where it is. */
    i32 last = block->capacity && block->address + block->capacity == growth_top;
    u32 at = capacity > 0xFFFF0000u ? 0
                                    : take(last ? block->address : growth_top, capacity, &growth_top);
    if (!at) return fail(NO_MEMORY, -1, -1);
    if (!last) __builtin_memcpy((u8*)at, (const u8*)block->address, block->used);
    block->address = at;
    block->capacity = (u32)capacity;
    return OK;
}

/* Take back every block. */
void abi_reset(void) { heap_top = 0; }

/* A block of the host's lies in what `alloc` gave: above it is memory that grows during a call, and
   what is read there would change while it is read. */
static i32 outside(u32 address, u64 bytes) { return (u64)address + bytes > heap_top; }

__attribute__((noinline)) i32 abi_foreign(u32 address, u32 count, u32 item) {
    u64 bytes = (u64)count * item;
    return bytes && (address < (u32)heap_base || outside(address, bytes));
}

/* Refuse arguments that would make the program read or write outside its memory or over itself. The
   host's records are copied: they may lie where results go. */
i32 abi_take(i32 rows, const input_record* inputs, input_record* own_inputs, i32 n_inputs,
             const u32* outputs, u32* own_outputs, i32 n_outputs) {
    if (rows < 0 || abi_foreign((u32)inputs, (u32)n_inputs, 16) ||
        abi_foreign((u32)outputs, (u32)n_outputs, 4))
        return fail(BAD_ARGUMENT, -1, -1);
    for (i32 k = 0; k < n_inputs; k++) own_inputs[k] = inputs[k];
    for (i32 k = 0; k < n_outputs; k++) own_outputs[k] = outputs[k];
    return OK;
}

/* A whole tensor is one row, and a call takes one. */
i32 abi_one_row(i32 rows) { return rows == 1 ? OK : fail(BAD_ARGUMENT, -1, -1); }

/* A block of the host's with so many bytes a row. */
i32 abi_block(i32 rows, const u32* address, i32 row_bytes) {
    return abi_foreign(*address, (u32)rows, (u32)row_bytes) ? fail(BAD_ARGUMENT, -1, -1) : OK;
}

i32 abi_texts(i32 rows, const input_record* input, i32 text_columns) {
    if (rows == 0) return OK;
    u32 texts = input->word[1];
    i32 bad = abi_foreign(texts, (u32)text_columns, 12);
    for (i32 c = 0; c < text_columns && !bad; c++) {
        const u32* record = (const u32*)texts + c * 3;
        /* Unsigned, one more than the largest i32 is a number too. */
        bad = abi_foreign(record[0], (u32)rows + 1, 4) || (record[2] && abi_foreign(record[2], (u32)rows, 1));
    }
    return bad ? fail(BAD_ARGUMENT, -1, -1) : OK;
}

/* The byte of each cell says whether its text is there, or which missing value stands for it. */
enum { CELL_NONE = 0, CELL_TEXT = 1, CELL_NAN = 2, CELL_NA = 3 };

/* Read one tile of text columns: offsets, bytes and kinds become (address, length). */
i32 abi_text(text* out, const input_record* input, i32 m, i32 row, i32 columns,
             const i32* positions) {
    const u32* records = (const u32*)input->word[1];
    for (i32 c = 0; c < columns; c++) {
        /* Once more for each tile: results that the host wants over its records have changed them. */
        if (outside(records[c * 3], ((u64)(u32)(row + m) + 1) * 4) ||
            outside(records[c * 3 + 2], (u32)(row + m)))
            return fail(BAD_ARGUMENT, -1, -1);
        const u32* offsets = (const u32*)records[c * 3] + row;
        u32 bytes = records[c * 3 + 1];
        const u8* kinds = (const u8*)records[c * 3 + 2];
        for (i32 i = 0; i < m; i++) {
            text* cell = out + i * columns + c;
            u8 kind = kinds ? kinds[row + i] : CELL_TEXT;
            if (kind != CELL_TEXT) {
                if (kind > CELL_NA) return fail(BAD_ARGUMENT, row + i, positions[c]);
                cell->address = 0;
                cell->length = kind == CELL_NONE  ? MISSING_NONE
                               : kind == CELL_NAN ? MISSING_NAN
                                                  : MISSING_NA;
                continue;
            }
            u32 start = offsets[i], end = offsets[i + 1];
            if (end < start || end - start > LONGEST || outside(bytes, end))
                return fail(BAD_ARGUMENT, row + i, positions[c]);
            cell->address = bytes + start;
            cell->length = end - start;
        }
    }
    return OK;
}
