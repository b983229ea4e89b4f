/* The cells of a chunk of rows: each value brought to its column's type, or refused.

   Python looks at a chunk of rows a column after the other, or in JSON first at all numbers, so what
   is wrong with a row is kept until the chunk is read, and said in that order. */
#include "command.h"

/* The first cell of a column that is refused, for each reason. */
enum { LOST, UNSEEN, LARGE, REFUSED, UNHELD, REASONS };

typedef struct {
    i32 row;
    u32 type;
    f64 number;
    bytes text;
} fault;

static fault* faults;

void cells_begin(void) {
    const tables* t = all();
    u64 texts = (u64)CHUNK_ROWS * t->n_texts;
    the_chunk.numbers = command_keep((u64)CHUNK_ROWS * t->n_numbers * t->item);
    the_chunk.texts = (bytes*)command_keep(texts * sizeof(bytes));
    the_chunk.kinds = command_keep(texts);
    the_chunk.row = (value*)command_keep((u64)t->n_columns * sizeof(value));
    faults = (fault*)command_keep((u64)t->n_columns * REASONS * sizeof(fault));
}

void cells_clear(void) {
    command_forget();
    the_chunk.rows = 0;
    for (u32 i = 0; i < all()->n_columns * REASONS; i++) faults[i].row = -1;
}

static fault* fault_of(u32 c, u32 reason) { return faults + c * REASONS + reason; }

static void note(u32 c, u32 reason, const value* v, f64 number) {
    fault* f = fault_of(c, reason);
    if (f->row >= 0) return;
    *f = (fault){the_chunk.rows, v->type, number, v->text};
    the_chunk.noted = 1;
}

/* The nearest float16, ties to even. */
static f64 half(f64 x) {
    f64 a = __builtin_fabs(x);
    if (!(a < 65520)) return a != a ? x : x < 0 ? -__builtin_inf() : __builtin_inf();
    u64 pattern;
    __builtin_memcpy(&pattern, &a, 8);
    i32 exponent = (i32)(pattern >> 52) - 1023;
    if (exponent < -14) exponent = -14;
    u64 unit = (u64)(exponent - 10 + 1023) << 52;
    f64 step;
    __builtin_memcpy(&step, &unit, 8);
    return __builtin_copysign(__builtin_rint(a / step) * step, x);
}

static f64 number_of(u32 c, const value* v, i32 csv) {
    const column* of = columns() + c;
    f64 x = v->number;
    if (v->type == UNREAD) note(c, UNSEEN, v, 0);
    else if (v->type == ABSENT) note(c, LOST, v, 0);
    else if (v->type == BEYOND || v->type >= TEXT) note(c, REFUSED, v, x);
    if (v->type == MISSING) x = __builtin_nan("");
    else if (v->type != NUMBER && v->type != INTEGER && v->type != BOOLEAN) return 0;
    else if (x != x && !of->takes_nan) note(c, REFUSED, v, x);
    if (csv && of->kind == KIND_SINGLE) {
        f64 narrow = of->held == HELD_FLOAT16 ? half(x) : (f64)(f32)x;
        if (__builtin_fabs(narrow) == __builtin_inf() && narrow != x) note(c, LARGE, v, x);
        x = narrow;
    }
    if (of->held == HELD_FLOAT32 || of->held == HELD_FLOAT16) {
        f64 narrow = of->held == HELD_FLOAT32 ? (f64)(f32)x : half(x);
        i32 changed = narrow != x && narrow == narrow;
        if (changed && (csv || __builtin_fabs(narrow) == __builtin_inf())) note(c, UNHELD, v, x);
        return narrow;
    }
    if (of->held == HELD_WHOLE) {
        if (!(x >= of->low && x <= of->high && x == __builtin_rint(x))) note(c, UNHELD, v, x);
        return x + 0.0; /* an integer has no -0 */
    }
    return x;
}

void cells_row(i32 csv, u8* start) {
    const tables* t = all();
    i32 row = the_chunk.rows;
    the_chunk.noted = row == 0; /* a message may name the columns of the first row */
    for (u32 c = 0; c < t->n_columns; c++) {
        const column* of = columns() + c;
        const value* v = the_chunk.row + c;
        if (of->kind == KIND_TEXT) {
            u32 at = (u32)row * t->n_texts + of->place;
            the_chunk.kinds[at] = v->type == TEXT ? 1 : (u8)of->missing;
            the_chunk.texts[at] = v->type == TEXT ? v->text : (bytes){0, 0};
            if (v->type == ABSENT) note(c, LOST, v, 0);
            else if (v->type != TEXT && v->type != MISSING) note(c, REFUSED, v, v->number);
            continue;
        }
        f64 x = number_of(c, v, csv);
        u32 at = (u32)row * t->n_numbers + of->place;
        if (t->item == 4) ((f32*)the_chunk.numbers)[at] = (f32)x;
        else ((f64*)the_chunk.numbers)[at] = x;
    }
    the_chunk.rows++;
    /* Of its text only what a column of text holds, or a message will show, is wanted later. */
    if (!t->n_texts && !the_chunk.noted) command_cut(start);
}

f64 cells_number(i32 row, u32 place) {
    u32 at = (u32)row * all()->n_numbers + place;
    return all()->item == 4 ? (f64)((f32*)the_chunk.numbers)[at] : ((f64*)the_chunk.numbers)[at];
}

