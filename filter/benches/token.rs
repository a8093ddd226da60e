//! What it takes to read a token, and to verify it: by the host's cryptography, for which AWS-LC stands here, and by ours.
#![expect(clippy::expect_used, reason = "everything that is read is written below")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_filter::authn::algorithm::Algorithm;
use portcullis_filter::authn::claims::ClaimsSet;
use portcullis_filter::authn::jwk::JwkSet;
use portcullis_filter::authn::jws::CompactJws;
use portcullis_filter::authn::jwt::{Audience, ClaimPaths, Expiry, JwtSettings, JwtVerifier};
use portcullis_filter::authn::probe::HostProbe;
use portcullis_filter::authn::signature::{HostCrypto, NoHostCrypto, SignatureVerifier};
use portcullis_filter::time::UnixTime;
use serde_json::{Value, json};

#[expect(dead_code, reason = "tests count its calls")]
#[path = "../tests/authn/host.rs"]
mod host;
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests sign in more ways"
)]
#[path = "../tests/authn/signer.rs"]
mod signer;

/// When tokens are verified, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

fn token(criterion: &mut Criterion) {
    let token = signer::Signer::generate(Algorithm::Rs256).token(&claims());
    let mut group = criterion.benchmark_group("token");
    group.bench_function("parse", |bencher| {
        bencher.iter(|| CompactJws::parse(black_box(token.as_bytes())));
    });
    let parsed = CompactJws::parse(token.as_bytes()).expect("a token of our own");
    group.bench_function("claims", |bencher| {
        bencher.iter(|| ClaimsSet::parse(black_box(parsed.payload())));
    });
    group.finish();
}

fn verification(criterion: &mut Criterion) {
    let host = host::NativeHost::default();
    let by_host = SignatureVerifier::new(HostProbe::run(&host));
    let by_us = SignatureVerifier::default();
    let now = UnixTime::from_seconds(NOW).expect("a time");
    let mut group = criterion.benchmark_group("verification");
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let signer = signer::Signer::generate(algorithm);
        let token = signer.token(&claims());
        let keys = JwkSet::parse(&signer.jwk_set()).expect("keys of our own").into_keys();
        let verifier = JwtVerifier::new(settings(algorithm)).expect("settings of our own");
        let mut measure = |who: &str, signatures: &SignatureVerifier, host: &dyn HostCrypto| {
            let verify = || verifier.verify(black_box(token.as_bytes()), &keys, now, signatures, host);
            assert!(verify().is_ok(), "the way that is measured is that of a good token");
            group.bench_function(format!("{algorithm}, {who}"), |bencher| bencher.iter(verify));
        };
        measure("by the host where it can", &by_host, &host);
        measure("by the module", &by_us, &NoHostCrypto);
    }
    group.finish();
}

fn claims() -> Value {
    json!({
        "iss": "https://auth.example.com", "aud": "api.example.com", "sub": "user-1", "tenant": "acme",
        "roles": ["viewer", "member"], "jti": "0123456789abcdef0123456789abcdef", "iat": NOW - 60, "exp": NOW + 3600
    })
}

fn settings(algorithm: Algorithm) -> JwtSettings {
    JwtSettings {
        issuer: "https://auth.example.com".to_owned(),
        audience: Audience::OneOf(vec!["api.example.com".to_owned()]),
        algorithms: vec![algorithm],
        clock_skew: Duration::from_secs(60),
        expiry: Expiry::default(),
        max_token_age: None,
        token_type: None,
        claims: ClaimPaths::default(),
    }
}

criterion_group!(benches, token, verification);
criterion_main!(benches);
