//! What it takes to write a record and to link it to the one before.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_filter::audit::{Chain, StreamId};

#[expect(
    dead_code,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests deliver and verify as well"
)]
#[path = "../tests/audit/support.rs"]
mod support;

fn record(criterion: &mut Criterion) {
    let record = support::decision("user-1");
    let mut chain = Chain::new(StreamId::from_bytes([7; 16]));
    criterion.bench_function("record, written and linked", |bencher| {
        bencher.iter(|| chain.seal(black_box(&record), support::at(0)));
    });
}

criterion_group!(benches, record);
criterion_main!(benches);
