//! `portcullis token verify`: whether the gate accepts a token, by which method, and who it says is calling.
//!
//! It verifies by the filter's own code. The token is never shown.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use portcullis_filter::authn::error::{AuthnError, ClaimDefect};
use portcullis_filter::authn::jws::MAX_TOKEN_BYTES;
use portcullis_filter::authn::jwt::VerifiedToken;
use portcullis_filter::config::Method;
use portcullis_filter::gate::Denial;
use portcullis_filter::time::UnixTime;
use serde_json::{Value, json};

use crate::clock;
use crate::exit;
use crate::input;
use crate::keyring::{KeyArgs, Keyring, Unverified};
use crate::ndjson::{self, Answered};
use crate::policy_file::PolicyArgs;

/// Verify access tokens as the gate would.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 accepted, 1 refused, 2 wrong usage, unreadable input or keys that are not here.\n\
    A line of NDJSON is a token, or an object with the members `token`, `method` and `now`."
)]
pub(crate) struct TokenVerifyArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// File that holds the token; `-` reads standard input. A token on the command line would be seen by others.
    #[arg(required_unless_present = "ndjson")]
    token: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
    /// Verify by this method, whatever issuer the token claims.
    #[arg(long)]
    method: Option<String>,
    /// The moment to verify at: RFC 3339 in UTC, or seconds since 1970. Without it the present.
    #[arg(long, value_parser = clock::parse)]
    now: Option<UnixTime>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Read tokens from this file of NDJSON, `-` for standard input, and answer each line by one.
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    ndjson: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &TokenVerifyArgs) -> ExitCode {
    let (policy, environment) = match args.policy.open() {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    let keyring = match args.keys.open(&policy, &environment) {
        Ok(keyring) => keyring,
        Err(status) => return status,
    };
    match (&args.ndjson, &args.token) {
        (Some(file), _) => {
            ndjson::answer_each(file, ["accepted", "refused"], |line| answer(args, &keyring, &line))
        }
        (None, Some(file)) => match input::read_token(file, MAX_TOKEN_BYTES) {
            Ok(token) => {
                single(args, keyring.verify(&token, args.method.as_deref(), clock::or_now(args.now)))
            }
            Err(error) => exit::unusable(&error),
        },
        (None, None) => exit::unusable(&"no token; name a file that holds one"),
    }
}

/// A token as a method found it.
pub(crate) type Verified<'p> = Result<(&'p Method, VerifiedToken), Unverified>;

fn single(args: &TokenVerifyArgs, verified: Verified<'_>) -> ExitCode {
    if let Err(Unverified::CannotBeKnown { method, why }) = &verified {
        return exit::unusable(&format_args!("method `{method}`: {why}"));
    }
    exit::after_saying(verified.is_ok(), |out| {
        if args.json { writeln!(out, "{:#}", to_json(&verified)) } else { write_text(out, &verified) }
    })
}

fn answer(args: &TokenVerifyArgs, keyring: &Keyring<'_>, line: &Value) -> Result<Answered, String> {
    let text = |name: &str| line.get(name).and_then(Value::as_str);
    let token = line.as_str().or_else(|| text("token"));
    let token = token.ok_or("not a token; expected a text, or an object with the text `token`")?;
    let now = match text("now") {
        Some(now) => Some(clock::parse(now).map_err(|error| format!("`now`: {error}"))?),
        None => args.now,
    };
    let method = text("method").or(args.method.as_deref());
    match keyring.verify(token.as_bytes(), method, clock::or_now(now)) {
        Err(Unverified::CannotBeKnown { method, why }) => Err(format!("method `{method}`: {why}")),
        verified => Ok(Answered { value: to_json(&verified), is_good: verified.is_ok() }),
    }
}

