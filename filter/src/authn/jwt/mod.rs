//! A bearer token from bytes to a verified caller (RFC 7519 7.2, RFC 8725).
//!
//! The order is cheap first: structure, type, algorithm, key, signature, then claims. No claim is looked at before the
//! signature is good; the one exception, [`peek_issuer`], is named so. This module finds no token in a request, keeps no
//! cache and knows no revocation.

mod settings;
#[cfg(test)]
mod tests;
mod verified;

pub use settings::{Audience, ClaimPaths, Expiry, JwtSettings, JwtSettingsError, MAX_CLOCK_SKEW};
pub use verified::VerifiedToken;

use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::claims::{ClaimPath, ClaimsSet, ListForm};
use super::error::{AuthnError, Claim, ClaimDefect};
use super::jws::CompactJws;
use super::keyset::KeySet;
use super::known_headers::KnownHeaders;
use super::signature::{HostCrypto, SignatureError, SignatureVerifier};
use crate::time::UnixTime;

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
        settings.ensure_consistent()?;
        Ok(Self { settings })
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
        self.verify_knowing(&KnownHeaders::default(), token, keys, now, signatures, host)
    }

    /// The same for a token whose header may be `known`; if its signature is good, it is from then on.
    ///
    /// # Errors
    /// As [`JwtVerifier::verify`].
    pub fn verify_knowing(
        &self,
        known: &KnownHeaders,
        token: &[u8],
        keys: &KeySet,
        now: UnixTime,
        signatures: &SignatureVerifier,
        host: &dyn HostCrypto,
    ) -> Result<VerifiedToken, AuthnError> {
        let jws = CompactJws::parse_knowing(known, token).map_err(AuthnError::Malformed)?;
        self.verify_signature(&jws, keys, signatures, host)?;
        jws.remember_header(known);
        let claims = ClaimsSet::parse(jws.payload()).map_err(AuthnError::Malformed)?;
        self.accept(&claims, now).map_err(AuthnError::Claim)
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

    /// Reads a token, and refuses what no key could make acceptable: by its form, its type, its algorithm or its claims at
    /// `now`. Its header may be `known`. What it does not refuse is as untrusted as before, until
    /// [`UnverifiedToken::verify`].
    ///
    /// # Errors
    /// [`AuthnError`], as [`JwtVerifier::verify`] would say or could have said.
    pub fn examine<'v, 't>(
        &'v self,
        known: &'v KnownHeaders,
        token: &'t [u8],
        now: UnixTime,
    ) -> Result<UnverifiedToken<'v, 't>, AuthnError> {
        let jws = CompactJws::parse_knowing(known, token).map_err(AuthnError::Malformed)?;
        let allowed = |algorithm: Algorithm| self.settings.algorithms.contains(&algorithm);
        if !jws.header().algorithm().parse().is_ok_and(allowed) {
            return Err(AuthnError::AlgorithmNotAllowed);
        }
        let wrong_type = |expected: &str| !jws.header().has_token_type(expected);
        if self.settings.token_type.as_deref().is_some_and(wrong_type) {
            return Err(AuthnError::TokenTypeNotAllowed);
        }
        let claims = ClaimsSet::parse(jws.payload()).map_err(AuthnError::Malformed)?;
        let claimed = self.accept(&claims, now).map_err(AuthnError::Claim)?;
        Ok(UnverifiedToken { verifier: self, known, jws, claimed })
    }

    /// Judges the claims: what comes of it is verified only if the signature over them is.
    fn accept(&self, claims: &ClaimsSet<'_>, now: UnixTime) -> Result<VerifiedToken, ClaimDefect> {
        let issuer = issuer(claims)?;
        if issuer != self.settings.issuer {
            return Err(ClaimDefect::IssuerMismatch);
        }
        self.accept_audience(claims)?;
        let expires_at = claims.numeric_date("exp", Claim::ExpirationTime)?;
        let valid_until = self.accept_times(claims, expires_at, now)?;
        let paths = &self.settings.claims;
        let user_id = claims.identifier(&paths.user_id, Claim::UserId)?.ok_or(ClaimDefect::SubjectMissing)?;
        let list = |path: &Option<ClaimPath>, form, claim| {
            path.as_ref().map_or_else(|| Ok(Vec::new()), |path| claims.identifiers(path, form, claim))
        };
        let tenant = match &paths.tenant {
            Some(path) => claims.identifier(path, Claim::Tenant)?.map(str::to_owned),
            None => None,
        };
        let groups = match list(&paths.groups, ListForm::SingleString, Claim::Groups) {
            Err(defect) if !paths.groups_may_be_unreadable => return Err(defect),
            groups => groups,
        };
        Ok(VerifiedToken {
            issuer: issuer.to_owned(),
            user_id: user_id.to_owned(),
            tenant,
            roles: list(&paths.roles, ListForm::SingleString, Claim::Roles)?,
            scopes: list(&paths.scopes, ListForm::SpaceDelimited, Claim::Scopes)?,
            permissions: list(&paths.permissions, ListForm::SpaceDelimited, Claim::Permissions)?,
            groups,
            attributes: attributes(claims, &paths.attributes),
            token_id: claims.named("jti", Claim::TokenId)?.map(str::to_owned),
            expires_at,
            valid_until,
        })
    }

    fn accept_audience(&self, claims: &ClaimsSet<'_>) -> Result<(), ClaimDefect> {
        match &self.settings.audience {
            Audience::Any => Ok(()),
            Audience::OneOf(ours) => {
                let is_ours = |audience: &str| ours.iter().any(|our| our == audience);
                let named = claims.is_any_audience(is_ours)?.ok_or(ClaimDefect::AudienceMissing)?;
                if named { Ok(()) } else { Err(ClaimDefect::AudienceMismatch) }
            }
        }
    }

    /// Judges `exp`, `nbf`, `iat` and the age; says from which moment on they would no longer be accepted.
    fn accept_times(
        &self,
        claims: &ClaimsSet<'_>,
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

/// A token whose form, type, algorithm and claims are acceptable, and whose signature nobody has looked at yet.
///
/// Nothing can be learnt from it but the name of its key. `Debug` shows no value of any claim.
#[derive(Debug)]
pub struct UnverifiedToken<'v, 't> {
    verifier: &'v JwtVerifier,
    known: &'v KnownHeaders,
    jws: CompactJws<'t>,
    /// What is verified once the signature is.
    claimed: VerifiedToken,
}

impl UnverifiedToken<'_, '_> {
    /// Whether it names the key that it was signed with. **Unverified**.
    #[must_use]
    pub fn names_key(&self) -> bool {
        self.jws.header().key_id().is_some()
    }

    /// Verifies the signature with a key of `keys`. The claims were judged before, at the time given then.
    ///
    /// # Errors
    /// [`AuthnError`], never [`AuthnError::Malformed`] or [`AuthnError::Claim`].
    pub fn verify(
        self,
        keys: &KeySet,
        signatures: &SignatureVerifier,
        host: &dyn HostCrypto,
    ) -> Result<VerifiedToken, AuthnError> {
        self.verifier.verify_signature(&self.jws, keys, signatures, host)?;
        self.jws.remember_header(self.known);
        Ok(self.claimed)
    }
}

/// Every attribute that the token has, as it has it: a condition that asks for another type cannot be decided.
fn attributes(claims: &ClaimsSet<'_>, wanted: &[(String, ClaimPath)]) -> Map<String, Value> {
    let found =
        wanted.iter().filter_map(|(name, path)| Some((name.clone(), claims.at(path)?.clone().into_value())));
    found.collect()
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

fn issuer<'c>(claims: &'c ClaimsSet<'_>) -> Result<&'c str, ClaimDefect> {
    claims.get("iss").ok_or(ClaimDefect::IssuerMissing)?.as_str().ok_or(ClaimDefect::Malformed(Claim::Issuer))
}
