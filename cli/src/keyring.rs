//! The keys that a policy's methods verify with here: those of the document and the environment, and key sets from files in
//! place of those that the proxy would fetch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;

use portcullis_filter::authn::error::AuthnError;
use portcullis_filter::authn::jwk::{JwkSet, JwkSetError, MAX_JWK_SET_BYTES};
use portcullis_filter::authn::jwt::{VerifiedToken, peek_issuer};
use portcullis_filter::authn::keyset::KeySet;
use portcullis_filter::authn::known_headers::KnownHeaders;
use portcullis_filter::authn::signature::{NoHostCrypto, SignatureVerifier};
use portcullis_filter::config::{Keys, Method};
use portcullis_filter::time::UnixTime;
use portcullis_policy::document::{Document, KeySource};

use crate::environment::Environment;
use crate::exit;
use crate::input::{self, InputError};
use crate::policy_file::PolicyFile;

/// Key sets that a command is given.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// Key set in place of one that the proxy would fetch: for every such method, or for METHOD alone.
    #[arg(long, value_name = "[METHOD=]FILE")]
    jwks: Vec<KeyFile>,
}

impl KeyArgs {
    /// The keys of `policy`.
    ///
    /// # Errors
    /// The exit status, after having said what is wrong.
    pub(crate) fn open<'p>(
        &self,
        policy: &'p PolicyFile,
        environment: &Environment,
    ) -> Result<Keyring<'p>, ExitCode> {
        Keyring::new(policy, environment, self).map_err(|error| exit::unusable(&error))
    }

    /// The file for the method called `name`: one for it alone goes before one for all.
    pub(crate) fn of(&self, name: &str) -> Option<&Path> {
        let of = |wanted: Option<&str>| self.jwks.iter().find(|file| file.method.as_deref() == wanted);
        of(Some(name)).or_else(|| of(None)).map(|file| file.path.as_path())
    }

    /// Whether each file is for one of `remote`, the methods that fetch their keys.
    ///
    /// # Errors
    /// The first file that is for none.
    pub(crate) fn must_be_for(&self, remote: &[&str]) -> Result<(), KeyringError> {
        self.jwks.iter().try_for_each(|file| file.must_be_for(remote))
    }
}

/// A key set from a file: `FILE`, for every method that would fetch its keys, or `METHOD=FILE` for one.
#[derive(Clone, Debug)]
struct KeyFile {
    method: Option<String>,
    path: PathBuf,
}

impl FromStr for KeyFile {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (method, path) = match text.split_once('=') {
            Some((method, path)) => (Some(method.to_owned()), path),
            None => (None, text),
        };
        Ok(Self { method, path: PathBuf::from(path) })
    }
}

impl KeyFile {
    fn must_be_for(&self, remote: &[&str]) -> Result<(), KeyringError> {
        if self.method.as_deref().map_or(!remote.is_empty(), |name| remote.contains(&name)) {
            return Ok(());
        }
        Err(KeyringError::NoSuchMethod { name: self.path.display().to_string(), method: self.method.clone() })
    }
}

/// The methods of a policy with their keys.
pub(crate) struct Keyring<'p> {
    methods: Vec<(&'p Method, KeysHere)>,
    signatures: SignatureVerifier,
}

/// What a method has to verify with here.
enum KeysHere {
    Known(Arc<KeySet>),
    /// The proxy would fetch them, and no file was given.
    Remote,
    /// This variable is not set here.
    Unset(String),
}

impl<'p> Keyring<'p> {
    /// The keys of `policy`, with those of `files` for methods that would fetch theirs.
    ///
    /// # Errors
    /// A file that is no key set, or is for no method.
    fn new(policy: &'p PolicyFile, environment: &Environment, args: &KeyArgs) -> Result<Self, KeyringError> {
        let remote: Vec<&str> = policy
            .config
            .methods
            .iter()
            .filter(|method| matches!(method.keys, Keys::Remote(_)))
            .map(|method| method.name.as_str())
            .collect();
        let mut sets = BTreeMap::new();
        for file in &args.jwks {
            let bytes = input::read_small(&file.path, MAX_JWK_SET_BYTES)?;
            let set = JwkSet::parse(&bytes)
                .map_err(|error| KeyringError::NoKeySet { name: file.path.display().to_string(), error })?;
            file.must_be_for(&remote)?;
            sets.insert(file.path.as_path(), Arc::new(set.into_keys()));
        }
        let from_file = |name: &str| sets.get(args.of(name)?).map(Arc::clone);
        let keys_of = |method: &Method| match &method.keys {
            Keys::Static(keys) => {
                match variable(&policy.document, &method.name).filter(|name| !environment.is_set(name)) {
                    Some(variable) => KeysHere::Unset(variable.to_owned()),
                    None => KeysHere::Known(Arc::clone(keys)),
                }
            }
            Keys::Remote(_) => from_file(&method.name).map_or(KeysHere::Remote, KeysHere::Known),
        };
        let methods = policy.config.methods.iter().map(|method| (method, keys_of(method))).collect();
        Ok(Self { methods, signatures: SignatureVerifier::default() })
    }

