// Runs commands under Node's WASI: a JSON list of {wasm, args, stdin, stdout, stderr} on stdin,
// the list of their exit codes on stdout.
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { WASI } from "node:wasi";

const codes = [];
for (const { wasm, args, stdin, stdout, stderr } of JSON.parse(readFileSync(0, "utf8"))) {
  const files = [openSync(stdin, "r"), openSync(stdout, "w"), openSync(stderr, "w")];
  const wasi = new WASI({
    version: "preview1",
    args: ["command", ...args],
    stdin: files[0],
    stdout: files[1],
    stderr: files[2],
    returnOnExit: true,
  });
  const module = await WebAssembly.compile(readFileSync(wasm));
  codes.push(wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject())));
  files.forEach(closeSync);
}
writeFileSync(1, JSON.stringify(codes));
