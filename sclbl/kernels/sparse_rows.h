/* The three blocks of sparse rows that a kernel makes: offsets, keys and values. Those of one tile
   begin at 0. */
#ifndef SCLBL_SPARSE_ROWS_H
#define SCLBL_SPARSE_ROWS_H

#include "abi.h"

/* Make room for `m` rows with at most so many items, whose values have `item` bytes. */
static inline i32 begin_sparse(growing* to, i32 m, u64 items, u32 item) {
    to[0].used = to[1].used = to[2].used = 0;
    i32 code = abi_grow(to, ((u64)(u32)m + 1) * 4);
    if (code == OK) code = abi_grow(to + 1, items * 4);
    if (code == OK) code = abi_grow(to + 2, items * item);
    return code;
}

static inline void finish_sparse(ragged* out, const growing* from) {
    out->offsets = (const u32*)from[0].address;
    out->keys = (const void*)from[1].address;
    out->values = (const void*)from[2].address;
}

#endif
