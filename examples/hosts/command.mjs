// Run a command in Node: rows on stdin, predictions on stdout.
//
//   node command.mjs churn-command.wasm --method predict_proba < rows.csv
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const [wasm, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: ["churn", ...args], returnOnExit: true });
const module = new WebAssembly.Module(readFileSync(wasm));
process.exitCode = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
