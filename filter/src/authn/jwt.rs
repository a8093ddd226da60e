//! A bearer token from bytes to a verified caller (RFC 7519 7.2, RFC 8725).
//!
//! The order is cheap first: structure, type, algorithm, key, signature, then claims. No claim is looked at before the
//! signature is good; the one exception, [`peek_issuer`], is named so. This module finds no token in a request, keeps no
//! cache and knows no revocation.

use std::fmt;
use std::time::Duration;

use super::algorithm::Algorithm;
use super::claims::{ClaimPath, ClaimsSet, ListForm};
use super::error::{AuthnError, Claim, ClaimDefect};
use super::jws::CompactJws;
use super::keyset::KeySet;
use super::signature::{HostCrypto, SignatureError, SignatureVerifier};
use crate::time::UnixTime;

/// The widest clock skew a method may allow: RFC 7519 4.1.4 speaks of "no more than a few minutes".
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(300);

/// What a method demands of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSettings {
    /// `iss` must equal this, byte for byte.
    pub issuer: String,
    /// `aud` must name one of these.
    pub audience: Audience,
    /// `alg` must be one of these: all symmetric or all asymmetric.
    pub algorithms: Vec<Algorithm>,
    /// How far the issuer's clock and ours may be apart; [`MAX_CLOCK_SKEW`] at most.
    pub clock_skew: Duration,
    /// Whether `exp` must be there. If it is there it counts in any case.
    pub expiry: Expiry,
    /// If given, `iat` must be there and no longer ago than this.
    pub max_token_age: Option<Duration>,
    /// If given, the media type `typ` must equal, such as `at+jwt` (RFC 9068 4).
    pub token_type: Option<String>,
    /// Where in the token the caller's attributes are.
    pub claims: ClaimPaths,
}

/// Who a token must be meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Anybody: `aud` is not looked at. Only an explicit word in the document makes this.
    Any,
    /// `aud` must be there and name one of these, byte for byte.
    OneOf(Vec<String>),
}

/// Whether `exp` must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expiry {
    /// A token without `exp` is refused.
    #[default]
    Required,
    /// A token without `exp` never expires. Only an explicit word in the document makes this.
    Optional,
}

/// Where a token says who the caller is and what it holds. What has no place is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPaths {
    /// The caller's id, which every token must have.
    pub user_id: ClaimPath,
    /// The tenant.
    pub tenant: Option<ClaimPath>,
    /// Roles: an array of strings, or one string that is one role.
    pub roles: Option<ClaimPath>,
    /// Scopes: an array of strings, or one string divided by spaces.
    pub scopes: Option<ClaimPath>,
    /// Permissions: an array of strings, or one string divided by spaces.
    pub permissions: Option<ClaimPath>,
}

impl Default for ClaimPaths {
    fn default() -> Self {
        Self {
            user_id: ClaimPath::name("sub"),
            tenant: Some(ClaimPath::name("tenant")),
            roles: Some(ClaimPath::name("roles")),
            scopes: Some(ClaimPath::name("scope")),
            permissions: None,
        }
    }
}

/// Why settings make no verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtSettingsError {
    /// The issuer is empty.
    IssuerEmpty,
    /// No audience is named, or an empty one.
    AudienceEmpty,
    /// No algorithm is allowed.
    NoAlgorithms,
    /// Shared secrets and public keys in one method: a public key could come to be used as a secret (RFC 8725 2.1).
    MixedAlgorithms,
    /// More than [`MAX_CLOCK_SKEW`].
    ClockSkewTooWide,
    /// A maximal age of nothing lets no token in.
    MaxTokenAgeZero,
    /// The demanded type is empty.
    TokenTypeEmpty,
}

impl fmt::Display for JwtSettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::IssuerEmpty => "the issuer is empty",
            Self::AudienceEmpty => "no audience is named",
            Self::NoAlgorithms => "no algorithm is allowed",
            Self::MixedAlgorithms => "HS256, HS384 and HS512 cannot be in one method with other algorithms",
            Self::ClockSkewTooWide => "the clock skew is above 300 seconds",
            Self::MaxTokenAgeZero => "the maximal token age is zero",
            Self::TokenTypeEmpty => "the token type is empty",
        })
    }
}

