/* A program as a WASI command: rows on stdin, predictions on stdout. What its files share.

   The layout of the tables is written by sclbl/wasi/tables.py. */
#ifndef SCLBL_COMMAND_H
#define SCLBL_COMMAND_H

#include "abi.h"

typedef struct {
    const u8* at;
    u32 length;
} bytes;

/* Text in the tables: a place from their beginning, and a length. */
typedef struct {
    u32 at;
    u32 length;
} entry;

enum { KIND_FLOAT, KIND_SINGLE, KIND_INTEGER, KIND_BOOLEAN, KIND_TEXT };
/* The type that numbers of a column are held to. */
enum { HELD_FLOAT64, HELD_FLOAT32, HELD_FLOAT16, HELD_WHOLE };

typedef struct {
    entry name;
    entry quoted; /* as messages show it */
    entry plain;  /* the same without quotes */
    entry json;   /* the same as JSON */
    entry type;   /* what the held type is called */
    entry known;  /* the missing numbers that the column has */
    u32 kind;
    u32 held;
    u32 missing; /* the byte of a missing cell */
    u32 takes_nan;
    u32 place; /* among the numbers, or among the texts */
    u32 group; /* columns that are held to the same type, by the first of them */
    f64 low, high;
} column;

/* What a result is stored as; and what else it may be written as: a float type always, integers and
   booleans where all of a chunk's values are such. */
enum { AS_FLOAT64, AS_FLOAT32, AS_INT64, AS_UINT64, AS_BOOL, AS_TEXT, AS_LABEL };
enum { CAST_NONE, CAST_FLOAT64, CAST_FLOAT32, CAST_WHOLE, CAST_BOOL };

/* A label as it is written. */
typedef struct {
    entry csv;
    entry json;
} label;

typedef struct {
    u32 count;
    u32 at;
} labels;

typedef struct {
    entry key;
    u32 column;
} json_key;

typedef struct {
    entry name;
    entry header;
    u32 width;
    u32 storage;
    u32 item; /* bytes of an element */
    u32 cast;
    u32 empty;    /* whether no rows have a result */
    u32 n_keys;   /* 0: NDJSON has one value a line */
    u32 keys_at;
    u32 labels_at;
    f64 low, high; /* of CAST_WHOLE: what the type holds */
} method;

typedef struct {
    u32 n_columns, columns_at;
    u32 n_methods, methods_at, first_method;
    u32 n_numbers, n_texts, n_groups;
    u32 item; /* bytes of a number of the table */
    u32 named; /* whether columns are found by name */
    u32 by_group; /* whether CSV is checked a type of columns at a time */
    u32 n_inputs;
    u32 rows_a_call;
    u32 zeros_at, n_zeros; /* the zeros among Unicode's decimal digits */
    u32 unprintable_at;    /* lengths of what is printed and what is not, in turn */
    entry help;
    entry methods;
} tables;

extern const u8 command_tables[];
static inline const tables* all(void) { return (const tables*)command_tables; }
static inline const void* in_tables(u32 at) { return command_tables + at; }
static inline bytes text_of(entry e) { return (bytes){command_tables + e.at, e.length}; }
static inline const column* columns(void) { return (const column*)in_tables(all()->columns_at); }
static inline const method* methods(void) { return (const method*)in_tables(all()->methods_at); }

/* Generated: a method of the program. */
i32 command_call(i32 which, i32 rows, const input_record* inputs, const u32* outputs);

/* ------------------------------------------------------------------ memory (command_memory.c) */

u32 abi_alloc(i32 size);
void abi_reset(void);
/* Memory that stays. */
u8* command_keep(u64 size);
/* Memory that grows at its end, until `command_forget`; all of it lies above what stays. */
u8* command_end(void);
void command_add(u8 byte);
void command_add_all(bytes from);
void command_room(u64 size); /* for what the caller writes at the end */
void command_cut(u8* end);   /* the end is here */
void command_forget(void);
/* Blocks above that, until the next `command_release`. */
u8* command_block(u64 size);
void command_release(void);

/* The next bytes of stdin; none at its end. */
bytes command_read(void);
void command_put(bytes text); /* to stdout */
void command_flush(void);

static inline i32 is_blank(u8 c) { return c == ' ' || (c >= 9 && c <= 13); }
/* A text with Unicode's blanks, and its digits if they count, as those of ASCII, at the end of what
   grows; another letter is one that no number has. */
