//! Why a token does not authenticate, grouped by whose fault it is.
//!
//! Nothing here holds a byte of a token, a key or a claim: an [`AuthnError`] may be logged, counted and recorded as it
//! is. What a client is told, and with which status, is decided elsewhere.

use std::fmt;

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthnError {
    /// The bytes are no compact JWS that we read (RFC 7515 3.1, 4).
    Malformed(TokenDefect),
    /// `alg` is a known algorithm outside the method's allow-list, or unknown, or `none` (RFC 8725 3.1, 3.2).
    AlgorithmNotAllowed,
    /// `typ` is not the one the method demands (RFC 8725 3.11).
    TokenTypeNotAllowed,
    /// No key answers to the token's `kid`, or none fits its `alg`. A caller may refresh the keys and try once more.
    UnknownKey,
    /// The key the token names may not be used with its `alg` (RFC 7517 4.2-4.4, RFC 8725 3.1).
    KeyNotForAlgorithm,
    /// The token names no key and more than [`super::keyset::MAX_CANDIDATE_KEYS`] fit: the work is not done.
    KeyIdRequired,
    /// No candidate key verifies the signature.
    SignatureMismatch,
    /// The signature is good and a claim is not (RFC 7519 4.1).
    Claim(ClaimDefect),
    /// There is no key at all to verify with. The fault is ours, never the token's.
    NoKeys,
}

impl AuthnError {
    /// Every label that [`AuthnError::reason`] can give, so that the series of a metric are bounded beforehand.
    pub const REASONS: [&'static str; 41] = [
        "algorithm_not_allowed",
        "token_type_not_allowed",
        "unknown_key",
        "key_not_for_algorithm",
        "key_id_required",
        "signature_mismatch",
        "no_keys",
        "token_too_long",
        "token_not_three_parts",
        "token_not_base64url",
        "header_not_json_object",
        "header_parameter_malformed",
        "algorithm_missing",
        "critical_extension",
        "unencoded_payload",
        "compressed",
        "nested_token",
        "payload_not_json_object",
        "issuer_missing",
        "issuer_mismatch",
        "audience_missing",
        "audience_mismatch",
        "expiry_missing",
        "expired",
        "not_yet_valid",
        "issued_in_future",
        "issued_at_missing",
        "too_old",
        "subject_missing",
        "issuer_malformed",
        "audience_malformed",
        "expiry_malformed",
        "not_before_malformed",
        "issued_at_malformed",
        "token_id_malformed",
        "user_id_malformed",
        "tenant_malformed",
        "roles_malformed",
        "scopes_malformed",
        "permissions_malformed",
        "groups_malformed",
    ];

    /// A stable label from a closed set, for metrics and audit.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed(defect) => defect.reason(),
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::TokenTypeNotAllowed => "token_type_not_allowed",
            Self::UnknownKey => "unknown_key",
            Self::KeyNotForAlgorithm => "key_not_for_algorithm",
            Self::KeyIdRequired => "key_id_required",
            Self::SignatureMismatch => "signature_mismatch",
            Self::Claim(defect) => defect.reason(),
            Self::NoKeys => "no_keys",
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Malformed(_)
            | Self::AlgorithmNotAllowed
            | Self::TokenTypeNotAllowed
            | Self::UnknownKey
            | Self::KeyNotForAlgorithm
            | Self::KeyIdRequired
            | Self::SignatureMismatch
            | Self::Claim(_) => Fault::Token,
            Self::NoKeys => Fault::Keys,
        }
    }
}

impl fmt::Display for AuthnError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.reason())
    }
}

impl std::error::Error for AuthnError {}

/// Whose fault an [`AuthnError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The client's token: it gets a 401.
    Token,
    /// Our keys: the client gets a 503, for a good token must not look bad.
    Keys,
}

/// What is wrong with the bytes or the header of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenDefect {
    /// Longer than [`super::jws::MAX_TOKEN_BYTES`].
    TooLong,
    /// Not exactly three parts divided by two full stops (RFC 7515 7.1).
    NotThreeParts,
    /// A part is not canonical unpadded base64url (RFC 7515 2).
    NotBase64Url,
    /// The header is no strict JSON object (RFC 7515 4, duplicate names refused).
    HeaderNotJsonObject,
    /// A header parameter we act on has the wrong type or is too long.
    HeaderParameter,
    /// `alg` is missing (RFC 7515 4.1.1).
    AlgorithmMissing,
    /// `crit` is present: it names extensions and we understand none (RFC 7515 4.1.11).
    CriticalExtension,
    /// `b64` is present: the payload would not be encoded (RFC 7797).
    UnencodedPayload,
    /// `zip` is present: compression belongs to JWE (RFC 7516 4.1.3).
    Compressed,
    /// `cty` says that another token is inside (RFC 7519 5.2).
    Nested,
    /// The payload is no strict JSON object (RFC 7519 7.2, duplicate claims refused).
    PayloadNotJsonObject,
}

