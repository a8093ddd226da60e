//! The authentication methods of a document, with their secrets and static keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_policy::document::{self, CredentialSource, JsonPointer, KeySource, Problem};
use portcullis_policy::policy::Policy;

use crate::authn::algorithm::Algorithm;
use crate::authn::claims::{ClaimPath, ClaimPathError};
use crate::authn::jwk::JwkSet;
use crate::authn::jwt::{Audience, ClaimPaths, Expiry, JwtSettings, JwtVerifier};
use crate::authn::key::VerificationKey;
use crate::authn::keyset::KeySet;
use crate::config::Environment;
use crate::credential::Location;
use crate::gate::RemoteKeySettings;
use crate::secret::{Secret, SecretEncoding};

/// One way to prove who is calling.
#[derive(Debug)]
pub struct Method {
    /// Its name: a label of metrics and records.
    pub name: String,
    /// What it demands of a token.
    pub verifier: JwtVerifier,
    /// What it verifies with.
    pub keys: Keys,
    /// Whether the upstream gets to see the credential.
    pub forward: bool,
    /// What kind of credential it verifies.
    pub key_type: Option<String>,
}

/// What a policy wants to know of callers besides who they are and what they hold.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    groups: bool,
    /// Whether only one of two policies looks at groups.
    groups_of_one: bool,
    attributes: BTreeSet<String>,
}

impl Wanted {
    /// What this policy and its candidate look at: nothing else is read from a token, and a claim that nobody looks at
    /// refuses nobody.
    pub(super) fn by(policy: &Policy) -> Wanted {
        let mut attributes = policy.subject_attributes().clone();
        let groups = policy.needs_more_of_subjects();
        let Some(candidate) = policy.candidate() else {
            return Wanted { groups, groups_of_one: false, attributes };
        };
        attributes.extend(candidate.subject_attributes().iter().cloned());
        let of_candidate = candidate.needs_more_of_subjects();
        Wanted { groups: groups || of_candidate, groups_of_one: groups != of_candidate, attributes }
    }
}

/// What a method verifies with.
#[derive(Debug)]
pub enum Keys {
    /// Keys that the document or the environment holds.
    Static(Arc<KeySet>),
    /// Keys that are fetched.
    Remote(RemoteKeySettings),
}