impl std::error::Error for JwtSettingsError {}

/// Verifies the tokens of one method.
#[derive(Debug, Clone)]
pub struct JwtVerifier {
    settings: JwtSettings,
}

impl JwtVerifier {
    /// A verifier that demands what `settings` say.
    ///
    /// # Errors
    /// [`JwtSettingsError`] when they contradict themselves or are weaker than this module allows.
    pub fn new(settings: JwtSettings) -> Result<Self, JwtSettingsError> {
        let symmetric = settings.algorithms.iter().filter(|algorithm| algorithm.is_symmetric()).count();
        let audience_empty = match &settings.audience {
            Audience::Any => false,
            Audience::OneOf(names) => names.is_empty() || names.iter().any(String::is_empty),
        };
        if settings.issuer.is_empty() {
            Err(JwtSettingsError::IssuerEmpty)
        } else if audience_empty {
            Err(JwtSettingsError::AudienceEmpty)
        } else if settings.algorithms.is_empty() {
            Err(JwtSettingsError::NoAlgorithms)
        } else if symmetric != 0 && symmetric != settings.algorithms.len() {
            Err(JwtSettingsError::MixedAlgorithms)
        } else if settings.clock_skew > MAX_CLOCK_SKEW {
            Err(JwtSettingsError::ClockSkewTooWide)
        } else if settings.max_token_age == Some(Duration::ZERO) {
            Err(JwtSettingsError::MaxTokenAgeZero)
        } else if settings.token_type.as_deref() == Some("") {
            Err(JwtSettingsError::TokenTypeEmpty)
        } else {
            Ok(Self { settings })
        }
    }

    /// What this verifier demands.
    #[must_use]
    pub const fn settings(&self) -> &JwtSettings {
        &self.settings
    }

    /// Verifies a token: its form, its signature with a key of `keys`, its claims at `now`.
    ///
    /// # Errors
    /// [`AuthnError`], the first that applies in the order structure, type, algorithm, key, signature, claims.
    pub fn verify(
        &self,
        token: &[u8],
        keys: &KeySet,
        now: UnixTime,
        signatures: &SignatureVerifier,
        host: &dyn HostCrypto,
    ) -> Result<VerifiedToken, AuthnError> {
        let jws = CompactJws::parse(token).map_err(AuthnError::Malformed)?;
        self.verify_signature(&jws, keys, signatures, host)?;
        let claims = ClaimsSet::parse(jws.payload()).map_err(AuthnError::Malformed)?;
        self.accept(claims, now).map_err(AuthnError::Claim)
    }

    /// Verifies only the type of `jws` and that it was signed with an allowed algorithm by a key of `keys`; says nothing
    /// of its claims.
    ///
    /// # Errors
    /// [`AuthnError`], never [`AuthnError::Malformed`] or [`AuthnError::Claim`].
    pub fn verify_signature(
        &self,
        jws: &CompactJws<'_>,
        keys: &KeySet,
        signatures: &SignatureVerifier,
        host: &dyn HostCrypto,
    ) -> Result<(), AuthnError> {
        let wrong_type = |expected: &str| !jws.header().has_token_type(expected);
        if self.settings.token_type.as_deref().is_some_and(wrong_type) {
            return Err(AuthnError::TokenTypeNotAllowed);
        }
        verify_jws(jws, &self.settings.algorithms, keys, signatures, host)
    }

