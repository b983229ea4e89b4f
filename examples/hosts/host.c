/* Predict rows with a program through WebAssembly's C API, knowing nothing of sclbl but docs/abi.md.

     cc host.c -o host -L... -lwasmtime
     ./host churn.wasm rows.tsv

   rows.tsv has a header, fields separated by tabs, and nothing where a value is missing. Of each row
   the answers of two methods are printed, a label and probabilities. What columns and labels a
   program has its manifest says (`sclbl show`); this one is made for the program of train.py. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasm_api.h"

enum { NUMBERS = 2, CLASSES = 2, MOST_ROWS = 1000, LINE = 1000 };
/* What a cell of text is; the manifest says that NaN is what a missing city is to the model. */
enum { CELL_TEXT = 1, CELL_NAN = 2 };
static const char* const COLUMNS[] = {"age", "visits", "city"};
static const char* const LABELS[CLASSES] = {"goes", "stays"};

static wasm_module_t* module;
static wasm_extern_vec_t exports;
static wasm_memory_t* memory;

static void stop(const char* why) {
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static wasm_extern_t* export_of(const char* name) {
    wasm_exporttype_vec_t types;
    wasm_module_exports(module, &types);
    for (size_t i = 0; i < types.size; i++) {
        const wasm_byte_vec_t* found = wasm_exporttype_name(types.data[i]);
        if (found->size == strlen(name) && !memcmp(found->data, name, found->size))
            return exports.data[i];
    }
    stop("the program has no such export");
    return 0;
}

/* Call a function of numbers that returns one. */
static int32_t call(const char* name, int32_t a, int32_t b, int32_t c, size_t count) {
    wasm_val_t given[3] = {{WASM_I32, {a}}, {WASM_I32, {b}}, {WASM_I32, {c}}}, found = {0};
    wasm_val_vec_t args = {count, given}, results = {1, &found};
    if (wasm_func_call(wasm_extern_as_func(export_of(name)), &args, &results)) stop("a trap");
    return found.of.i32;
}

/* Copy bytes into a block of the program's memory; return its address. */
static uint32_t put(const void* bytes, size_t size) {
    uint32_t address = (uint32_t)call("alloc", (int32_t)size, 0, 0, 1);
    if (!address) stop("the program's memory is full");
    /* Memory may have grown, and then lies elsewhere. */
    if (bytes) memcpy(wasm_memory_data(memory) + address, bytes, size);
    return address;
}

/* Predict with one method; the result is so many bytes a row. */
static const void* predict(const char* method, int32_t rows, uint32_t inputs, size_t row_bytes) {
    uint32_t result = put(0, (size_t)rows * row_bytes), outputs = put(&result, 4);
    if (call(method, rows, (int32_t)inputs, (int32_t)outputs, 3)) {
        wasm_val_t at;
        wasm_global_get(wasm_extern_as_global(export_of("error")), &at);
        int32_t record[3];
        memcpy(record, wasm_memory_data(memory) + (uint32_t)at.of.i32, sizeof record);
        fprintf(stderr, "refused: code %d, row %d, column %s\n", record[0], record[1],
                record[2] < 0 ? "a computed value" : COLUMNS[record[2]]);
        exit(1);
    }
    return wasm_memory_data(memory) + result;
}

static void load(const char* path) {
    FILE* file = fopen(path, "rb");
    if (!file) stop("there is no such program");
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    wasm_byte_vec_t binary = {size, malloc(size)};
    if (fread(binary.data, 1, size, file) != size) stop("the program cannot be read");
    fclose(file);
    wasm_store_t* store = wasm_store_new(wasm_engine_new());
    wasm_extern_vec_t none = {0, 0}; /* a program imports nothing */
    module = wasm_module_new(store, &binary);
    wasm_instance_t* instance = module ? wasm_instance_new(store, module, &none, 0) : 0;
    if (!instance) stop("this is no program");
    wasm_instance_exports(instance, &exports);
    memory = wasm_extern_as_memory(export_of("memory"));
}

int main(int count, char** paths) {
    static double numbers[MOST_ROWS * NUMBERS];
    static uint32_t offsets[MOST_ROWS + 1];
    static char texts[MOST_ROWS * LINE], line[LINE];
    static uint8_t kinds[MOST_ROWS];
    if (count != 3) stop("usage: host churn.wasm rows.tsv");
    load(paths[1]);
    FILE* file = fopen(paths[2], "r");
    if (!file || !fgets(line, LINE, file)) stop("there are no rows");
    int32_t rows = 0;
    while (rows < MOST_ROWS && fgets(line, LINE, file)) {
        line[strcspn(line, "\r\n")] = 0;
        char* field = line;
        for (int k = 0; k < NUMBERS; k++) {
            char* end = strchr(field, '\t');
            if (!end) stop("a row has too few fields");
            numbers[rows * NUMBERS + k] = end == field ? NAN : strtod(field, 0);
            field = end + 1;
        }
        size_t length = strlen(field);
        memcpy(texts + offsets[rows], field, length);
        kinds[rows] = length ? CELL_TEXT : CELL_NAN;
        offsets[rows + 1] = offsets[rows] + (uint32_t)length;
        rows++;
    }
    /* One record for each column of text, one for each input. */
    uint32_t text[3] = {put(offsets, ((size_t)rows + 1) * 4), put(texts, offsets[rows]),
                        put(kinds, (size_t)rows)};
    uint32_t table[4] = {put(numbers, (size_t)rows * NUMBERS * 8), put(text, sizeof text), 0, 0};
    uint32_t inputs = put(table, sizeof table);
    /* Memory lies where it does until the next call, so labels are copied. */
    static int32_t labels[MOST_ROWS];
    memcpy(labels, predict("predict", rows, inputs, 4), (size_t)rows * 4);
    const void* found = predict("predict_proba", rows, inputs, CLASSES * 8);
    for (int32_t row = 0; row < rows; row++) {
        double chances[CLASSES];
        memcpy(chances, (const char*)found + (size_t)row * sizeof chances, sizeof chances);
        printf("%s\t%.17g\t%.17g\n", LABELS[labels[row]], chances[0], chances[1]);
    }
    return 0;
}
