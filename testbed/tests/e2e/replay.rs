//! Requests through a real Envoy, put on record by the gate and by Envoy's own access log, and asked again: under the same
//! policy nothing changes, and under another exactly what it changes.

use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_testbed::PATIENCE;
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::Request;
use serde_json::{Value, json};

use crate::support::{OBJECT, Shipped, judge, options, person, quickstart, root, start, viewer};

/// What is asked, and how it is answered.
const ANSWERS: [&str; 10] = [
    "200",
    "200",
    "200",
    "401 missing_token",
    "403 insufficient_role",
    "200",
    "400 ambiguous_path",
    "401 invalid_token",
    "403 access_denied",
    "200",
];

/// The quickstart policy. Without tenants: an access log does not tell whose tenant it names.
fn policy() -> Value {
    let mut document = quickstart();
    document.as_object_mut().expect("an object").remove("tenancy");
    document
}

/// The same, in which viewers may delete and may not read.
fn changed() -> Value {
    let mut document = policy();
    let authorization = &mut document["authorization"];
    authorization["rules"] = json!([
        {"name": "no-reading", "effect": "deny", "action": "read", "resource": "/v1/objects/*", "role": "viewer"},
    ]);
    let routes = authorization["routes"].as_array_mut().expect("routes");
    let delete = routes.iter_mut().find(|route| route["name"] == "delete-object").expect("a route");
    delete["require"]["roles"]["any_of"] = json!(["admin", "viewer"]);
    document
}

/// The format that the page recommends.
fn access_log() -> Value {
    let page = std::fs::read_to_string(root().join("docs/replay.md")).expect("the page");
    let (_, rest) = page.split_once("```yaml\n").expect("the page has a format");
    let (format, _) = rest.split_once("```").expect("that ends");
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), format).expect("written");
    let format = portcullis_testbed::envoy_config::read_yaml(file.path()).expect("the format is YAML");
    json!([{"name": "envoy.access_loggers.stdout", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        "log_format": format["log_format"],
    }}])
}

async fn play(bed: &Bed) {
    let (ann, ada, joe) =
        (viewer(&bed.issuer), person(&bed.issuer, "ada", "admin"), person(&bed.issuer, "joe", "operator"));
    let requests = [
        Request::get("/healthz"),
        Request::get(OBJECT).bearer(&ann),
        Request::get(format!("{OBJECT}?access=secret")).bearer(&ann),
        // What a stranger says of itself is in the log, and is nobody's identity.
        Request::get(OBJECT)
            .header("x-user-id", "ada")
            .header("x-auth-method", "people")
            .header("x-user-roles", "admin"),
        Request::new("DELETE", OBJECT).bearer(&ann),
        Request::new("DELETE", OBJECT).bearer(&ada),
        Request::get("/v1/objects/..%2fadmin").bearer(&ann),
        Request::get(OBJECT).bearer("garbage.token.here"),
        Request::get("/nowhere").bearer(&ann),
        Request::new("POST", "/v1/objects").bearer(&joe).header("content-length", "0"),
    ];
    for (request, wanted) in requests.iter().zip(ANSWERS) {
        assert_eq!(judge(bed, request).await, wanted, "{request:?}");
    }
}

/// The command, as the tests of the workspace build it.
fn portcullis() -> PathBuf {
    let test = std::env::current_exe().expect("the test is a program");
    let program = test.ancestors().nth(2).expect("it is in a target folder").join("portcullis");
    assert!(program.is_file(), "{} is missing: run `cargo build -p portcullis-cli`", program.display());
    program
}

/// What `replay` says of `records` under `policy`: its exit status, and each group as change, what is responsible, requests.
fn replay(policy: &Value, records: &Path, more: &[&str]) -> (Option<i32>, Value, Vec<String>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("policy.json");
    std::fs::write(&file, policy.to_string()).expect("written");
    let mut command = Command::new(portcullis());
    let output = command.arg("replay").arg(&file).arg(records).arg("--json").args(more).output();
    let output = output.expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    let groups = told["groups"].as_array().into_iter().flatten().map(|group| {
        let by = if group["rules"].is_array() { &group["rules"] } else { &group["missing"] };
        format!("{} {by} {}", group["change"].as_str().unwrap_or_default(), group["requests"])
    });
    (output.status.code(), told.clone(), groups.collect())
}

#[tokio::test]
async fn what_a_real_gate_recorded_can_be_asked_again() {
    let shipped = Shipped::new().settings(json!({"access_log": access_log()}));
    let mut options = options(policy()).await;
    options.root = shipped.root().to_owned();
    let bed = start(&options).await;
    play(&bed).await;

    let decided = |lines: &[String]| {
        let is_decision = |line: &&String| line.contains(r#""kind":"decision""#);
        (lines.iter().filter(is_decision).count() >= ANSWERS.len()).then_some(())
    };
    bed.sink.records().wait_until(PATIENCE, decided).await.expect("every decision is on record");
    let logged = |lines: &[String]| {
        let log: Vec<String> = lines.iter().filter(|line| line.contains(r#""authority""#)).cloned().collect();
        (log.len() >= ANSWERS.len()).then_some(log)
    };
    let log = bed.envoy.output().wait_until(PATIENCE, logged).await.expect("every request is logged");
    println!("{}", log.join("\n"));
    let access_log = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(access_log.path(), log.join("\n") + "\n").expect("written");

    // The record tells everything that this policy looks at.
    let (status, told, groups) = replay(&policy(), bed.sink.file(), &[]);
    assert_eq!((status, groups), (Some(0), Vec::new()), "{told:#}");
    assert_eq!((&told["asked"], &told["unchanged"]), (&json!(8), &json!(8)));
    assert_eq!(told["left_out"], json!({"ambiguous_path": 1, "invalid_token": 1}));
    let (status, told, groups) = replay(&changed(), bed.sink.file(), &[]);
    let expected =
        [r#"newly_allowed ["delete-object"] 1"#, r#"newly_denied ["no-reading"] 2"#].map(str::to_owned);
    assert_eq!((status, groups), (Some(1), expected.to_vec()), "{told:#}");

    // The log tells less: of the two refusals of a known caller not who it was.
    let (status, told, groups) = replay(&policy(), access_log.path(), &[]);
    let unknown = r#"cannot_be_known ["subject"] 2"#.to_owned();
    assert_eq!((status, groups), (Some(1), vec![unknown.clone()]), "{told:#}");
    assert_eq!((&told["asked"], &told["unchanged"]), (&json!(8), &json!(6)));
    assert_eq!(told["left_out"], json!({"ambiguous_path": 1, "invalid_token": 1}));
    assert_eq!(replay(&policy(), access_log.path(), &["--allow-unknown"]).0, Some(0));
    let (_, told, groups) = replay(&changed(), access_log.path(), &[]);
    assert_eq!(groups, [r#"newly_denied ["no-reading"] 2"#.to_owned(), unknown], "{told:#}");
}
