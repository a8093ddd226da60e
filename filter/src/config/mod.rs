//! From the bytes of a plugin configuration and the environment to everything a gate needs.
//!
//! A pure function of those two: nothing here reads a clock, asks the host or draws a random number, so every worker
//! comes to the same result as the one that went first.

mod authentication;
mod candidate;
mod canonical;
pub mod encoding;
pub mod protobuf_struct;

use std::time::Duration;

use portcullis_policy::document::{self, Document, JsonPointer, Problem, Problems};
use portcullis_policy::json::Tree;
use portcullis_policy::path::PathMode;
use portcullis_policy::policy::Policy;

use crate::audit::Digest;
use crate::audit::{Settings, WhenFull};
use crate::credential::Location;
use crate::gate::IdentityHeaders;
use authentication::Wanted;

pub use authentication::{Keys, Method};
pub use candidate::{Candidate, MAX_COUNTED_RULES, Share};

/// A configuration that loaded.
#[derive(Debug)]
pub struct Config {
    /// The document's name: the label of its metrics, and the realm of its challenges.
    pub name: String,
    /// What is done with a path that has two readings.
    pub path_mode: PathMode,
    /// The most bytes of a body that decisions rest on; `None` when none does.
    pub max_body_bytes: Option<usize>,
    /// The headers that are ours alone.
    pub identity_headers: IdentityHeaders,
    /// Authentication is off: both locks are open.
    pub authentication_disabled: bool,
    /// The authentication methods, in the document's order.
    pub methods: Vec<Method>,
    /// Every place a credential may stand in, with the method that looks there.
    pub locations: Vec<(usize, Location)>,
    /// Who may do what.
    pub policy: Policy,
    /// The policy on trial, which [`Policy::candidate`] holds: for whom it answers.
    pub candidate: Option<Candidate>,
    /// Where records go.
    pub audit: Option<AuditConfig>,
    /// Whether a permitted request gets the mark that the guard demands: it does unless [`PERMIT_MARK`] says `off`.
    pub marks_permits: bool,
}

/// Where records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditConfig {
    /// SHA-256 of the document in its canonical JSON form, which `portcullis render` writes: what records name their policy
    /// by. It stands here because nothing else needs it, and a large document takes its time to be hashed.
    pub policy_digest: Digest,
    /// The cluster of the sink.
    pub cluster: String,
    /// `:authority` of the sink's requests.
    pub authority: String,
    /// `:path` of the sink's requests.
    pub path: String,
    /// How long one batch may take to be acknowledged.
    pub timeout: Duration,
    /// The bounds of the stream.
    pub settings: Settings,
    /// How often a batch is looked for.
    pub flush_interval: Duration,
}

/// Looks a name up in the environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Config {
    /// Loads a configuration from the bytes that the host hands over: JSON text, or a protobuf `Struct`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once, each with its JSON Pointer. No message repeats a value that could be a secret.
    pub fn load(bytes: &[u8], environment: Environment<'_>) -> Result<Config, Problems> {
        let mut tree =
            encoding::read(bytes).map_err(|error| problem(JsonPointer::root(), &error.to_string()))?;
        let document = Document::from_tree(&mut tree)?;
        Config::compile(&document, &tree, environment)
    }

    fn compile(
        document: &Document,
        tree: &Tree<'_>,
        environment: Environment<'_>,
    ) -> Result<Config, Problems> {
        let mut problems = Vec::new();
        let authentication_disabled = document.authentication.disabled;
        let second_lock = environment(DISABLE_AUTHENTICATION).as_deref() == Some("true");
        if authentication_disabled && !second_lock {
            let pointer = JsonPointer::root().member("authentication").member("disabled");
            let message = "authentication is switched off here and not in the environment";
            let expected =
                format!("`{DISABLE_AUTHENTICATION}=true` in the environment of the proxy, or no such field");
            problems.push(Problem::new(pointer, message).expected(expected));
        }
        let delivers_bodies = environment(DELIVERS_BODIES).as_deref() == Some("true");
        if document.request.body.is_some() && !delivers_bodies {
            let pointer = JsonPointer::members(&["request", "body"]);
            let message = "this proxy does not say that it delivers the body of a request that is held";
            let expected = format!(
                "`{DELIVERS_BODIES}=true` in the environment of the filter, where that is so: in Envoy, beside \
                 `allow_on_headers_stop_iteration: true`"
            );
            problems.push(Problem::new(pointer, message).expected(expected));
        }
        let policy = Policy::compile(document);
        let wanted = policy.as_ref().map(Wanted::by).unwrap_or_default();
        let methods = authentication::methods(&document.authentication, &wanted, environment, &mut problems);
        let audit = document.audit.as_ref().and_then(|audit| audit_config(audit, tree, &mut problems));
        acknowledgement_needs_a_sink(document, &mut problems);
        match (policy, Problems::from_list(problems)) {
            (Ok(policy), None) => Ok(Config {
                name: document.name.clone(),
                path_mode: match document.request.ambiguous_path {
                    document::AmbiguousPath::Refuse => PathMode::Refuse,
                    document::AmbiguousPath::Normalize => PathMode::Normalize,
                },
                max_body_bytes: document
                    .request
                    .body
                    .as_ref()
                    .map(|body| usize::try_from(body.max_bytes).unwrap_or(usize::MAX)),
                identity_headers: identity_headers(&document.identity_headers),
                authentication_disabled,
                locations: authentication::locations(&document.authentication),
                methods,
                policy,
                candidate: document.candidate.as_ref().map(Candidate::of),
                audit,
                marks_permits: environment(PERMIT_MARK).as_deref() != Some("off"),
            }),
            (Err(problems), None) | (Ok(_), Some(problems)) => Err(problems),
            (Err(some), Some(others)) => Err(some.and(others)),
        }
    }

    /// How often the gate wants to be woken; `None` when it has nothing to do but answer requests.
    pub fn tick_period(&self) -> Option<Duration> {
        let fetches = self.methods.iter().any(|method| matches!(method.keys, Keys::Remote(_)));
        let flush = self.audit.as_ref().map(|audit| audit.flush_interval.clamp(MIN_TICK, MAX_TICK));
        flush.or_else(|| (fetches || self.max_body_bytes.is_some()).then_some(MAX_TICK))
    }
}

