//! The JWS algorithms tokens can be signed with (RFC 7518 section 3.1, RFC 8037 section 3.1). `none` is not among them:
//! such a token is made by hand with [`TokenBuilder::header`](super::TokenBuilder::header).

/// A JWS `alg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those of the registry and say all there is to say")]
pub enum Algorithm {
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

impl Algorithm {
    /// Those the issuer has keys for.
    pub const ASYMMETRIC: [Self; 10] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// Those that need a shared secret.
    pub const SYMMETRIC: [Self; 3] = [Self::HS256, Self::HS384, Self::HS512];

    /// The name in the `alg` header.
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
}

impl std::str::FromStr for Algorithm {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ASYMMETRIC.into_iter().chain(Self::SYMMETRIC);
        all.find(|known| known.as_str() == name).ok_or_else(|| anyhow::anyhow!("no such algorithm: {name}"))
    }
}
