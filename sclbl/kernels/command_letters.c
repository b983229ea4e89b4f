/* Letters of Unicode, where Python's numbers, messages and JSON know them. */
#include "command.h"

u32 command_letter(const u8* at, u32* length) {
    u32 c = *at, more = c < 0x80 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    *length = more + 1;
    if (more) c &= 0x3Fu >> more;
    while (more--) c = c << 6 | (*++at & 0x3F);
    return c;
}

static i32 is_space(u32 c) {
    return (c >= 28 && c <= 31) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bytes command_ascii(bytes text, i32 digits) {
    const u32* zeros = in_tables(all()->zeros_at);
    u8* start = command_end();
    for (u32 i = 0, length; i < text.length; i += length) {
        u32 c = command_letter(text.at + i, &length);
        u8 as = is_space(c) ? ' ' : c < 128 ? (u8)c : '?';
        for (u32 k = 0; k < all()->n_zeros && digits && c >= 128; k++)
            if (c - zeros[k] < 10) as = (u8)('0' + (c - zeros[k]));
        command_add(as);
    }
    return (bytes){start, (u32)(command_end() - start)};
}

u32 command_escape(u8 c, u8* out) {
    static const u8 MARKS[] = "\"\\\b\f\n\r\t", NAMES[] = "\"\\bfnrt", HEX[] = "0123456789abcdef";
    out[0] = '\\';
    for (u32 k = 0; k < sizeof MARKS - 1; k++)
        if (c == MARKS[k]) {
            out[1] = NAMES[k];
            return 2;
        }
    out[0] = c;
    if (c >= 32) return 1;
    const u8 code[6] = {'\\', 'u', '0', '0', HEX[c >> 4], HEX[c & 15]};
    __builtin_memcpy(out, code, 6);
    return 6;
}

bytes command_json(bytes text) {
    u8* start = command_end();
    command_add('"');
    for (u32 i = 0; i < text.length; i++) {
        u8 part[6];
        command_add_all((bytes){part, command_escape(text.at[i], part)});
    }
    command_add('"');
    return (bytes){start, (u32)(command_end() - start)};
}