    fn accept(&self, claims: ClaimsSet, now: UnixTime) -> Result<VerifiedToken, ClaimDefect> {
        let issuer = issuer(&claims)?;
        if issuer != self.settings.issuer {
            return Err(ClaimDefect::IssuerMismatch);
        }
        self.accept_audience(&claims)?;
        let expires_at = claims.numeric_date("exp", Claim::ExpirationTime)?;
        let valid_until = self.accept_times(&claims, expires_at, now)?;
        let paths = &self.settings.claims;
        let user_id = claims.identifier(&paths.user_id, Claim::UserId)?.ok_or(ClaimDefect::SubjectMissing)?;
        let list = |path: &Option<ClaimPath>, form, claim| {
            path.as_ref().map_or_else(|| Ok(Vec::new()), |path| claims.identifiers(path, form, claim))
        };
        let tenant = match &paths.tenant {
            Some(path) => claims.identifier(path, Claim::Tenant)?.map(str::to_owned),
            None => None,
        };
        Ok(VerifiedToken {
            issuer: issuer.to_owned(),
            user_id: user_id.to_owned(),
            tenant,
            roles: list(&paths.roles, ListForm::SingleString, Claim::Roles)?,
            scopes: list(&paths.scopes, ListForm::SpaceDelimited, Claim::Scopes)?,
            permissions: list(&paths.permissions, ListForm::SpaceDelimited, Claim::Permissions)?,
            token_id: claims.identifier(&ClaimPath::name("jti"), Claim::TokenId)?.map(str::to_owned),
            expires_at,
            valid_until,
            claims,
        })
    }

    fn accept_audience(&self, claims: &ClaimsSet) -> Result<(), ClaimDefect> {
        match &self.settings.audience {
            Audience::Any => Ok(()),
            Audience::OneOf(ours) => {
                let theirs = claims.audiences()?.ok_or(ClaimDefect::AudienceMissing)?;
                let named = theirs.iter().any(|audience| ours.iter().any(|our| our == audience));
                if named { Ok(()) } else { Err(ClaimDefect::AudienceMismatch) }
            }
        }
    }

    /// Judges `exp`, `nbf`, `iat` and the age; says from which moment on they would no longer be accepted.
    fn accept_times(
        &self,
        claims: &ClaimsSet,
        expires_at: Option<UnixTime>,
        now: UnixTime,
    ) -> Result<Option<UnixTime>, ClaimDefect> {
        let skew = self.settings.clock_skew;
        let refused_from = match (expires_at, self.settings.expiry) {
            (Some(expires_at), Expiry::Required | Expiry::Optional) => Some(expires_at.saturating_add(skew)),
            (None, Expiry::Optional) => None,
            (None, Expiry::Required) => return Err(ClaimDefect::ExpiryMissing),
        };
        // RFC 7519 4.1.4: "on or after which the JWT MUST NOT be accepted".
        if refused_from.is_some_and(|moment| now >= moment) {
            return Err(ClaimDefect::Expired);
        }
        let latest_start = now.saturating_add(skew);
        if claims.numeric_date("nbf", Claim::NotBefore)?.is_some_and(|not_before| latest_start < not_before) {
            return Err(ClaimDefect::NotYetValid);
        }
        let issued_at = claims.numeric_date("iat", Claim::IssuedAt)?;
        if issued_at.is_some_and(|issued_at| latest_start < issued_at) {
            return Err(ClaimDefect::IssuedInFuture);
        }
        let Some(max_age) = self.settings.max_token_age else {
            return Ok(refused_from);
        };
        let too_old_from =
            issued_at.ok_or(ClaimDefect::IssuedAtMissing)?.saturating_add(max_age).saturating_add(skew);
        if now >= too_old_from {
            return Err(ClaimDefect::TooOld);
        }
        Ok(Some(refused_from.map_or(too_old_from, |moment| moment.min(too_old_from))))
    }
}

