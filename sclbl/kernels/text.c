/* Constants of text: their bytes lie end to end in the file. */
#include "abi.h"

void text_unpack(text* out, const u8* bytes, const u32* lengths, i32 count) {
    u32 at = (u32)bytes;
    for (i32 k = 0; k < count; k++) {
        out[k].address = at;
        out[k].length = lengths[k];
        if (!is_missing(out[k])) at += lengths[k];
    }
}
