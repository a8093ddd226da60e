//! The corpus through the gate itself, native, on a host that is a loop: the quickest ring, and the one to debug in.
//!
//! The gate's own cryptography verifies everything here; the host's is met in the ring `module`.

use portcullis_filter::audit::StreamId;
use portcullis_filter::authn::probe::HostProbe;
use portcullis_filter::authn::signature::NoHostCrypto;
use portcullis_filter::config::Config;
use portcullis_filter::gate::{
    Body, Callout, CalloutReply, Command, Event, ExchangeId, Gate, HeaderEdit, RequestHead,
};
use portcullis_filter::time::UnixTime;
use portcullis_tests::corpus::{Case, CaseFile, Keys, Reply, Runner, Seen, Sent, run};
use std::process::ExitCode;
use std::time::Duration;

/// 2026-06-01T12:00:00Z.
const NOON: u64 = 1_780_315_200;

/// How long a request may wait for its answer, in simulated seconds: longer than any timeout of the corpus.
const PATIENCE: u32 = 40;

struct Native {
    keys: Keys,
}

impl Runner for Native {
    fn ring(&self) -> &'static str {
        "exchange"
    }

    fn keys(&self) -> Keys {
        self.keys.clone()
    }

    fn now(&self) -> i64 {
        NOON as i64
    }

    fn exchange(&self, file: &CaseFile, _: &Case, sent: &Sent) -> Result<Seen, String> {
        let document = self.keys.resolve(&file.document)?.to_string();
        let environment = |name: &str| file.env.get(name).cloned();
        let config =
            Config::load(document.as_bytes(), &environment).map_err(|problems| problems.to_string())?;
        let now = UnixTime::from_seconds(NOON).ok_or("noon")?;
        let (gate, commands) = Gate::new(config, StreamId::from_bytes([7; 16]), now, HostProbe::nothing());
        let mut host = ScriptedHost { gate, now, keys: &self.keys, file, sent, seen: None, slow: Vec::new() };
        host.perform(commands);
        let exchange = ExchangeId(1);
        host.happen(Event::Head { exchange, head: head(sent) });
        if let Some(bound) = host.gate.body_bound(exchange) {
            let is_too_large = sent.body.len() > bound;
            let body = if is_too_large { Body::TooLarge } else { Body::Arrived(sent.body.clone()) };
            host.happen(Event::Body { exchange, body });
        }
        for _ in 0..PATIENCE {
            if host.seen.is_some() {
                break;
            }
            host.let_a_second_pass();
        }
        Ok(host.seen.unwrap_or_else(|| Seen::Broken(format!("no answer within {PATIENCE} seconds"))))
    }
}

/// A host that does what commands say and answers callouts as the file says.
struct ScriptedHost<'a> {
    gate: Gate,
    now: UnixTime,
    keys: &'a Keys,
    file: &'a CaseFile,
    sent: &'a Sent,
    seen: Option<Seen>,
    /// Callouts that nobody answers, and when they time out.
    slow: Vec<(UnixTime, Callout)>,
}

