/** A number, text or missing value, as rows hold them. */
export type Cell = number | bigint | boolean | string | null;

/** Numbers that have a width: they are brought to a column's type exactly, or refused. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A list, or lists in lists: a row of several axes, a list of items. */
export type Nested = TypedArray | readonly (Cell | Nested)[];

/** A row: an object by column name (or of features), a list, or the parts of a sparse row. */
export type Row = { readonly [column: string]: Cell | Nested } | Nested | Cell;

/**
 * What is predicted: rows, one row as an object, an object of columns, a typed array of
 * rows × columns, or an object that holds each of several inputs by name.
 */
export type Rows = readonly Row[] | TypedArray | { readonly [name: string]: Cell | Nested | Rows };

/** How a deployment or a program is loaded. */
export interface Options {
  /** The bearer token of the server. */
  token?: string;
  /** Where predictions are made: here and, where that cannot be, at the server; one of the two. */
  where?: "auto" | "local" | "remote";
  /** The SHA-256 that the program must have, in hexadecimal digits. */
  sha256?: string;
  /** Seconds between two questions which version an alias names; 60. */
  interval?: number;
  /** Bytes of a program that `auto` still runs here; 64 MiB. */
  limit?: number;
  /** Threads that run large batches; 0: this one, in parts between which the page has its turn. */
  workers?: number;
  /** Milliseconds that a request may take; 30,000. */
  timeout?: number;
  /** How often a request is repeated where there was no answer, or the server is busy; 2. */
  retries?: number;
  /** Whether programs are kept in the browser's storage for the next visit. */
  store?: "auto" | "none";
}

/** How one call is made. */
export interface CallOptions {
  /** Ends the call; the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
  /** Values of the call beside the rows, by name. */
  parameters?: Readonly<Record<string, number | bigint | boolean>>;
}

/** One value of a result. Integers that a number does not hold exactly are BigInts. */
export type Value = number | bigint | boolean | string | null;

/** One sparse row of a result. */
export interface SparseRow {
  columns: number[];
  values: Value[];
}

/** Lists in lists, as deep as the result has axes. */
export type Values = Value | SparseRow | Values[];

/** A result as it lies in memory: a typed array, a list of labels or texts, or ragged rows. */
export type Data =
  | Float64Array
  | Float32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Value[]
  | { offsets: Uint32Array; columns?: Uint32Array; values: Data };

/** What a method answers. Of several results `data`, `dtype` and `shape` are lists of theirs. */
export interface Answer {
  readonly method: string;
  /** One entry a row, in plain lists; made when it is first asked for. */
  readonly values: Values[];
  readonly data: Data | Data[];
  readonly dtype: string | string[];
  readonly shape: number[] | number[][];
  /** Where it was computed. */
  readonly where: "local" | "remote";
  /** Why the server computed it, where `auto` would rather not have it so. */
  readonly why?: string;
  /** Milliseconds that the call took. */
  readonly ms: number;
  /** The SHA-256 of the program that computed it. */
  readonly sha256: string;
  /** The version that computed it: `churn@3`. */
  readonly ref?: string;
}

/** A deployment, or a program, that predicts. A moved alias changes what it says of itself. */
export interface Model {
  /** The methods that `run` takes. */
  readonly methods: string[];
  readonly signature: Readonly<Record<string, unknown>>;
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly ref?: string;
  readonly sha256: string;
  readonly where: "local" | "remote";
  readonly why?: string;
  /** Threads that are at work; 0 where the page may have none. */
  readonly workers: number;
  run(method: string, rows: Rows, options?: CallOptions): Promise<Answer>;
  /** Ends calls under way, and the workers. */
  close(): void;
}

/** The methods that most models have, by their own names; `Model.run` takes any. */
export interface Methods {
  predict(rows: Rows, options?: CallOptions): Promise<Answer>;
  predict_proba(rows: Rows, options?: CallOptions): Promise<Answer>;
  decision_function(rows: Rows, options?: CallOptions): Promise<Answer>;
  transform(rows: Rows, options?: CallOptions): Promise<Answer>;
}

/**
 * Loads a deployment or a program.
 *
 * @param source the URL of a deployment (`https://…/v1/deployments/churn@production`), the URL of a
 *   `.wasm`, or the bytes of one
 * @throws {SclblError} it cannot be had, or is not what it should be
 */
export function load(
  source: string | URL | Response | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob,
  options?: Options,
): Promise<Model & Methods>;

/** Every error that the loader raises on purpose; ends of an `AbortSignal` are its own reason. */
export class SclblError extends Error {
  readonly name: "SclblError";
  /** The code of Python's class of error: `missing_value`, `unreachable`, … */
  readonly code: string;
  /** The first row at fault, counted from 0. */
  readonly row: number | null;
  /** Its column: a name, or a position as text. */
  readonly column: string | null;
  /** The input, where the model takes several. */
  readonly input: string | null;
  /** The status of the server's answer, where it refused. */
  readonly status?: number;
}
