//! The requests of the demo, what each must come to, and what it came to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::{Connection, Request, Response};
use portcullis_testbed::issuer::{Algorithm, KeyRing, TokenBuilder};
use portcullis_testbed::{Journal, PATIENCE};
use serde_json::{Value, json};

use super::portcullis;

/// How soon a pushed policy must be in force on every worker.
const PUSH_LIMIT: Duration = Duration::from_secs(2);

/// One line of the story.
#[derive(Debug)]
pub(super) struct Row {
    /// What was tried.
    pub(super) what: &'static str,
    /// Method and path, or what else was done.
    pub(super) how: String,
    /// What must come of it: status and code.
    pub(super) expected: (String, &'static str),
    /// What came of it.
    pub(super) got: (String, String),
    /// Why, in words.
    pub(super) reason: String,
}

impl Row {
    pub(super) fn as_expected(&self) -> bool {
        self.expected.0 == self.got.0 && self.expected.1 == self.got.1
    }

    pub(super) fn mismatch(&self) -> String {
        format!("expected {} {}, got {} {}", self.expected.0, self.expected.1, self.got.0, self.got.1)
    }
}

/// A request and what must come of it.
struct Scene {
    what: &'static str,
    request: Request,
    how: &'static str,
    status: u16,
    code: &'static str,
}

/// A token of the viewer Ann, of tenant acme.
pub(super) fn viewer(bed: &Bed) -> TokenBuilder {
    person(bed, "ann", "viewer")
}

/// A token of the administrator Root, of tenant acme.
pub(super) fn admin(bed: &Bed) -> TokenBuilder {
    person(bed, "root", "admin")
}

fn person(bed: &Bed, name: &str, role: &str) -> TokenBuilder {
    bed.issuer
        .token(Algorithm::RS256)
        .claim("sub", name)
        .claim("aud", "api.example.com")
        .claim("tenant", "acme")
        .claim("roles", json!([role]))
}

/// Sends the requests that the first policy decides.
pub(super) async fn requests(bed: &Bed) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut connection = Connection::open(bed.gate()).await?;
    for scene in scenes(bed)? {
        let answer = connection.exchange(&scene.request).await.with_context(|| scene.what)?;
        rows.push(row(scene, &answer));
    }
    Ok(rows)
}

fn scenes(bed: &Bed) -> Result<Vec<Scene>> {
    let ann = viewer(bed).sign()?;
    let forged = viewer(bed).signed_by(Arc::new(KeyRing::generate("1")?)).sign()?;
    let expired = viewer(bed).expires_in(-3600).sign()?;
    let elsewhere = viewer(bed).claim("aud", "other.example.com").sign()?;
    let elliptic = bed.issuer.token(Algorithm::ES256).claim("sub", "eve").claim("aud", "api.example.com");
    let elliptic = elliptic.claim("tenant", "acme").claim("roles", json!(["operator"])).sign()?;
    let get = |path: &str| Request::get(path);
    let scene = |what, request, how, status, code| Scene { what, request, how, status, code };
    let object = "GET /v1/objects/42";
    Ok(vec![
        scene("public route, no token", get("/healthz"), "GET /healthz", 200, ""),
        scene("viewer reads", get("/v1/objects/42").bearer(&ann), object, 200, ""),
        scene(
            "client claims to be root",
            get("/v1/objects/42").bearer(&ann).header("x-user-id", "root").header("X_User_Id", "root"),
            object,
            200,
            "",
        ),
        scene(
            "operator creates, ES256",
            Request::new("POST", "/v1/objects").bearer(&elliptic).body("{}"),
            "POST /v1/objects",
            200,
            "",
        ),
        scene(
            "own tenant",
            get("/tenants/acme/invoices/7").bearer(&ann),
            "GET /tenants/acme/invoices/7",
            200,
            "",
        ),
        scene("no token", get("/v1/objects/42"), object, 401, "missing_token"),
        scene("forged signature", get("/v1/objects/42").bearer(&forged), object, 401, "invalid_signature"),
        scene("expired", get("/v1/objects/42").bearer(&expired), object, 401, "invalid_token"),
        scene("wrong audience", get("/v1/objects/42").bearer(&elsewhere), object, 401, "invalid_token"),
        scene(
            "missing permission",
            Request::new("POST", "/v1/objects").bearer(&ann).body("{}"),
            "POST /v1/objects",
            403,
            "insufficient_permissions",
        ),
        scene(
            "missing role",
            Request::new("DELETE", "/v1/objects/42").bearer(&ann),
            "DELETE /v1/objects/42",
            403,
            "insufficient_role",
        ),
        scene(
            "another tenant's invoice",
            get("/tenants/globex/invoices/7").bearer(&ann),
            "GET /tenants/globex/invoices/7",
            403,
            "tenant_mismatch",
        ),
        scene(
            "path two servers read differently",
            get("/v1/objects/..%2fadmin").bearer(&ann),
            "GET /v1/objects/..%2fadmin",
            400,
            "ambiguous_path",
        ),
        scene(
            "two different tokens",
            get("/v1/objects/42").bearer(&ann).bearer(&elliptic),
            object,
            400,
            "ambiguous_credentials",
        ),
        scene(
            "no route says it may",
            get("/internal/metrics").bearer(&ann),
            "GET /internal/metrics",
            403,
            "access_denied",
        ),
    ])
}

