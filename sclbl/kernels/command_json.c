/* NDJSON: one row a line, an object or an array. */
#include "command.h"

#define LINE_BYTES 16777216
#define DEEPEST 512
/* Names that a message lists. */
#define LISTED 10

static u8 *at, *end, *start; /* of the line */
/* What is wrong with the rows of the chunk as they lie beside each other. */
static struct {
    i32 lists;  /* whether the first row is an array */
    i32 other;  /* the first row that is not what the first one is */
    u32 other_length;
    i32 nested; /* whether an array holds arrays or objects */
    u32 width;  /* of the first row */
    i32 uneven; /* the first array of another length */
    u32 length;
    u32 lost; /* columns that the first row has not */
} shape;

_Noreturn static void not_json(const char* why) {
    say("line ");
    say_whole(the_chunk.first + (u32)the_chunk.rows + 1);
    say(" is not JSON");
    say(why);
    say(" (byte ");
    say_whole((u64)(at - start));
    say(")");
    stop("request", -1, 0, 0);
}

static void blanks(void) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) at++;
}

static u32 hex4(void) {
    u32 found = 0;
    for (i32 i = 0; i < 4; i++, at++) {
        u8 c = at < end ? *at : 0, low = c | 32;
        if (c >= '0' && c <= '9') found = found * 16 + (c - '0');
        else if (low >= 'a' && low <= 'f') found = found * 16 + (low - 'a' + 10);
        else not_json("");
    }
    return found;
}

static u8* put_letter(u8* to, u32 c) {
    if (c < 0x80) *to++ = (u8)c;
    else {
        i32 more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
        *to++ = (u8)((0xF00u >> (more + 1)) | c >> (6 * more));
        while (more--) *to++ = 0x80 | (c >> (6 * more) & 0x3F);
    }
    return to;
}

static u8* escape(u8* to) {
    static const u8 FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
    u8 c = at < end ? *at++ : 0;
    for (i32 i = 0; i < 8; i++)
        if (c == FROM[i]) {
            *to++ = TO[i];
            return to;
        }
    if (c != 'u') not_json("");
    u32 letter = hex4();
    if (letter >= 0xDC00 && letter <= 0xDFFF) not_json("");
    if (letter >= 0xD800 && letter <= 0xDBFF) {
        if (end - at < 2 || at[0] != '\\' || at[1] != 'u') not_json("");
        at += 2;
        u32 low = hex4();
        if (low < 0xDC00 || low > 0xDFFF) not_json("");
        letter = 0x10000 + ((letter - 0xD800) << 10) + (low - 0xDC00);
    }
    return put_letter(to, letter);
}

/* The bytes of one letter beyond ASCII, if they are UTF-8. */
static u32 letter_bytes(void) {
    u8 b = *at;
    u32 more = b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
    u8 least = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
    u8 most = b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF;
    if (b < 0xC2 || b > 0xF4 || (u32)(end - at) <= more) not_json(", because its text is not UTF-8");
    for (u32 i = 1; i <= more; i++) {
        if (at[i] < least || at[i] > most) not_json(", because its text is not UTF-8");
        least = 0x80;
        most = 0xBF;
    }
    return more + 1;
}

/* A text, taken out of its quotes and escapes where it lies: it becomes no longer. */
static bytes string(void) {
    u8 *begin = ++at, *to = begin;
    for (;;) {
        if (at == end || *at < 32) not_json("");
        if (*at == '"') break;
        if (*at == '\\') {
            at++;
            to = escape(to);
        } else if (*at < 0x80) *to++ = *at++;
        else
            for (u32 n = letter_bytes(); n; n--) *to++ = *at++;
    }
    at++;
    return (bytes){begin, (u32)(to - begin)};
}

static i32 is_digit(u8 c) { return c >= '0' && c <= '9'; }

