"""Predict rows with a program in wasmtime, knowing nothing of sclbl but docs/abi.md.

    python host.py churn.wasm rows.tsv

`rows.tsv` has a header, fields separated by tabs, and nothing where a value is missing. Of each row
the answers of two methods are printed, a label and probabilities.
"""

import json
import struct
import sys
from pathlib import Path

import wasmtime

# What a cell of text is: a text, or which missing value.
TEXT, MISSING = 1, {"none": 0, "nan": 2, "na": 3}


def manifest_of(wasm):
    """Return the JSON in the custom section `sclbl`: what the program takes and gives."""

    def number(at):
        value = shift = 0
        while True:
            byte, at = wasm[at], at + 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value, at

    at = 8
    while at < len(wasm):
        kind, (size, at) = wasm[at], number(at + 1)
        end = at + size
        if kind == 0:
            length, name = number(at)
            if wasm[name : name + length] == b"sclbl":
                return json.loads(wasm[name + length : end])
        at = end
    raise SystemExit("this is no program: it has no section sclbl")


class Program:
    def __init__(self, wasm):
        self.signature = manifest_of(wasm)["signature"]
        engine = wasmtime.Engine()
        self.store = wasmtime.Store(engine)
        # A program imports nothing.
        instance = wasmtime.Instance(self.store, wasmtime.Module(engine, wasm), [])
        self.exports = instance.exports(self.store)
        self.memory = self.exports["memory"]

    def put(self, data):
        """Copy bytes into a block of the program's memory; return its address."""
        address = self.exports["alloc"](self.store, len(data)) & 0xFFFFFFFF
        if address == 0:
            raise SystemExit("the program's memory is full")
        self.memory.write(self.store, data, address)
        return address

    def get(self, form, address):
        return struct.unpack(
            form, self.memory.read(self.store, address, address + struct.calcsize(form))
        )

    def call(self, method, rows):
        """Return the values of a method, one list a row."""
        # What stands at a list's end and is the default is left out.
        columns = [
            {"name": name, "kind": kind, "missing": more[1] if len(more) > 1 else "nan"}
            for name, kind, *more in self.signature["columns"]
        ]
        # The numbers: all columns of a row one after the other; NaN is missing.
        numbers = [c["name"] for c in columns if c["kind"] != "text"]
        cells = [float(row[name] or "nan") for row in rows for name in numbers]
        block = self.put(struct.pack(f"<{len(cells)}d", *cells))
        # Each text column: offsets, bytes, and what each cell is.
        records = b""
        for column in (c for c in columns if c["kind"] == "text"):
            gone = MISSING[column["missing"]]
            texts = [row[column["name"]].encode() for row in rows]
            offsets = [sum(map(len, texts[:i])) for i in range(len(texts) + 1)]
            kinds = bytes(TEXT if text else gone for text in texts)
            parts = (struct.pack(f"<{len(offsets)}I", *offsets), b"".join(texts), kinds)
            records += struct.pack("<3I", *map(self.put, parts))
        inputs = self.put(struct.pack("<4I", block, self.put(records), 0, 0))
        # The result: so many elements of its type a row.
        output = self.signature["outputs"][method]
        letter = {"float64": "d", "float32": "f", "int64": "q", "label": "i"}[output["storage"]]
        form = f"<{len(rows) * output['width']}{letter}"
        result = self.put(bytes(struct.calcsize(form)))
        outputs = self.put(struct.pack("<I", result))
        if self.exports[method](self.store, len(rows), inputs, outputs):
            code, row, column = self.get("<3i", self.exports["error"].value(self.store))
            where = columns[column]["name"] if column >= 0 else "a computed value"
            raise SystemExit(f"refused: code {code}, row {row}, column {where}")
        values = self.get(form, result)
        if output["storage"] == "label":
            values = [output["labels"][0][v] for v in values]
        self.exports["reset"](self.store)
        width = output["width"]
        return [values[i * width : (i + 1) * width] for i in range(len(rows))]


lines = [line.split("\t") for line in Path(sys.argv[2]).read_text("utf-8").splitlines()]
rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
program = Program(Path(sys.argv[1]).read_bytes())
labels, chances = program.call("predict", rows), program.call("predict_proba", rows)
for label, chance in zip(labels, chances, strict=True):
    print(*label, *chance, sep="\t")
