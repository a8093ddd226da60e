// For Node: the engine is read from beside this file, so that loading a policy needs no waiting.

import { readFileSync } from "node:fs";
import { initSync } from "./engine/portcullis.js";

initSync({ module: readFileSync(new URL("./engine/portcullis_bg.wasm", import.meta.url)) });

export * from "./policy.js";
