/* What host.c uses of WebAssembly's C API (github.com/WebAssembly/wasm-c-api), which wasmtime and
   other libraries implement. Their own wasm.h holds the same and the rest. */
#ifndef WASM_API_H
#define WASM_API_H

#include <stddef.h>
#include <stdint.h>

typedef struct wasm_engine_t wasm_engine_t;
typedef struct wasm_store_t wasm_store_t;
typedef struct wasm_module_t wasm_module_t;
typedef struct wasm_instance_t wasm_instance_t;
typedef struct wasm_extern_t wasm_extern_t;
typedef struct wasm_exporttype_t wasm_exporttype_t;
typedef struct wasm_func_t wasm_func_t;
typedef struct wasm_global_t wasm_global_t;
typedef struct wasm_memory_t wasm_memory_t;
typedef struct wasm_trap_t wasm_trap_t;

enum { WASM_I32 = 0 };

typedef struct {
    uint8_t kind;
    union {
        int32_t i32;
        int64_t i64;
        double f64;
        void* ref;
    } of;
} wasm_val_t;

typedef struct { size_t size; char* data; } wasm_byte_vec_t;
typedef struct { size_t size; wasm_val_t* data; } wasm_val_vec_t;
typedef struct { size_t size; wasm_extern_t** data; } wasm_extern_vec_t;
typedef struct { size_t size; wasm_exporttype_t** data; } wasm_exporttype_vec_t;

wasm_engine_t* wasm_engine_new(void);
wasm_store_t* wasm_store_new(wasm_engine_t*);
wasm_module_t* wasm_module_new(wasm_store_t*, const wasm_byte_vec_t* binary);
void wasm_module_exports(const wasm_module_t*, wasm_exporttype_vec_t* out);
const wasm_byte_vec_t* wasm_exporttype_name(const wasm_exporttype_t*);
wasm_instance_t* wasm_instance_new(wasm_store_t*, const wasm_module_t*,
                                   const wasm_extern_vec_t* imports, wasm_trap_t**);
void wasm_instance_exports(const wasm_instance_t*, wasm_extern_vec_t* out);
wasm_func_t* wasm_extern_as_func(wasm_extern_t*);
wasm_global_t* wasm_extern_as_global(wasm_extern_t*);
wasm_memory_t* wasm_extern_as_memory(wasm_extern_t*);
wasm_trap_t* wasm_func_call(const wasm_func_t*, const wasm_val_vec_t* args, wasm_val_vec_t* results);
void wasm_global_get(const wasm_global_t*, wasm_val_t* out);
char* wasm_memory_data(wasm_memory_t*);

#endif