    /// Verifies `token` at `now` by the method called `name`, else by the one whose issuer it claims to be from, as the gate
    /// chooses it.
    ///
    /// # Errors
    /// Why it is refused, or why that cannot be known here.
    pub(crate) fn verify(
        &self,
        token: &[u8],
        name: Option<&str>,
        now: UnixTime,
    ) -> Result<(&'p Method, VerifiedToken), Unverified> {
        let (method, keys) = self.choose(token, name)?;
        let unknown = |why| Unverified::CannotBeKnown { method: method.name.clone(), why };
        let keys = match keys {
            KeysHere::Known(keys) => keys,
            KeysHere::Remote | KeysHere::Unset(_) => {
                // What no key could make good is refused without one.
                method
                    .verifier
                    .examine(&KnownHeaders::default(), token, now)
                    .map_err(|error| Unverified::refused(method, error))?;
                return Err(unknown(match keys {
                    KeysHere::Unset(variable) => {
                        format!("`{variable}` is not set here; set it, or name it in --env-file")
                    }
                    KeysHere::Known(_) | KeysHere::Remote => {
                        format!(
                            "its keys are fetched by the proxy; give them with --jwks {}=FILE",
                            method.name
                        )
                    }
                }));
            }
        };
        match method.verifier.verify(token, keys, now, &self.signatures, &NoHostCrypto) {
            Ok(verified) => Ok((method, verified)),
            Err(error) => Err(Unverified::refused(method, error)),
        }
    }

    /// The keys that each method has here, in the order of the methods; none for those that are not here.
    pub(crate) fn into_keys(self) -> Vec<Option<Keys>> {
        let keys = self.methods.into_iter().map(|(_, keys)| match keys {
            KeysHere::Known(keys) => Some(Keys::Static(keys)),
            KeysHere::Remote | KeysHere::Unset(_) => None,
        });
        keys.collect()
    }

    fn choose(&self, token: &[u8], name: Option<&str>) -> Result<(&'p Method, &KeysHere), Unverified> {
        let found = match (name, self.methods.as_slice()) {
            (Some(name), methods) => methods.iter().find(|(method, _)| method.name == name),
            (None, [only]) => Some(only),
            (None, methods) => {
                let issuer =
                    peek_issuer(token).map_err(|error| Unverified::Refused { method: None, error })?;
                methods.iter().find(|(method, _)| method.verifier.settings().issuer == issuer)
            }
        };
        match found {
            Some((method, keys)) => Ok((*method, keys)),
            None => Err(Unverified::NoMethod { name: name.map(str::to_owned) }),
        }
    }
}

/// The variable that holds the secret of the method called `name`.
fn variable<'d>(document: &'d Document, name: &str) -> Option<&'d str> {
    let method = document.authentication.methods.iter().find(|method| method.name == name)?;
    match method.jwt.keys()? {
        KeySource::Secret { secret, .. } => Some(secret.variable()),
        KeySource::Static(_) | KeySource::Remote { .. } => None,
    }
}

/// Why a token has no verified caller here.
#[derive(Debug)]
pub(crate) enum Unverified {
    /// The gate would refuse it.
    Refused {
        /// The method that looked at it, if one did.
        method: Option<String>,
        /// What is wrong with it.
        error: AuthnError,
    },
    /// No method is for it: none has its issuer, or none has the name that was given.
    NoMethod {
        /// The name that was given.
        name: Option<String>,
    },
    /// This command lacks what it takes to know.
    CannotBeKnown {
        /// The method that is to look at it.
        method: String,
        /// What is lacking, and how to give it.
        why: String,
    },
}

impl Unverified {
    fn refused(method: &Method, error: AuthnError) -> Self {
        Self::Refused { method: Some(method.name.clone()), error }
    }
}

/// Why keys could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyringError {
    /// A file that cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A file that holds no key set.
    #[error("{name}: {error}")]
    NoKeySet {
        /// The file.
        name: String,
        /// What is wrong with it.
        error: JwkSetError,
    },
    /// A file for a method that does not fetch keys.
    #[error("{name}: no method{} fetches its keys, so this key set is for none", method.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default())]
    NoSuchMethod {
        /// The file.
        name: String,
        /// The method it was for.
        method: Option<String>,
    },
}