impl TokenDefect {
    const fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "token_too_long",
            Self::NotThreeParts => "token_not_three_parts",
            Self::NotBase64Url => "token_not_base64url",
            Self::HeaderNotJsonObject => "header_not_json_object",
            Self::HeaderParameter => "header_parameter_malformed",
            Self::AlgorithmMissing => "algorithm_missing",
            Self::CriticalExtension => "critical_extension",
            Self::UnencodedPayload => "unencoded_payload",
            Self::Compressed => "compressed",
            Self::Nested => "nested_token",
            Self::PayloadNotJsonObject => "payload_not_json_object",
        }
    }
}

/// What is wrong with the claims of a token whose signature is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimDefect {
    /// `iss` is missing.
    IssuerMissing,
    /// `iss` is not the method's issuer, byte for byte (RFC 7519 4.1.1).
    IssuerMismatch,
    /// `aud` is missing where one is demanded (RFC 7519 4.1.3).
    AudienceMissing,
    /// `aud` names nobody we are.
    AudienceMismatch,
    /// `exp` is missing where it is demanded.
    ExpiryMissing,
    /// Now is on or after `exp` plus the skew (RFC 7519 4.1.4).
    Expired,
    /// Now plus the skew is before `nbf` (RFC 7519 4.1.5).
    NotYetValid,
    /// `iat` lies further ahead than the skew (RFC 7519 4.1.6).
    IssuedInFuture,
    /// `iat` is missing and the method bounds the age of a token.
    IssuedAtMissing,
    /// Older than the method's `max_token_age` plus the skew.
    TooOld,
    /// The claim that names the user is missing.
    SubjectMissing,
    /// A claim we read has a type or a length it must not have, or holds a control character.
    Malformed(Claim),
}

impl ClaimDefect {
    const fn reason(self) -> &'static str {
        match self {
            Self::IssuerMissing => "issuer_missing",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::AudienceMissing => "audience_missing",
            Self::AudienceMismatch => "audience_mismatch",
            Self::ExpiryMissing => "expiry_missing",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::IssuedAtMissing => "issued_at_missing",
            Self::TooOld => "too_old",
            Self::SubjectMissing => "subject_missing",
            Self::Malformed(claim) => claim.malformed_reason(),
        }
    }
}

/// A claim we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// `iss`.
    Issuer,
    /// `aud`.
    Audience,
    /// `exp`.
    ExpirationTime,
    /// `nbf`.
    NotBefore,
    /// `iat`.
    IssuedAt,
    /// `jti`.
    TokenId,
    /// The claim mapped to the user's id, `sub` by default.
    UserId,
    /// The claim mapped to the tenant.
    Tenant,
    /// The claim mapped to roles.
    Roles,
    /// The claim mapped to scopes.
    Scopes,
    /// The claim mapped to permissions.
    Permissions,
    /// The claim mapped to groups.
    Groups,
}

impl Claim {
    const fn malformed_reason(self) -> &'static str {
        match self {
            Self::Issuer => "issuer_malformed",
            Self::Audience => "audience_malformed",
            Self::ExpirationTime => "expiry_malformed",
            Self::NotBefore => "not_before_malformed",
            Self::IssuedAt => "issued_at_malformed",
            Self::TokenId => "token_id_malformed",
            Self::UserId => "user_id_malformed",
            Self::Tenant => "tenant_malformed",
            Self::Roles => "roles_malformed",
            Self::Scopes => "scopes_malformed",
            Self::Permissions => "permissions_malformed",
            Self::Groups => "groups_malformed",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A label that the list lacks has no series, and what it stands for would never be counted.
    #[test]
    fn every_label_is_listed_once() {
        let code = include_str!("error.rs").split("mod tests").next().unwrap();
        let label = |line: &'static str| line.split("=> \"").nth(1)?.split('"').next();
        let given: BTreeSet<&str> = code.lines().filter_map(label).collect();
        assert_eq!(given, BTreeSet::from(AuthnError::REASONS));
        assert_eq!(given.len(), AuthnError::REASONS.len());
    }

    #[test]
    fn only_missing_keys_are_our_fault() {
        assert_eq!(AuthnError::NoKeys.fault(), Fault::Keys);
        assert_eq!(AuthnError::UnknownKey.fault(), Fault::Token);
        assert_eq!(AuthnError::SignatureMismatch.fault(), Fault::Token);
    }

    #[test]
    fn reasons_are_metric_labels() {
        let some = [
            AuthnError::Malformed(TokenDefect::NotBase64Url),
            AuthnError::Claim(ClaimDefect::Malformed(Claim::Roles)),
            AuthnError::Claim(ClaimDefect::Expired),
            AuthnError::NoKeys,
        ];
        for error in some {
            assert!(
                error.reason().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
        }
    }
}
