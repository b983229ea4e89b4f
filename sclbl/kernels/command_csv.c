/* CSV as Python's csv module reads it, strictly: quotes, line ends within them, any line end. */
#include "command.h"

#define FIELD_LETTERS 16777216
#define NOT_WANTED 0xFFFFFFFFu

enum { START, FIELD, QUOTED, QUOTE };

static u32 width;          /* fields of the header */
static u32* column_of;     /* which column each of them is */
static u64 line;           /* how many lines are begun */
static i32 within;         /* whether the last one has not ended */
static i32 held = -2;      /* a byte that was looked at */
static bytes block;        /* what was read and is not looked at */
/* How the text begins that was decoded at once, and how many bytes of it there are. */
static u8 sign[4];
static u32 passed;
/* What a letter still lacks, between which the next byte must be, and what of it is there. */
static u32 lacks, there;
static u8 least, most, part[4];
static struct {
    i32 row;
    u32 fields;
} uneven;

_Noreturn static void not_utf8(void) {
    static const u8 PACKED[] = {'P', 'K', 3, 4}, OLD[] = {0xD0, 0xCF, 0x11, 0xE0}, GZIP[] = {0x1F, 0x8B};
    bytes begins = {sign, passed};
    const char* kind = 0;
    if (same(begins, (bytes){PACKED, 4})) kind = "a spreadsheet, or a zip file";
    if (same(begins, (bytes){OLD, 4})) kind = "a spreadsheet of an old kind";
    if (begins.length > 1 && same((bytes){sign, 2}, (bytes){GZIP, 2})) kind = "a file that gzip compressed";
    if (kind) {
        say("stdin is no CSV but ");
        say(kind);
        stop("request", -1, 0, 0);
    }
    u8 digits[2] = {(u8)"0123456789abcdef"[part[0] >> 4], (u8)"0123456789abcdef"[part[0] & 15]};
    say("stdin is not UTF-8 (byte 0x");
    say_bytes((bytes){digits, 2});
    i32 wide = passed > 1 && ((sign[0] == 0xFF && sign[1] == 0xFE) || (sign[0] == 0xFE && sign[1] == 0xFF));
    say(wide ? "), but probably UTF-16" : "), but probably Windows-1252 or Latin-1");
    stop("request", -1, 0, 0);
}

static void check_utf8(u8 b) {
    if (lacks) {
        if (b < least || b > most) not_utf8();
        part[there++] = b;
        lacks--;
        least = 0x80;
        most = 0xBF;
        return;
    }
    if (b < 0x80) return;
    part[0] = b;
    there = 1;
    if (b < 0xC2 || b > 0xF4) not_utf8();
    lacks = b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
    least = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
    most = b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF;
}

static i32 next_block(void) {
    block = command_read();
    passed = 0;
    for (u32 i = 0; lacks && i < there; i++) sign[passed++] = part[i];
    for (u32 i = 0; i < block.length && passed < 4; i++) sign[passed++] = block.at[i];
    for (u32 i = 0; i < block.length; i++) check_utf8(block.at[i]);
    if (!block.length && lacks) not_utf8();
    return block.length != 0;
}

static i32 next_byte(void) {
    i32 b = held;
    held = -2;
    if (b != -2) return b;
    if (!block.length && !next_block()) return -1;
    block.length--;
    return *block.at++;
}

_Noreturn static void not_csv(const char* why) {
    say("line ");
    say_whole(line);
    say(" is not CSV: ");
    say(why);
    stop("request", -1, 0, 0);
}

/* Ends a name of the header; UTF-8 has no such byte. */
#define END 0xFF
static void take_field(u32 field, bytes text);

/* One record, or the header. Of fields that are wanted (of all, in the header) the text is added to
   what grows. Returns the number of fields, 0 of a blank line, -1 at the end. */
