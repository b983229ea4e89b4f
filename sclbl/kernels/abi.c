/* The program's own functions: blocks for the host, the check of its arguments, its text. */
#include "abi.h"

extern u8 heap_base[];
static u32 heap_top;

static u64 memory_bytes(void) { return (u64)__builtin_wasm_memory_size(0) << 16; }

/* Hand out a block aligned to 16 bytes, or 0. */
u32 abi_alloc(i32 bytes) {
    u64 start = heap_top ? heap_top : (u32)heap_base;
    u64 end = start + (((u64)(u32)bytes + 15) & ~(u64)15);
    u64 have = memory_bytes();
    if (end > 0xFFFF0000u) return 0;
    if (end > have) {
        u64 pages = (end - have + 65535) >> 16;
        if (__builtin_wasm_memory_grow(0, (u32)pages) == (u32)-1) return 0;
    }
    heap_top = (u32)end;
    return (u32)start;
}

/* Take back every block. */
void abi_reset(void) { heap_top = 0; }

static i32 outside(u32 address, u64 bytes) { return (u64)address + bytes > memory_bytes(); }

/* A block of the host's lies above the program's own memory and inside the memory there is. */
static i32 foreign(u32 address, u64 bytes) {
    return bytes && (address < (u32)heap_base || outside(address, bytes));
}

/* Refuse arguments that would make the program read or write outside its memory or over itself. */
i32 abi_check(i32 rows, u32 numeric, u32 row_bytes, u32 out, u32 out_bytes) {
    if (rows < 0 || foreign(numeric, (u64)rows * row_bytes) ||
        foreign(out, (u64)rows * out_bytes))
        return fail(BAD_ARGUMENT, -1, -1);
    return OK;
}

i32 abi_check_text(i32 rows, u32 texts, i32 text_columns) {
    if (rows == 0) return OK;
    i32 bad = foreign(texts, (u64)text_columns * 12);
    for (i32 c = 0; c < text_columns && !bad; c++) {
        const u32* record = (const u32*)texts + c * 3;
        bad = foreign(record[0], ((u64)rows + 1) * 4) ||
              (record[2] && foreign(record[2], (u64)rows));
    }
    return bad ? fail(BAD_ARGUMENT, -1, -1) : OK;
}

/* The byte of each cell says whether its text is there, or which missing value stands for it. */
enum { CELL_NONE = 0, CELL_TEXT = 1, CELL_NAN = 2, CELL_NA = 3 };

/* Read one tile of text columns: offsets, bytes and kinds become (address, length). */
i32 abi_text(text* out, const u32* records, i32 m, i32 row, i32 columns, const i32* positions) {
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
