// Asks every question of a file and compares each answer with the one that Rust gave: `node agree.mjs FILE`, where the
// file is a list of {id, document, question, answer}. tests/tests/sdk.rs writes it.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";

import { load } from "portcullis-policy";

const cases = JSON.parse(readFileSync(process.argv[2], "utf8"));
let failed = 0;
for (const { id, document, question, answer } of cases) {
  const policy = load(document);
  const seen = policy.evaluate(question);
  policy.free();
  if (!isDeepStrictEqual(seen, answer)) {
    failed += 1;
    console.log(`${id}: ${JSON.stringify(seen)}, and Rust says ${JSON.stringify(answer)}`);
  }
}
console.log(`${basename(process.argv[2], ".json")} in Node: ${cases.length - failed} passed, ${failed} failed`);
process.exitCode = cases.length > 0 && failed === 0 ? 0 : 1;
