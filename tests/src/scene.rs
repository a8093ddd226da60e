//! The usual scene for tests that are no corpus cases: one issuer, one sink, one guarded route, good and bad tokens.

use crate::corpus::{Keys, mint};
use crate::host::{Answer, Callout, Envoy, Host, Module, Request};
use serde_json::{Value, json};

/// 2026-06-01T12:00:00Z, when every scene begins.
const NOON: i64 = 1_780_315_200;

/// The issuer's keys and the module under test.
pub struct Scene {
    /// Who signs.
    pub keys: Keys,
    module: Module,
}

impl Scene {
    /// A scene around the project's own module.
    ///
    /// # Panics
    /// When the module is missing: the message has the command that mends it.
    pub fn new() -> Self {
        Self { keys: Keys::generate(), module: Module::built().unwrap_or_else(|error| panic!("{error}")) }
    }

    /// A proxy with the clusters the document names.
    pub fn host(&self) -> Host {
        Host::load(&self.module).cluster("idp").cluster("audit")
    }

    /// The document: keys by callout, `GET /v1/objects/{id}` for viewers, and what `section` adds or replaces.
    pub fn document(&self, section: Value) -> Value {
        let mut document = json!({
            "version": 1,
            "name": "shop",
            "authentication": {"methods": [{"name": "people", "jwt": {
                "issuer": "https://auth.example.com",
                "audience": ["api.example.com"],
                "algorithms": ["RS256", "ES256"],
                "jwks_uri": "https://auth.example.com/.well-known/jwks.json",
                "cluster": "idp",
            }}]},
            "authorization": {
                "public": [{"methods": ["GET"], "path": "/healthz"}],
                "roles": {"viewer": {"permissions": ["objects:read"]}},
                "routes": [{"methods": ["GET"], "path": "/v1/objects/{id}", "permission": "objects:read"}],
            },
        });
        for (name, value) in section.as_object().cloned().unwrap_or_default() {
            document[name] = value;
        }
        document
    }

    /// The `audit` section for a sink in the cluster `audit`.
    pub fn audit(&self, when_full: &str, max_pending: u32) -> Value {
        json!({"audit": {
            "sink": {"cluster": "audit", "path": "/v1/audit/batches"},
            "when_full": when_full,
            "max_pending": max_pending,
            "max_batch": max_pending.min(256),
        }})
    }

    /// A proxy under the scene's document and a section of the test's own.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&self, section: Value) -> Envoy {
        self.host().start(self.document(section).to_string()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, with the issuer's keys fetched already.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_warm(&self, section: Value) -> Envoy {
        let mut envoy = self.start(section);
        envoy.run_for(std::time::Duration::from_secs(5), self.world());
        envoy
    }

    /// A world where issuer and sink do what they should.
    pub fn world(&self) -> impl FnMut(&Callout) -> Option<Answer> + use<> {
        let jwks = self.keys.jwks("RS256,ES256").expect("algorithms").to_string();
        move |callout| {
            Some(match callout.cluster.as_str() {
                "idp" => Answer::json(200, &jwks),
                _ => Answer::new(204, ""),
            })
        }
    }

    /// A token of a viewer, with `patch` (RFC 7396) applied to its description; see the corpus.
    ///
    /// # Panics
    /// When there is no such token.
    pub fn token(&self, patch: Value) -> String {
        let usual = json!({"alg": "ES256", "claims": {
            "iss": "https://auth.example.com",
            "aud": "api.example.com",
            "sub": "user-1",
            "exp": "+86400s",
            "roles": ["viewer"],
        }});
        mint(&usual, &patch, &self.keys, NOON).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A request that must be permitted.
    pub fn good(&self) -> Request {
        Request::get("/v1/objects/1").bearer(&self.token(Value::Null))
    }

    /// A request with a forged token, which must never be permitted.
    pub fn forged(&self) -> Request {
        Request::get("/v1/objects/1").bearer(&self.token(json!({"keys": "forger"})))
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}
