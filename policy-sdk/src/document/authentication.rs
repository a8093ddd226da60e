//! Who is calling: the methods that may prove it.

use std::borrow::Cow;

use deserr::{Deserr, IntoValue, Value, ValueKind, ValuePointerRef};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{CredentialSource, Duration, Named, Problem, Problems, PublicJwks, SecretReference};

/// Who is calling: the methods that may prove it.
#[derive(Clone, Debug, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Authentication {
    /// Switches authentication off for every route. It has a second lock: without the environment variable
    /// `PORTCULLIS_DISABLE_AUTHENTICATION=true` such a document does not load.
    #[deserr(default)]
    #[schemars(default)]
    pub disabled: bool,
    /// The methods, in the order in which they are tried. The first that finds its credential decides.
    #[deserr(default)]
    #[schemars(default)]
    pub methods: Vec<Method>,
}

/// One way to prove who is calling.
#[derive(Clone, Debug, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Method {
    /// Name of the method, unique in the document: the label `method` of metrics and audit records, and the value of
    /// the method header. 1 to 63 of `a-z`, `0-9`, `_`, `-`.
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,63}$"))]
    pub name: String,
    /// Signed tokens: JSON Web Tokens (RFC 7519) in the compact form of JWS (RFC 7515).
    pub jwt: Jwt,
}

/// Tokens of one issuer, and how they are verified. Exactly one of `jwks`, `jwks_uri` and `secret` holds the keys.
#[derive(Clone, Debug, PartialEq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Jwt {
    /// The one issuer whose tokens this method accepts: `iss` must equal it byte by byte (RFC 7519 section 4.1.1).
    /// Each issuer has one method.
    #[schemars(length(min = 1))]
    pub issuer: String,
    /// Who a token must be meant for: `aud` must hold one of these (RFC 7519 section 4.1.3). The word `any`
    /// switches this off: then a token issued for any other service opens this one as well.
    pub audience: Audience,
    /// Algorithms a token may be signed with. They must fit the keys: `HS*` with `secret`, all others with `jwks` or
    /// `jwks_uri` (RFC 8725 section 3.1).
    #[schemars(length(min = 1))]
    pub algorithms: Vec<SignatureAlgorithm>,
    /// Public keys that stand in the document: a JWK set (RFC 7517 section 5) without private members.
    #[deserr(default)]
    pub jwks: Option<PublicJwks>,
    /// Where the issuer publishes its keys. `https`; `http` only to a loopback address.
    #[deserr(default)]
    pub jwks_uri: Option<String>,
    /// The proxy's name of the cluster through which `jwks_uri` is fetched. Required with `jwks_uri`.
    #[deserr(default)]
    pub cluster: Option<String>,
    /// A secret shared with the issuer, held by the environment: exactly `${NAME}`. At least 32 bytes.
    #[deserr(default)]
    pub secret: Option<SecretReference>,
    /// How the environment writes the secret.
    #[deserr(default)]
    #[schemars(default)]
    pub secret_encoding: SecretEncoding,
    /// How long fetched keys are used before they are fetched again. `10s` to `1d`.
    #[deserr(default = default_jwks_cache_ttl())]
    #[schemars(default = "default_jwks_cache_ttl")]
    pub jwks_cache_ttl: Duration,
    /// Longest wait for fetched keys. `100ms` to `30s`.
    #[deserr(default = default_jwks_timeout())]
    #[schemars(default = "default_jwks_timeout")]
    pub jwks_timeout: Duration,
    /// How far the issuer's clock may be off, in seconds, for `exp`, `nbf` and `iat`. 0 to 300.
    #[deserr(default = default_clock_skew_seconds())]
    #[schemars(default = "default_clock_skew_seconds", range(min = 0, max = 300))]
    pub clock_skew_seconds: u32,
    /// Whether a token must have `exp` (RFC 7519 section 4.1.4). One that is there is always obeyed.
    #[deserr(default)]
    #[schemars(default)]
    pub expiry: Expiry,
    /// Oldest token that is accepted, counted from its `iat`, which it then must have. `1s` to `366d`.
    #[deserr(default)]
    pub max_token_age: Option<Duration>,
    /// What `typ` in the token's header must be, such as `at+jwt` (RFC 9068 section 2.1). Compared without regard to
    /// case and without a leading `application/`. Absent: not looked at.
    #[deserr(default)]
    pub token_type: Option<String>,
    /// Where a token is looked for. Two different tokens in one request are refused.
    #[deserr(default = default_from())]
    #[schemars(default, extend("default" = [{ "header": "authorization", "scheme": "Bearer" }]))]
    pub from: Vec<CredentialSource>,
    /// Whether the upstream gets the token too. `false` removes it from every request that goes on, public ones included.
    #[deserr(default = default_forward())]
    #[schemars(default = "default_forward")]
    pub forward: bool,
    /// What kind of credential this is, such as `user` or `service`: what `restrictions.key_types` and conditions on
    /// `subject.key_type` look at.
    #[deserr(default)]
    pub key_type: Option<String>,
    /// Where in the token the caller's attributes stand.
    #[deserr(default)]
    #[schemars(default)]
    pub claims: Claims,
}

impl Jwt {
    /// The one source of keys; `None` unless exactly one is given, which a document that was read always has.
    pub fn keys(&self) -> Option<KeySource<'_>> {
        match (&self.jwks, &self.jwks_uri, &self.cluster, &self.secret) {
            (Some(jwks), None, None, None) => Some(KeySource::Static(jwks)),
            (None, Some(uri), Some(cluster), None) => Some(KeySource::Remote { uri, cluster }),
            (None, None, None, Some(secret)) => {
                Some(KeySource::Secret { secret, encoding: self.secret_encoding })
            }
            (Some(_) | None, Some(_) | None, Some(_) | None, Some(_) | None) => None,
        }
    }
}

