//! The corpus through a real Envoy with the shipped configuration: one process, one policy push for each file.
//!
//! Cases that cannot hold here, mostly because Envoy itself refuses what they send, are in `cases/skips.yaml`.

use portcullis_testbed::bed::{Bed, BedOptions};
use portcullis_testbed::client::{Connection, Request, Response};
use portcullis_testbed::envoy::{Wanted, provision};
use portcullis_testbed::issuer::KeySetFault;
use portcullis_testbed::{Fault, PATIENCE};
use portcullis_tests::corpus::{Case, CaseFile, Corpus, Keys, Reply, Runner, Seen, Sent, run};
use portcullis_tests::host::Module;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;

struct RealEnvoy {
    runtime: Runtime,
    bed: Mutex<Stage>,
    keys: Keys,
}

/// The bed and the file it is made up for.
struct Stage {
    bed: Bed,
    file: String,
    /// Why the file's document is not in force, if it is not.
    refused: Option<String>,
}

impl Runner for RealEnvoy {
    fn ring(&self) -> &'static str {
        "envoy"
    }

    fn keys(&self) -> Keys {
        self.keys.clone()
    }

    fn now(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
    }

    /// There is one policy in force at a time, and case follows case within a file.
    fn threads(&self) -> Option<usize> {
        Some(1)
    }

    fn exchange(&self, file: &CaseFile, _: &Case, sent: &Sent) -> Result<Seen, String> {
        let mut stage = self.bed.lock().map_err(|_| "an earlier case panicked")?;
        self.runtime.block_on(async {
            if stage.file != file.name {
                stage.refused = stage.set(file, &self.keys).await.err();
                stage.file.clone_from(&file.name);
            }
            match &stage.refused {
                Some(reason) => Err(reason.clone()),
                None => stage.send(sent).await,
            }
        })
    }
}

impl Stage {
    /// Sets issuer and sink, pushes the document, and waits until it answers.
    async fn set(&self, file: &CaseFile, keys: &Keys) -> Result<(), String> {
        self.bed.issuer.set_fault(match &file.callouts.idp {
            Reply::Ok | Reply::Jwks(_) => KeySetFault::None,
            Reply::Timeout => KeySetFault::Request(Fault::Slow),
            Reply::Status(_) => KeySetFault::Request(Fault::Unavailable),
            Reply::Reset | Reply::Unreachable => KeySetFault::Request(Fault::Reset),
            // Once for each file, and the process ends with the last of them.
            Reply::Body(body) => KeySetFault::Text(body.clone().leak()),
        });
        self.bed.sink.set_fault(match &file.callouts.audit {
            Reply::Timeout => Fault::Slow,
            Reply::Status(_) => Fault::Unavailable,
            Reply::Reset | Reply::Unreachable => Fault::Reset,
            Reply::Ok | Reply::Jwks(_) | Reply::Body(_) => Fault::None,
        });
        let document = keys.resolve(&file.document)?;
        self.bed.push(&document).await.map_err(|error| format!("{error:#}"))?;
        let realm = format!("realm=\"{}\"", document["name"].as_str().unwrap_or_default());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let answer = self.exchange(&Request::get("/is-the-new-policy-in-force")).await?;
            if answer.header("www-authenticate").is_some_and(|challenge| challenge.contains(&realm)) {
                return Ok(());
            }
        }
        Err(format!("the document {realm} does not come into force"))
    }

    async fn send(&self, sent: &Sent) -> Result<Seen, String> {
        let mut request = Request::new(&sent.method, &sent.target).without_host();
        if !sent.host.is_empty() {
            request = request.header("host", &sent.host);
        }
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        request = request.body(&sent.body);
        let before = self.bed.upstream.served();
        let response = self.exchange(&request).await?;
        if self.bed.upstream.served() == before {
            let Response { status, headers, body } = response;
            return Ok(Seen::Refused { status, headers, body, details: None });
        }
        let echo = response.json().unwrap_or_else(|_| json!({"path": "", "headers": []}));
        let headers = echo["headers"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Seen::Permitted {
            target: text(&echo["path"]).into_bytes(),
            headers: headers.iter().map(|pair| (text(&pair[0]), text(&pair[1]).into_bytes())).collect(),
            body: echo["body"].as_str().map(|body| body.as_bytes().to_vec()),
        })
    }

    async fn exchange(&self, request: &Request) -> Result<Response, String> {
        let mut connection = Connection::open(self.bed.gate()).await.map_err(|error| format!("{error:#}"))?;
        connection.exchange(request).await.map_err(|error| format!("{error:#}"))
    }
}

fn start() -> Result<RealEnvoy, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut environment: Vec<(String, String)> = Vec::new();
    for (name, value) in Corpus::load()?.files.into_iter().flat_map(|file| file.env) {
        match environment.iter().find(|(known, _)| *known == name) {
            None => environment.push((name, value)),
            Some((_, known)) if *known == value => {}
            Some(_) => return Err(format!("two files give {name} two values, and there is one Envoy")),
        }
    }
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    let bed = runtime.block_on(async {
        let envoy = provision(&Wanted::Any, &root.join("target/envoy"), &|line| println!("{line}")).await?;
        println!("Envoy {} ({})", envoy.version, envoy.origin);
        let first = json!({"version": 1, "authentication": {"methods": []}, "authorization": {}});
        let mut options = BedOptions::new(&root, &envoy.path, &Module::built_path(), first);
        options.document["authentication"] = json!({"methods": [{"name": "people", "jwt": {
            "issuer": "https://auth.example.com", "audience": ["api.example.com"], "algorithms": ["RS256"],
            "jwks_uri": "https://auth.example.com/.well-known/jwks.json", "cluster": "idp"}}]});
        options.environment = environment;
        // One worker: when it has the new policy, everybody has it.
        options.concurrency = 1;
        Bed::start(&options).await
    });
    let bed = bed.map_err(|error| format!("{error:#}"))?;
    // The cases know the keys' ids by the generation.
    bed.issuer.rotate("corpus").map_err(|error| error.to_string())?;
    let keys = Keys::with_issuer(bed.issuer.keys(), "corpus");
    let stage = Stage { bed, file: String::new(), refused: None };
    Ok(RealEnvoy { runtime, bed: Mutex::new(stage), keys })
}

fn main() -> ExitCode {
    match start() {
        Ok(envoy) => run(envoy),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