bytes command_ascii(bytes text, i32 digits);
/* The letter at a place of valid UTF-8, and how many bytes it has. */
u32 command_letter(const u8* at, u32* length);

/* One of some words, each ended by 0: a list of addresses would be none that programs can hold. */
static inline const char* in_words(const char* words, u32 k) {
    for (; k; k--)
        while (*words++) {}
    return words;
}

static inline i32 same(bytes a, bytes b) {
    if (a.length != b.length) return 0;
    for (u32 i = 0; i < a.length; i++)
        if (a.at[i] != b.at[i]) return 0;
    return 1;
}

/* What a value of a row is; an integer BEYOND 2**53 is only ever shown. */
enum { ABSENT, MISSING, NUMBER, INTEGER, BEYOND, BOOLEAN, TEXT, LIST, DICT, UNREAD };

/* One value of a row, and how it is written where a message may show it. */
typedef struct {
    u32 type;
    f64 number;
    bytes text;
} value;

/* ---------------------------------------------------------------- numbers (command_decimal.c) */

/* The nearest float64 of a number written in decimal, as Python's float() or JSON takes it. */
i32 command_decimal(bytes text, i32 words, f64* out);
/* An integer, as Python's int() takes it: exactly, or BEYOND with its digits. */
i32 command_integer(bytes text, value* out);
/* Bits of an integer, of its digits. */
u32 command_bits(bytes digits);
/* The shortest digits that are read as `x` (positive, finite), and the place of the point. */
i32 command_shortest(f64 x, u8* digits, i32* point);
enum { STYLE_PYTHON, STYLE_JSON };
#define NUMBER_MOST 32
u32 command_write(f64 x, i32 style, u8* out); /* finite, or Python's inf and nan */
u32 command_write_whole(u64 value, i32 negative, u8* out);

/* ------------------------------------------------------------------ messages (command_say.c) */

void say(const char* text);
void say_bytes(bytes text);
void say_whole(u64 value);
void say_float(f64 value);
void say_shown(f64 value); /* as refusals show it: whole numbers without a point */
/* As Python's repr; of more than `most` letters (0: all) the beginning. */
void say_repr(bytes text, u32 letters, u32 most);
/* In brackets, after a column that is not there: the nearest name that is. */
void say_like(bytes name, const bytes* names, u32 n);
/* The end of a message and of the command. `row` and `column` -1 are none. */
_Noreturn void stop(const char* code, i64 row, const u8* json, u32 json_length);
_Noreturn void stop_at(const char* code, i64 row, i32 column);
_Noreturn void stop_usage(void);
_Noreturn void command_exit(i32 code);
void command_to_stdout(bytes text);
void command_to_stderr(bytes text);
void command_streams(void);

/* ------------------------------------------------------------------- cells (command_cells.c) */

#define CHUNK_ROWS 16384
/* float64 holds every integer up to here. */
#define EXACT 9007199254740992.0

typedef struct {
    u64 first;    /* the number of the first row of the chunk */
    i32 rows;     /* of the chunk */
    u8* numbers;
    bytes* texts; /* a row after the other */
    u8* kinds;    /* the same */
    value* row;   /* the row that is being read, by column */
    i32 noted;    /* whether something in it is refused */
} chunk;

/* Memory that the linker sets aside: files of kernels share no other data. */
extern chunk the_chunk;
_Static_assert(sizeof(chunk) <= 64, "see sclbl/compiler/command.py");
void cells_begin(void); /* once */
void cells_clear(void); /* before each chunk */
void cells_row(i32 csv, u8* start); /* take in the row, whose text begins there */
void cells_check(i32 csv); /* refuse what is wrong with the rows of the chunk, as Python does */
void say_row(i32 row);
void say_cell(i32 row, i32 column);
f64 cells_number(i32 row, u32 place);
i32 cells_lost(u32 column); /* whether the first row has no such column */

/* ------------------------------------------------------------- readers: a chunk of rows or less */

void csv_begin(void);
void csv_rows(void);
void csv_check(void);
void json_rows(void);
void json_check(void);

/* ------------------------------------------------------------- results (command_results.c) */

void results_begin(i32 method, i32 csv);
void results_chunk(void);
/* A text as JSON, at the end of what grows. */
bytes command_json(bytes text);
/* A byte of a text as JSON writes it; how many bytes that is. */
u32 command_escape(u8 c, u8* out);
#endif
