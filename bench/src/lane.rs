//! The listeners that are measured beside each other. What stands in them is for `listener`.

/// One listener: what stands in front of the same direct response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lane {
    /// Nothing: what the others are measured above.
    Bare,
    /// A filter in WebAssembly that does nothing.
    Empty,
    /// `jwt_authn`, every token verified.
    Native,
    /// `jwt_authn` with its token cache.
    NativeCached,
    /// `jwt_authn`, every token verified, and `rbac`.
    NativeRbac,
    /// `jwt_authn` with its token cache, and `rbac`.
    NativeCachedRbac,
    /// `ext_authz` to a gRPC server that permits everything.
    ExtAuthz,
    /// Portcullis without audit and without the guard.
    Ours,
    /// Portcullis without audit, with the guard behind it as it is shipped.
    OursGuarded,
    /// Portcullis with audit, batches acknowledged by a sink.
    OursAudited,
    /// Portcullis that permits whoever proves who they are: what `jwt_authn` does alone.
    OursAuthentication,
    /// Portcullis on a host that lends it no cryptography.
    OursAlone,
    /// Portcullis with 100 000 rules instead of ten.
    OursLarge,
}

impl Lane {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::Bare,
        Self::Empty,
        Self::Native,
        Self::NativeCached,
        Self::NativeRbac,
        Self::NativeCachedRbac,
        Self::ExtAuthz,
        Self::Ours,
        Self::OursGuarded,
        Self::OursAudited,
        Self::OursAuthentication,
        Self::OursAlone,
        Self::OursLarge,
    ];

    /// The listener's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Empty => "empty_wasm",
            Self::Native => "jwt_authn",
            Self::NativeCached => "jwt_authn_cached",
            Self::NativeRbac => "jwt_authn_rbac",
            Self::NativeCachedRbac => "jwt_authn_cached_rbac",
            Self::ExtAuthz => "ext_authz",
            Self::Ours => "portcullis",
            Self::OursGuarded => "portcullis_guard",
            Self::OursAudited => "portcullis_audit",
            Self::OursAuthentication => "portcullis_authentication",
            Self::OursAlone => "portcullis_alone",
            Self::OursLarge => "portcullis_large",
        }
    }

    /// Whether it refuses a request for its token.
    pub(crate) fn looks_at_tokens(self) -> bool {
        match self {
            Self::Bare | Self::Empty | Self::ExtAuthz => false,
            Self::Native
            | Self::NativeCached
            | Self::NativeRbac
            | Self::NativeCachedRbac
            | Self::Ours
            | Self::OursGuarded
            | Self::OursAudited
            | Self::OursAuthentication
            | Self::OursAlone
            | Self::OursLarge => true,
        }
    }
}
