/* Memory of the command, all of it from `alloc`, and the streams.

   What stays lies first, behind it what grows while a chunk of rows is read, behind that blocks for
   one call of the program. `alloc` cannot give one block back; but after `reset` the same sizes are
   given at the same addresses again, and nothing that lies there is touched. */
#include "command.h"

#define BUFFER 65536
/* What Python decodes at once: where text is not UTF-8, it is refused before what lies before it. */
#define BLOCK 8192

typedef struct {
    u8* at;
    u32 length;
} vector;

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_read"))) i32
wasi_fd_read(i32 file, const vector* to, i32 n, u32* done);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) i32
wasi_fd_write(i32 file, const vector* from, i32 n, u32* done);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"))) _Noreturn void
wasi_proc_exit(i32 code);

extern u8 heap_base[];
static u8 *grows, *end, *limit; /* what grows: where it begins, ends, and may end */
static u8 *in, *out;
static u32 filled;

static u8* take(u64 size) {
    u32 at = size > 0xFFFF0000u ? 0 : abi_alloc((i32)(u32)size);
    if (at) return (u8*)at;
    say("the program has no memory left for these rows");
    stop("limit", -1, 0, 0);
}

u8* command_keep(u64 size) {
    u8* at = take(size);
    grows = end = limit = at + ((size + 15) & ~15ull);
    return at;
}

u8* command_end(void) { return end; }
void command_cut(u8* at) { end = at; }
void command_forget(void) { end = grows; }

void command_room(u64 size) {
    if ((u64)(limit - end) >= size) return;
    u64 more = size - (u64)(limit - end);
    if (more < BUFFER) more = BUFFER;
    more = (more + 15) & ~15ull;
    take(more);
    limit += more;
}

void command_add(u8 byte) {
    if (end == limit) command_room(1);
    *end++ = byte;
}

void command_add_all(bytes from) {
    command_room(from.length);
    __builtin_memcpy(end, from.at, from.length);
    end += from.length;
}

u8* command_block(u64 size) { return take(size); }

void command_release(void) {
    abi_reset();
    take((u64)(limit - heap_base));
}

void command_exit(i32 code) { wasi_proc_exit(code); }

static void write_all(i32 file, const u8* at, u32 length) {
    while (length) {
        vector some = {(u8*)at, length};
        u32 done = 0;
        /* Nobody is left to be told. */
        if (wasi_fd_write(file, &some, 1, &done)) command_exit(1);
        at += done;
        length -= done;
    }
}

void command_to_stdout(bytes text) { write_all(1, text.at, text.length); }
void command_to_stderr(bytes text) { write_all(2, text.at, text.length); }

void command_flush(void) {
    write_all(1, out, filled);
    filled = 0;
}

void command_put(bytes text) {
    while (text.length) {
        u32 some = BUFFER - filled;
        if (some > text.length) some = text.length;
        __builtin_memcpy(out + filled, text.at, some);
        filled += some;
        text.at += some;
        text.length -= some;
        if (filled == BUFFER) command_flush();
    }
}

void command_streams(void) {
    in = command_keep(BLOCK);
    out = command_keep(BUFFER);
}

enum { AGAIN = 6 }; /* WASI's errno */

bytes command_read(void) {
    vector to = {in, BLOCK};
    u32 done = 0;
    i32 failed;
    do failed = wasi_fd_read(0, &to, 1, &done);
    while (failed == AGAIN); /* a pipe that does not wait, and whose writer is slow */
    if (failed) {
        say("stdin cannot be read");
        stop("request", -1, 0, 0);
    }
    return (bytes){in, done};
}