fn row(scene: Scene, answer: &Response) -> Row {
    let body = answer.json().unwrap_or(Value::Null);
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    let mut reason = match answer.status {
        200 => identity(&body),
        _ => body["detail"].as_str().or(body["title"].as_str()).unwrap_or("no problem document").to_owned(),
    };
    let mut got = (answer.status.to_string(), code);
    // The upstream must see one user, and it must be the one of the token.
    if scene.what == "client claims to be root" {
        let users = values(&body, |name| name.replace('_', "-") == "x-user-id");
        if users != ["ann"] {
            got.1 = format!("the upstream saw {users:?}");
        }
        reason.push_str(", the client's own x-user-id removed");
    }
    Row {
        what: scene.what,
        how: scene.how.to_owned(),
        expected: (scene.status.to_string(), scene.code),
        got,
        reason,
    }
}

/// Who the upstream was told it is talking to.
fn identity(echo: &Value) -> String {
    let one = |wanted: &str| values(echo, |name| name == wanted).join(", ");
    let (user, tenant, roles) = (one("x-user-id"), one("x-tenant-id"), one("x-user-roles"));
    if user.is_empty() {
        "passed without identity".to_owned()
    } else {
        format!("passed as {user} of {tenant}, {roles}")
    }
}

fn values(echo: &Value, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let headers = echo["headers"].as_array().map_or(&[][..], Vec::as_slice);
    let found = headers.iter().filter(|line| line[0].as_str().is_some_and(&wanted));
    found.filter_map(|line| Some(line[1].as_str()?.to_owned())).collect()
}

/// Pushes a policy that flips one of the answers, then a broken one that must change nothing.
pub(super) async fn policy_pushes(bed: &Bed, document: &Value) -> Result<Vec<Row>> {
    let mut generous = document.clone();
    generous["authorization"]["roles"]["viewer"]["permissions"] = json!(["objects:read", "objects:create"]);
    let create = Request::new("POST", "/v1/objects").bearer(&viewer(bed).sign()?).body("{}");

    let started = Instant::now();
    bed.push(&generous).await?;
    let mut connection = Connection::open(bed.gate()).await?;
    let mut answer = connection.exchange(&create).await?;
    while answer.status != 200 && started.elapsed() < PUSH_LIMIT {
        answer = connection.exchange(&create).await?;
    }
    let mut flipped = row(
        Scene {
            what: "policy pushed live: viewers may create",
            request: create.clone(),
            how: "POST /v1/objects",
            status: 200,
            code: "",
        },
        &answer,
    );
    flipped.reason = format!("{}, {} ms after the rename", flipped.reason, started.elapsed().as_millis());

    let mut broken = generous.clone();
    broken["authorization"]["roles"]["viewer"]["permisions"] = json!([]);
    let mark = bed.envoy.log().len();
    let refused = bed.push(&broken).await.is_err();
    let answer = connection.exchange(&create).await?;
    let mut kept = row(
        Scene {
            what: "broken policy pushed: refused, old one goes on",
            request: create,
            how: "POST /v1/objects",
            status: 200,
            code: "",
        },
        &answer,
    );
    kept.reason = why_refused(bed.envoy.log(), mark);
    if !refused {
        kept.got.1 = "the policy was taken".to_owned();
    }
    Ok(vec![flipped, kept])
}

fn why_refused(log: &Journal, mark: usize) -> String {
    let lines = log.lines().split_off(mark);
    let ours = lines.into_iter().find(|line| line.contains("wasm log"));
    ours.and_then(|line| Some(line.split_once("wasm log")?.1.split_once(": ")?.1.to_owned()))
        .unwrap_or_default()
}

/// Verifies the audit file that the sink wrote, then changes one byte of a copy, which must be found.
pub(super) async fn audit(bed: &Bed, program: &std::path::Path) -> Result<Row> {
    // One record for each of the requests that were sent; the last ones travel with the next batch.
    let decided = bed.envoy.admin().stat("http.gate.downstream_rq_completed").await?;
    let arrived = bed.sink.wait_for(usize::try_from(decided)?, PATIENCE).await;
    let file = bed.sink.file();
    let (status, said) =
        portcullis(program, &["audit".as_ref(), "verify".as_ref(), file.as_os_str()]).await?;
    let edited = file.with_extension("edited.ndjson");
    let text = std::fs::read_to_string(file)?;
    std::fs::write(&edited, text.replacen("insufficient_role", "insufficient_rule", 1))?;
    let (edited_status, _) =
        portcullis(program, &["audit".as_ref(), "verify".as_ref(), edited.as_os_str()]).await?;
    let verified = match (arrived, status.success(), edited_status.success()) {
        (Ok(_), true, false) => "verified",
        (Err(_), _, _) => "records are missing",
        (Ok(_), false, _) => "the chain does not hold",
        (Ok(_), true, true) => "an edit was not found",
    };
    Ok(Row {
        what: "the record of all this, verified",
        how: "portcullis audit verify".to_owned(),
        expected: ("verified".to_owned(), ""),
        got: (verified.to_owned(), String::new()),
        reason: format!("{}; one byte edited is found", said.lines().last().unwrap_or_default()),
    })
}
