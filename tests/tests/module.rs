//! The corpus through the built module, on the simulated host: the ABI, the host's cryptography, and the mark that a
//! permit leaves for the guard.

use portcullis_tests::corpus::{Case, CaseFile, Keys, Reply, Runner, Seen, Sent, run};
use portcullis_tests::host::{Answer, Callout, Host, Module, Outcome, Request};
use std::process::ExitCode;
use std::time::Duration;

/// What a permit must leave in the filter state: the guard lets nothing else through.
const MARK: (&str, &[u8]) = ("wasm.portcullis_permit", b"1");

/// How long a request may wait for its answer, in simulated time: longer than any timeout of the corpus.
const PATIENCE: Duration = Duration::from_secs(40);

struct Wasmtime {
    module: Module,
    keys: Keys,
}

impl Runner for Wasmtime {
    fn ring(&self) -> &'static str {
        "module"
    }

    fn keys(&self) -> Keys {
        self.keys.clone()
    }

    fn now(&self) -> i64 {
        1_780_315_200
    }

    fn exchange(&self, file: &CaseFile, _: &Case, sent: &Sent) -> Result<Seen, String> {
        let document = self.keys.resolve(&file.document)?.to_string();
        let host = Host::load(&self.module).cluster("idp").cluster("audit").at(self.now() as u64);
        let host = file.env.iter().fold(host, |host, (name, value)| host.env(name, value));
        // As it must be where a document looks at bodies.
        let looks_at_bodies = !file.document["request"]["body"].is_null();
        let host = if looks_at_bodies { host.allow_on_headers_stop_iteration() } else { host };
        let mut envoy = host.start(document).map_err(|error| error.to_string())?;
        let mut world = |callout: &Callout| answer(file, &self.keys, callout);
        envoy.settle(&mut world);
        let stream = envoy.worker(0).request(request(sent));
        let outcome = envoy.decide(stream, PATIENCE, &mut world);
        let marked = envoy.filter_state(stream).get(MARK.0).is_some_and(|value| value == MARK.1);
        envoy.worker(0).finish(stream);
        if !envoy.worker(0).is_alive() {
            return Ok(Seen::Broken(format!("the module died: {outcome:?}")));
        }
        Ok(match outcome {
            Outcome::Continued { headers } if marked => Seen::Permitted {
                target: headers.get(":path").unwrap_or_default().to_vec(),
                headers: headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
                body: None,
            },
            Outcome::Replied(_) if marked => Seen::Broken("refused, and marked as permitted".to_owned()),
            Outcome::Replied(reply) => Seen::Refused {
                status: reply.status,
                headers: reply
                    .headers
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_vec()))
                    .collect(),
                body: reply.body,
                details: Some(reply.details),
            },
            other => Seen::Broken(format!("{other:?}, marked: {marked}")),
        })
    }
}

fn request(sent: &Sent) -> Request {
    let pseudo = [
        (":method", sent.method.as_bytes()),
        (":path", sent.target.as_slice()),
        (":authority", sent.host.as_bytes()),
        (":scheme", b"http"),
    ];
    let pseudo = pseudo.into_iter().filter(|(_, value)| !value.is_empty());
    let headers = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    Request::bare(pseudo.chain(headers)).body(sent.body.clone()).in_pieces_of(7)
}

fn answer(file: &CaseFile, keys: &Keys, callout: &Callout) -> Option<Answer> {
    let script = if callout.cluster == "idp" { &file.callouts.idp } else { &file.callouts.audit };
    match script {
        Reply::Ok => Some(Answer::new(200, "")),
        Reply::Jwks(names) => Some(Answer::json(200, keys.jwks(names).expect("algorithms"))),
        Reply::Status(status) => Some(Answer::new(*status, "")),
        Reply::Body(body) => Some(Answer::new(200, body.as_str())),
        Reply::Unreachable => Some(Answer::unreachable()),
        Reply::Reset => Some(Answer::reset()),
        Reply::Timeout => None,
    }
}

fn main() -> ExitCode {
    match Module::built() {
        Ok(module) => run(Wasmtime { module, keys: Keys::generate() }),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
