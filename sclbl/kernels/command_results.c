/* Predictions: calls of the program, its refusals, and its results as CSV or NDJSON. */
#include "command.h"

/* Bytes of a column's text that the program is given at once, unless one row has more. */
#define TEXT_BYTES (1u << 20)

static const method* chosen;
static i32 which, csv;
static input_record* inputs;
static u32* outputs;
static u8* results;

void results_begin(i32 method, i32 as_csv) {
    which = method;
    csv = as_csv;
    chosen = methods() + method;
    inputs = (input_record*)command_keep((u64)all()->n_inputs * sizeof(input_record));
    __builtin_memset(inputs, 0, all()->n_inputs * sizeof(input_record));
    outputs = (u32*)command_keep(4);
    /* Texts lie in the program's memory until the next call, so they are written after each. */
    u64 rows = chosen->storage == AS_TEXT ? all()->rows_a_call : CHUNK_ROWS;
    results = command_keep(rows * chosen->width * chosen->item);
}

/* ------------------------------------------------------------------------------- refusals */

static void say_value(i32 row, i32 c) {
    const column* of = columns() + c;
    u32 at = (u32)row * all()->n_texts + of->place;
    if (of->kind == KIND_TEXT) {
        u8 kind = the_chunk.kinds[at];
        if (kind == 1) return say_repr(the_chunk.texts[at], 61, 60);
        return say(kind == 0 ? "None" : kind == 2 ? "NaN" : "pandas.NA");
    }
    say_shown(cells_number(row, of->place));
}

/* Whether a cell holds a number of a usual size: itself it was not refused. */
static i32 is_usual(i32 row, i32 c) {
    return c >= 0 && columns()[c].kind != KIND_TEXT &&
           __builtin_fabs(cells_number(row, columns()[c].place)) <= 3.4028234663852886e38;
}

_Noreturn static void refuse(i32 code, i32 first) {
    i32 row = sclbl_error.row + first, c = sclbl_error.column;
    if (c >= (i32)all()->n_columns) c = -1;
    if (code == NO_MEMORY) {
        say("the program has no memory left for these rows");
        stop("limit", -1, 0, 0);
    }
    if (code == BAD_ARGUMENT || code > OUT_OF_REACH) {
        say("the program refused its arguments (code ");
        say_whole((u32)code);
        say(")");
        stop("program", -1, 0, 0);
    }
    say_cell(row, c);
    const char* name = "missing_value";
    if (code <= REFUSED_INFINITE) {
        say(is_usual(row, c) ? ": what the model computes from it is " : " is ");
        say(code == REFUSED_MISSING ? "missing" : "infinite or too large for the model's precision");
    } else if (code == REFUSED_UNKNOWN) {
        say(" holds ");
        if (c >= 0) say_value(row, c), say(", ");
        say("a category that the model was not fitted on");
        name = "unknown_category";
    } else if (code == REFUSED_RANGE) {
        say(" is outside of the range of numbers that the model takes");
        name = "out_of_range";
    } else {
        say(" is too far from the rows that the model was fitted on");
        name = "out_of_reach";
    }
    if (code == REFUSED_INFINITE) name = "infinite_value";
    stop_at(name, (i64)(the_chunk.first + (u32)row), c);
}

/* ---------------------------------------------------------------------------------- calls */

/* How many rows the program is given next: fewer where their texts are long. */
static i32 piece(i32 first) {
    i32 most = the_chunk.rows - first, n_texts = (i32)all()->n_texts;
    if (most > (i32)all()->rows_a_call) most = (i32)all()->rows_a_call;
    for (i32 c = 0; c < n_texts; c++) {
        u64 size = 0;
        for (i32 i = 0; i < most; i++) {
            size += the_chunk.texts[(first + i) * n_texts + c].length;
            if (size > TEXT_BYTES) most = i ? i : 1;
        }
    }
    return most;
}

/* A column of text of some rows, as the program reads it. */
static void gather(u32* record, i32 c, i32 first, i32 rows) {
    i32 n_texts = (i32)all()->n_texts;
    u64 size = 0;
    for (i32 i = 0; i < rows; i++) size += the_chunk.texts[(first + i) * n_texts + c].length;
    u32* offsets = (u32*)command_block((u64)(rows + 1) * 4);
    u8 *kinds = command_block((u64)rows), *text = command_block(size);
    u32 at = 0;
    for (i32 i = 0; i < rows; i++) {
        bytes cell = the_chunk.texts[(first + i) * n_texts + c];
        offsets[i] = at;
        kinds[i] = the_chunk.kinds[(first + i) * n_texts + c];
        __builtin_memcpy(text + at, cell.at, cell.length);
        at += cell.length;
    }
    offsets[rows] = at;
    record[0] = (u32)offsets;
    record[1] = (u32)text;
    record[2] = (u32)kinds;
}

static void call(i32 first, i32 rows, u8* to) {
    i32 n_texts = (i32)all()->n_texts;
    u64 row_bytes = (u64)all()->n_numbers * all()->item;
    inputs->word[0] = row_bytes ? (u32)(the_chunk.numbers + (u32)first * row_bytes) : 0;
    if (n_texts) {
        u32* records = (u32*)command_block((u64)n_texts * 12);
        for (i32 c = 0; c < n_texts; c++) gather(records + c * 3, c, first, rows);
        inputs->word[1] = (u32)records;
    }
    *outputs = (u32)to;
    i32 code = command_call(which, rows, inputs, outputs);
    if (code) refuse(code, first);
    command_release();
}

/* --------------------------------------------------------------------------------- values */

static f64 as_float(u32 at) {
    switch (chosen->storage) {
        case AS_FLOAT64: return ((f64*)results)[at];
        case AS_FLOAT32: return (f64)((f32*)results)[at];
        case AS_INT64: return (f64)((i64*)results)[at];
        case AS_UINT64: return (f64)((u64*)results)[at];
        default: return results[at];
    }
}

