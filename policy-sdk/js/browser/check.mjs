// Loads the package in a headless Chromium and asks it one question of each kind: `npm run browser`, after the build. The
// program is `$CHROMIUM`, or `chromium`. No part of `cargo xtask test`, which installs no browser.

import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { promisify } from "node:util";

const PAGE = `<!doctype html><title>portcullis-policy</title><pre></pre><script type="module">
  const said = document.querySelector("pre");
  try {
    const { load, lint, PolicyError } = await import("/dist/web.js");
    const rules = [{ name: "edit", effect: "allow", action: "update", resource: "/record/*", role: "editor" }];
    const policy = load({ version: 1, authentication: {}, authorization: { rules } });
    const ask = (role) => policy.ask({ role, action: "update", resource: "/record/7" });
    let problem = "none";
    try {
      load({ version: 1, authentication: {}, authorisation: {} });
    } catch (error) {
      problem = error instanceof PolicyError ? error.problems[0].pointer : String(error);
    }
    const findings = lint({ version: 1, authentication: {} }).length > 0;
    said.textContent = JSON.stringify([ask("editor").allowed, ask("reader").denied_reasons, problem, findings]);
  } catch (error) {
    said.textContent = String(error);
  }
  document.title = "done";
</script>`;

const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };

const server = createServer(async (request, response) => {
  if (request.url === "/") {
    response.setHeader("content-type", "text/html").end(PAGE);
    return;
  }
  const file = new URL(`..${request.url}`, import.meta.url);
  try {
    response.setHeader("content-type", TYPES[extname(file.pathname)] ?? "text/plain").end(await readFile(file));
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
try {
  const page = `http://127.0.0.1:${server.address().port}/`;
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom", page];
  const { stdout } = await promisify(execFile)(process.env.CHROMIUM ?? "chromium", flags, { timeout: 120_000 });
  const said = /<pre>(.*)<\/pre>/s.exec(stdout)?.[1];
  assert.equal(said, '[true,["insufficient_role"],"/authorisation",true]');
  console.log(`in the browser: ${said}`);
} finally {
  server.close();
}
