// What TypeScript must take, and what it must refuse, of the loader's types (tests/web/test_types.py).
import { load, SclblError } from "./sclbl.js";
import type { Answer, Model, Options } from "./sclbl.js";

const options: Options = { token: "t", where: "local", workers: 2, interval: 5, store: "none" };

export async function main(signal: AbortSignal): Promise<number> {
  const model = await load(new URL("https://example.org/v1/deployments/churn@3"), options);
  await load("/v1/deployments/churn");
  await load(await fetch("/churn.wasm"), { sha256: "00" });
  await load(new Uint8Array(8));
  await load(new ArrayBuffer(8));

  const objects: Answer = await model.predict([{ age: 41, city: "Breda", gone: null }], { signal });
  await model.predict_proba({ age: 41, city: "Breda" });
  await model.predict({ age: [1, 2], city: ["a", null] });
  await model.predict({ age: new Float64Array(2), number: new BigInt64Array(2) });
  await model.predict([[1, 2n, true], [1, null, false]]);
  await model.predict(new Float32Array(8));
  await model.run("radius_neighbors", [[1]], { parameters: { radius: 0.5, sorted: true } });
  await model.run("run", { image: new Float32Array(784), tokens: [["red", "blue"], []] });
  await model.run("run", [{ columns: [3, 17], values: [1.5, 2] }, [0, 0, 1]]);

  const place: "local" | "remote" = objects.where;
  const why: string | undefined = model.why;
  for (const row of objects.values) console.log(row, place, why);

  // @ts-expect-error: one of three places
  await load("/x", { where: "here" });
  // @ts-expect-error: no such option
  await load("/x", { worker: 1 });
  // @ts-expect-error: a date is no cell
  await model.predict([{ when: new Date() }]);
  // @ts-expect-error: a number is no source
  await load(3);
  // @ts-expect-error: answers are read
  objects.ms = 3;
  return objects.ms;
}

export function said(error: unknown, model: Model): string {
  model.close();
  if (!(error instanceof SclblError)) throw error;
  const row: number | null = error.row;
  return `${error.code} ${row} ${error.column} ${error.input} ${error.message}`;
}