/// What it came to, for programs.
pub(crate) fn to_json(verified: &Verified<'_>) -> Value {
    match verified {
        Ok((method, token)) => json!({
            "accepted": true,
            "method": method.name,
            "issuer": token.issuer(),
            "subject": token.user_id(),
            "tenant": token.tenant(),
            "roles": token.roles(),
            "scopes": token.scopes(),
            "permissions": token.permissions(),
            "expires": token.expires_at().map(clock::show),
        }),
        Err(Unverified::Refused { method, error }) => json!({
            "accepted": false,
            "method": method,
            "code": Denial::Credential(*error).code().as_str(),
            "reason": error.reason(),
            "remedy": remedy(*error),
        }),
        Err(unverified @ (Unverified::NoMethod { .. } | Unverified::CannotBeKnown { .. })) => {
            json!({ "accepted": false, "method": null, "code": "invalid_token", "reason": "issuer_mismatch",
                    "remedy": no_method(unverified) })
        }
    }
}

/// What it came to, for people.
pub(crate) fn write_text(out: &mut impl Write, verified: &Verified<'_>) -> io::Result<()> {
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    match verified {
        Ok((method, token)) => {
            writeln!(out, "accepted by method `{}`", method.name)?;
            let expires = token.expires_at().map_or_else(|| "never".to_owned(), clock::show);
            for (name, value) in [
                ("subject", token.user_id().to_owned()),
                ("tenant", token.tenant().unwrap_or("none").to_owned()),
                ("roles", list(token.roles())),
                ("scopes", list(token.scopes())),
                ("permissions", list(token.permissions())),
                ("expires", expires),
            ] {
                writeln!(out, "  {name:<11} {value}")?;
            }
            Ok(())
        }
        Err(Unverified::Refused { method, error }) => {
            let by = method.as_ref().map(|name| format!(" by method `{name}`")).unwrap_or_default();
            let code = Denial::Credential(*error).code().as_str();
            writeln!(out, "refused{by}: {code} ({}); {}", error.reason(), remedy(*error))
        }
        Err(unverified @ (Unverified::NoMethod { .. } | Unverified::CannotBeKnown { .. })) => {
            writeln!(out, "refused: invalid_token (issuer_mismatch); {}", no_method(unverified))
        }
    }
}

fn no_method(unverified: &Unverified) -> String {
    match unverified {
        Unverified::NoMethod { name: Some(name) } => format!("the policy has no method `{name}`"),
        Unverified::NoMethod { name: None } => {
            "no method of the policy has the token's issuer; compare `iss` with `issuer`".to_owned()
        }
        Unverified::Refused { .. } | Unverified::CannotBeKnown { .. } => String::new(),
    }
}

/// What to do about a token that is refused.
fn remedy(error: AuthnError) -> &'static str {
    match error {
        AuthnError::Malformed(_) => "send a signed JWT in compact form, whole and unchanged",
        AuthnError::AlgorithmNotAllowed => "compare the token's `alg` with `algorithms` of the method",
        AuthnError::TokenTypeNotAllowed => "compare the token's `typ` with `token_type` of the method",
        AuthnError::UnknownKey => "compare the token's `kid` with the key set; the issuer may have new keys",
        AuthnError::KeyNotForAlgorithm => "the key that the token names is for another algorithm or use",
        AuthnError::KeyIdRequired => "let the issuer name its key by `kid`: too many keys would fit",
        AuthnError::SignatureMismatch => "the token was changed, or signed with another key",
        AuthnError::NoKeys => "the key set holds no key; give one that does with --jwks",
        AuthnError::Claim(defect) => match defect {
            ClaimDefect::Expired | ClaimDefect::TooOld => "get a new token, or look at the clocks",
            ClaimDefect::NotYetValid | ClaimDefect::IssuedInFuture => "wait, or look at the clocks",
            ClaimDefect::IssuerMissing | ClaimDefect::IssuerMismatch => {
                "compare `iss` with `issuer` of the method"
            }
            ClaimDefect::AudienceMissing | ClaimDefect::AudienceMismatch => {
                "compare `aud` with `audience` of the method"
            }
            ClaimDefect::ExpiryMissing => "let the issuer set `exp`, or the method say `expiry: optional`",
            ClaimDefect::IssuedAtMissing => "let the issuer set `iat`: the method bounds the age of a token",
            ClaimDefect::SubjectMissing => "compare the token's claims with `claims.user_id` of the method",
            ClaimDefect::Malformed(_) => "the claim has a type or a length it must not have",
        },
    }
}
