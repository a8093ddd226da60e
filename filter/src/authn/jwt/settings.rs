//! What a method demands of its tokens, and what no method may demand less of.

use std::fmt;
use std::time::Duration;

use crate::authn::algorithm::Algorithm;
use crate::authn::claims::ClaimPath;

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

impl JwtSettings {
    /// Refuses settings that contradict themselves or are weaker than this module allows.
    pub(super) fn ensure_consistent(&self) -> Result<(), JwtSettingsError> {
        let symmetric = self.algorithms.iter().filter(|algorithm| algorithm.is_symmetric()).count();
        let audience_empty = match &self.audience {
            Audience::Any => false,
            Audience::OneOf(names) => names.is_empty() || names.iter().any(String::is_empty),
        };
        if self.issuer.is_empty() {
            Err(JwtSettingsError::IssuerEmpty)
        } else if audience_empty {
            Err(JwtSettingsError::AudienceEmpty)
        } else if self.algorithms.is_empty() {
            Err(JwtSettingsError::NoAlgorithms)
        } else if symmetric != 0 && symmetric != self.algorithms.len() {
            Err(JwtSettingsError::MixedAlgorithms)
        } else if self.clock_skew > MAX_CLOCK_SKEW {
            Err(JwtSettingsError::ClockSkewTooWide)
        } else if self.max_token_age == Some(Duration::ZERO) {
            Err(JwtSettingsError::MaxTokenAgeZero)
        } else if self.token_type.as_deref() == Some("") {
            Err(JwtSettingsError::TokenTypeEmpty)
        } else {
            Ok(())
        }
    }
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
    /// Groups: an array of strings, or one string that is one group.
    pub groups: Option<ClaimPath>,
    /// Whether a token whose groups cannot be read is accepted all the same, without them and saying so: for whoever has
    /// use for a caller of whom only that is unknown.
    pub groups_may_be_unreadable: bool,
    /// What conditions look at besides, by the name they give it. Of any type, as the token has it.
    pub attributes: Vec<(String, ClaimPath)>,
}

impl Default for ClaimPaths {
    fn default() -> Self {
        Self {
            user_id: ClaimPath::name("sub"),
            tenant: Some(ClaimPath::name("tenant")),
            roles: Some(ClaimPath::name("roles")),
            scopes: Some(ClaimPath::name("scope")),
            permissions: None,
            groups: None,
            groups_may_be_unreadable: false,
            attributes: Vec::new(),
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