/// Compiles every method, noting what is wrong.
pub(super) fn methods(
    authentication: &document::Authentication,
    wanted: &Wanted,
    environment: Environment<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Method> {
    let methods = JsonPointer::root().member("authentication").member("methods");
    let mut compiled = Vec::new();
    for (index, method) in authentication.methods.iter().enumerate() {
        let place = methods.element(index).member("jwt");
        let verifier = verifier(&method.jwt, wanted, &place, problems);
        let keys = keys(&method.jwt, &place, environment, problems);
        if let (Some(verifier), Some(keys)) = (verifier, keys) {
            let (name, forward) = (method.name.clone(), method.jwt.forward);
            compiled.push(Method { name, verifier, keys, forward, key_type: method.jwt.key_type.clone() });
        }
    }
    compiled
}

/// Every place that any method looks into.
pub(super) fn locations(authentication: &document::Authentication) -> Vec<(usize, Location)> {
    let of_method = |(index, method): (usize, &document::Method)| {
        method.jwt.from.iter().map(move |source| (index, location(source))).collect::<Vec<_>>()
    };
    authentication.methods.iter().enumerate().flat_map(of_method).collect()
}

fn location(source: &CredentialSource) -> Location {
    match source {
        CredentialSource::Header { header, scheme } => {
            Location::Header { name: header.to_ascii_lowercase(), scheme: scheme.clone() }
        }
        CredentialSource::Cookie { cookie } => Location::Cookie { name: cookie.clone() },
        CredentialSource::Query { query } => Location::Query { name: query.clone() },
    }
}

fn verifier(
    jwt: &document::Jwt,
    wanted: &Wanted,
    place: &JsonPointer,
    problems: &mut Vec<Problem>,
) -> Option<JwtVerifier> {
    let claims = claim_paths(&jwt.claims, wanted, &place.member("claims"), problems)?;
    let settings = JwtSettings {
        issuer: jwt.issuer.clone(),
        audience: match &jwt.audience {
            document::Audience::Any => Audience::Any,
            document::Audience::OneOf(names) => Audience::OneOf(names.clone()),
        },
        algorithms: algorithms(jwt),
        clock_skew: std::time::Duration::from_secs(u64::from(jwt.clock_skew_seconds)),
        expiry: match jwt.expiry {
            document::Expiry::Required => Expiry::Required,
            document::Expiry::Optional => Expiry::Optional,
        },
        max_token_age: jwt.max_token_age.map(Into::into),
        token_type: jwt.token_type.clone(),
        claims,
    };
    JwtVerifier::new(settings)
        .map_err(|error| problems.push(Problem::new(place.clone(), error.to_string())))
        .ok()
}

fn claim_paths(
    claims: &document::Claims,
    wanted: &Wanted,
    place: &JsonPointer,
    problems: &mut Vec<Problem>,
) -> Option<ClaimPaths> {
    let mut path = |name: &str, text: &str| claim_path(text, place.member(name), problems);
    let mut optional = |name: &str, text: &Option<String>| text.as_deref().map(|text| path(name, text));
    // A claim that is mapped to nothing is not read; one that is mapped to no claim's name is a problem.
    let tenant = optional("tenant", &claims.tenant);
    let roles = optional("roles", &claims.roles);
    let scopes = optional("scopes", &claims.scopes);
    let permissions = optional("permissions", &claims.permissions);
    let groups = optional("groups", &claims.groups.clone().filter(|_| wanted.groups));
    let attributes = attribute_paths(claims, wanted, &place.member("attributes"), problems);
    let mut path = |name: &str, text: &str| claim_path(text, place.member(name), problems);
    let given = |path: Option<Option<ClaimPath>>| match path {
        None => Some(None),
        Some(None) => None,
        Some(path) => Some(path),
    };
    Some(ClaimPaths {
        user_id: path("user_id", &claims.user_id)?,
        tenant: given(tenant)?,
        roles: given(roles)?,
        scopes: given(scopes)?,
        permissions: given(permissions)?,
        groups: given(groups)?,
        groups_may_be_unreadable: wanted.groups_of_one,
        attributes,
    })
}

/// Where the attributes stand that the policy looks at. One that the document does not place is the claim of its name.
fn attribute_paths(
    claims: &document::Claims,
    wanted: &Wanted,
    place: &JsonPointer,
    problems: &mut Vec<Problem>,
) -> Vec<(String, ClaimPath)> {
    let own = wanted.attributes.iter().filter(|name| !claims.attributes.contains_key(*name));
    let mut paths: Vec<_> = own.map(|name| (name.clone(), ClaimPath::name(name))).collect();
    for (name, text) in claims.attributes.iter() {
        if let Some(path) = claim_path(text, place.member(name), problems)
            && wanted.attributes.contains(name)
        {
            paths.push((name.clone(), path));
        }
    }
    paths
}

fn claim_path(text: &str, place: JsonPointer, problems: &mut Vec<Problem>) -> Option<ClaimPath> {
    text.parse().map_err(|error: ClaimPathError| problems.push(Problem::new(place, error.to_string()))).ok()
}

fn keys(
    jwt: &document::Jwt,
    place: &JsonPointer,
    environment: Environment<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Keys> {
    match jwt.keys() {
        None => {
            let problem = Problem::new(place.clone(), "not one source of keys");
            problems.push(problem.expected("exactly one of `jwks`, `jwks_uri` with `cluster`, and `secret`"));
            None
        }
        Some(KeySource::Static(jwks)) => match JwkSet::parse(jwks.as_value().to_string().as_bytes()) {
            Ok(set) if algorithms(jwt).iter().any(|algorithm| set.keys().serves(*algorithm)) => {
                Some(Keys::Static(Arc::new(set.into_keys())))
            }
            Ok(_) => {
                let problem = Problem::new(place.member("jwks"), "no key for any of `algorithms`");
                problems
                    .push(problem.expected("a key whose `kty`, `crv` and `alg` fit an allowed algorithm"));
                None
            }
            Err(error) => {
                let message = format!("no usable key set: {}", error.reason());
                problems.push(Problem::new(place.member("jwks"), message));
                None
            }
        },
        Some(KeySource::Remote { uri, cluster }) => {
            let settings = remote(uri, cluster, jwt);
            if settings.is_none() {
                let problem = Problem::new(place.member("jwks_uri"), "not a URI of HTTP");
                problems.push(problem.expected("`https://` and a host, with a path"));
            }
            settings.map(Keys::Remote)
        }
        Some(KeySource::Secret { secret, encoding }) => {
            let name = secret.variable();
            let result =
                environment(name).ok_or_else(|| format!("`{name}` is not in the environment of the proxy"));
            let encoding = match encoding {
                document::SecretEncoding::Utf8 => SecretEncoding::Utf8,
                document::SecretEncoding::Base64url => SecretEncoding::Base64Url,
            };
            let secret = result.and_then(|text| {
                Secret::parse(&text, encoding)
                    .map_err(|error| format!("`{name}` in the environment: {error}"))
            });
            let set = secret
                .map(VerificationKey::shared_secret)
                .and_then(|key| long_enough(key, &algorithms(jwt), name))
                .and_then(|key| KeySet::new([key]).map_err(|error| error.to_string()));
            set.map(|set| Keys::Static(Arc::new(set)))
                .map_err(|message| problems.push(Problem::new(place.member("secret"), message)))
                .ok()
        }
    }
}

/// The names are the same by RFC 7518 section 3.1.
fn algorithms(jwt: &document::Jwt) -> Vec<Algorithm> {
    jwt.algorithms.iter().filter_map(|algorithm| algorithm.as_str().parse().ok()).collect()
}

/// RFC 7518 section 3.2 wants a secret as long as the hash output: 64 bytes for HS512.
fn long_enough(
    key: VerificationKey,
    algorithms: &[Algorithm],
    variable: &str,
) -> Result<VerificationKey, String> {
    match algorithms.iter().find(|algorithm| algorithm.is_symmetric() && !key.fits(**algorithm)) {
        None => Ok(key),
        Some(algorithm) => {
            let bytes = algorithm.hash().output_bytes();
            Err(format!(
                "`{variable}` in the environment: shorter than {bytes} bytes, too short for {algorithm}"
            ))
        }
    }
}

fn remote(uri: &str, cluster: &str, jwt: &document::Jwt) -> Option<RemoteKeySettings> {
    let (scheme, rest) = uri.split_once("://")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, "/"),
    };
    let known = matches!(scheme, "https" | "http") && !authority.is_empty() && !uri.contains('#');
    known.then(|| RemoteKeySettings {
        cluster: cluster.to_owned(),
        scheme: scheme.to_owned(),
        authority: authority.to_owned(),
        path: path.to_owned(),
        time_to_live: jwt.jwks_cache_ttl.into(),
        timeout: jwt.jwks_timeout.into(),
    })
}
