//! `portcullis auth test`: one authentication, tried here and, if there is one, at a running gate.
//!
//! Here the filter's own gate answers: see [`crate::rehearsal`]. The token is never shown, and what the upstream would be
//! told of the caller is shown only as identity headers.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use portcullis_filter::authn::jws::MAX_TOKEN_BYTES;
use portcullis_filter::credential::Location;
use portcullis_filter::gate::{Answer, RequestHead};
use portcullis_filter::time::UnixTime;
use serde_json::{Map, Value, json};

use crate::clock;
use crate::exit;
use crate::input;
use crate::keyring::{KeyArgs, Unverified};
use crate::live_gate::{self, GateUrl, Heard};
use crate::policy_file::{PolicyArgs, PolicyFile};
use crate::question::{HeaderLine, Question};
use crate::rehearsal::{self, Ending, Rehearsed};
use crate::token_verify::{self, Verified};

/// Try an authentication: which method takes the token, who it says is calling, and what the gate then answers.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 accepted (with --request passed), 1 refused, or the running gate answers otherwise,\n\
    2 wrong usage, unreadable input, keys that are not here or a gate that does not answer."
)]
pub(crate) struct AuthTestArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// File that holds the token; `-` reads standard input. A token on the command line would be seen by others.
    #[arg(long, value_name = "FILE", required_unless_present = "request")]
    token: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
    /// What the token is sent with: a method, a blank and a URL, or a path alone.
    #[arg(long, value_name = "METHOD URL")]
    request: Option<String>,
    /// A header line of the request.
    #[arg(long, value_name = "NAME: VALUE", requires = "request")]
    header: Vec<String>,
    /// The address of the peer. Without it none is known.
    #[arg(long, value_name = "ADDRESS", requires = "request")]
    source: Option<String>,
    /// Send the request to this running gate as well, and compare the answers: `http://` and a host.
    #[arg(long, value_name = "URL", requires = "request")]
    gate: Option<GateUrl>,
    /// The moment to verify at: RFC 3339 in UTC, or seconds since 1970. Without it the present.
    #[arg(long, value_parser = clock::parse)]
    now: Option<UnixTime>,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &AuthTestArgs) -> ExitCode {
    match attempt(args) {
        Ok(attempt) => exit::after_saying(attempt.is_good(), |out| {
            if args.json { writeln!(out, "{:#}", attempt.to_json()) } else { attempt.write_text(out) }
        }),
        Err(status) => status,
    }
}

/// Everything that was tried.
struct Attempt {
    /// What the verification came to: as text and as JSON.
    token: Option<Shown>,
    accepted: bool,
    /// Where the token stood.
    place: Option<String>,
    /// The request as it was asked.
    request: Option<String>,
    rehearsed: Option<Rehearsed>,
    /// The running gate and what it said.
    heard: Option<(String, Heard)>,
}

struct Shown {
    text: Vec<u8>,
    json: Value,
}

fn attempt(args: &AuthTestArgs) -> Result<Attempt, ExitCode> {
    let (policy, environment) = args.policy.open()?;
    let keyring = args.keys.open(&policy, &environment)?;
    let now = clock::or_now(args.now);
    let token = args.token.as_deref().map(|file| input::read_token(file, MAX_TOKEN_BYTES));
    let token = token.transpose().map_err(|error| exit::unusable(&error))?;
    let (mut shown, mut accepted, mut place) = (None, true, None);
    if let Some(token) = &token {
        let verified = keyring.verify(token, None, now);
        if let Err(Unverified::CannotBeKnown { method, why }) = &verified {
            return Err(exit::unusable(&format_args!("method `{method}`: {why}")));
        }
        accepted = verified.is_ok();
        place = place_of(&policy, &verified);
        shown = Some(shown_as(&verified).map_err(|error| exit::unusable(&error))?);
    }
    let Some(line) = &args.request else {
        return Ok(Attempt {
            token: shown,
            accepted,
            place: None,
            request: None,
            rehearsed: None,
            heard: None,
        });
    };
    let unusable = |why: &str| exit::unusable(&format_args!("--request: {why}"));
    let host = args.gate.as_ref().map_or("localhost", GateUrl::authority);
    let request = Question::of_line(line, Some(host)).map_err(unusable)?;
    let credential = token.as_deref().zip(place.as_ref());
    let lines = HeaderLine::read(&args.header).map_err(|why| exit::unusable(&why))?;
    let sent = Sent::new(&request, lines, credential).map_err(unusable)?;
    let known = keyring.into_keys();
    let mut config = policy.config;
    for (method, keys) in config.methods.iter_mut().zip(known) {
        if let Some(keys) = keys {
            method.keys = keys;
        }
    }
    let head = sent.head(args.source.as_deref());
    let rehearsed = rehearsal::rehearse(config, head, now).map_err(|why| exit::unusable(&why))?;
    let heard = match &args.gate {
        Some(gate) => {
            let heard = live_gate::ask(gate, &sent.method, &sent.target, &sent.host, &sent.headers);
            Some((gate.to_string(), heard.map_err(|error| exit::unusable(&format_args!("{gate}: {error}")))?))
        }
        None => None,
    };
    Ok(Attempt {
        token: shown,
        accepted,
        place: place.map(|place| in_words(&place)),
        request: Some(format!("{} {}{}", request.method, request.host, request.target)),
        rehearsed: Some(rehearsed),
        heard,
    })
}

