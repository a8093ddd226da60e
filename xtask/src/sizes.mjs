// Runs a WebAssembly program for WASI preview 1 with its output as ours: the engine that Node has is the one Envoy has.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1", returnOnExit: true });
const module = await WebAssembly.compile(await readFile(process.argv[1]));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
