/* Decimal numbers, read and written exactly, with integers as long as they need. */
#include "command.h"

/* 800 digits, times a power of ten that brings the least number to an integer. */
#define WORDS 176
/* The digits that can decide how a float64 is rounded; what follows is zero or not. */
#define DIGITS 780

typedef struct {
    i32 n; /* words, of which the last is not 0 */
    u32 word[WORDS];
} big;

static big A, B, C, D;

static void set(big* x, u64 value) {
    x->n = 0;
    for (; value; value >>= 32) x->word[x->n++] = (u32)value;
}

/* x * by + more */
static void times(big* x, u32 by, u32 more) {
    u64 carry = more;
    for (i32 i = 0; i < x->n; i++) {
        carry += (u64)x->word[i] * by;
        x->word[i] = (u32)carry;
        carry >>= 32;
    }
    if (carry) x->word[x->n++] = (u32)carry;
}

static void times_ten(big* x, i32 power) {
    for (; power >= 9; power -= 9) times(x, 1000000000u, 0);
    for (; power > 0; power--) times(x, 10, 0);
}

static void shift(big* x, i32 bits) {
    i32 words = bits >> 5, rest = bits & 31;
    if (!x->n || bits == 0) return;
    u32 above = 0;
    if (rest) above = x->word[x->n - 1] >> (32 - rest);
    for (i32 i = x->n - 1; i >= 0; i--) {
        u32 low = rest && i ? x->word[i - 1] >> (32 - rest) : 0;
        x->word[i + words] = x->word[i] << rest | low;
    }
    for (i32 i = 0; i < words; i++) x->word[i] = 0;
    x->n += words;
    if (above) x->word[x->n++] = above;
}

static i32 compare(const big* x, const big* y) {
    if (x->n != y->n) return x->n < y->n ? -1 : 1;
    for (i32 i = x->n - 1; i >= 0; i--)
        if (x->word[i] != y->word[i]) return x->word[i] < y->word[i] ? -1 : 1;
    return 0;
}

/* x - y, which is not below 0 */
static void minus(big* x, const big* y) {
    i64 borrow = 0;
    for (i32 i = 0; i < x->n; i++) {
        i64 left = (i64)x->word[i] - (i < y->n ? y->word[i] : 0) + borrow;
        x->word[i] = (u32)left;
        borrow = left >> 32;
    }
    while (x->n && !x->word[x->n - 1]) x->n--;
}

static void plus(big* x, const big* y) {
    u64 carry = 0;
    for (i32 i = 0; i < x->n || i < y->n || carry; i++) {
        if (i == x->n) x->word[x->n++] = 0;
        carry += (u64)x->word[i] + (i < y->n ? y->word[i] : 0);
        x->word[i] = (u32)carry;
        carry >>= 32;
    }
}

static i32 bits(const big* x) {
    return x->n ? x->n * 32 - __builtin_clz(x->word[x->n - 1]) : 0;
}

static f64 of_bits(u64 pattern) {
    f64 x;
    __builtin_memcpy(&x, &pattern, 8);
    return x;
}

/* A / B as the nearest float64, ties to even. */
static f64 ratio(void) {
    i32 power = bits(&A) - bits(&B);
    if (power >= 0) shift(&B, power);
    else shift(&A, -power);
    if (compare(&A, &B) < 0) {
        shift(&A, 1);
        power--;
    }
    /* A / B is in [1, 2): the number is this times 2 ** power. Below the normal numbers there are
       fewer bits. */
    if (power > 1023) return __builtin_inf();
    i32 wanted = power >= -1022 ? 53 : 53 + power + 1022;
    if (wanted < 0) return 0;
    u64 found = 0;
    for (i32 i = 0; i < wanted; i++) {
        found <<= 1;
        if (compare(&A, &B) >= 0) {
            found |= 1;
            minus(&A, &B);
        }
        shift(&A, 1);
    }
    i32 rest = compare(&A, &B);
    if (rest > 0 || (rest == 0 && found & 1)) found++;
    /* The hidden bit, or the carry into it, counts one for the exponent. */
    u64 exponent = power >= -1022 ? (u64)(power + 1022) : 0;
    return of_bits((exponent << 52) + found);
}

static const f64 TENS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                           1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static i32 is_digit(u8 c) { return c >= '0' && c <= '9'; }

static i32 is_word(bytes text, const char* word) {
    u32 i = 0;
    for (; word[i]; i++)
        if (i >= text.length || (text.at[i] | 32) != (u8)word[i]) return 0;
    return i == text.length;
}

