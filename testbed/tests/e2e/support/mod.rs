//! What the stories share: where the parts are, beds to start from, people with tokens, and answers read.

mod provider;
mod shipped;
mod surgery;

pub(crate) use provider::Provider;
pub(crate) use shipped::Shipped;
pub(crate) use surgery::Surgery;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::{Bed, BedOptions};
use portcullis_testbed::client::{Connection, Request, Response, exchange};
use portcullis_testbed::envoy::{Wanted, provision};
use portcullis_testbed::envoy_config::read_yaml;
use portcullis_testbed::issuer::{Algorithm, Issuer};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// An object that a viewer may read and nobody else.
pub(crate) const OBJECT: &str = "/v1/objects/42";

/// How often something is looked at that offers no event to wait for.
const POLL: Duration = Duration::from_millis(10);

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the repository is where it was built")
}

/// The module under test.
pub(crate) fn module() -> PathBuf {
    let built = || root().join("target/portcullis.wasm");
    let module = std::env::var_os("PORTCULLIS_WASM").map_or_else(built, PathBuf::from);
    assert!(module.is_file(), "{} is missing: run `cargo xtask build`", module.display());
    module
}

/// The policy that is shipped with the configuration: viewers read objects, operators create them.
pub(crate) fn quickstart() -> Value {
    read_yaml(&root().join("examples/quickstart/policy.yaml")).expect("the quickstart policy is YAML")
}

/// A bed with one worker, so that every request meets the same one, and `document` in force.
pub(crate) async fn options(document: Value) -> BedOptions {
    let envoy = provision(&Wanted::Any, &root().join("target/envoy"), &|step| println!("{step}")).await;
    let envoy = envoy.expect("an Envoy to test with");
    let mut options = BedOptions::new(&root(), &envoy.path, &module(), document);
    options.concurrency = 1;
    options
}

/// A started bed of [`options`].
pub(crate) async fn bed(document: Value) -> Bed {
    start(&options(document).await).await
}

/// A started bed.
pub(crate) async fn start(options: &BedOptions) -> Bed {
    Bed::start(options).await.expect("the bed starts")
}

/// A token of Ann, a viewer of tenant acme.
pub(crate) fn viewer(issuer: &Issuer) -> String {
    person(issuer, "ann", "viewer")
}

/// A token of someone of tenant acme with one role.
pub(crate) fn person(issuer: &Issuer, name: &str, role: &str) -> String {
    let token = issuer.token(Algorithm::ES256).claim("sub", name).claim("aud", "api.example.com");
    token.claim("tenant", "acme").claim("roles", json!([role])).sign().expect("the issuer signs")
}

/// Sends one request over a connection of its own.
pub(crate) async fn ask(bed: &Bed, request: &Request) -> Response {
    exchange(bed.gate(), request).await.expect("an answer")
}

/// The status, and the code of the problem document: `401 missing_token`, or `200` with nothing behind.
pub(crate) fn verdict(response: &Response) -> String {
    let body = response.json().unwrap_or(Value::Null);
    let code = body["code"].as_str().unwrap_or_default();
    format!("{} {code}", response.status).trim_end().to_owned()
}

/// As [`ask`], read by [`verdict`].
pub(crate) async fn judge(bed: &Bed, request: &Request) -> String {
    verdict(&ask(bed, request).await)
}

/// Asks until the verdict is the one wanted, and returns how long that took.
pub(crate) async fn wait_for_verdict(bed: &Bed, request: &Request, wanted: &str) -> Duration {
    let mut connection = Connection::open(bed.gate()).await.expect("the gate listens");
    let started = Instant::now();
    loop {
        let got = verdict(&connection.exchange(request).await.expect("an answer"));
        if got == wanted {
            return started.elapsed();
        }
        assert!(started.elapsed() < PATIENCE, "{got} and not {wanted} after {PATIENCE:?}");
        sleep(POLL).await;
    }
}

/// The worker lives and decides: a public route passes, and a guarded one asks for a token.
pub(crate) async fn assert_serving(bed: &Bed, after: &str) {
    assert_eq!(judge(bed, &Request::get("/healthz")).await, "200", "after {after}");
    assert_eq!(judge(bed, &Request::get(OBJECT)).await, "401 missing_token", "after {after}");
}

/// Waits until `look` finds something, for what offers no event.
pub(crate) async fn wait_until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        sleep(POLL).await;
    }
}

/// The value of a counter or gauge of ours, by its name with labels, such as `portcullis_audit_pending.policy=shop`.
pub(crate) async fn stat(bed: &Bed, name: &str) -> u64 {
    bed.envoy.admin().stat(&format!("wasmcustom.{name}")).await.expect("Envoy tells its statistics")
}

/// Waits for an access log line about a request that `wanted` is true of.
pub(crate) async fn access_log(bed: &Bed, wanted: impl Fn(&Value) -> bool) -> Value {
    let find = |lines: &[String]| {
        lines.iter().filter_map(|line| serde_json::from_str(line).ok()).find(|line: &Value| wanted(line))
    };
    let found = bed.envoy.output().wait_until(PATIENCE, find).await;
    found.unwrap_or_else(|| panic!("no such line in the access log:\n{}", bed.envoy.output().tail(20)))
}
