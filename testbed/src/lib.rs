//! Real parts to test with.
