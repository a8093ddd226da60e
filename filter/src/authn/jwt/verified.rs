//! The caller, as a verified token tells of it.

use std::fmt;

use serde_json::{Map, Value};

use crate::authn::error::ClaimDefect;
use crate::time::UnixTime;

/// Who is calling, by a token whose form, signature and claims are good.
///
/// There is no way to make one but [`JwtVerifier::verify`]. `Debug` shows no value of any claim.
#[derive(Clone, PartialEq)]
pub struct VerifiedToken {
    pub(super) issuer: String,
    pub(super) user_id: String,
    pub(super) tenant: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) permissions: Vec<String>,
    pub(super) groups: Result<Vec<String>, ClaimDefect>,
    pub(super) attributes: Map<String, Value>,
    pub(super) token_id: Option<String>,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) valid_until: Option<UnixTime>,
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

    /// The groups the caller is in, if the settings say where they stand.
    ///
    /// # Errors
    /// What is wrong with them, where the settings accept a token with groups that cannot be read.
    pub fn groups(&self) -> Result<&[String], ClaimDefect> {
        self.groups.as_deref().map_err(|defect| *defect)
    }

    /// What the settings name besides, by the names they give it; what the token does not say is not there.
    #[must_use]
    pub const fn attributes(&self) -> &Map<String, Value> {
        &self.attributes
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
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("VerifiedToken").finish_non_exhaustive()
    }
}
