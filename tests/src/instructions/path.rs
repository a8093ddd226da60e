//! The ways through the module that are counted.

use crate::host::{Cost, Module, Request};
use serde_json::json;
use std::ops::Range;

use super::scene::{BAD, EARLIER, GOOD, LATER, Lab, Scene, Wanted, document, request, requests};
use super::token::{Signature, examples};

/// One way through the module.
pub struct Path {
    /// What it is called in the baseline.
    pub name: &'static str,
    /// How many requests [`Path::cost`] is of. More than one, so that what happens once in a while is in it.
    pub requests: u32,
    count: fn(&Lab<'_>) -> Counts,
}

impl Path {
    /// What it costs.
    ///
    /// # Errors
    /// When the module took another way.
    pub fn cost(&self, module: &Module) -> Result<Cost, String> {
        let (before, after) = (self.count)(&Lab { module, stop: u64::MAX })?;
        Ok(after.since(&before))
    }

    /// Where the instructions go: `samples` times it is stopped on its way, at even distances, and these are the stacks of
    /// functions then, the innermost first. A module without names has numbers there.
    ///
    /// # Errors
    /// When the module took another way, or has no request to stop in.
    pub fn stacks(&self, module: &Module, samples: u64) -> Result<Vec<Vec<String>>, String> {
        let (before, after) = (self.count)(&Lab { module, stop: u64::MAX })?;
        let (before, after) = (before.total(), after.total());
        let stop = |sample: u64| before + (after - before) * (2 * sample + 1) / (2 * samples);
        let stopped = (0..samples).map(|sample| (self.count)(&Lab { module, stop: stop(sample) }));
        stopped.map(|stopped| stack(&stopped.err().unwrap_or_default())).collect()
    }
}

/// What the worker had cost before what is counted, and after.
type Counts = Result<(Cost, Cost), String>;

/// The names in a trap's backtrace, whose lines are `number: address - module!name`.
fn stack(reason: &str) -> Result<Vec<String>, String> {
    let frames = reason.lines().filter_map(|line| line.split_once(" - "));
    let frames = frames.filter(|(place, _)| place.contains(": ") && place.contains("0x"));
    let name = |(_, name): (&str, &str)| {
        let name = name.split_once('!').map_or(name, |(_, function)| function);
        format!("{:#}", rustc_demangle::demangle(name))
    };
    let names: Vec<_> = frames.map(name).collect();
    if names.is_empty() { Err(format!("no stack: {reason}")) } else { Ok(names) }
}

/// All of them. A document has ten rules, and a request a token signed with RS256, unless the name says otherwise.
pub const PATHS: &[Path] = &[
    Path { name: "start", requests: 1, count: start },
    Path { name: "take a document of 1000 rules", requests: 1, count: reconfigure },
    Path { name: "idle second", requests: 1, count: idle },
    Path { name: "warm", requests: MANY, count: |lab| warm(lab, 10, false) },
    Path { name: "warm, 10000 rules", requests: MANY, count: |lab| warm(lab, 10_000, false) },
    Path { name: "warm, audited and sent to the sink", requests: MANY, count: |lab| warm(lab, 10, true) },
    Path { name: "second after warm requests", requests: 1, count: second_after },
    Path { name: "cold RS256", requests: MANY, count: |lab| cold(lab, Signature::Rs256) },
    Path { name: "cold ES256", requests: MANY, count: |lab| cold(lab, Signature::Es256) },
    Path { name: "RS256 without the host's cryptography", requests: 1, count: |lab| by_module(lab, "RS256") },
    Path { name: "ES256 without the host's cryptography", requests: 1, count: |lab| by_module(lab, "ES256") },
    Path { name: "EdDSA", requests: 1, count: |lab| by_module(lab, "EdDSA") },
    Path { name: "public", requests: MANY, count: public },
    Path { name: "refused by the policy", requests: MANY, count: not_allowed },
    Path { name: "no token", requests: MANY, count: no_token },
    Path { name: "expired, again", requests: MANY, count: |lab| expired(lab, FIRST) },
    Path { name: "expired, each new", requests: MANY, count: |lab| expired(lab, NEW) },
    Path { name: "forged, each new", requests: MANY, count: forged },
];

/// Requests that one count is the mean of.
const MANY: u32 = 64;

/// Numbers of the tokens that warm a proxy up.
const FIRST: Range<u32> = 0..MANY;

/// Numbers of tokens it has not seen.
const NEW: Range<u32> = MANY..2 * MANY;

fn start(lab: &Lab<'_>) -> Counts {
    Ok((Cost::default(), Scene::start(lab, &document(10), &GOOD)?.cost()))
}

fn reconfigure(lab: &Lab<'_>) -> Counts {
    let mut scene = Scene::start(lab, &document(10), &GOOD)?;
    let before = scene.cost();
    scene.reconfigure(&document(1000))?;
    Ok((before, scene.cost()))
}

fn idle(lab: &Lab<'_>) -> Counts {
    let mut scene = Scene::start(lab, &document(10), &GOOD)?;
    scene.second()?;
    let before = scene.cost();
    scene.second()?;
    Ok((before, scene.cost()))
}

fn warm(lab: &Lab<'_>, rules: usize, audited: bool) -> Counts {
    let mut document = document(rules);
    if audited {
        let sink = json!({"cluster": "audit", "path": "/v1/audit/batches"});
        document["audit"] = json!({"sink": sink, "when_full": "refuse"});
    }
    let mut scene = Scene::start(lab, &document, &GOOD)?;
    let all = || requests(rules, Signature::Rs256, FIRST, LATER);
    for _ in 0..3 {
        scene.send(all(), Wanted::Passed)?;
        scene.second()?;
    }
    let before = scene.cost();
    scene.send(all(), Wanted::Passed)?;
    if audited {
        scene.second()?;
    }
    Ok((before, scene.cost()))
}

fn second_after(lab: &Lab<'_>) -> Counts {
    let mut scene = Scene::start(lab, &document(10), &GOOD)?;
    let all = || requests(10, Signature::Rs256, FIRST, LATER);
    scene.send(all(), Wanted::Passed)?;
    scene.second()?;
    scene.send(all(), Wanted::Passed)?;
    let before = scene.cost();
    scene.second()?;
    Ok((before, scene.cost()))
}

fn cold(lab: &Lab<'_>, signature: Signature) -> Counts {
    let mut scene = Scene::start(lab, &document(10), &GOOD)?;
    scene.send(requests(10, signature, FIRST, LATER), Wanted::Passed)?;
    let before = scene.cost();
    scene.send(requests(10, signature, NEW, LATER), Wanted::Passed)?;
    Ok((before, scene.cost()))
}

/// The examples of the RFCs are signed, and their claims are refused: what is counted is the signature above all.
fn by_module(lab: &Lab<'_>, algorithm: &str) -> Counts {
    let mut scene = Scene::start_without_crypto(lab, &document(10))?;
    let (_, token) =
        examples().into_iter().find(|(name, _)| *name == algorithm).ok_or("there is no such example")?;
    scene.send([request("/", None)], Wanted::Refused(401))?;
    let before = scene.cost();
    scene.send([request("/", Some(&token))], Wanted::Refused(401))?;
    Ok((before, scene.cost()))
}

fn public(lab: &Lab<'_>) -> Counts {
    let mut document = document(10);
    document["authorization"]["public"] = json!([{"methods": ["GET"], "path": "/healthz"}]);
    let mut scene = Scene::start(lab, &document, &GOOD)?;
    again(&mut scene, || (0..MANY).map(|_| request("/healthz", None)), Wanted::Passed)
}

fn not_allowed(lab: &Lab<'_>) -> Counts {
    let mut scene = Scene::start(lab, &document(10), &GOOD)?;
    // There are ten areas, from 0.
    again(&mut scene, || requests(11, Signature::Rs256, FIRST, LATER), Wanted::Refused(403))
}

fn no_token(lab: &Lab<'_>) -> Counts {
    let mut scene = Scene::start(lab, &document(10), &GOOD)?;
    let bare = || request("/tenants/acme/area-9/objects/42?page=2", None);
    again(&mut scene, || (0..MANY).map(move |_| bare()), Wanted::Refused(401))
}

fn expired(lab: &Lab<'_>, counted: Range<u32>) -> Counts {
    let mut scene = Scene::start(lab, &document(10), &GOOD)?;
    scene.send(requests(10, Signature::Rs256, FIRST, EARLIER), Wanted::Refused(401))?;
    let before = scene.cost();
    scene.send(requests(10, Signature::Rs256, counted, EARLIER), Wanted::Refused(401))?;
    Ok((before, scene.cost()))
}

fn forged(lab: &Lab<'_>) -> Counts {
    let mut scene = Scene::start(lab, &document(10), &BAD)?;
    scene.send(requests(10, Signature::Rs256, FIRST, LATER), Wanted::Refused(401))?;
    let before = scene.cost();
    scene.send(requests(10, Signature::Rs256, NEW, LATER), Wanted::Refused(401))?;
    Ok((before, scene.cost()))
}

/// Sends the same requests twice, and counts the second time.
fn again<R: Iterator<Item = Request>>(scene: &mut Scene, requests: impl Fn() -> R, wanted: Wanted) -> Counts {
    scene.send(requests(), wanted)?;
    let before = scene.cost();
    scene.send(requests(), wanted)?;
    Ok((before, scene.cost()))
}
