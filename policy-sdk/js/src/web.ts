// For browsers and bundlers: the engine is fetched from beside this file.

import init from "./engine/portcullis.js";

await init();

export * from "./policy.js";