/// Verifies that `jws` was signed with one of the `allowed` algorithms by a key of `keys` (RFC 7515 5.2, RFC 8725 3.1).
///
/// # Errors
/// [`AuthnError`], never [`AuthnError::Malformed`], [`AuthnError::TokenTypeNotAllowed`] or [`AuthnError::Claim`].
pub fn verify_jws(
    jws: &CompactJws<'_>,
    allowed: &[Algorithm],
    keys: &KeySet,
    signatures: &SignatureVerifier,
    host: &dyn HostCrypto,
) -> Result<(), AuthnError> {
    let algorithm: Algorithm =
        jws.header().algorithm().parse().map_err(|_| AuthnError::AlgorithmNotAllowed)?;
    if !allowed.contains(&algorithm) {
        return Err(AuthnError::AlgorithmNotAllowed);
    }
    for key in keys.candidates(jws.header().key_id(), algorithm)? {
        match signatures.verify(algorithm, key, jws.signing_input(), jws.signature(), host) {
            Ok(()) => return Ok(()),
            Err(SignatureError::Mismatch) => {}
            Err(SignatureError::KeyNotForAlgorithm) => return Err(AuthnError::KeyNotForAlgorithm),
        }
    }
    Err(AuthnError::SignatureMismatch)
}

/// The issuer that a token claims to be from, to choose the method that is to verify it. **Unverified**: anybody can
/// write it; use it for nothing else.
///
/// # Errors
/// [`AuthnError::Malformed`] when the token cannot be read, [`AuthnError::Claim`] when `iss` is missing or no string.
pub fn peek_issuer(token: &[u8]) -> Result<String, AuthnError> {
    let jws = CompactJws::parse(token).map_err(AuthnError::Malformed)?;
    let claims = ClaimsSet::parse(jws.payload()).map_err(AuthnError::Malformed)?;
    issuer(&claims).map(str::to_owned).map_err(AuthnError::Claim)
}

/// Who is calling, by a token whose form, signature and claims are good.
///
/// There is no way to make one but [`JwtVerifier::verify`]. `Debug` shows no value of any claim.
#[derive(Clone, PartialEq)]
pub struct VerifiedToken {
    issuer: String,
    user_id: String,
    tenant: Option<String>,
    roles: Vec<String>,
    scopes: Vec<String>,
    permissions: Vec<String>,
    token_id: Option<String>,
    expires_at: Option<UnixTime>,
    valid_until: Option<UnixTime>,
    claims: ClaimsSet,
}

impl VerifiedToken {
    /// `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The caller's id: never empty, no control characters.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The tenant, if the token names one: never empty, no control characters.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The caller's roles, in the token's order.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The scopes the token was granted.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The permissions the token itself carries.
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        &self.permissions
    }

    /// `jti` (RFC 7519 4.1.7), unique within the issuer.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// `exp`, as the issuer wrote it.
    #[must_use]
    pub const fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    /// The first moment at which the same token would be refused, by `exp` or by age, the skew included: what a cache
    /// must forget it at. `None` when it never would be.
    #[must_use]
    pub const fn valid_until(&self) -> Option<UnixTime> {
        self.valid_until
    }

    /// All its claims.
    #[must_use]
    pub const fn claims(&self) -> &ClaimsSet {
        &self.claims
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("VerifiedToken").field("claims", &self.claims).finish_non_exhaustive()
    }
}