impl ScriptedHost<'_> {
    fn happen(&mut self, event: Event) {
        let commands = self.gate.handle(event, self.now, &NoHostCrypto);
        self.perform(commands);
    }

    fn perform(&mut self, commands: Vec<Command>) {
        let mut replies = Vec::new();
        for command in commands {
            match command {
                Command::Resume { permit: _permit, edits, .. } => self.conclude(permitted(self.sent, &edits)),
                Command::Refuse { answer, .. } => self.conclude(Seen::Refused {
                    status: if answer.grpc_status.is_some() { 200 } else { answer.status },
                    headers: answer
                        .headers
                        .iter()
                        .map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes()))
                        .chain(
                            answer
                                .grpc_status
                                .map(|status| ("grpc-status".to_owned(), status.to_string().into())),
                        )
                        .collect(),
                    body: answer.body.clone(),
                    details: Some(answer.details.clone()),
                }),
                Command::Dispatch(callout) => match self.reply(&callout) {
                    Some(reply) => replies.push(Event::CalloutReply { callout: callout.id, reply }),
                    None => self.slow.push((self.now.saturating_add(callout.timeout), callout)),
                },
                Command::Increment(_) | Command::Add(..) | Command::Record(..) | Command::Log(..) => {}
                Command::TickEvery(_) | Command::Release => {}
            }
        }
        for reply in replies {
            self.happen(reply);
        }
    }

    /// One answer for one request: a second is a fault whatever it says.
    fn conclude(&mut self, seen: Seen) {
        self.seen = Some(match self.seen.take() {
            None => seen,
            Some(first) => Seen::Broken(format!("answered twice: {first:?}, then {seen:?}")),
        });
    }

    fn reply(&self, callout: &Callout) -> Option<CalloutReply> {
        let answered = |status, body: Vec<u8>| Some(CalloutReply::Answered { status, body });
        let script = match callout.cluster.as_str() {
            "idp" => &self.file.callouts.idp,
            "audit" => &self.file.callouts.audit,
            _ => return Some(CalloutReply::NotSent),
        };
        match script {
            Reply::Ok => answered(200, Vec::new()),
            Reply::Jwks(names) => {
                answered(200, self.keys.jwks(names).expect("algorithms").to_string().into())
            }
            Reply::Status(status) => answered(*status, Vec::new()),
            Reply::Body(body) => answered(200, body.clone().into()),
            Reply::Unreachable => answered(503, b"upstream connect error".to_vec()),
            Reply::Reset => Some(CalloutReply::Failed),
            Reply::Timeout => None,
        }
    }

    fn let_a_second_pass(&mut self) {
        self.now = self.now.saturating_add(Duration::from_secs(1));
        let now = self.now;
        let (due, slow) =
            std::mem::take(&mut self.slow).into_iter().partition(|(deadline, _)| *deadline <= now);
        self.slow = slow;
        let due: Vec<(UnixTime, Callout)> = due;
        for (_, callout) in due {
            self.happen(Event::CalloutReply { callout: callout.id, reply: CalloutReply::Failed });
        }
        self.happen(Event::Tick);
    }
}

fn lines(sent: &Sent) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut lines = vec![
        (b":method".to_vec(), sent.method.clone().into_bytes()),
        (b":path".to_vec(), sent.target.clone()),
        (b":authority".to_vec(), sent.host.clone().into_bytes()),
        (b":scheme".to_vec(), b"http".to_vec()),
    ];
    lines.retain(|(_, value)| !value.is_empty());
    lines.extend(sent.headers.iter().map(|(name, value)| (name.to_ascii_lowercase().into(), value.clone())));
    lines
}

fn head(sent: &Sent) -> RequestHead {
    let headers = lines(sent).into_iter().collect();
    RequestHead { headers, source: Some(b"192.0.2.7:40000".to_vec()), ended: sent.body.is_empty() }
}

fn permitted(sent: &Sent, edits: &[HeaderEdit]) -> Seen {
    let mut headers = lines(sent);
    for edit in edits {
        match edit {
            HeaderEdit::Remove(name) => headers.retain(|(key, _)| **key != **name),
            HeaderEdit::Set(line) => {
                let (name, value) = line.to_send().expect("a line that may be sent");
                headers.retain(|(key, _)| **key != *name);
                headers.push((name.to_vec(), value.to_vec()));
            }
        }
    }
    let target =
        headers.iter().find(|(name, _)| name == b":path").map(|(_, value)| value.clone()).unwrap_or_default();
    let text = |(name, value): (Vec<u8>, Vec<u8>)| (String::from_utf8_lossy(&name).into_owned(), value);
    Seen::Permitted { target, headers: headers.into_iter().map(text).collect(), body: None }
}

fn main() -> ExitCode {
    run(Native { keys: Keys::generate() })
}