static i64 record(i32 header) {
    static i32 marked; /* whether the text is known to begin with a mark or without one */
    i32 state = START, any = 0;
    u32 field = 0, letters = 0;
    i32 wanted = header || (width && column_of[0] != NOT_WANTED);
    u8* start = command_end();
    for (;;) {
        i32 b = next_byte();
        if (b < 0 && !any) return -1;
        if (b >= 0 && !within) {
            within = 1;
            line++;
        }
        any = 1;
        i32 ends = b < 0 || b == '\n' || b == '\r';
        if (ends && state == QUOTED && b < 0)
            not_csv("it ends within double quotes, which were opened there or before and not closed");
        if (b == '\n' || b == '\r') {
            within = 0;
            if (b == '\r' && (held = next_byte()) == '\n') {
                held = -2;
                if (state == QUOTED) {
                    if (wanted) command_add('\r');
                    letters++;
                    b = '\n';
                }
            }
        }
        if (state == QUOTED && b != '"') {
            if ((b & 0xC0) != 0x80 && letters++ >= FIELD_LETTERS)
                not_csv("field larger than field limit (16777216)");
            if (wanted) command_add((u8)b);
            continue;
        }
        if (state == QUOTED) {
            state = QUOTE;
            continue;
        }
        if (state == START && field == 0 && ends) return 0;
        if (ends || b == ',') {
            if (header) command_add(END);
            else if (wanted) take_field(field, (bytes){start, (u32)(command_end() - start)});
            field++;
            if (ends) return field;
            state = START;
            letters = 0;
            wanted = header || (field < width && column_of[field] != NOT_WANTED);
            start = command_end();
            continue;
        }
        if (state == START && b == '"') {
            state = QUOTED;
            continue;
        }
        if (state == QUOTE && b != '"') not_csv("',' expected after '\"'");
        state = state == QUOTE ? QUOTED : FIELD;
        if ((b & 0xC0) != 0x80 && letters++ >= FIELD_LETTERS)
            not_csv("field larger than field limit (16777216)");
        if (wanted) command_add((u8)b);
        /* A mark of the byte order is no letter of the first name, whose quotes stand behind it. */
        if (header && !field && !marked && state == FIELD && command_end() - start == 3) {
            marked = 1;
            if (start[0] != 0xEF || start[1] != 0xBB || start[2] != 0xBF) continue;
            command_cut(start);
            state = START;
            letters = 0;
        }
    }
}

/* ------------------------------------------------------------------------------- the header */

static bytes* names;

/* Where a name is, or may be, in a table of names that is half empty. */
static u32 place_of(const u32* table, u32 size, bytes name) {
    u32 hash = 2166136261u;
    for (u32 i = 0; i < name.length; i++) hash = (hash ^ name.at[i]) * 16777619u;
    u32 at = hash & (size - 1);
    while (table[at] != NOT_WANTED && !same(names[table[at]], name)) at = (at + 1) & (size - 1);
    return at;
}

/* The header's names, which stand one after the other. */
static void split(u8* at) {
    names = (bytes*)command_block((u64)width * sizeof(bytes));
    for (u32 k = 0; k < width; k++) {
        u8* begin = at;
        while (*at != END) at++;
        names[k] = (bytes){begin, (u32)(at++ - begin)};
    }
}

/* The header in one line, as it was written but for quotes. */
static bytes joined(void) {
    u8* start = command_end();
    for (u32 k = 0; k < width; k++) {
        if (k) command_add(',');
        command_add_all(names[k]);
    }
    return (bytes){start, (u32)(command_end() - start)};
}

/* A header that lacks columns: whether it is separated by something else than commas. */
static void refuse_separator(void) {
    static const char KINDS[] = "semicolons\0tabs\0bars";
    bytes first = names[0];
    i32 spoken = first.length > 3 && (first.at[0] | 32) == 's' && (first.at[1] | 32) == 'e' &&
                 (first.at[2] | 32) == 'p' && first.at[3] == '=';
    if (spoken) {
        say("the first line of the CSV is ");
        say_repr(joined(), 0, 0);
        say(", which only spreadsheets read, and not the names of the columns");
        stop("columns", -1, 0, 0);
    }
    for (u32 k = 0; k < 3 && width == 1; k++)
        for (u32 i = 0; i < first.length; i++)
            if (first.at[i] == (u8)";\t|"[k]) {
                say("the CSV header is one column with ");
                say(in_words(KINDS, k));
                say(" in it (");
                say_repr(first, 80, 0);
                say("), so its fields seem to be separated by ");
                say(in_words(KINDS, k));
                stop("columns", -1, 0, 0);
            }
}

/* Whether a name is one of a header that counts its columns. */
static i32 counts(bytes name, u32 k) {
    u8 digits[10];
    u32 n = 0;
    do digits[n++] = (u8)('0' + k % 10);
    while (k /= 10);
    if (name.length != n) return 0;
    for (u32 i = 0; i < n; i++)
        if (name.at[i] != digits[n - 1 - i]) return 0;
    return 1;
}

/* A header that is a row: all numbers, which do not count the columns. */
static void refuse_row(void) {
    i32 number = 1, zero = 1, one = 1;
    for (u32 k = 0; k < width; k++) {
        f64 ignored;
        u8 last = names[k].length ? names[k].at[names[k].length - 1] : 0;
        number &= (last == '.' || (last >= '0' && last <= '9')) && command_decimal(names[k], 1, &ignored);
        zero &= counts(names[k], k);
        one &= counts(names[k], k + 1);
    }
    if (!number || zero || one) return;
    say("the first line of the CSV is ");
    say_repr(joined(), 80, 0);
    say(", which are numbers and no names of columns");
    stop("columns", -1, 0, 0);
}

static void by_position(void) {
    if (width != all()->n_columns) {
        refuse_separator();
        say("the CSV header has ");
        say_whole(width);
        say(" columns and the model takes ");
        say_whole(all()->n_columns);
        say(", by position");
        stop("columns", -1, 0, 0);
    }
    refuse_row();
    for (u32 k = 0; k < width; k++) column_of[k] = k;
}