fn issuer(claims: &ClaimsSet) -> Result<&str, ClaimDefect> {
    claims.get("iss").ok_or(ClaimDefect::IssuerMissing)?.as_str().ok_or(ClaimDefect::Malformed(Claim::Issuer))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jwt_compact::alg::{Hs256, Hs256Key};
    use jwt_compact::{Algorithm as _, AlgorithmSignature as _};
    use serde_json::{Value, json};

    use super::super::error::TokenDefect;
    use super::super::key::VerificationKey;
    use super::super::signature::NoHostCrypto;
    use super::*;
    use crate::secret::Secret;

    const SECRET: &[u8] = b"a secret that is long enough for HS256";
    const NOW: u64 = 1_800_000_000;

    fn settings() -> JwtSettings {
        JwtSettings {
            issuer: "https://issuer.example".to_owned(),
            audience: Audience::OneOf(vec!["api".to_owned(), "api2".to_owned()]),
            algorithms: vec![Algorithm::Hs256],
            clock_skew: Duration::from_secs(60),
            expiry: Expiry::Required,
            max_token_age: None,
            token_type: None,
            claims: ClaimPaths { permissions: Some(ClaimPath::name("permissions")), ..ClaimPaths::default() },
        }
    }

    fn claims() -> Value {
        json!({"iss": "https://issuer.example", "aud": "api", "exp": NOW + 100, "sub": "u1"})
    }

    /// The default claims, with these replaced, or removed where null.
    fn claims_with(changes: Value) -> Value {
        let mut claims = claims();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    fn sign(header: &str, payload: &str) -> String {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = Hs256.sign(&Hs256Key::new(SECRET), input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_bytes()))
    }

    fn verify_at(settings: JwtSettings, token: &str, now: UnixTime) -> Result<VerifiedToken, AuthnError> {
        let keys =
            KeySet::new([VerificationKey::shared_secret(Secret::new(SECRET.to_vec()).unwrap())]).unwrap();
        let verifier = JwtVerifier::new(settings).unwrap();
        verifier.verify(token.as_bytes(), &keys, now, &SignatureVerifier::default(), &NoHostCrypto)
    }

    fn verify(settings: JwtSettings, claims: &Value) -> Result<VerifiedToken, AuthnError> {
        let token = sign(r#"{"alg":"HS256"}"#, &claims.to_string());
        verify_at(settings, &token, UnixTime::from_seconds(NOW).unwrap())
    }

    fn defect(changes: Value) -> Option<ClaimDefect> {
        defect_with(settings(), changes)
    }

    fn defect_with(settings: JwtSettings, changes: Value) -> Option<ClaimDefect> {
        match verify(settings, &claims_with(changes)) {
            Ok(_) => None,
            Err(AuthnError::Claim(defect)) => Some(defect),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_good_token_tells_who_is_calling() {
        let token = verify(
            settings(),
            &claims_with(json!({
                "tenant": "acme", "roles": ["viewer", "Global Admin"], "scope": "a:read  b:write", "jti": "t1",
                "permissions": ["objects:read"],
            })),
        )
        .unwrap();
        assert_eq!(token.issuer(), "https://issuer.example");
        assert_eq!(token.user_id(), "u1");
        assert_eq!(token.tenant(), Some("acme"));
        assert_eq!(token.roles(), ["viewer", "Global Admin"]);
        assert_eq!(token.scopes(), ["a:read", "b:write"]);
        assert_eq!(token.permissions(), ["objects:read"]);
        assert_eq!(token.token_id(), Some("t1"));
        assert_eq!(token.expires_at(), UnixTime::from_seconds(NOW + 100));
        assert_eq!(token.valid_until(), UnixTime::from_seconds(NOW + 160));
        assert_eq!(token.claims().get("aud"), Some(&json!("api")));
        assert!(!format!("{token:?}").contains("acme"));
    }

    #[test]
    fn issuer_is_compared_byte_for_byte() {
        assert_eq!(defect(json!({"iss": null})), Some(ClaimDefect::IssuerMissing));
        for other in ["https://issuer.example/", "https://ISSUER.example", "", "https://issuer.example\u{0}"]
        {
            assert_eq!(defect(json!({"iss": other})), Some(ClaimDefect::IssuerMismatch), "{other}");
        }
        for wrong in [json!(1), json!(["https://issuer.example"]), json!({})] {
            assert_eq!(defect(json!({"iss": wrong})), Some(ClaimDefect::Malformed(Claim::Issuer)));
        }
    }

    #[test]
    fn audience_is_demanded_unless_any_is_said() {
        assert_eq!(defect(json!({"aud": null})), Some(ClaimDefect::AudienceMissing));
        assert_eq!(defect(json!({"aud": ["other", "api2"]})), None);
        for other in [json!("ap"), json!("API"), json!("api api2"), json!(["other"]), json!([])] {
            assert_eq!(defect(json!({"aud": other})), Some(ClaimDefect::AudienceMismatch), "{other}");
        }
        for wrong in
            [json!(1), json!({"api": 1}), json!([["api"]]), json!(["api", 1]), json!(vec!["api"; 65])]
        {
            assert_eq!(
                defect(json!({"aud": wrong})),
                Some(ClaimDefect::Malformed(Claim::Audience)),
                "{wrong}"
            );
        }
        let any = JwtSettings { audience: Audience::Any, ..settings() };
        assert_eq!(defect_with(any.clone(), json!({"aud": null})), None);
        assert_eq!(defect_with(any, json!({"aud": "other"})), None);
    }

    #[test]
    fn expiry_is_exclusive_and_the_skew_widens_it() {
        assert_eq!(defect(json!({"exp": NOW - 59})), None);
        assert_eq!(defect(json!({"exp": NOW - 60})), Some(ClaimDefect::Expired));
        let strict = JwtSettings { clock_skew: Duration::ZERO, ..settings() };
        assert_eq!(defect_with(strict.clone(), json!({"exp": NOW})), Some(ClaimDefect::Expired));
        assert_eq!(defect_with(strict.clone(), json!({"exp": NOW + 1})), None);
        assert_eq!(defect_with(strict, json!({"exp": NOW as f64 + 0.5})), None);
    }

    #[test]
    fn expiry_to_the_nanosecond() {
        let token = sign(r#"{"alg":"HS256"}"#, &claims_with(json!({"exp": NOW})).to_string());
        let edge = (NOW + 60) * 1_000_000_000;
        assert!(verify_at(settings(), &token, UnixTime::from_nanos(edge - 1)).is_ok());
        let expired = Err(AuthnError::Claim(ClaimDefect::Expired));
        assert_eq!(verify_at(settings(), &token, UnixTime::from_nanos(edge)), expired);
    }

    #[test]
    fn expiry_is_demanded_unless_optional_is_said_and_counts_if_there() {
        assert_eq!(defect(json!({"exp": null})), Some(ClaimDefect::ExpiryMissing));
        let optional = JwtSettings { expiry: Expiry::Optional, ..settings() };
        assert_eq!(defect_with(optional.clone(), json!({"exp": null})), None);
        assert_eq!(defect_with(optional.clone(), json!({"exp": NOW - 60})), Some(ClaimDefect::Expired));
        assert_eq!(verify(optional, &claims_with(json!({"exp": null}))).unwrap().valid_until(), None);
    }

    #[test]
    fn dates_that_are_none() {
        for wrong in [
            json!("1800000100"),
            json!(-1),
            json!(-0.5),
            json!(1_800_000_000_000_u64),
            json!(u64::MAX),
            json!(1e300),
            json!(true),
            json!([]),
        ] {
            let malformed = |claim| Some(ClaimDefect::Malformed(claim));
            assert_eq!(defect(json!({"exp": wrong})), malformed(Claim::ExpirationTime), "{wrong}");
            assert_eq!(defect(json!({"nbf": wrong})), malformed(Claim::NotBefore), "{wrong}");
            assert_eq!(defect(json!({"iat": wrong})), malformed(Claim::IssuedAt), "{wrong}");
        }
        let token =
            sign(r#"{"alg":"HS256"}"#, &claims().to_string().replace(&(NOW + 100).to_string(), "null"));
        let malformed = AuthnError::Claim(ClaimDefect::Malformed(Claim::ExpirationTime));
        assert_eq!(verify_at(settings(), &token, UnixTime::default()).err(), Some(malformed));
    }

    #[test]
    fn not_before_and_issued_at_within_the_skew() {
        assert_eq!(defect(json!({"nbf": NOW + 60})), None);
        assert_eq!(defect(json!({"nbf": NOW + 61})), Some(ClaimDefect::NotYetValid));
        assert_eq!(defect(json!({"nbf": NOW as f64 + 60.5})), Some(ClaimDefect::NotYetValid));
        assert_eq!(defect(json!({"iat": NOW + 60})), None);
        assert_eq!(defect(json!({"iat": NOW + 61})), Some(ClaimDefect::IssuedInFuture));
    }

    #[test]
    fn age_is_bounded_when_asked() {
        let aged = JwtSettings { max_token_age: Some(Duration::from_secs(10)), ..settings() };
        assert_eq!(defect_with(aged.clone(), json!({"iat": null})), Some(ClaimDefect::IssuedAtMissing));
        assert_eq!(defect_with(aged.clone(), json!({"iat": NOW - 69})), None);
        assert_eq!(defect_with(aged.clone(), json!({"iat": NOW - 70})), Some(ClaimDefect::TooOld));
        let token = verify(aged, &claims_with(json!({"iat": NOW}))).unwrap();
        assert_eq!(token.valid_until(), UnixTime::from_seconds(NOW + 70));
    }

    #[test]
    fn a_token_must_say_who_its_user_is() {
        assert_eq!(defect(json!({"sub": null})), Some(ClaimDefect::SubjectMissing));
        let long = "u".repeat(257);
        for wrong in
            [json!(1), json!(""), json!("u\u{0}admin"), json!("u\r\nx: y"), json!(["u1"]), json!(long)]
        {
            assert_eq!(defect(json!({"sub": wrong})), Some(ClaimDefect::Malformed(Claim::UserId)), "{wrong}");
            assert_eq!(
                defect(json!({"tenant": wrong})),
                Some(ClaimDefect::Malformed(Claim::Tenant)),
                "{wrong}"
            );
            assert_eq!(
                defect(json!({"jti": wrong})),
                Some(ClaimDefect::Malformed(Claim::TokenId)),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_list_of_the_wrong_type_is_no_empty_list() {
        for wrong in [
            json!(1),
            json!(true),
            json!({"a": 1}),
            json!(["a", 1]),
            json!([["a"]]),
            json!(["a\u{0}"]),
            json!([""]),
        ] {
            assert_eq!(
                defect(json!({"roles": wrong})),
                Some(ClaimDefect::Malformed(Claim::Roles)),
                "{wrong}"
            );
            assert_eq!(
                defect(json!({"scope": wrong})),
                Some(ClaimDefect::Malformed(Claim::Scopes)),
                "{wrong}"
            );
            let permissions = defect(json!({"permissions": wrong}));
            assert_eq!(permissions, Some(ClaimDefect::Malformed(Claim::Permissions)), "{wrong}");
        }
        let many: Vec<_> = (0..257).map(|n| format!("r{n}")).collect();
        assert_eq!(defect(json!({"roles": many})), Some(ClaimDefect::Malformed(Claim::Roles)));
        assert_eq!(defect(json!({"scope": many.join(" ")})), Some(ClaimDefect::Malformed(Claim::Scopes)));
        let token = sign(
            r#"{"alg":"HS256"}"#,
            &claims_with(json!({"roles": "?"})).to_string().replace("\"?\"", "null"),
        );
        let malformed = AuthnError::Claim(ClaimDefect::Malformed(Claim::Roles));
        assert_eq!(
            verify_at(settings(), &token, UnixTime::from_seconds(NOW).unwrap()).err(),
            Some(malformed)
        );
    }

    #[test]
    fn one_string_is_one_role() {
        let token = verify(settings(), &claims_with(json!({"roles": "Global Admin", "scope": ""}))).unwrap();
        assert_eq!(token.roles(), ["Global Admin"]);
        assert!(token.scopes().is_empty());
    }

    #[test]
    fn attributes_are_found_where_the_settings_say() {
        let nested = JwtSettings {
            claims: ClaimPaths {
                user_id: "https://example.com/id".parse().unwrap(),
                roles: Some("/realm_access/roles".parse().unwrap()),
                tenant: Some("/a~1b/1".parse().unwrap()),
                ..ClaimPaths::default()
            },
            ..settings()
        };
        let claims = claims_with(json!({
            "https://example.com/id": "u2", "realm_access": {"roles": ["r"]}, "a/b": ["x", "acme"], "sub": null,
        }));
        let token = verify(nested, &claims).unwrap();
        assert_eq!((token.user_id(), token.tenant()), ("u2", Some("acme")));
        assert_eq!(token.roles(), ["r"]);
    }

    #[test]
    fn the_type_is_demanded_when_asked() {
        let typed = JwtSettings { token_type: Some("at+jwt".to_owned()), ..settings() };
        let now = UnixTime::from_seconds(NOW).unwrap();
        for (header, good) in [
            (r#"{"alg":"HS256","typ":"at+jwt"}"#, true),
            (r#"{"alg":"HS256","typ":"application/AT+JWT"}"#, true),
            (r#"{"alg":"HS256","typ":"JWT"}"#, false),
            (r#"{"alg":"HS256"}"#, false),
        ] {
            let outcome = verify_at(typed.clone(), &sign(header, &claims().to_string()), now);
            assert_eq!(outcome.err(), (!good).then_some(AuthnError::TokenTypeNotAllowed), "{header}");
        }
    }

    #[test]
    fn payloads_that_are_no_claims_set() {
        for payload in ["", "[]", "null", "{", r#"{"sub":"a","sub":"b"}"#, "{} {}", "\u{feff}{}"] {
            let outcome = verify_at(settings(), &sign(r#"{"alg":"HS256"}"#, payload), UnixTime::default());
            let expected = AuthnError::Malformed(TokenDefect::PayloadNotJsonObject);
            assert_eq!(outcome.err(), Some(expected), "{payload}");
        }
    }

    #[test]
    fn no_claim_is_judged_before_the_signature() {
        let mut forged = sign(r#"{"alg":"HS256"}"#, r#"{"iss":"evil"}"#);
        let other_end = if forged.ends_with('A') { "E" } else { "A" };
        forged.replace_range(forged.len() - 1.., other_end);
        assert_eq!(
            verify_at(settings(), &forged, UnixTime::default()).err(),
            Some(AuthnError::SignatureMismatch)
        );
    }

    #[test]
    fn settings_that_contradict_themselves() {
        let error = |settings| JwtVerifier::new(settings).err();
        assert_eq!(error(settings()), None);
        let changed = |change: fn(&mut JwtSettings)| {
            let mut settings = settings();
            change(&mut settings);
            error(settings)
        };
        assert_eq!(changed(|s| s.issuer.clear()), Some(JwtSettingsError::IssuerEmpty));
        assert_eq!(changed(|s| s.audience = Audience::OneOf(vec![])), Some(JwtSettingsError::AudienceEmpty));
        let blank = changed(|s| s.audience = Audience::OneOf(vec![String::new()]));
        assert_eq!(blank, Some(JwtSettingsError::AudienceEmpty));
        assert_eq!(changed(|s| s.algorithms.clear()), Some(JwtSettingsError::NoAlgorithms));
        assert_eq!(changed(|s| s.algorithms.push(Algorithm::Rs256)), Some(JwtSettingsError::MixedAlgorithms));
        assert_eq!(
            changed(|s| s.clock_skew = Duration::from_secs(301)),
            Some(JwtSettingsError::ClockSkewTooWide)
        );
        assert_eq!(changed(|s| s.clock_skew = Duration::from_secs(300)), None);
        assert_eq!(
            changed(|s| s.max_token_age = Some(Duration::ZERO)),
            Some(JwtSettingsError::MaxTokenAgeZero)
        );
        assert_eq!(changed(|s| s.token_type = Some(String::new())), Some(JwtSettingsError::TokenTypeEmpty));
    }

    #[test]
    fn the_issuer_can_be_peeked_at() {
        let token = sign(r#"{"alg":"HS256"}"#, r#"{"iss":"https://other.example"}"#);
        assert_eq!(peek_issuer(token.as_bytes()), Ok("https://other.example".to_owned()));
        let token = sign(r#"{"alg":"HS256"}"#, "{}");
        assert_eq!(peek_issuer(token.as_bytes()), Err(AuthnError::Claim(ClaimDefect::IssuerMissing)));
        assert_eq!(peek_issuer(b"x"), Err(AuthnError::Malformed(TokenDefect::NotThreeParts)));
    }
}