static void number(value* v, i32 text_wanted) {
    u8* begin = at;
    i32 whole = 1;
    for (; at < end; at++) {
        i32 part = *at == '.' || (*at | 32) == 'e' || *at == '+' || (*at == '-' && at > begin);
        if (!part && !is_digit(*at) && *at != '-') break;
        whole &= !part;
    }
    bytes text = {begin, (u32)(at - begin)};
    v->type = NUMBER;
    v->text = (bytes){0, 0};
    if (whole) {
        u8* digits = begin + (*begin == '-');
        if (digits == at || (*digits == '0' && at - digits > 1) || at - digits > 4300) not_json("");
        u8* mark = command_end();
        command_integer(text, v);
        if (v->type == INTEGER && !text_wanted) command_cut(mark);
        return;
    }
    if (!command_decimal(text, 0, &v->number)) not_json("");
    if (__builtin_fabs(v->number) == __builtin_inf()) not_json("");
}

static void word(value* v) {
    static const char WORDS[] = "null\0false\0true";
    for (u32 k = 0; k < 3; k++) {
        const char* word = in_words(WORDS, k);
        u32 i = 0;
        while (word[i] && at + i < end && at[i] == (u8)word[i]) i++;
        if (word[i]) continue;
        at += i;
        *v = (value){k ? BOOLEAN : MISSING, k == 2, {0, 0}};
        return;
    }
    not_json("");
}

static void skip_nested(i32 depth);

static void any(value* v, i32 text_wanted, i32 depth) {
    blanks();
    u8 c = at < end ? *at : 0;
    if (c == '"') *v = (value){TEXT, 0, string()};
    else if (c == '-' || is_digit(c)) number(v, text_wanted);
    else if (c == '[' || c == '{') {
        *v = (value){c == '[' ? LIST : DICT, 0, {0, 0}};
        skip_nested(depth + 1);
    } else word(v);
    blanks();
}

/* After a member: whether another one follows. */
static i32 another(u8 close) {
    u8 c = at < end ? *at++ : 0;
    if (c == close) return 0;
    if (c != ',') not_json("");
    blanks();
    if (at < end && *at == close) not_json("");
    return 1;
}

static i32 is_empty(u8 close) {
    at++;
    blanks();
    if (at == end || *at != close) return 0;
    at++;
    return 1;
}

static bytes key(void) {
    blanks();
    if (at == end || *at != '"') not_json("");
    bytes found = string();
    blanks();
    if (at == end || *at++ != ':') not_json("");
    return found;
}

static void skip_nested(i32 depth) {
    if (depth > DEEPEST) not_json(", because it is nested too deeply");
    i32 list = *at == '[';
    u8 close = list ? ']' : '}';
    if (is_empty(close)) return;
    static value ignored;
    do {
        if (!list) key();
        any(&ignored, 0, depth);
    } while (another(close));
}

/* Which column a key is, most likely the one after the key before it. */
static i32 column_of(bytes name, u32 from) {
    u32 n = all()->n_columns;
    for (u32 i = 0; i < n; i++) {
        u32 c = from + i < n ? from + i : from + i - n;
        if (same(text_of(columns()[c].name), name)) return (i32)c;
    }
    return -1;
}

static void object(void) {
    for (u32 c = 0; c < all()->n_columns; c++) the_chunk.row[c].type = ABSENT;
    if (is_empty('}')) return;
    u32 next = 0;
    do {
        i32 c = column_of(key(), next);
        value other;
        any(c < 0 ? &other : the_chunk.row + c, c >= 0 && columns()[c].kind == KIND_TEXT, 1);
        if (c >= 0) next = (u32)c + 1 < all()->n_columns ? (u32)c + 1 : 0;
    } while (another('}'));
}

static u32 array(void) {
    u32 n = 0;
    if (is_empty(']')) return 0;
    do {
        value other, *v = n < all()->n_columns ? the_chunk.row + n : &other;
        any(v, v != &other && columns()[n].kind == KIND_TEXT, 1);
        shape.nested |= v->type == LIST || v->type == DICT;
        n++;
    } while (another(']'));
    return n;
}

/* A line that holds one value, which is no row. */
_Noreturn static void scalar(void) {
    value v;
    any(&v, 0, 0);
    if (at < end) not_json("");
    say("line ");
    say_whole(the_chunk.first + (u32)the_chunk.rows + 1);
    say(" holds ");
    static const char NAMES[] = "NoneType\0float\0int\0int\0bool\0str";
    say(in_words(NAMES, v.type - MISSING));
    stop("shape", (i64)(the_chunk.first + (u32)the_chunk.rows), 0, 0);
}

