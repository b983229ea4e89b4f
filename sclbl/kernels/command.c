/* The command: its arguments, and chunk after chunk of rows. */
#include "command.h"

__attribute__((import_module("wasi_snapshot_preview1"), import_name("args_sizes_get"))) i32
wasi_args_sizes_get(u32* count, u32* size);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("args_get"))) i32
wasi_args_get(u8** to, u8* texts);

static bytes argument(const u8* at) {
    u32 n = 0;
    while (at[n]) n++;
    return (bytes){at, n};
}

static bytes word(const char* text) { return argument((const u8*)text); }

/* The value of an option, which is the rest of the argument or the next one; none where the argument
   is not that option. */
static bytes option(const char* name, bytes given, u8** more) {
    bytes called = word(name), none = {0, 0};
    if (given.length < called.length || !same((bytes){given.at, called.length}, called)) return none;
    if (given.length > called.length) {
        u32 skip = called.length + 1;
        return given.at[called.length] == '=' ? (bytes){given.at + skip, given.length - skip} : none;
    }
    if (*more) return argument(*more);
    say("error: ");
    say(name);
    say(" needs a value");
    stop_usage();
}

static i32 is_csv(bytes given, const char* name) {
    if (same(given, word("csv"))) return 1;
    if (same(given, word("ndjson"))) return 0;
    say("error: ");
    say(name);
    say(" is csv or ndjson");
    stop_usage();
}

static i32 method_of(bytes name) {
    for (u32 k = 0; k < all()->n_methods; k++)
        if (same(name, text_of(methods()[k].name))) return (i32)k;
    say("error: the program has no method ");
    say_repr(name, 80, 0);
    say("; it offers ");
    say_bytes(text_of(all()->methods));
    stop("unsupported_method", -1, 0, 0);
}

static void begin(i32* from_csv) {
    u32 count = 0, size = 0;
    i32 bad = wasi_args_sizes_get(&count, &size);
    u8** list = (u8**)command_keep((count + 1) * 4 + size);
    if (!bad) bad = wasi_args_get(list, (u8*)(list + count + 1));
    if (bad) count = 0;
    list[count] = 0;
    i32 csv = 1, to = -1, which = (i32)all()->first_method;
    for (u32 i = 1; i < count; i++) {
        bytes given = argument(list[i]), found;
        i32 apart = 0;
        for (u32 k = 0; k < given.length; k++) apart |= given.at[k] == '=';
        if (same(given, word("--help")) || same(given, word("-h"))) {
            command_to_stdout(text_of(all()->help));
            command_exit(0);
        }
        if ((found = option("--method", given, list + i + 1)).at) which = method_of(found);
        else if ((found = option("--format", given, list + i + 1)).at) csv = is_csv(found, "--format");
        else if ((found = option("--from", given, list + i + 1)).at) csv = is_csv(found, "--from");
        else if ((found = option("--to", given, list + i + 1)).at) to = is_csv(found, "--to");
        else {
            say("error: the command takes no argument ");
            say_repr(given, 80, 0);
            stop_usage();
        }
        i += !apart;
    }
    *from_csv = csv;
    results_begin(which, to < 0 ? csv : to);
}

void command_start(void) {
    i32 csv;
    command_streams();
    begin(&csv);
    say("error: ");
    cells_begin();
    if (csv) csv_begin();
    for (;;) {
        cells_clear();
        if (csv) csv_rows();
        else json_rows();
        if (!the_chunk.rows && the_chunk.first) break;
        if (csv) csv_check();
        else json_check();
        cells_check(csv);
        results_chunk();
        command_flush();
        the_chunk.first += (u32)the_chunk.rows;
        if (the_chunk.rows < CHUNK_ROWS) break;
    }
    command_exit(0);
}