/* Whether a value is one of the integers, or booleans, that the model's own type holds. */
static i32 is_cast(u32 at) {
    if (chosen->storage == AS_UINT64 && chosen->high > 0x1p62)
        return chosen->high > 0x1p63 || (i64)((u64*)results)[at] >= 0;
    f64 x = as_float(at);
    if (chosen->cast == CAST_BOOL) return x == 0 || x == 1;
    return x == __builtin_rint(x) && x >= chosen->low && x < chosen->high;
}

static void put(const char* text) {
    u32 n = 0;
    while (text[n]) n++;
    command_put((bytes){(const u8*)text, n});
}

static void put_float(f64 x) {
    u8 text[NUMBER_MOST];
    if (x != x) return csv ? (chosen->width == 1 ? put("\"\"") : (void)0) : put("null");
    if (!csv && __builtin_fabs(x) == __builtin_inf()) return put(x > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    command_put((bytes){text, command_write(x, csv ? STYLE_PYTHON : STYLE_JSON, text)});
}

static void put_whole(u32 at) {
    u8 text[NUMBER_MOST];
    i64 value;
    if (chosen->storage == AS_INT64 || chosen->storage == AS_UINT64) value = ((i64*)results)[at];
    else {
        f64 x = as_float(at);
        value = x < 0x1p63 ? (i64)x : (i64)(u64)x;
    }
    i32 large = chosen->storage != AS_INT64 && chosen->high > 0x1p63; /* no sign, but a 64th bit */
    i32 negative = !large && chosen->storage != AS_UINT64 && value < 0;
    u64 size = negative ? 0 - (u64)value : (u64)value;
    command_put((bytes){text, command_write_whole(size, negative, text)});
}

static void put_text(text t) {
    bytes found = {(const u8*)t.address, is_missing(t) ? 0 : t.length};
    if (is_missing(t) && !csv) return put("null");
    if (!csv) {
        put("\"");
        for (u32 i = 0; i < found.length; i++) {
            u8 part[6];
            command_put((bytes){part, command_escape(found.at[i], part)});
        }
        return put("\"");
    }
    i32 quoted = !found.length && chosen->width == 1;
    for (u32 i = 0; i < found.length; i++) {
        u8 c = found.at[i];
        quoted |= c == ',' || c == '"' || c == '\n' || c == '\r';
    }
    if (!quoted) return command_put(found);
    put("\"");
    for (u32 i = 0; i < found.length; i++) {
        if (found.at[i] == '"') put("\"");
        command_put((bytes){found.at + i, 1});
    }
    put("\"");
}

static void put_value(u32 at, u32 c, i32 cast) {
    if (chosen->storage == AS_TEXT) return put_text(((text*)results)[at]);
    if (chosen->storage == AS_LABEL) {
        const labels* of = (const labels*)in_tables(chosen->labels_at) + c;
        u32 number = ((u32*)results)[at];
        if (number >= of->count) {
            say("the program gave a class number that has no label");
            stop("program", -1, 0, 0);
        }
        const label* found = (const label*)in_tables(of->at) + number;
        return command_put(text_of(csv ? found->csv : found->json));
    }
    i32 boolean = chosen->storage == AS_BOOL && chosen->cast == CAST_NONE;
    if (boolean || (cast && chosen->cast == CAST_BOOL)) {
        f64 x = as_float(at);
        return put(csv ? (x ? "True" : "False") : (x ? "true" : "false"));
    }
    i32 whole = chosen->storage == AS_INT64 || chosen->storage == AS_UINT64;
    if (chosen->cast == CAST_FLOAT64) return put_float(as_float(at));
    if (chosen->cast == CAST_FLOAT32) return put_float((f64)(f32)as_float(at));
    if (whole || (cast && chosen->cast == CAST_WHOLE)) return put_whole(at);
    if (chosen->storage == AS_BOOL) return put(csv ? (results[at] ? "True" : "False") : (results[at] ? "true" : "false"));
    put_float(as_float(at));
}

static void put_rows(i32 rows, i32 cast) {
    u32 width = chosen->width;
    const json_key* keys = in_tables(chosen->keys_at);
    for (u32 row = 0; row < (u32)rows; row++) {
        if (csv || !chosen->n_keys)
            for (u32 c = 0; c < width; c++) {
                if (c) put(",");
                put_value(row * width + c, c, cast);
            }
        else {
            for (u32 k = 0; k < chosen->n_keys; k++) {
                command_put(text_of(keys[k].key));
                put_value(row * width + keys[k].column, keys[k].column, cast);
            }
            put("}");
        }
        put("\n");
    }
}

void results_chunk(void) {
    i32 rows = the_chunk.rows, text = chosen->storage == AS_TEXT;
    if (!rows && !chosen->empty) {
        say("there are no rows to predict (0 rows)");
        stop("shape", -1, 0, 0);
    }
    u32 row_bytes = chosen->width * chosen->item;
    for (i32 first = 0, n; first < rows; first += n) {
        n = piece(first);
        call(first, n, text ? results : results + (u32)first * row_bytes);
    }
    if (csv && !the_chunk.first) command_put(text_of(chosen->header));
    if (!text) {
        i32 cast = chosen->cast >= CAST_WHOLE;
        for (u32 i = 0; cast && i < (u32)rows * chosen->width; i++) cast = is_cast(i);
        return put_rows(rows, cast);
    }
    /* All of them were predicted, so none is refused now. */
    for (i32 first = 0, n; first < rows; first += n) {
        n = piece(first);
        call(first, n, results);
        put_rows(n, 0);
    }
}
