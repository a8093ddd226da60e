//! What it takes to read the headers that a host hands over, and to write those of an answer.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_filter::header_pairs::{decode, encode};

/// What a browser's request looks like when Envoy hands it over; the token is as long as a usual one.
const HEADERS: [(&str, &str); 14] = [
    (":authority", "api.example.com"),
    (":path", "/tenants/acme/area-9/objects/42?page=2"),
    (":method", "GET"),
    (":scheme", "https"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-language", "en"),
    ("cache-control", "no-cache"),
    ("authorization", TOKEN),
    ("x-forwarded-for", "192.0.2.7"),
    ("x-forwarded-proto", "https"),
    ("x-envoy-internal", "true"),
    ("x-request-id", "3f1c2d4e-1111-4222-8333-444455556666"),
];

/// As long as a token signed with RS256; its bytes do not matter here.
const TOKEN: &str = match std::str::from_utf8(&[b'e'; 700]) {
    Ok(text) => text,
    Err(_) => "",
};

fn headers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("headers");
    group.bench_function("write", |bencher| bencher.iter(|| encode(black_box(&HEADERS))));
    let encoded = encode(&HEADERS).unwrap_or_default();
    assert!(!encoded.is_empty(), "headers of our own can be written");
    group.bench_function("read", |bencher| {
        bencher.iter(|| decode(black_box(&encoded).clone()).map(|pairs| pairs.len()))
    });
    group.finish();
}

criterion_group!(benches, headers);
criterion_main!(benches);
