//! What it takes to read a request's path.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_policy::path::{PathMode, canonicalize};

/// A path that is plain already, one that is not, and one that others read in two ways.
const TARGETS: [(&str, &[u8]); 3] = [
    ("plain", b"/tenants/acme/area-9/objects/42?page=2"),
    ("escaped", b"/tenants/%61cme/area-9/caf%C3%A9/42?page=2"),
    ("refused", b"/tenants/acme/..%2farea-9/objects/42?page=2"),
];

fn path(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("path");
    for (name, target) in TARGETS {
        group.bench_function(name, |bencher| {
            bencher.iter(|| canonicalize(black_box(target), PathMode::Refuse));
        });
    }
    group.finish();
}

criterion_group!(benches, path);
criterion_main!(benches);
