/* Names that are nearly alike, as Python's difflib finds them. */
#include "command.h"

/* Longer names are not compared: of them difflib leaves out letters that are frequent. */
#define LONGEST_NAME 199

typedef struct {
    u32 n;
    u32 letter[LONGEST_NAME];
} name_letters;

typedef struct {
    u32 a, a_end, b, b_end;
} part;

static name_letters wanted, given;

/* The letters of a name, those of ASCII in lower case; whether it is short enough. */
static i32 spell(bytes text, name_letters* out) {
    out->n = 0;
    for (u32 i = 0, length; i < text.length; i += length) {
        u32 c = command_letter(text.at + i, &length);
        if (out->n == LONGEST_NAME) return 0;
        out->letter[out->n++] = c >= 'A' && c <= 'Z' ? c | 32 : c;
    }
    return 1;
}

/* The longest run that two parts share: of several the first. */
static u32 longest(part in, u32* at_a, u32* at_b) {
    static u32 runs[2][LONGEST_NAME + 1]; /* that end at a letter of b, and at the last one of a */
    u32 best = 0;
    for (u32 j = in.b; j <= in.b_end; j++) runs[0][j] = runs[1][j] = 0;
    for (u32 i = in.a; i < in.a_end; i++) {
        u32 *before = runs[i & 1], *now = runs[!(i & 1)];
        for (u32 j = in.b; j < in.b_end; j++) {
            now[j + 1] = given.letter[i] == wanted.letter[j] ? before[j] + 1 : 0;
            if (now[j + 1] <= best) continue;
            best = now[j + 1];
            *at_a = i + 1 - best;
            *at_b = j + 1 - best;
        }
        before[in.b] = now[in.b] = 0;
    }
    return best;
}

static f64 likeness(void) {
    static part waiting[LONGEST_NAME * 2 + 1];
    u32 n = 1, shared = 0, total = given.n + wanted.n;
    waiting[0] = (part){0, given.n, 0, wanted.n};
    while (n) {
        part in = waiting[--n];
        u32 a, b, size = longest(in, &a, &b);
        if (!size) continue;
        shared += size;
        if (in.a < a && in.b < b) waiting[n++] = (part){in.a, a, in.b, b};
        if (a + size < in.a_end && b + size < in.b_end)
            waiting[n++] = (part){a + size, in.a_end, b + size, in.b_end};
    }
    return total ? 2.0 * shared / total : 1;
}

static i32 is_column(bytes name) {
    for (u32 c = 0; c < all()->n_columns; c++)
        if (same(text_of(columns()[c].name), name)) return 1;
    return 0;
}

/* Whether one spelling comes after another one. */
static i32 is_after(const name_letters* x, const name_letters* y) {
    for (u32 i = 0; i < x->n && i < y->n; i++)
        if (x->letter[i] != y->letter[i]) return x->letter[i] > y->letter[i];
    return x->n > y->n;
}

void say_like(bytes name, const bytes* names, u32 n) {
    static name_letters nearest;
    bytes best = {0, 0};
    f64 most = 0;
    if (!spell(name, &wanted)) return;
    for (u32 k = 0; k < n; k++) {
        if (!spell(names[k], &given) || is_column(names[k])) continue;
        f64 found = likeness();
        if (found < 0.6 || found < most) continue;
        /* Of two names that differ in case alone the first. */
        if (found == most && !is_after(&given, &nearest)) continue;
        most = found;
        best = names[k];
        nearest = given;
    }
    if (!best.at) return;
    say(" (did you mean ");
    say_repr(best, 0, 0);
    say("?)");
}
