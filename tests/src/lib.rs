//! The wasmtime host and the corpus.
