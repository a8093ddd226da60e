//! A bearer token from bytes to a verified caller (RFC 7519 7.2, RFC 8725).
//!
//! The order is cheap first: structure, algorithm, type, key, signature, then claims. No claim is looked at before the
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
    /// [`AuthnError`], the first that applies in the order structure, algorithm, type, key, signature, claims.
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

    /// Verifies only that `jws` was signed with an allowed algorithm by a key of `keys`; says nothing of its claims.
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
        let header = jws.header();
        let algorithm: Algorithm = header.algorithm().parse().map_err(|_| AuthnError::AlgorithmNotAllowed)?;
        if !self.settings.algorithms.contains(&algorithm) {
            return Err(AuthnError::AlgorithmNotAllowed);
        }
        if self.settings.token_type.as_deref().is_some_and(|expected| !header.has_token_type(expected)) {
            return Err(AuthnError::TokenTypeNotAllowed);
        }
        for key in keys.candidates(header.key_id(), algorithm)? {
            match signatures.verify(algorithm, key, jws.signing_input(), jws.signature(), host) {
                Ok(()) => return Ok(()),
                Err(SignatureError::Mismatch) => {}
                Err(SignatureError::KeyNotForAlgorithm) => return Err(AuthnError::KeyNotForAlgorithm),
            }
        }
        Err(AuthnError::SignatureMismatch)
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
