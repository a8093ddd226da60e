//! What it takes to answer a request that the gate can answer at once, identity headers and all, without a host.

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_filter::gate::{CalloutReply, Command, Event, ExchangeId};
use serde_json::{Value, json};

#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests ask for more"
)]
#[path = "../tests/gate/scene.rs"]
mod scene;

fn gate(criterion: &mut Criterion) {
    let mut scene = scene::Scene::of(&document());
    let token = scene.token("k1");
    let mut group = criterion.benchmark_group("gate");
    for (name, path, token) in [
        ("warm token", "/x?page=2", Some(token.as_str())),
        ("no token", "/x?page=2", None),
        ("public route", "/public", None),
    ] {
        let mut ask = || -> Vec<Command> {
            let commands = scene.request(1, path, token);
            scene.handle(Event::Finished { exchange: ExchangeId(1) });
            commands
        };
        assert_eq!(scene::outcomes(&ask()).len(), 1, "{name}: an answer at once");
        group.bench_function(name, |bencher| bencher.iter(&mut ask));
    }
    group.finish();
}

/// The scene's document, with the keys in it.
fn document() -> Value {
    let mut document = scene::document();
    let keys = match scene::jwks(&["k1"]) {
        CalloutReply::Answered { body, .. } => serde_json::from_slice(&body).unwrap_or_default(),
        CalloutReply::TooLarge | CalloutReply::Failed | CalloutReply::NotSent => Value::Null,
    };
    if let Some(jwt) = document.pointer_mut("/authentication/methods/0/jwt") {
        *jwt = json!({
            "issuer": "https://issuer.example", "audience": ["api"], "algorithms": ["EdDSA"], "jwks": keys,
        });
    }
    document
}

criterion_group!(benches, gate);
criterion_main!(benches);
