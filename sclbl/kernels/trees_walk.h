/* The walks of one format of slots: STEP, COLUMN and SLOT are its step, the column that a slot tests
   and the bytes of a slot; WALK_NAME names them. Formats apart, each walk is short before it is
   specialised: with all of them in one, most of the compiler's time went into what no ensemble has. */

/* Eight rows, at x0 to x7, down one tree; or one row, eight times the same, down eight trees (there
   are roots to fill the last eight). The compiler makes a function of its own of each, for one
   ensemble: engines then keep the eight paths in registers. */
void WALK_NAME(trees_walk_rows)(PARAMETERS) {
    FOREST;
    u32 root = roots[t];
#define START_OF(K) root
    WALK(depths[t])
#undef START_OF
}

void WALK_NAME(trees_walk_trees)(PARAMETERS) {
    FOREST;
    i32 depth = 0;
    for (i32 k = 0; k < 8; k++) depth = depths[t + k] > depth ? depths[t + k] : depth;
#define START_OF(K) roots[t + K]
    WALK(depth)
#undef START_OF
}

#undef STEP
#undef COLUMN
#undef SLOT
#undef WALK_NAME
