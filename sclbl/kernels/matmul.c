/* Products of matrices that are not both constant, and of a constant one with many rows.

   matmul_batch_<type>(out, a, b, scratch, m, a_row, b_row, n0, a0, b0, n1, a1, b1, n2, a2, b2, r, k, c)

   m            rows of the tile
   out          [m, n0, n1, n2, r, c]; not the memory of a or b
   a, b         matrices [r, k] and [k, c]; those of row i begin i * a_row and i * b_row elements on (0
                for an operand that is constant)
   n, a, b      lengths of axes of matrices, and how far apart the matrices of a and of b lie on each: 0
                where an operand has one for all; axes that are not there have length 1
   scratch      k words, then 4 * k + 4 elements

   matmul_rows_<type>(out, x, weights, scratch, m, k, c)

   out, x       [m, c] and [m, k]; weights: [k, c]; scratch as above

   A sum starts with 0 and goes through k in order, as that of linear_matmul. */
#include "abi.h"

#define FAMILY "matmul_rows.h"
#include "vectors.h"
