/* Types that every kernel shares. Kernels are freestanding C11: no library, no globals but tables. */
#ifndef SCLBL_ABI_H
#define SCLBL_ABI_H

#include <stdint.h>

typedef int8_t i8;
typedef uint8_t u8;
typedef int16_t i16;
typedef uint16_t u16;
typedef int32_t i32;
typedef uint32_t u32;
typedef int64_t i64;
typedef uint64_t u64;
typedef float f32;
typedef double f64;

/* A text in memory; the length of a missing one is one of the MISSING_*, which no text has. */
typedef struct {
    u32 address;
    u32 length;
} text;

#define MISSING_NONE 0xFFFFFFFFu
#define MISSING_NAN 0xFFFFFFFEu
#define MISSING_NA 0xFFFFFFFDu
#define LONGEST 0xFFFFFFFCu

static inline i32 is_missing(text t) { return t.length > LONGEST; }

/* The error record that a host reads: see docs/abi.md. */
typedef struct {
    i32 code;
    i32 row;
    i32 column;
} error_record;

enum {
    OK = 0,
    REFUSED_MISSING = 1,
    REFUSED_INFINITE = 2,
    REFUSED_UNKNOWN = 3,
    BAD_ARGUMENT = 4,
    NO_MEMORY = 5,
    REFUSED_RANGE = 6,
    OUT_OF_REACH = 7
};

extern error_record sclbl_error;

static inline i32 fail(i32 code, i32 row, i32 column) {
    sclbl_error.code = code;
    sclbl_error.row = row;
    sclbl_error.column = column;
    return code;
}

/* An input of a call as the host describes it; docs/abi.md says what each kind's words are. */
typedef struct {
    u32 word[4];
} input_record;

/* Ragged rows of a tile: the items of row i are those from offsets[i] to offsets[i + 1]. `keys` are
   numbers of columns or texts, or nothing; without `values` every value is 1. */
typedef struct {
    const u32* offsets;
    const void* keys;
    const void* values;
} ragged;

/* A block that grows while a call runs and is gone when the next one begins. Sizes in bytes. */
typedef struct {
    u32 address;
    u32 used;
    u32 capacity;
} growing;

/* In abi.c: the checks of a call. OK or BAD_ARGUMENT. */
i32 abi_take(i32 rows, const input_record* inputs, input_record* own_inputs, i32 n_inputs,
             const u32* outputs, u32* own_outputs, i32 n_outputs);
/* Whether a block is none that the host may give: outside of what `alloc` gave. */
i32 abi_foreign(u32 address, u32 count, u32 item);
i32 abi_block(i32 rows, const u32* address, i32 row_bytes);
i32 abi_texts(i32 rows, const input_record* input, i32 text_columns);

/* In abi.c: make room for `bytes` more; OK or NO_MEMORY. */
i32 abi_grow(growing* block, u64 bytes);

#endif
