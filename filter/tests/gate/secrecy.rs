//! A credential and a secret are used and never shown: not by `Debug` of anything that holds one, not in a line of the
//! log, not in a record, not in an answer.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_filter::audit::StreamId;
use portcullis_filter::authn::probe::HostProbe;
use portcullis_filter::authn::signature::NoHostCrypto;
use portcullis_filter::config::Config;
use portcullis_filter::gate::{CalloutReply, Command, Event, ExchangeId, Gate, RequestHead};
use portcullis_filter::time::UnixTime;
use serde_json::json;

const SECRET: &str = "canary-secret-canary-secret-canary-secret";
const QUERY: &str = "canary-query";

fn token() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims =
        json!({"iss": "https://idp.example.com", "aud": "api", "sub": "canary", "exp": 1_900_000_000});
    let payload = claims.to_string();
    format!("{}.{}.{}", part(r#"{"alg":"RS256","kid":"one"}"#), part(&payload), part("canary-signature"))
}

fn config() -> Config {
    let document = json!({
        "version": 1,
        "authentication": {"methods": [
            {"name": "people", "jwt": {
                "issuer": "https://idp.example.com", "audience": ["api"], "algorithms": ["RS256"],
                "jwks_uri": "https://idp.example.com/jwks", "cluster": "idp",
            }},
            {"name": "services", "jwt": {
                "issuer": "services", "audience": ["api"], "algorithms": ["HS256"], "secret": "${SECRET}",
            }},
        ]},
        "authorization": {"routes": [{"methods": ["GET"], "path": "/x"}]},
        "audit": {"sink": {"cluster": "audit", "path": "/batches"}},
    });
    let environment = |name: &str| (name == "SECRET").then(|| SECRET.to_owned());
    Config::load(document.to_string().as_bytes(), &environment).unwrap()
}

fn arrival() -> Event {
    let headers = [
        (":method", "GET".to_owned()),
        (":authority", "api.example.com".to_owned()),
        (":path", format!("/x?{QUERY}")),
        ("authorization", format!("Bearer {}", token())),
    ];
    let headers = headers.into_iter().collect();
    Event::Head { exchange: ExchangeId(1), head: RequestHead { headers, ..RequestHead::default() } }
}

/// Fails when `text` shows something that is to be kept, as text or as a list of bytes.
#[track_caller]
fn shows_nothing(what: &str, text: &str) {
    for kept in [token().as_str(), SECRET, QUERY, "canary"] {
        let bytes = format!("{:?}", kept.as_bytes());
        let bytes = bytes.trim_matches(['[', ']']);
        assert!(!text.contains(kept) && !text.contains(bytes), "{what} shows {kept}: {text}");
    }
}

fn inspect(commands: &[Command]) {
    for command in commands {
        shows_nothing("a command", &format!("{command:?}"));
        match command {
            Command::Dispatch(callout) => {
                shows_nothing("a callout", &String::from_utf8_lossy(&callout.body));
                shows_nothing("a callout", &format!("{:?}", callout.headers));
            }
            Command::Refuse { answer, .. } => {
                shows_nothing("an answer", &String::from_utf8_lossy(&answer.body));
                shows_nothing("an answer", &format!("{:?}", answer.headers));
            }
            Command::Log(_, line) => shows_nothing("the log", line),
            Command::Resume { .. }
            | Command::Increment(_)
            | Command::Add(..)
            | Command::Record(..)
            | Command::TickEvery(_)
            | Command::Release => {}
        }
    }
}

#[test]
fn the_check_itself_sees_both_spellings() {
    for shown in [format!("{:?}", token()), format!("{:?}", SECRET.as_bytes())] {
        assert!(std::panic::catch_unwind(|| shows_nothing("this", &shown)).is_err());
    }
}

#[test]
fn neither_token_nor_secret_nor_query_is_ever_shown() {
    let config = config();
    shows_nothing("the configuration", &format!("{config:?}"));

    let start = UnixTime::from_seconds(1_800_000_000).unwrap();
    let (mut gate, greeting) = Gate::new(config, StreamId::from_bytes([7; 16]), start, HostProbe::nothing());
    inspect(&greeting);

    shows_nothing("an event", &format!("{:?}", arrival()));
    let commands = gate.handle(arrival(), start, &NoHostCrypto);
    inspect(&commands);
    let keys = commands.iter().find_map(|command| match command {
        Command::Dispatch(callout) if callout.cluster == "idp" => Some(callout.id),
        _ => None,
    });
    let callout = keys.expect("the request waits for keys, token and all");
    shows_nothing("a gate with a waiting request", &format!("{gate:?}"));

    let reply = CalloutReply::Answered { status: 500, body: Vec::new() };
    let commands = gate.handle(Event::CalloutReply { callout, reply }, start, &NoHostCrypto);
    assert!(commands.iter().any(|command| matches!(command, Command::Refuse { .. })));
    inspect(&commands);

    let later = start.saturating_add(Duration::from_secs(2));
    let commands = gate.handle(Event::Tick, later, &NoHostCrypto);
    let recorded = |command: &Command| match command {
        Command::Dispatch(callout) => String::from_utf8_lossy(&callout.body).contains("keys_unavailable"),
        _ => false,
    };
    assert!(commands.iter().any(recorded), "the refusal is on record");
    inspect(&commands);
    shows_nothing("a gate", &format!("{gate:?}"));
}