fn problem(pointer: JsonPointer, message: &str) -> Problems {
    Problem::new(pointer, message).into()
}

fn identity_headers(headers: &document::IdentityHeaders) -> IdentityHeaders {
    IdentityHeaders {
        tenant: headers.tenant.clone(),
        user: headers.user.clone(),
        roles: headers.roles.clone(),
        method: headers.method.clone(),
        scopes: headers.scopes.clone(),
    }
}

fn audit_config(
    audit: &document::Audit,
    tree: &Tree<'_>,
    problems: &mut Vec<Problem>,
) -> Option<AuditConfig> {
    let when_full = match audit.when_full {
        document::WhenFull::Refuse => WhenFull::Refuse,
        document::WhenFull::Drop => WhenFull::Drop,
    };
    let flush_interval = audit.flush_interval.into();
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    match Settings::new(count(audit.max_pending), count(audit.max_batch), flush_interval, when_full) {
        Ok(settings) => Some(AuditConfig {
            policy_digest: canonical::digest(tree),
            cluster: audit.sink.cluster.clone(),
            authority: audit.sink.authority.clone().unwrap_or_else(|| audit.sink.cluster.clone()),
            path: audit.sink.path.clone(),
            timeout: audit.sink.timeout.into(),
            settings,
            flush_interval,
        }),
        Err(error) => {
            problems.push(Problem::new(JsonPointer::root().member("audit"), error.to_string()));
            None
        }
    }
}

/// A route that waits for an acknowledgement that no sink will give would refuse everything.
fn acknowledgement_needs_a_sink(document: &Document, problems: &mut Vec<Problem>) {
    if document.audit.is_some() {
        return;
    }
    let live = (JsonPointer::members(&["authorization"]), &document.authorization);
    let candidate = document
        .candidate
        .as_ref()
        .map(|candidate| (JsonPointer::members(&["candidate", "authorization"]), &candidate.authorization));
    for (place, authorization) in std::iter::once(live).chain(candidate) {
        for (index, route) in authorization.routes.iter().enumerate() {
            if route.audit == document::RecordKeeping::Acknowledged {
                let place = place.member("routes").element(index).member("audit");
                let problem = Problem::new(place, "nobody is there to acknowledge");
                problems.push(problem.expected("an `audit` section with a `sink`"));
            }
        }
    }
}

/// The second lock on switching authentication off; the first is in the document. Only the word `true` opens it.
pub const DISABLE_AUTHENTICATION: &str = "PORTCULLIS_DISABLE_AUTHENTICATION";

/// Says that the proxy hands the body of a request whose headers are held to the filter. No proxy can be asked: where it is
/// not so, a request that depends on its body would wait for nothing. Only the word `true` counts.
pub const DELIVERS_BODIES: &str = "PORTCULLIS_DELIVERS_BODIES";

/// Says by the word `off`, and by no other, that no guard stands behind the filter: then nobody reads the mark of a permitted
/// request, and setting it, which costs as much as setting a header, is left out. A guard that is there all the same lets
/// nothing pass.
pub const PERMIT_MARK: &str = "PORTCULLIS_PERMIT_MARK";

/// The shortest tick: more often would cost every worker more than a batch is worth.
const MIN_TICK: Duration = Duration::from_millis(50);

