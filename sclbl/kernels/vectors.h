/* Includes the file FAMILY for float32, then for float64: T is the type, V a vector of them, BITS a
   vector of integers as wide, NAME(f) the function f of this type. */
#define INLINE static inline __attribute__((always_inline))
#define LANES ((i32)(sizeof(V) / sizeof(T)))

#define T f32
#define V f32x4
#define BITS i32x4
#define SPREAD(X) ((V){(X), (X), (X), (X)})
#define FOUR_WEIGHTS(P)                               \
    V q = *(const V*)(P);                             \
    V wa = __builtin_shufflevector(q, q, 0, 0, 0, 0); \
    V wb = __builtin_shufflevector(q, q, 1, 1, 1, 1); \
    V wc = __builtin_shufflevector(q, q, 2, 2, 2, 2); \
    V wd = __builtin_shufflevector(q, q, 3, 3, 3, 3);
#define EVEN(A, B) __builtin_shufflevector(A, B, 0, 2, 4, 6)
#define NAME(F) F##f32
typedef f32 f32x4 __attribute__((vector_size(16), aligned(4)));
typedef i32 i32x4 __attribute__((vector_size(16)));
#include FAMILY
#undef T
#undef V
#undef BITS
#undef SPREAD
#undef FOUR_WEIGHTS
#undef EVEN
#undef NAME

#define T f64
#define V f64x2
#define BITS i64x2
#define SPREAD(X) ((V){(X), (X)})
#define FOUR_WEIGHTS(P)                             \
    V q = *(const V*)(P), r = *(const V*)((P) + 2); \
    V wa = __builtin_shufflevector(q, q, 0, 0);     \
    V wb = __builtin_shufflevector(q, q, 1, 1);     \
    V wc = __builtin_shufflevector(r, r, 0, 0);     \
    V wd = __builtin_shufflevector(r, r, 1, 1);
#define EVEN(A, B) __builtin_shufflevector(A, B, 0, 2)
#define NAME(F) F##f64
typedef f64 f64x2 __attribute__((vector_size(16), aligned(8)));
typedef i64 i64x2 __attribute__((vector_size(16)));
#include FAMILY
