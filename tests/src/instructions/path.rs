//! The ways through the module that are counted.

use crate::host::{Cost, Module, Request};
use serde_json::json;
use std::ops::Range;

use super::scene::{BAD, EARLIER, GOOD, LATER, Scene, Wanted, document, request, requests};
use super::token::{Signature, examples};

/// One way through the module.
pub struct Path {
    /// What it is called in the baseline.
    pub name: &'static str,
    /// How many requests [`Path::cost`] is of. More than one, so that what happens once in a while is in it.
    pub requests: u32,
    count: fn(&Module) -> Result<Cost, String>,
}

impl Path {
    /// What it costs.
    ///
    /// # Errors
    /// When the module took another way.
    pub fn cost(&self, module: &Module) -> Result<Cost, String> {
        (self.count)(module)
    }
}

/// All of them. A document has ten rules, and a request a token signed with RS256, unless the name says otherwise.
pub const PATHS: &[Path] = &[
    Path { name: "start", requests: 1, count: start },
    Path { name: "take a document of 1000 rules", requests: 1, count: reconfigure },
    Path { name: "idle second", requests: 1, count: idle },
    Path { name: "warm", requests: MANY, count: |module| warm(module, 10, false) },
    Path { name: "warm, 10000 rules", requests: MANY, count: |module| warm(module, 10_000, false) },
    Path {
        name: "warm, audited and sent to the sink",
        requests: MANY,
        count: |module| warm(module, 10, true),
    },
    Path { name: "second after warm requests", requests: 1, count: second_after },
    Path { name: "cold RS256", requests: MANY, count: |module| cold(module, Signature::Rs256) },
    Path { name: "cold ES256", requests: MANY, count: |module| cold(module, Signature::Es256) },
    Path {
        name: "RS256 without the host's cryptography",
        requests: 1,
        count: |module| by_module(module, "RS256"),
    },
    Path {
        name: "ES256 without the host's cryptography",
        requests: 1,
        count: |module| by_module(module, "ES256"),
    },
    Path { name: "EdDSA", requests: 1, count: |module| by_module(module, "EdDSA") },
    Path { name: "public", requests: MANY, count: public },
    Path { name: "refused by the policy", requests: MANY, count: not_allowed },
    Path { name: "no token", requests: MANY, count: no_token },
    Path { name: "expired, again", requests: MANY, count: |module| expired(module, FIRST) },
    Path { name: "expired, each new", requests: MANY, count: |module| expired(module, NEW) },
    Path { name: "forged, each new", requests: MANY, count: forged },
];

/// Requests that one count is the mean of.
const MANY: u32 = 64;

/// Numbers of the tokens that warm a proxy up.
const FIRST: Range<u32> = 0..MANY;

/// Numbers of tokens it has not seen.
const NEW: Range<u32> = MANY..2 * MANY;

fn start(module: &Module) -> Result<Cost, String> {
    Ok(Scene::start(module, &document(10), &GOOD)?.cost())
}

fn reconfigure(module: &Module) -> Result<Cost, String> {
    let mut scene = Scene::start(module, &document(10), &GOOD)?;
    let before = scene.cost();
    scene.reconfigure(&document(1000))?;
    Ok(scene.cost().since(&before))
}

fn idle(module: &Module) -> Result<Cost, String> {
    let mut scene = Scene::start(module, &document(10), &GOOD)?;
    scene.second();
    let before = scene.cost();
    scene.second();
    Ok(scene.cost().since(&before))
}

fn warm(module: &Module, rules: usize, audited: bool) -> Result<Cost, String> {
    let mut document = document(rules);
    if audited {
        let sink = json!({"cluster": "audit", "path": "/v1/audit/batches"});
        document["audit"] = json!({"sink": sink, "when_full": "refuse"});
    }
    let mut scene = Scene::start(module, &document, &GOOD)?;
    let all = || requests(rules, Signature::Rs256, FIRST, LATER);
    for _ in 0..3 {
        scene.send(all(), Wanted::Passed)?;
        scene.second();
    }
    let before = scene.cost();
    scene.send(all(), Wanted::Passed)?;
    if audited {
        scene.second();
    }
    Ok(scene.cost().since(&before))
}