/// The longest tick: what is due is noticed within it.
const MAX_TICK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn load(document: &Value, environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let lookup = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Config::load(document.to_string().as_bytes(), &lookup)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    fn with_secret() -> Value {
        json!({
            "version": 1,
            "authentication": {"methods": [{"name": "people", "jwt": {
                "issuer": "me", "audience": ["api"], "algorithms": ["HS256"], "secret": "${JWT_SECRET}",
            }}]},
            "authorization": {"routes": [{"methods": ["GET"], "path": "/x"}]},
        })
    }

    #[test]
    fn a_secret_comes_from_the_environment_and_is_long_enough() {
        let secret = "0123456789abcdef0123456789abcdef";
        assert!(load(&with_secret(), &[("JWT_SECRET", secret)]).is_ok());
        for environment in [&[][..], &[("JWT_SECRET", "")], &[("JWT_SECRET", "too-short-and-never-printed")]]
        {
            let problems = load(&with_secret(), environment).unwrap_err();
            assert_eq!(problems.len(), 1);
            assert!(problems[0].starts_with("/authentication/methods/0/jwt/secret: "), "{problems:?}");
            assert!(!problems[0].contains("never-printed"), "{problems:?}");
        }
    }

    #[test]
    fn a_secret_is_as_long_as_the_longest_hash_it_serves() {
        let mut document = with_secret();
        document["authentication"]["methods"][0]["jwt"]["algorithms"] = json!(["HS256", "HS512"]);
        let problems = load(&document, &[("JWT_SECRET", &"x".repeat(63))]).unwrap_err();
        assert_eq!(
            problems,
            [
                "/authentication/methods/0/jwt/secret: `JWT_SECRET` in the environment: shorter than 64 bytes, \
              too short for HS512"
            ]
        );
        assert!(load(&document, &[("JWT_SECRET", &"x".repeat(64))]).is_ok());
    }

    #[test]
    fn static_keys_serve_one_of_the_algorithms() {
        let with = |algorithm: &str| {
            json!({
                "version": 1,
                "authentication": {"methods": [{"name": "people", "jwt": {
                    "issuer": "me", "audience": ["api"], "algorithms": [algorithm],
                    "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]},
                }}]},
                "authorization": {"routes": [{"methods": ["GET"], "path": "/x"}]},
            })
        };
        assert!(load(&with("EdDSA"), &[]).is_ok());
        let problems = load(&with("RS256"), &[]).unwrap_err();
        assert!(problems[0].starts_with("/authentication/methods/0/jwt/jwks: "), "{problems:?}");
    }

    #[test]
    fn switching_authentication_off_takes_two_locks() {
        let document = json!({"version": 1, "authentication": {"disabled": true}});
        for environment in [&[][..], &[(DISABLE_AUTHENTICATION, "1")], &[(DISABLE_AUTHENTICATION, "TRUE")]] {
            let problems = load(&document, environment).unwrap_err();
            assert!(problems[0].starts_with("/authentication/disabled: "), "{problems:?}");
        }
        assert!(load(&document, &[(DISABLE_AUTHENTICATION, "true")]).unwrap().authentication_disabled);
        let on = load(&with_secret(), &[(DISABLE_AUTHENTICATION, "true"), ("JWT_SECRET", &"x".repeat(32))]);
        assert!(!on.unwrap().authentication_disabled, "the environment alone opens nothing");
    }

    #[test]
    fn a_body_is_looked_at_only_where_the_proxy_delivers_it() {
        let mut document = with_secret();
        document["request"] = json!({"body": {"max_bytes": 1024}});
        let secret = ("JWT_SECRET", "0123456789abcdef0123456789abcdef");
        for environment in
            [&[secret][..], &[secret, (DELIVERS_BODIES, "1")], &[secret, (DELIVERS_BODIES, "")]]
        {
            let problems = load(&document, environment).unwrap_err();
            assert!(problems.len() == 1 && problems[0].starts_with("/request/body: "), "{problems:?}");
        }
        let config = load(&document, &[secret, (DELIVERS_BODIES, "true")]).unwrap();
        assert_eq!((config.max_body_bytes, config.tick_period()), (Some(1024), Some(MAX_TICK)));
    }

    #[test]
    fn permits_are_marked_unless_the_one_word_says_that_nobody_looks() {
        let secret = ("JWT_SECRET", "0123456789abcdef0123456789abcdef");
        for (environment, marks) in [
            (&[secret][..], true),
            (&[secret, (PERMIT_MARK, "")], true),
            (&[secret, (PERMIT_MARK, "OFF")], true),
            (&[secret, (PERMIT_MARK, "false")], true),
            (&[secret, (PERMIT_MARK, "off")], false),
        ] {
            assert_eq!(load(&with_secret(), environment).unwrap().marks_permits, marks, "{environment:?}");
        }
    }

    #[test]
    fn waiting_for_an_acknowledgement_needs_someone_who_gives_it() {
        let mut document = with_secret();
        document["authorization"]["routes"][0]["audit"] = json!("acknowledged");
        let problems = load(&document, &[("JWT_SECRET", &"x".repeat(32))]).unwrap_err();
        assert!(problems[0].starts_with("/authorization/routes/0/audit: "), "{problems:?}");
    }

    #[test]
    fn what_is_no_document_does_not_load() {
        for bytes in [b"".as_slice(), b"{", b"[]", b"null", b"\x0a\x03abc", b"\xff"] {
            assert!(Config::load(bytes, &|_| None).is_err(), "{bytes:?}");
        }
    }
}