/// Where the method that is to verify looks first; for a token that is nobody's the first place of all.
fn place_of(policy: &PolicyFile, verified: &Verified<'_>) -> Option<Location> {
    let name = match verified {
        Ok((method, _)) => Some(method.name.as_str()),
        Err(Unverified::Refused { method, .. }) => method.as_deref(),
        Err(Unverified::NoMethod { .. } | Unverified::CannotBeKnown { .. }) => None,
    };
    let method = name.and_then(|name| policy.config.methods.iter().position(|method| method.name == name));
    let mut places = policy.config.locations.iter();
    places.find(|(of, _)| method.is_none_or(|method| method == *of)).map(|(_, place)| place.clone())
}

fn shown_as(verified: &Verified<'_>) -> io::Result<Shown> {
    let mut text = Vec::new();
    token_verify::write_text(&mut text, verified)?;
    Ok(Shown { text, json: token_verify::to_json(verified) })
}

/// A request as it is sent.
struct Sent {
    method: String,
    host: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
}

impl Sent {
    fn new(
        request: &Question,
        lines: Vec<HeaderLine>,
        credential: Option<(&[u8], &Location)>,
    ) -> Result<Self, &'static str> {
        let mut target = request.target.clone();
        let mut headers: Vec<(String, Vec<u8>)> =
            lines.into_iter().map(|line| (line.name, line.value.into_bytes())).collect();
        match credential {
            None => {}
            Some((token, Location::Header { name, scheme: Some(scheme) })) => {
                headers.push((name.clone(), [scheme.as_bytes(), b" ", token].concat()));
            }
            Some((token, Location::Header { name, scheme: None })) => {
                headers.push((name.clone(), token.to_vec()));
            }
            Some((token, Location::Cookie { name })) => {
                headers.push(("cookie".to_owned(), [name.as_bytes(), b"=", token].concat()));
            }
            Some((token, Location::Query { name })) => {
                let token = std::str::from_utf8(token).map_err(|_| "the token is no text for a query")?;
                let separator = if target.contains('?') { '&' } else { '?' };
                target = format!("{target}{separator}{name}={token}");
            }
        }
        Ok(Self { method: request.method.clone(), host: request.host.clone(), target, headers })
    }

    fn head(&self, source: Option<&str>) -> RequestHead {
        let pseudo = [(":method", &self.method), (":authority", &self.host), (":path", &self.target)];
        let pseudo = pseudo.into_iter().map(|(name, value)| (name.into(), value.clone().into_bytes()));
        let headers = self.headers.iter().map(|(name, value)| (name.clone().into_bytes(), value.clone()));
        RequestHead { headers: pseudo.chain(headers).collect(), source: source.map(Into::into) }
    }
}

fn in_words(place: &Location) -> String {
    match place {
        Location::Header { name, scheme: Some(scheme) } => format!("header `{name}`, scheme {scheme}"),
        Location::Header { name, scheme: None } => format!("header `{name}`"),
        Location::Cookie { name } => format!("cookie `{name}`"),
        Location::Query { name } => format!("query parameter `{name}`"),
    }
}

impl Attempt {
    fn is_good(&self) -> bool {
        match &self.rehearsed {
            None => self.accepted,
            Some(rehearsed) => {
                let passes = match &rehearsed.ending {
                    Ending::Passed { .. } => true,
                    Ending::Refused(_) => false,
                };
                passes && self.agrees()
            }
        }
    }

