//! Every hostcall the module makes, failing in every way: what a bad request gets is never a pass, what a good one gets is
//! an answer, and the request after the fault is served.
//!
//! Each call and fault is met twice: once in a proxy that runs, once in one that starts.

use libtest_mimic::{Arguments, Failed, Trial};
use portcullis_tests::host::{Call, Envoy, FailurePolicy, Fault, Outcome, Stream, VmName};
use portcullis_tests::scene::Scene;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// The calls the module makes. A call that is not here must not be made: see the last trial.
const CALLS: &[Call] = &[
    Call::Log,
    Call::GetLogLevel,
    Call::GetCurrentTimeNanoseconds,
    Call::SetTickPeriodMilliseconds,
    Call::GetBufferBytes,
    Call::GetHeaderMapPairs,
    Call::GetHeaderMapValue,
    Call::ReplaceHeaderMapValue,
    Call::RemoveHeaderMapValue,
    Call::GetProperty,
    Call::SetProperty,
    Call::ContinueStream,
    Call::SendLocalResponse,
    Call::HttpCall,
    Call::DefineMetric,
    Call::RecordMetric,
    Call::IncrementMetric,
    Call::SetEffectiveContext,
    Call::Done,
    Call::CallForeignFunction,
];

/// The faults, by name. `0` is a host that says OK and has done nothing.
fn faults() -> Vec<(String, Fault)> {
    let statuses = [0, 1, 2, 3, 6, 7, 8, 10, 12, 255];
    let statuses = statuses.map(|status| (format!("status_{status}"), Fault::status(status)));
    let first = [1, 10].map(|status| (format!("status_{status}_once"), Fault::status(status).nth(1)));
    let bytes: [(&str, &[u8]); 4] = [
        ("not_utf8", b"\xff\xfe\xfd"),
        ("one_byte", b"\x01"),
        ("count_of_four_billion", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        ("nothing", b""),
    ];
    let bytes = bytes.map(|(name, bytes)| (format!("hands_over_{name}"), Fault::bytes(bytes)));
    statuses.into_iter().chain(first).chain(bytes).collect()
}

/// Where the module may trap, and why. Everywhere else a trap is a failure.
fn may_trap(call: Call) -> Option<&'static str> {
    match call {
        Call::HttpCall => Some("the SDK, which alone can make callouts, panics on statuses it does not know"),
        Call::SetEffectiveContext => {
            Some("the SDK enters the root context before it hands over a callout's answer")
        }
        _ => None,
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let scene = Arc::new(Scene::new());
    let mut trials = Vec::new();
    for &call in CALLS {
        for (name, fault) in faults() {
            let (one, two) = (Arc::clone(&scene), Arc::clone(&scene));
            let (fault_one, fault_two) = (fault.clone(), fault);
            let import = call.import();
            trials.push(Trial::test(format!("running::{import}::{name}"), move || {
                while_running(&one, call, fault_one)
            }));
            trials.push(Trial::test(format!("starting::{import}::{name}"), move || {
                while_starting(&two, call, fault_two)
            }));
        }
    }
    trials.push(Trial::test("no_other_call_is_made", move || only_known_calls(&scene)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn while_running(scene: &Scene, call: Call, fault: Fault) -> Result<(), Failed> {
    let document = scene.document(scene.audit("refuse", 64)).to_string();
    let mut envoy = scene.host().failure_policy(FailurePolicy::Reload).start(document)?;
    envoy.run_for(Duration::from_secs(5), scene.world());
    envoy.inject(call, fault);
    disturbed(scene, &mut envoy, call)?;
    recovered(scene, &mut envoy)
}

fn while_starting(scene: &Scene, call: Call, fault: Fault) -> Result<(), Failed> {
    let document = scene.document(scene.audit("refuse", 64)).to_string();
    // The canary sees no fault: what fails only on a worker is what opens gates.
    let host = scene.host().failure_policy(FailurePolicy::Reload).inject(call, fault.on(VmName::Worker(0)));
    let mut envoy = host.start(&document)?;
    disturbed(scene, &mut envoy, call)?;
    envoy.clear_faults();
    envoy
        .reconfigure(&document)
        .map_err(|rejected| format!("a later configuration is refused: {rejected}"))?;
    match call {
        // Found out once in the life of a VM: a host whose first callout fails strangely is one without callouts.
        Call::HttpCall => disturbed(scene, &mut envoy, call),
        _ => recovered(scene, &mut envoy),
    }
}

/// One bad request and one good one under the fault.
fn disturbed(scene: &Scene, envoy: &mut Envoy, call: Call) -> Result<(), Failed> {
    let bad = envoy.worker(0).request(scene.forged());
    judge(scene, envoy, bad, call, false)?;
    let good = envoy.worker(0).request(scene.good());
    judge(scene, envoy, good, call, true)
}

fn judge(scene: &Scene, envoy: &mut Envoy, stream: Stream, call: Call, good: bool) -> Result<(), Failed> {
    match envoy.decide(stream, Duration::from_secs(40), scene.world()) {
        Outcome::Continued { .. } if good => {}
        Outcome::Continued { .. } | Outcome::Bypassed => return Err("a request got through".into()),
        Outcome::Trapped { reason } if may_trap(call).is_none() => return Err(reason.into()),
        // Held for ever is closed, too: the host could not be told what to do with it.
        Outcome::Trapped { .. } | Outcome::Replied(_) | Outcome::Paused | Outcome::Aborted => {}
    }
    envoy.worker(0).abort(stream);
    Ok(())
}

/// Without the fault a good request passes and a bad one does not.
fn recovered(scene: &Scene, envoy: &mut Envoy) -> Result<(), Failed> {
    envoy.clear_faults();
    envoy.run_for(Duration::from_secs(40), scene.world());
    let good = envoy.worker(0).request(scene.good());
    let outcome = envoy.decide(good, Duration::from_secs(40), scene.world());
    if !matches!(outcome, Outcome::Continued { .. }) {
        return Err(format!("the request after the fault got {outcome:?}").into());
    }
    let bad = envoy.worker(0).request(scene.forged());
    match envoy.decide(bad, Duration::from_secs(40), scene.world()) {
        Outcome::Replied(reply) if reply.status == 401 => Ok(()),
        outcome => Err(format!("a forged token after the fault got {outcome:?}").into()),
    }
}

fn only_known_calls(scene: &Scene) -> Result<(), Failed> {
    let mut envoy = scene.start_warm(scene.audit("refuse", 64));
    for request in [scene.good(), scene.forged()] {
        let stream = envoy.worker(0).request(request);
        envoy.decide(stream, Duration::from_secs(40), scene.world());
        envoy.worker(0).finish(stream);
    }
    envoy.shut_down();
    envoy.run_for(Duration::from_secs(40), scene.world());
    let unknown = Call::ALL.iter().filter(|call| !CALLS.contains(call) && envoy.calls(**call) > 0);
    let unknown: Vec<_> = unknown.map(|call| call.import()).collect();
    if unknown.is_empty() { Ok(()) } else { Err(format!("not in the list of this test: {unknown:?}").into()) }
}