fn second_after(module: &Module) -> Result<Cost, String> {
    let mut scene = Scene::start(module, &document(10), &GOOD)?;
    let all = || requests(10, Signature::Rs256, FIRST, LATER);
    scene.send(all(), Wanted::Passed)?;
    scene.second();
    scene.send(all(), Wanted::Passed)?;
    let before = scene.cost();
    scene.second();
    Ok(scene.cost().since(&before))
}

fn cold(module: &Module, signature: Signature) -> Result<Cost, String> {
    let mut scene = Scene::start(module, &document(10), &GOOD)?;
    scene.send(requests(10, signature, FIRST, LATER), Wanted::Passed)?;
    let before = scene.cost();
    scene.send(requests(10, signature, NEW, LATER), Wanted::Passed)?;
    Ok(scene.cost().since(&before))
}

/// The examples of the RFCs are signed, and their claims are refused: what is counted is the signature above all.
fn by_module(module: &Module, algorithm: &str) -> Result<Cost, String> {
    let mut scene = Scene::start_without_crypto(module, &document(10))?;
    let (_, token) =
        examples().into_iter().find(|(name, _)| *name == algorithm).ok_or("there is no such example")?;
    scene.send([request("/", None)], Wanted::Refused(401))?;
    let before = scene.cost();
    scene.send([request("/", Some(&token))], Wanted::Refused(401))?;
    Ok(scene.cost().since(&before))
}

fn public(module: &Module) -> Result<Cost, String> {
    let mut document = document(10);
    document["authorization"]["public"] = json!([{"methods": ["GET"], "path": "/healthz"}]);
    let mut scene = Scene::start(module, &document, &GOOD)?;
    again(&mut scene, || (0..MANY).map(|_| request("/healthz", None)), Wanted::Passed)
}

fn not_allowed(module: &Module) -> Result<Cost, String> {
    let mut scene = Scene::start(module, &document(10), &GOOD)?;
    // There are ten areas, from 0.
    again(&mut scene, || requests(11, Signature::Rs256, FIRST, LATER), Wanted::Refused(403))
}

fn no_token(module: &Module) -> Result<Cost, String> {
    let mut scene = Scene::start(module, &document(10), &GOOD)?;
    let bare = || request("/tenants/acme/area-9/objects/42?page=2", None);
    again(&mut scene, || (0..MANY).map(move |_| bare()), Wanted::Refused(401))
}

fn expired(module: &Module, counted: Range<u32>) -> Result<Cost, String> {
    let mut scene = Scene::start(module, &document(10), &GOOD)?;
    scene.send(requests(10, Signature::Rs256, FIRST, EARLIER), Wanted::Refused(401))?;
    let before = scene.cost();
    scene.send(requests(10, Signature::Rs256, counted, EARLIER), Wanted::Refused(401))?;
    Ok(scene.cost().since(&before))
}

fn forged(module: &Module) -> Result<Cost, String> {
    let mut scene = Scene::start(module, &document(10), &BAD)?;
    scene.send(requests(10, Signature::Rs256, FIRST, LATER), Wanted::Refused(401))?;
    let before = scene.cost();
    scene.send(requests(10, Signature::Rs256, NEW, LATER), Wanted::Refused(401))?;
    Ok(scene.cost().since(&before))
}

/// Sends the same requests twice, and counts the second time.
fn again<R: Iterator<Item = Request>>(
    scene: &mut Scene,
    requests: impl Fn() -> R,
    wanted: Wanted,
) -> Result<Cost, String> {
    scene.send(requests(), wanted)?;
    let before = scene.cost();
    scene.send(requests(), wanted)?;
    Ok(scene.cost().since(&before))
}