    /// Whether the running gate, if there is one, answers as the one here.
    fn agrees(&self) -> bool {
        match (&self.rehearsed, &self.heard) {
            (Some(rehearsed), Some((_, heard))) => match &rehearsed.ending {
                Ending::Passed { .. } => heard.code.is_none(),
                Ending::Refused(answer) => {
                    // An answer to `HEAD` has no body to name a code in.
                    let same_code = || answer.body.is_empty() || heard.code == code(answer);
                    heard.status == answer.status && same_code()
                }
            },
            (_, _) => true,
        }
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        match &self.token {
            Some(shown) => {
                write!(out, "token: ")?;
                out.write_all(&shown.text)?;
            }
            None => writeln!(out, "token: none")?,
        }
        let (Some(request), Some(rehearsed)) = (&self.request, &self.rehearsed) else { return Ok(()) };
        let place = self.place.as_ref().map(|place| format!(", token in {place}")).unwrap_or_default();
        writeln!(out, "request: {request}{place}")?;
        match &rehearsed.ending {
            Ending::Passed { identity } => {
                writeln!(out, "answer: permit, the request goes on to the upstream")?;
                for (name, value) in identity {
                    writeln!(out, "  {name}: {value}")?;
                }
            }
            Ending::Refused(answer) => {
                let document = problem(answer);
                let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
                writeln!(out, "answer: {} {}: {}", answer.status, text("code"), text("detail"))?;
                for (name, value) in &answer.headers {
                    writeln!(out, "  {name}: {value}")?;
                }
            }
        }
        if let Some(record) = &rehearsed.record {
            writeln!(out, "on record: {}", on_record(record))?;
        }
        if let Some((gate, heard)) = &self.heard {
            let verdict = if self.agrees() { "as here" } else { "NOT as here: is this its policy?" };
            writeln!(out, "{gate}: {heard}; {verdict}")?;
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let mut all = Map::new();
        all.insert("token".to_owned(), self.token.as_ref().map(|shown| shown.json.clone()).into());
        if let (Some(request), Some(rehearsed)) = (&self.request, &self.rehearsed) {
            all.insert("request".to_owned(), request.as_str().into());
            all.insert("token_in".to_owned(), self.place.clone().into());
            let answer = match &rehearsed.ending {
                Ending::Passed { identity } => {
                    let identity: Map<String, Value> =
                        identity.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
                    json!({ "permitted": true, "identity_headers": identity })
                }
                Ending::Refused(answer) => {
                    let headers: Map<String, Value> = answer
                        .headers
                        .iter()
                        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
                        .collect();
                    json!({ "permitted": false, "status": answer.status, "code": code(answer), "headers": headers,
                            "body": problem(answer) })
                }
            };
            all.insert("answer".to_owned(), answer);
            all.insert("record".to_owned(), rehearsed.record.clone().into());
        }
        if let Some((gate, heard)) = &self.heard {
            let heard =
                json!({ "url": gate, "status": heard.status, "code": heard.code, "as_here": self.agrees() });
            all.insert("gate".to_owned(), heard);
        }
        all.into()
    }
}

/// The problem document of an answer; of one without a body what its details say.
fn problem(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!({ "code": from_details(answer) }))
}

fn code(answer: &Answer) -> Option<String> {
    problem(answer).get("code").and_then(Value::as_str).map(str::to_owned)
}

/// An answer to `HEAD` has no body, and one to gRPC another.
fn from_details(answer: &Answer) -> Option<&str> {
    answer.details.split_once('{')?.1.strip_suffix('}')
}

/// What an auditor would read of it.
fn on_record(record: &Value) -> String {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let rules = record.get("rules").and_then(Value::as_array).into_iter().flatten();
    let rules: Vec<&str> = rules.filter_map(Value::as_str).collect();
    let mut words = vec![text("decision").unwrap_or_default().to_owned()];
    for (label, value) in [
        ("reason", text("reason")),
        ("action", text("action")),
        ("tenant", text("tenant")),
        ("by", Some(rules.join(", ").as_str()).filter(|rules| !rules.is_empty())),
    ] {
        words.extend(value.map(|value| format!("{label} {value}")));
    }
    if record.get("cross_tenant").and_then(Value::as_bool).unwrap_or_default() {
        words.push("across tenants".to_owned());
    }
    words.join(", ")
}
