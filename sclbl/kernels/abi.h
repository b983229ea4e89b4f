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

enum { OK = 0, REFUSED_MISSING = 1, REFUSED_INFINITE = 2, REFUSED_UNKNOWN = 3, BAD_ARGUMENT = 4 };

extern error_record sclbl_error;

static inline i32 fail(i32 code, i32 row, i32 column) {
    sclbl_error.code = code;
    sclbl_error.row = row;
    sclbl_error.column = column;
    return code;
}

/* In abi.c: BAD_ARGUMENT for a block that is not the host's own memory. */
i32 abi_check(i32 rows, u32 numeric, u32 row_bytes, u32 out, u32 out_bytes);
i32 abi_check_text(i32 rows, u32 texts, i32 text_columns);

#endif