void say_row(i32 row) {
    say("row ");
    say_whole(the_chunk.first + (u32)row);
}

void say_cell(i32 row, i32 c) {
    say_row(row);
    if (c < 0) return;
    say(", column ");
    say_bytes(text_of(columns()[c].quoted));
}

_Noreturn static void stop_cell(const char* code, const fault* f, u32 c) {
    stop_at(code, (i64)(the_chunk.first + (u32)f->row), (i32)c);
}

i32 cells_lost(u32 c) { return fault_of(c, LOST)->row == 0; }

static void check_lost(u32 c) {
    const fault* f = fault_of(c, LOST);
    if (f->row < 0) return;
    say_row(f->row);
    say(" lacks ");
    say_bytes(text_of(columns()[c].quoted));
    stop_cell("columns", f, c);
}

/* A whole number of any length, as refusals show it. */
static void say_integer(bytes digits) {
    i32 negative = *digits.at == '-';
    bytes rest = {digits.at + negative, digits.length - (u32)negative};
    if (rest.length > 4300) {
        say("an integer of ");
        say_whole(command_bits(rest));
        return say(" bits");
    }
    i32 cut = digits.length > 60;
    say_bytes((bytes){digits.at, cut ? 56 : digits.length});
    if (cut) say("...");
}

_Noreturn static void stop_value(const fault* f, u32 c, i32 as_float) {
    const column* of = columns() + c;
    say_cell(f->row, (i32)c);
    say(" holds ");
    if (f->type == LIST) say("a list");
    else if (f->type == DICT) say("a dict");
    else if (f->type == TEXT) say_repr(f->text, 61, 60);
    else if (as_float || f->type == NUMBER || f->type == MISSING) say_shown(f->number);
    else if (f->type == BOOLEAN) say(f->number ? "True" : "False");
    else say_integer(f->text);
    say(", which is no ");
    if (of->kind == KIND_TEXT) say("text");
    else say_bytes(text_of(of->type));
    stop_cell("dtype", f, c);
}

static void check_refused(u32 c) {
    const fault* f = fault_of(c, REFUSED);
    if (f->row >= 0) stop_value(f, c, 0);
}

static void check_unheld(u32 c) {
    const fault* f = fault_of(c, UNHELD);
    if (f->row >= 0) stop_value(f, c, 1);
}

/* A field as CSV's messages show it: 40 letters of it, and an ellipsis. */
static void say_field(bytes field) {
    u32 letters = 0, end = 0;
    for (; end < field.length; end++)
        if ((field.at[end] & 0xC0) != 0x80 && letters++ == 40) break;
    if (end == field.length) return say_repr(field, 0, 0);
    u8* copy = command_end();
    command_add_all((bytes){field.at, end});
    command_add_all((bytes){(const u8*)"\xE2\x80\xA6", 3});
    say_repr((bytes){copy, end + 3}, 0, 0);
}

static void check_text(u32 c) {
    const fault *unseen = fault_of(c, UNSEEN), *large = fault_of(c, LARGE);
    if (unseen->row < 0 && large->row < 0) return;
    const fault* f = unseen->row < 0 ? large : unseen;
    say_row(f->row);
    say(", column ");
    say_bytes(text_of(columns()[c].plain));
    say(" holds ");
    if (f == large) {
        say_float(f->number);
        say(", which is too large for ");
        say(columns()[c].held == HELD_FLOAT16 ? "float16" : "float32");
        say(", the type of the column");
        stop_cell("dtype", f, c);
    }
    say_field(f->text);
    u32 kind = columns()[c].kind;
    say(", which is not ");
    say(kind == KIND_INTEGER ? "an integer" : kind == KIND_BOOLEAN ? "true or false" : "a number");
    stop_cell("dtype", f, c);
}

static void check_groups(void) {
    for (u32 g = 1; g <= all()->n_groups; g++) {
        i32 first = -1;
        for (u32 c = 0; c < all()->n_columns; c++) {
            const fault* f = fault_of(c, UNHELD);
            if (columns()[c].group != g || f->row < 0) continue;
            if (first < 0 || f->row < fault_of((u32)first, UNHELD)->row) first = (i32)c;
        }
        if (first >= 0) check_unheld((u32)first);
    }
}

static void check_csv(void) {
    u32 n = all()->n_columns;
    for (u32 c = 0; c < n; c++) check_text(c);
    for (u32 c = 0; c < n && !all()->by_group; c++) {
        check_refused(c);
        check_unheld(c);
    }
    check_groups();
}

static void check_json(void) {
    u32 n = all()->n_columns;
    i32 first = -1;
    for (u32 c = 0; c < n; c++)
        if (columns()[c].kind != KIND_TEXT) check_lost(c);
    for (u32 c = 0; c < n; c++) {
        const fault* f = fault_of(c, REFUSED);
        if (columns()[c].kind == KIND_TEXT || f->row < 0) continue;
        if (first < 0 || f->row < fault_of((u32)first, REFUSED)->row) first = (i32)c;
    }
    if (first >= 0) check_refused((u32)first);
    check_groups();
    for (u32 c = 0; c < n; c++) {
        if (columns()[c].kind != KIND_TEXT) continue;
        check_lost(c);
        check_refused(c);
    }
}

void cells_check(i32 csv) {
    if (csv) check_csv();
    else check_json();
}