static void by_name(void) {
    u32 n = all()->n_columns, size = 16;
    while (size < width * 2) size *= 2;
    u32* table = (u32*)command_block((u64)size * 4);
    for (u32 i = 0; i < size; i++) table[i] = NOT_WANTED;
    for (u32 k = 0; k < width; k++) {
        u32 at = place_of(table, size, names[k]);
        if (table[at] != NOT_WANTED) {
            say("the CSV header has more than one column ");
            say_repr(names[k], 0, 0);
            bytes json = command_json(names[k]);
            stop("columns", -1, json.at, json.length);
        }
        table[at] = k;
        column_of[k] = NOT_WANTED;
    }
    u32 lost = 0;
    for (u32 c = 0; c < n; c++) {
        u32 at = place_of(table, size, text_of(columns()[c].name));
        if (table[at] == NOT_WANTED) lost++;
        else column_of[table[at]] = c;
    }
    if (!lost) return;
    refuse_separator();
    say("the CSV header lacks ");
    i32 first = -1;
    for (u32 c = 0, said = 0; c < n && said < 8; c++) {
        bytes name = text_of(columns()[c].name);
        if (table[place_of(table, size, name)] != NOT_WANTED) continue;
        if (said++) say(", ");
        else first = (i32)c;
        say_bytes(text_of(columns()[c].quoted));
        say_like(name, names, width);
    }
    stop_at("columns", -1, first);
}

void csv_begin(void) {
    u8* start = command_end();
    i64 fields = record(1);
    if (fields <= 0) {
        say("the CSV is empty");
        stop("columns", -1, 0, 0);
    }
    width = (u32)fields;
    split(start);
    column_of = (u32*)command_block((u64)width * 4);
    if (all()->named) by_name();
    else by_position();
    /* It stays where it is, and so do the names below it. */
    u32* where = column_of;
    column_of = (u32*)command_keep((u64)width * 4);
    __builtin_memcpy(column_of, where, (u64)width * 4);
}

/* --------------------------------------------------------------------------------- the rows */

/* What float(), int() and str.strip() see: Unicode's digits as ASCII's, its blanks as blanks; none
   around. In a text of ASCII the separators 28 to 31 are no blanks to numbers. */
static bytes plain(bytes text, i32 number) {
    u32 i = 0;
    while (number && i < text.length && text.at[i] < 0x80) i++;
    if (i < text.length) text = command_ascii(text, number);
    while (text.length && is_blank(*text.at)) text.at++, text.length--;
    while (text.length && is_blank(text.at[text.length - 1])) text.length--;
    return text;
}

static i32 is_boolean(bytes text, f64* out) {
    static const char WORDS[] = "false\0000\0000.0\0true\0001\0001.0";
    for (u32 k = 0; k < 6; k++) {
        const char* word = in_words(WORDS, k);
        u32 i = 0;
        for (; word[i] && i < text.length; i++) {
            u8 c = text.at[i];
            if (c >= 'A' && c <= 'Z') c |= 32;
            if (c != (u8)word[i]) break;
        }
        *out = k >= 3;
        if (!word[i] && i == text.length) return 1;
    }
    return 0;
}

static void take_field(u32 field, bytes text) {
    u32 c = field < width ? column_of[field] : NOT_WANTED;
    if (c == NOT_WANTED) return;
    const column* of = columns() + c;
    value* v = the_chunk.row + c;
    *v = (value){text.length ? TEXT : MISSING, 0, text};
    if (!text.length || of->kind == KIND_TEXT) return;
    u8* end = command_end();
    bytes seen = plain(text, of->kind != KIND_BOOLEAN);
    i32 grouped = 0, read;
    for (u32 i = 0; i < seen.length; i++) grouped |= seen.at[i] == '_';
    v->type = NUMBER;
    if (of->kind == KIND_BOOLEAN) read = is_boolean(seen, &v->number);
    else if (of->kind == KIND_INTEGER && command_integer(seen, v)) {
        if (v->type != BEYOND) command_cut(end);
        return;
    } else read = !grouped && command_decimal(seen, 1, &v->number);
    if (!read) v->type = UNREAD;
    command_cut(end);
}

void csv_rows(void) {
    uneven.row = -1;
    while (the_chunk.rows < CHUNK_ROWS) {
        u8* start = command_end();
        i64 fields = record(0);
        if (fields < 0) return;
        if (!fields && width > 1) continue;
        if (!fields) {
            take_field(0, (bytes){start, 0});
            fields = 1;
        }
        if (fields != width && uneven.row < 0) {
            uneven.row = the_chunk.rows;
            uneven.fields = (u32)fields;
        }
        cells_row(1, start);
    }
}

void csv_check(void) {
    if (uneven.row < 0) return;
    say_row(uneven.row);
    say(" has ");
    say_whole(uneven.fields);
    say(" fields and the header has ");
    say_whole(width);
    stop("columns", (i64)(the_chunk.first + (u32)uneven.row), 0, 0);
}