static void row(void) {
    i32 list = *at == '[', first = !the_chunk.rows;
    u32 length = 0;
    if (list) length = array();
    else object();
    blanks();
    if (at < end) not_json("");
    if (first) {
        shape.lists = list;
        shape.width = length;
        for (u32 c = 0; c < all()->n_columns; c++)
            shape.lost += !list && the_chunk.row[c].type == ABSENT;
    }
    if (list != shape.lists && shape.other < 0) {
        shape.other = the_chunk.rows;
        shape.other_length = length;
    }
    if (shape.lists && list && length != shape.width && shape.uneven < 0) {
        shape.uneven = the_chunk.rows;
        shape.length = length;
    }
    cells_row(0, start);
}

static i32 next_byte(void) {
    static bytes block;
    if (!block.length) block = command_read();
    if (!block.length) return -1;
    block.length--;
    return *block.at++;
}

/* Read one line; whether there was one. */
static i32 read_line(void) {
    start = command_end();
    i32 b = next_byte();
    if (b < 0) return 0;
    for (u32 n = 0; b >= 0 && b != '\n'; b = next_byte()) {
        if (n++ == LINE_BYTES) {
            say("line ");
            say_whole(the_chunk.first + (u32)the_chunk.rows + 1);
            say(" has more than 16,777,216 bytes");
            stop("limit", -1, 0, 0);
        }
        command_add((u8)b);
    }
    at = start;
    end = command_end();
    return 1;
}

static i32 is_blank_line(void) {
    for (u8* p = at; p < end; p++)
        if (*p != ' ' && (*p < 9 || *p > 13)) return 0;
    return 1;
}

void json_rows(void) {
    shape.other = shape.uneven = -1;
    shape.nested = 0;
    shape.lost = 0;
    while (the_chunk.rows < CHUNK_ROWS && read_line()) {
        if (is_blank_line()) {
            command_cut(start);
            continue;
        }
        blanks();
        if (at == end || (*at != '{' && *at != '[')) scalar();
        row();
    }
}

_Noreturn static void refuse_columns(void) {
    say("the rows lack ");
    i32 first = -1;
    u32 said = 0;
    for (u32 c = 0; c < all()->n_columns && said < LISTED; c++) {
        if (!cells_lost(c)) continue;
        if (said++) say(", ");
        else first = (i32)c;
        say_bytes(text_of(columns()[c].quoted));
    }
    if (shape.lost > LISTED) {
        say(" and ");
        say_whole(shape.lost - LISTED);
        say(" more");
    }
    stop_at("columns", -1, first);
}

/* Rows of more than one form: which row differs from the first, and how. */
_Noreturn static void refuse_form(i32 row, i32 list, u32 length) {
    say_row(row);
    say(" is ");
    if (list) say("a list of "), say_whole(length);
    else say("a dict");
    say(" and row 0 is ");
    if (shape.lists) say("a list of "), say_whole(shape.width);
    else say("a dict");
    stop("shape", (i64)(the_chunk.first + (u32)row), 0, 0);
}

void json_check(void) {
    if (!the_chunk.rows) return;
    if (!shape.lists) {
        if (shape.other >= 0) refuse_form(shape.other, 1, shape.other_length);
        if (shape.lost) refuse_columns();
        return;
    }
    if (shape.other >= 0 && (shape.uneven < 0 || shape.other < shape.uneven)) refuse_form(shape.other, 0, 0);
    if (shape.uneven >= 0) refuse_form(shape.uneven, 1, shape.length);
    if (shape.nested) {
        say("the input is nested more than two deep (3 dimensions)");
        stop("shape", -1, 0, 0);
    }
    if (shape.width != all()->n_columns) {
        say("the rows have ");
        say_whole(shape.width);
        say(" columns and the model takes ");
        say_whole(all()->n_columns);
        stop("columns", -1, 0, 0);
    }
}
