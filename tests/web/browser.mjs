// Drives one browser for tests/web/browser.py: reads commands as lines of JSON, answers likewise.
// Usage: node browser.mjs '{"browser": "chromium", "executablePath": "…", "args": […]}'
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const { browser: kind, ...options } = JSON.parse(process.argv[2]);
const browser = await puppeteer.launch({
  browser: kind === "firefox" ? "firefox" : "chrome",
  headless: true,
  handleSIGINT: false,
  ...options,
});
const AsyncFunction = (async () => {}).constructor;
const pages = new Map();

/** Opens a page that notes what goes wrong in it. */
async function opened(context) {
  const page = await context.newPage();
  page.said = [];
  page.on("console", (message) => page.said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => page.said.push(`uncaught: ${error.message}`));
  const id = pages.size + 1;
  pages.set(id, page);
  return id;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { code, on, given } = JSON.parse(line);
  let answer;
  try {
    const run = new AsyncFunction("browser", "page", "given", "opened", code);
    answer = { value: (await run(browser, pages.get(on), given, opened)) ?? null };
  } catch (error) {
    answer = { error: error?.stack ?? String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