/* `words`: Python's float(), which knows more spellings than JSON. */
i32 command_decimal(bytes text, i32 words, f64* out) {
    const u8 *at = text.at, *end = at + text.length;
    i32 negative = 0;
    if (at < end && (*at == '-' || (words && *at == '+'))) negative = *at++ == '-';
    bytes rest = {at, (u32)(end - at)};
    if (words && (is_word(rest, "inf") || is_word(rest, "infinity"))) {
        *out = negative ? -__builtin_inf() : __builtin_inf();
        return 1;
    }
    if (words && is_word(rest, "nan")) {
        *out = __builtin_nan("");
        return 1;
    }
    u64 small = 0;
    u32 part = 0, part_size = 0, count = 0, before = 0, after = 0;
    i64 exponent = 0;
    i32 more = 0, point = 0;
    const u8* start = at;
    set(&A, 0);
    static const u32 PARTS[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    for (; at < end && (is_digit(*at) || (*at == '.' && !point)); at++) {
        if (*at == '.') {
            point = 1;
            continue;
        }
        if (point) after++;
        else before++;
        u32 digit = *at - '0';
        if (!count && !digit) {
            exponent -= point;
            continue;
        }
        if (count >= DIGITS) {
            more |= digit != 0;
            exponent += !point;
            continue;
        }
        count++;
        exponent -= point;
        if (count <= 19) small = small * 10 + digit;
        part = part * 10 + digit;
        if (++part_size == 9) {
            times(&A, PARTS[9], part);
            part = part_size = 0;
        }
    }
    if (!before && !(words && after)) return 0;
    if (!words && (point && !after)) return 0;
    if (!words && before > 1 && *start == '0') return 0;
    if (at < end && (*at | 32) == 'e') {
        at++;
        i32 down = 0;
        i64 said = 0;
        if (at < end && (*at == '-' || *at == '+')) down = *at++ == '-';
        if (at == end) return 0;
        for (; at < end && is_digit(*at); at++)
            if (said < 1000000000000) said = said * 10 + (*at - '0');
        if (!is_digit(at[-1])) return 0;
        exponent += down ? -said : said;
    }
    if (at != end) return 0;
    f64 found;
    if (!count || (i64)count + exponent < -330) found = 0;
    else if ((i64)count + exponent > 310) found = __builtin_inf();
    else if (count <= 15 && exponent >= -22 && exponent <= 22)
        found = exponent < 0 ? (f64)small / TENS[-exponent] : (f64)small * TENS[exponent];
    else {
        times(&A, PARTS[part_size], part);
        if (more) {
            times(&A, 10, 1);
            exponent--;
        }
        set(&B, 1);
        times_ten(exponent < 0 ? &B : &A, (i32)(exponent < 0 ? -exponent : exponent));
        found = ratio();
    }
    *out = negative ? -found : found;
    return 1;
}

i32 command_integer(bytes text, value* out) {
    const u8 *at = text.at, *end = at + text.length;
    i32 negative = 0;
    if (at < end && (*at == '-' || *at == '+')) negative = *at++ == '-';
    if (at == end) return 0;
    for (const u8* p = at; p < end; p++)
        if (!is_digit(*p)) return 0;
    /* More digits Python does not read. */
    if (end - at > 4300) {
        out->type = UNREAD;
        return 1;
    }
    while (at < end - 1 && *at == '0') at++;
    u64 whole = 0;
    for (const u8* p = at; p < end && p < at + 17; p++) whole = whole * 10 + (*p - '0');
    i32 beyond = end - at > 16 || whole > (u64)EXACT;
    out->type = beyond ? BEYOND : INTEGER;
    out->number = negative && whole ? -(f64)whole : (f64)whole;
    u8* start = command_end();
    if (negative && whole) command_add('-');
    command_add_all((bytes){at, (u32)(end - at)});
    out->text = (bytes){start, (u32)(command_end() - start)};
    return 1;
}

u32 command_bits(bytes digits) {
    /* As many as Python reads: 4,300 digits are 447 words, more than a number above has. */
    static u32 word[450];
    u32 n = 0;
    for (u32 i = 0; i < digits.length; i++) {
        u64 carry = digits.at[i] - '0';
        for (u32 k = 0; k < n; k++) {
            carry += (u64)word[k] * 10;
            word[k] = (u32)carry;
            carry >>= 32;
        }
        if (carry) word[n++] = (u32)carry;
    }
    return n ? n * 32 - (u32)__builtin_clz(word[n - 1]) : 0;
}

/* The free-format algorithm of Steele and White, as Burger and Dybvig put it: A / B is the number,
   C and D the halves of the gaps above and below it, over B. */
i32 command_shortest(f64 x, u8* digits, i32* point) {
    u64 pattern;
    __builtin_memcpy(&pattern, &x, 8);
    u64 fraction = pattern & 0xFFFFFFFFFFFFFull;
    i32 biased = (i32)(pattern >> 52);
    u64 f = biased ? fraction | 1ull << 52 : fraction;
    i32 e = biased ? biased - 1075 : -1074;
    i32 narrow = biased > 1 && !fraction; /* the gap below is half of the one above */
    i32 even = !(f & 1);
    set(&A, f);
    set(&B, 1);
    set(&D, 1);
    shift(&A, 1 + narrow + (e > 0 ? e : 0));
    shift(&B, 1 + narrow + (e < 0 ? -e : 0));
    shift(&D, e > 0 ? e : 0);
    C = D;
    shift(&C, narrow);
    f64 logarithm = (e + 63 - __builtin_clzll(f)) * 0.30102999566398120 - 1e-10;
    i32 k = (i32)__builtin_ceil(logarithm);
    if (k >= 0) times_ten(&B, k);
    else {
        times_ten(&A, -k);
        times_ten(&C, -k);
        times_ten(&D, -k);
    }
    static big sum;
    sum = A;
    plus(&sum, &C);
    i32 above = compare(&sum, &B);
    if (even ? above >= 0 : above > 0) k++;
    else {
        times(&A, 10, 0);
        times(&C, 10, 0);
        times(&D, 10, 0);
    }
    *point = k;
    for (i32 n = 0;;) {
        u8 digit = 0;
        while (compare(&A, &B) >= 0) {
            minus(&A, &B);
            digit++;
        }
        i32 low = compare(&A, &D);
        low = even ? low <= 0 : low < 0;
        sum = A;
        plus(&sum, &C);
        i32 high = compare(&sum, &B);
        high = even ? high >= 0 : high > 0;
        if (low || high) {
            shift(&A, 1);
            i32 half = compare(&A, &B);
            /* Of two that are as near the even digit. */
            if (high && (!low || half > 0 || (half == 0 && digit & 1))) digit++;
            digits[n++] = '0' + digit;
            return n;
        }
        digits[n++] = '0' + digit;
        times(&A, 10, 0);
        times(&C, 10, 0);
        times(&D, 10, 0);
    }
}

u32 command_write_whole(u64 value, i32 negative, u8* out) {
    u8 back[20];
    u32 n = 0, size = 0;
    do back[n++] = '0' + (u8)(value % 10);
    while (value /= 10);
    if (negative) out[size++] = '-';
    while (n) out[size++] = back[--n];
    return size;
}

static u32 copy(u8* out, const char* text) {
    u32 n = 0;
    for (; text[n]; n++) out[n] = (u8)text[n];
    return n;
}

u32 command_write(f64 x, i32 style, u8* out) {
    u32 size = 0;
    if (x != x) return copy(out, "nan");
    if (x < 0 || (x == 0 && 1 / x < 0)) out[size++] = '-';
    x = __builtin_fabs(x);
    if (x == __builtin_inf()) return size + copy(out + size, "inf");
    if (x < EXACT && x == __builtin_floor(x)) {
        size += command_write_whole((u64)x, 0, out + size);
        return size + copy(out + size, ".0");
    }
    u8 digits[20];
    i32 point, n = command_shortest(x, digits, &point);
    if (point > 16 || point <= (style == STYLE_PYTHON ? -4 : -5)) {
        out[size++] = digits[0];
        if (n > 1) out[size++] = '.';
        for (i32 i = 1; i < n; i++) out[size++] = digits[i];
        i32 power = point - 1;
        out[size++] = 'e';
        if (power < 0) out[size++] = '-';
        else if (style == STYLE_PYTHON) out[size++] = '+';
        power = power < 0 ? -power : power;
        if (style == STYLE_PYTHON && power < 10) out[size++] = '0';
        return size + command_write_whole((u64)power, 0, out + size);
    }
    if (point <= 0) {
        out[size++] = '0';
        out[size++] = '.';
        for (i32 i = point; i < 0; i++) out[size++] = '0';
    }
    for (i32 i = 0; i < n; i++) {
        out[size++] = digits[i];
        if (i + 1 == point && i + 1 < n) out[size++] = '.';
    }
    if (point >= n) {
        for (i32 i = n; i < point; i++) out[size++] = '0';
        size += copy(out + size, ".0");
    }
    return size;
}