/// Where the keys of a method come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KeySource<'a> {
    /// They stand in the document.
    Static(&'a PublicJwks),
    /// They are fetched from the issuer.
    Remote {
        /// Where the issuer publishes them.
        uri: &'a str,
        /// The proxy's name of the cluster that leads there.
        cluster: &'a str,
    },
    /// One secret, shared with the issuer.
    Secret {
        /// Which environment variable holds it.
        secret: &'a SecretReference,
        /// How it is written there.
        encoding: SecretEncoding,
    },
}

/// Who a token must be meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The word `any`: `aud` is not looked at.
    Any,
    /// `aud` must hold one of these.
    OneOf(Vec<String>),
}

impl Deserr<Problems> for Audience {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, Problems> {
        match value {
            Value::String(text) if text == "any" => Ok(Self::Any),
            Value::String(text) => Ok(Self::OneOf(vec![text])),
            list @ Value::Sequence(_) => {
                Deserr::<Problems>::deserialize_from_value(list, location).map(Self::OneOf)
            }
            other @ (Value::Null
            | Value::Boolean(_)
            | Value::Integer(_)
            | Value::NegativeInteger(_)
            | Value::Float(_)
            | Value::Map(_)) => {
                let problem =
                    Problem::wrong_kind(other.kind(), &[ValueKind::Sequence, ValueKind::String], location);
                Err(problem.expected("a list of audiences, one audience, or the word `any`").into())
            }
        }
    }
}

impl JsonSchema for Audience {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Audience".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "oneOf": [
                { "const": "any" },
                { "type": "string", "minLength": 1, "not": { "const": "any" } },
                { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 },
            ],
        })
    }
}

/// An algorithm of RFC 7518 section 3.1 or RFC 8037 section 3.1. `none` is not one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserr, JsonSchema)]
#[deserr(error = Problems)]
#[expect(
    missing_docs,
    reason = "the names are those of the registry, and the type's doc says where they are defined"
)]
pub enum SignatureAlgorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA,
}

impl SignatureAlgorithm {
    /// The name as `alg` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }

    /// Whether signer and verifier share one secret.
    pub fn is_symmetric(self) -> bool {
        match self {
            Self::HS256 | Self::HS384 | Self::HS512 => true,
            Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256 | Self::PS384 | Self::PS512 => false,
            Self::ES256 | Self::ES384 | Self::ES512 | Self::EdDSA => false,
        }
    }
}

/// How the environment writes a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
pub enum SecretEncoding {
    /// The bytes of the text are the secret.
    #[default]
    Utf8,
    /// The text is the secret in base64url without padding (RFC 4648 section 5).
    Base64url,
}

/// Whether a token must have `exp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, Deserr, JsonSchema)]
#[deserr(error = Problems, rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
pub enum Expiry {
    /// A token without `exp` is refused.
    #[default]
    Required,
    /// A token without `exp` is accepted and never ends by itself.
    Optional,
}

/// Where in a token the caller's attributes stand. A name that starts with `/` is a JSON Pointer (RFC 6901) into the
/// claims; every other one, such as `roles` or `https://example.com/roles`, is the name of one claim.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[schemars(deny_unknown_fields)]
pub struct Claims {
    /// Claim with the caller's user id.
    #[deserr(default = default_user_id())]
    #[schemars(default = "default_user_id")]
    pub user_id: String,
    /// Claim with the caller's tenant.
    #[deserr(default = default_tenant())]
    #[schemars(default = "default_tenant")]
    pub tenant: Option<String>,
    /// Claim with the caller's roles: a list of texts, or one text.
    #[deserr(default = default_roles())]
    #[schemars(default = "default_roles")]
    pub roles: Option<String>,
    /// Claim with the caller's scopes: a text with spaces between (RFC 8693 section 4.2), or a list of texts.
    #[deserr(default = default_scopes())]
    #[schemars(default = "default_scopes")]
    pub scopes: Option<String>,
    /// Claim with permissions the token carries by itself, beyond those of its roles: a list of texts. Not read by
    /// default.
    #[deserr(default)]
    pub permissions: Option<String>,
    /// Claim with the groups the caller is in: a list of texts, or one text.
    #[deserr(default = default_groups())]
    #[schemars(default = "default_groups")]
    pub groups: Option<String>,
    /// Where the attributes stand that conditions name as `subject.<name>`. One that is not listed here is the claim of
    /// its own name.
    #[deserr(default)]
    #[schemars(default)]
    pub attributes: Named<String>,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            user_id: default_user_id(),
            tenant: default_tenant(),
            roles: default_roles(),
            scopes: default_scopes(),
            permissions: None,
            groups: default_groups(),
            attributes: Named::default(),
        }
    }
}

fn default_jwks_cache_ttl() -> Duration {
    Duration::from_millis(600_000)
}

fn default_jwks_timeout() -> Duration {
    Duration::from_millis(2_000)
}

fn default_clock_skew_seconds() -> u32 {
    60
}

fn default_from() -> Vec<CredentialSource> {
    vec![CredentialSource::Header { header: "authorization".to_owned(), scheme: Some("Bearer".to_owned()) }]
}

fn default_forward() -> bool {
    true
}

fn default_user_id() -> String {
    "sub".to_owned()
}

fn default_tenant() -> Option<String> {
    Some("tenant".to_owned())
}

fn default_roles() -> Option<String> {
    Some("roles".to_owned())
}

fn default_groups() -> Option<String> {
    Some("groups".to_owned())
}

fn default_scopes() -> Option<String> {
    Some("scope".to_owned())
}
