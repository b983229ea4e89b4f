// An edge function: answers predictions at the edge, by the same program that the registry holds.
// It runs wherever a `fetch` handler does; `sclbl.js` lies beside it (or is the npm package `sclbl`).
import { load, SclblError } from "./sclbl.js";

let model;

/** The model of the deployment, loaded once; a moved alias is followed within a minute. */
function loaded(env) {
  model ??= load(env.DEPLOYMENT, { token: env.TOKEN, where: "local" });
  // What failed is tried again by the next request.
  model.catch(() => (model = undefined));
  return model;
}

export default {
  /**
   * Answers `POST {"rows": […]}` with `{"results": […]}`.
   * @param {Request} request
   * @param {{DEPLOYMENT: string, TOKEN?: string, METHOD?: string}} env
   */
  async fetch(request, env) {
    if (request.method !== "POST") return new Response("send rows by POST", { status: 405 });
    try {
      const { rows } = await request.json();
      const { values, ref, sha256 } = await (await loaded(env)).run(env.METHOD ?? "predict", rows);
      return Response.json({ ref, sha256, results: values });
    } catch (error) {
      if (error instanceof SyntaxError) return new Response("send JSON", { status: 400 });
      if (!(error instanceof SclblError)) throw error;
      const { code, message, row, column } = error;
      const status = ["unreachable", "busy"].includes(code) ? 503 : 422;
      return Response.json({ error: { code, message, row, column } }, { status });
    }
  },
};
