/* Operators on two tensors of integers, which wrap around: as in elementwise.c. Arithmetic is done
   without a sign, because C leaves open what a sum beyond a signed type is. Nothing traps: a divisor
   of 0 gives 0, and the least number divided by -1 is itself. */
#include "abi.h"

#define BINARY(NAME, R, T, EXPR)                                                      \
    void integer_##NAME(R* out, const T* a, const T* b, i32 m, i32 w, i32 ar, i32 ac, \
                        i32 br, i32 bc) {                                             \
        for (i32 i = 0; i < m; i++)                                                   \
            for (i32 j = 0; j < w; j++) {                                             \
                T x = a[i * ar + j * ac], y = b[i * br + j * bc];                     \
                out[i * w + j] = (R)(EXPR);                                           \
            }                                                                         \
    }

/* U: an unsigned type that C does not make a signed one of, at least as wide. */
#define INTEGERS(S, T, U)                                 \
    BINARY(add_##S, T, T, (U)x + (U)y)                    \
    BINARY(sub_##S, T, T, (U)x - (U)y)                    \
    BINARY(mul_##S, T, T, (U)x * (U)y)                    \
    BINARY(max_##S, T, T, x > y ? x : y)                  \
    BINARY(min_##S, T, T, x < y ? x : y)                  \
    BINARY(equal_##S, u8, T, x == y)                      \
    BINARY(less_##S, u8, T, x < y)                        \
    BINARY(less_or_equal_##S, u8, T, x <= y)              \
    BINARY(greater_##S, u8, T, x > y)                     \
    BINARY(greater_or_equal_##S, u8, T, x >= y)           \
    BINARY(bitwise_and_##S, T, T, x & y)                  \
    BINARY(bitwise_or_##S, T, T, x | y)                   \
    BINARY(bitwise_xor_##S, T, T, x ^ y)

#define UNSIGNED(S, T, U)                                 \
    INTEGERS(S, T, U)                                     \
    BINARY(div_##S, T, T, y ? x / y : 0)                  \
    BINARY(floor_div_##S, T, T, y ? x / y : 0)            \
    BINARY(mod_##S, T, T, y ? x % y : 0)                  \
    BINARY(fmod_##S, T, T, y ? x % y : 0)

/* The quotient towards zero, and its rest; that of -1 is no division. */
#define QUOTIENT(U) (y == 0 ? 0 : y == -1 ? 0 - (U)x : (U)(x / y))
#define REST (y == 0 || y == -1 ? 0 : x % y)
#define APART (REST != 0 && (REST < 0) != (y < 0))

#define SIGNED(S, T, U)                                           \
    INTEGERS(S, T, U)                                             \
    BINARY(div_##S, T, T, QUOTIENT(U))                            \
    BINARY(floor_div_##S, T, T, QUOTIENT(U) - (U)APART)           \
    BINARY(mod_##S, T, T, APART ? REST + y : REST)                \
    BINARY(fmod_##S, T, T, REST)

SIGNED(i8, i8, u32)
SIGNED(i16, i16, u32)
SIGNED(i32, i32, u32)
SIGNED(i64, i64, u64)
UNSIGNED(u8, u8, u32)
UNSIGNED(u16, u16, u32)
UNSIGNED(u32, u32, u32)
UNSIGNED(u64, u64, u64)

/* By squares; of a negative exponent the whole part, which is 0 but for 1 and -1. */
#define POWER(S, T, U)                                            \
    static inline T power_##S(T x, T y) {                         \
        if (y < 0) return x == 1 ? 1 : x == -1 ? (y & 1 ? -1 : 1) : 0; \
        U result = 1, square = (U)x;                              \
        for (U rest = (U)y; rest; rest >>= 1, square *= square)   \
            if (rest & 1) result *= square;                       \
        return (T)result;                                         \
    }                                                             \
    BINARY(pow_##S, T, T, power_##S(x, y))
POWER(i32, i32, u32)
POWER(i64, i64, u64)
