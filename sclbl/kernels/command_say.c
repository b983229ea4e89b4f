/* Messages, as Python words them: what failed, and on what. */
#include "command.h"

static u8 buffer[512];
static u32 size;
static i32 blank = 1; /* whether the last letter was one */

static void flush(void) {
    command_to_stderr((bytes){buffer, size});
    size = 0;
}

/* Every message is one line, without runs of blanks. */
static void letter(u8 c) {
    if (c == ' ' || (c >= 9 && c <= 13)) {
        if (blank) return;
        c = ' ';
    }
    blank = c == ' ';
    if (size == sizeof buffer) flush();
    buffer[size++] = c;
}

void say(const char* text) {
    while (*text) letter((u8)*text++);
}

void say_bytes(bytes text) {
    for (u32 i = 0; i < text.length; i++) letter(text.at[i]);
}

void say_whole(u64 value) {
    u8 digits[20];
    say_bytes((bytes){digits, command_write_whole(value, 0, digits)});
}

void say_float(f64 value) {
    u8 text[NUMBER_MOST];
    say_bytes((bytes){text, command_write(value, STYLE_PYTHON, text)});
}

void say_shown(f64 value) {
    if (value != value) return say("NaN");
    u8 text[NUMBER_MOST];
    u32 n = command_write(value + 0.0, STYLE_PYTHON, text); /* -0 is 0 */
    if (n > 2 && text[n - 1] == '0' && text[n - 2] == '.') n -= 2;
    say_bytes((bytes){text, n});
}

static i32 is_printed(u32 letter) {
    const u8* at = in_tables(all()->unprintable_at);
    u32 passed = 128;
    for (i32 printed = 1;; printed = !printed) {
        u32 run = 0;
        for (i32 shift = 0;; shift += 7) {
            run |= (u32)(*at & 127) << shift;
            if (*at++ < 128) break;
        }
        passed += run;
        if (letter < passed) return printed;
    }
}

static u32 hex(u8* out, const char* mark, u32 value, i32 digits) {
    u32 n = 0;
    out[n++] = '\\';
    out[n++] = (u8)*mark;
    while (digits--) out[n++] = (u8)"0123456789abcdef"[value >> (digits * 4) & 15];
    return n;
}

/* What stands for one letter in quotes; how many letters that is. */
static u32 shown(u32 c, u8 quote, const u8* at, u32 length, u8* out, u32* size) {
    const char *plain = "\\\n\r\t", *marks = "\\nrt";
    if (c == quote) {
        out[0] = '\\';
        out[1] = quote;
        return *size = 2;
    }
    for (i32 i = 0; plain[i]; i++)
        if (c == (u8)plain[i]) {
            out[0] = '\\';
            out[1] = (u8)marks[i];
            return *size = 2;
        }
    if (c < 32 || c == 127 || (c >= 128 && !is_printed(c)))
        return *size = c < 256 ? hex(out, "x", c, 2) : c < 65536 ? hex(out, "u", c, 4) : hex(out, "U", c, 8);
    for (u32 i = 0; i < length; i++) out[i] = at[i];
    *size = length;
    return 1;
}

void say_repr(bytes text, u32 letters, u32 most) {
    u32 end = 0, length;
    i32 single = 0, both = 0;
    for (u32 n = 0; end < text.length && (!letters || n < letters); n++) {
        single |= text.at[end] == '\'';
        both |= text.at[end] == '"';
        command_letter(text.at + end, &length);
        end += length;
    }
    if (end > text.length) end = text.length;
    u8 quote = single && !both ? '"' : '\'', one[10];
    u32 count = 2, written;
    for (u32 i = 0; i < end; i += length)
        count += shown(command_letter(text.at + i, &length), quote, text.at + i, length, one, &written);
    /* Cut as Python cuts a text: by letters, the quote among them. */
    i32 cut = most && count > most;
    u32 left = cut ? most - 4 : count;
    if (left) letter(quote), left--;
    for (u32 i = 0; i < end && left; i += length) {
        u32 c = command_letter(text.at + i, &length);
        u32 n = shown(c, quote, text.at + i, length, one, &written);
        if (n > left) written = left; /* of an escape, which is ASCII, a part */
        say_bytes((bytes){one, written});
        left -= n > left ? left : n;
    }
    if (left) letter(quote);
    if (cut) say("...");
}

void stop(const char* code, i64 row, const u8* json, u32 json_length) {
    say(" (code ");
    say(code);
    if (row >= 0) say(", row "), say_whole((u64)row);
    if (json) say(", column "), say_bytes((bytes){json, json_length});
    say(")");
    if (size == sizeof buffer) flush();
    buffer[size++] = '\n';
    flush();
    command_exit(1);
}

void stop_at(const char* code, i64 row, i32 c) {
    bytes json = {0, 0};
    if (c >= 0) json = text_of(columns()[c].json);
    stop(code, row, json.at, json.length);
}

void stop_usage(void) {
    say("; --help lists what it takes\n");
    flush();
    command_exit(2);
}
