//! `portcullis auth test`: one authentication, tried here and, if there is one, at a running gate.
//!
//! Here the filter's own gate answers: see [`crate::rehearsal`]. The token is never shown, and what the upstream would be
//! told of the caller is shown only as identity headers.

pub(crate) mod sent;
mod shown;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use portcullis_filter::authn::jws::MAX_TOKEN_BYTES;
use portcullis_filter::credential::Location;
use portcullis_filter::time::UnixTime;
use serde_json::Value;

use crate::clock;
use crate::exit;
use crate::input;
use crate::keyring::{KeyArgs, Unverified};
use crate::live_gate::{self, GateUrl, Heard};
use crate::policy_file::{PolicyArgs, PolicyFile};
use crate::question::{HeaderLine, Question};
use crate::rehearsal::{self, Rehearsed};
use crate::token_verify::{self, Verified};
use sent::{Sent, in_words};

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
    /// File that holds the body of the request, `-` for standard input; JSON, unless a header line says otherwise.
    #[arg(long, value_name = "FILE", requires = "request")]
    body: Option<PathBuf>,
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
    let body = args.body.as_deref().map(|file| input::read_small(file, MAX_BODY_BYTES));
    let body = body.transpose().map_err(|error| exit::unusable(&error))?;
    let sent = Sent::new(&request, lines, credential, body).map_err(unusable)?;
    let known = keyring.into_keys();
    let mut config = policy.config;
    for (method, keys) in config.methods.iter_mut().zip(known) {
        if let Some(keys) = keys {
            method.keys = keys;
        }
    }
    let head = sent.head(args.source.as_deref());
    let rehearsed = rehearsal::rehearse(config, policy.digest, head, sent.body.as_deref(), now)
        .map_err(|why| exit::unusable(&why))?;
    let heard = match &args.gate {
        Some(gate) => {
            let heard = live_gate::ask(gate, &sent);
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

/// Longest body that is sent: the most that a document can have the gate hold, and one byte, so that too long can be tried.
const MAX_BODY_BYTES: usize = 1024 * 1024 + 1;
