//! What a token claims (RFC 7519 4), read from a payload whose signature was verified.
//!
//! A claim of the wrong type is an error and never an absent claim: a role list that cannot be read must not become no
//! roles where a rule forbids a role. This module does not judge the claims: see [`super::jwt`].

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use portcullis_policy::json::{self, Tree};

use super::error::{Claim, ClaimDefect, TokenDefect};
use super::jws::MAX_TOKEN_BYTES;
use crate::time::UnixTime;

/// The most bytes an identifier (user, tenant, token id, role, scope, permission, audience) may have. OpenID Connect
/// bounds `sub` at 255 characters; each of these may become a header, a record and a map key.
pub const MAX_IDENTIFIER_BYTES: usize = 256;

/// The most entries a list of roles, scopes or permissions may have: issuers cut group lists at 150 to 200.
pub const MAX_LIST_ENTRIES: usize = 256;

/// The most entries `aud` may have: a token meant for more is meant for anybody.
pub const MAX_AUDIENCES: usize = 64;

/// The most bytes a claim's name or pointer may have.
pub const MAX_CLAIM_PATH_BYTES: usize = 256;

/// The claims of a token, in the order of its payload, each once. `Debug` shows their number and no name or value.
#[derive(Clone, PartialEq)]
pub struct ClaimsSet<'p>(Vec<(Cow<'p, str>, Tree<'p>)>);

impl<'p> ClaimsSet<'p> {
    /// Reads a payload as strict JSON: one object, no name twice (RFC 7519 4 lets a verifier refuse that).
    ///
    /// # Errors
    /// [`TokenDefect::PayloadNotJsonObject`] for anything else.
    pub fn parse(payload: &'p [u8]) -> Result<Self, TokenDefect> {
        match json::read(payload, MAX_TOKEN_BYTES) {
            Ok(Tree::Object(claims)) => Ok(Self(claims)),
            Ok(_) | Err(_) => Err(TokenDefect::PayloadNotJsonObject),
        }
    }

    /// The claim of this name, as it came.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tree<'p>> {
        member(&self.0, name)
    }

    /// The value a path leads to.
    #[must_use]
    pub fn at(&self, path: &ClaimPath) -> Option<&Tree<'p>> {
        match path {
            ClaimPath::Name(name) => self.get(name),
            ClaimPath::Pointer { first, rest } => {
                rest.iter().try_fold(self.get(first)?, |value, token| match value {
                    Tree::Object(members) => member(members, token),
                    Tree::List(items) => items.get(array_index(token)?),
                    Tree::Null
                    | Tree::Boolean(_)
                    | Tree::Unsigned(_)
                    | Tree::Negative(_)
                    | Tree::Float(_)
                    | Tree::Text(_) => None,
                })
            }
        }
    }

    /// A NumericDate (RFC 7519 2): seconds since the epoch, a fraction allowed.
    ///
    /// # Errors
    /// [`ClaimDefect::Malformed`] for anything but a number between the epoch and [`UnixTime::MAX`]: milliseconds taken
    /// for seconds land beyond it.
    pub fn numeric_date(&self, name: &str, claim: Claim) -> Result<Option<UnixTime>, ClaimDefect> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => unix_time(value).map(Some).ok_or(ClaimDefect::Malformed(claim)),
        }
    }

    /// One identifier: a non-empty string of at most [`MAX_IDENTIFIER_BYTES`] without control characters.
    ///
    /// # Errors
    /// [`ClaimDefect::Malformed`] for any other value.
    pub fn identifier(&self, path: &ClaimPath, claim: Claim) -> Result<Option<&str>, ClaimDefect> {
        self.at(path).map(|value| identifier(value).ok_or(ClaimDefect::Malformed(claim))).transpose()
    }

    /// The identifier in the claim of this name.
    ///
    /// # Errors
    /// As [`ClaimsSet::identifier`].
    pub fn named(&self, name: &str, claim: Claim) -> Result<Option<&str>, ClaimDefect> {
        self.get(name).map(|value| identifier(value).ok_or(ClaimDefect::Malformed(claim))).transpose()
    }

    /// A list of identifiers: an array of strings, or one string read as `form` says. Absent is empty.
    ///
    /// # Errors
    /// [`ClaimDefect::Malformed`] for any other type, for an entry that is no identifier, and for more than
    /// [`MAX_LIST_ENTRIES`].
    pub fn identifiers(
        &self,
        path: &ClaimPath,
        form: ListForm,
        claim: Claim,
    ) -> Result<Vec<String>, ClaimDefect> {
        let list: Option<Vec<String>> = match self.at(path) {
            None => Some(Vec::new()),
            Some(Tree::List(entries)) => bounded(entries.iter().map(identifier), MAX_LIST_ENTRIES),
            Some(Tree::Text(text)) => match form {
                ListForm::SpaceDelimited => bounded(
                    text.split(' ')
                        .filter(|entry| !entry.is_empty())
                        .map(|entry| is_identifier(entry).then_some(entry)),
                    MAX_LIST_ENTRIES,
                ),
                ListForm::SingleString => bounded([is_identifier(text).then_some(&**text)].into_iter(), 1),
            },
            Some(
                Tree::Null
                | Tree::Boolean(_)
                | Tree::Unsigned(_)
                | Tree::Negative(_)
                | Tree::Float(_)
                | Tree::Object(_),
            ) => None,
        };
        list.ok_or(ClaimDefect::Malformed(claim))
    }

    /// Whether anybody whom the token is meant for (RFC 7519 4.1.3: one string or an array of strings) is wanted.
    ///
    /// # Errors
    /// [`ClaimDefect::Malformed`] for any other value, and for more than [`MAX_AUDIENCES`].
    pub fn is_any_audience(&self, wanted: impl Fn(&str) -> bool) -> Result<Option<bool>, ClaimDefect> {
        let is_wanted = |value| identifier(value).map(&wanted);
        let found = match self.get("aud") {
            None => return Ok(None),
            // Every entry has to be one, whichever is wanted.
            Some(Tree::List(entries)) if entries.len() <= MAX_AUDIENCES => {
                entries.iter().try_fold(false, |found, entry| Some(is_wanted(entry)? || found))
            }
            Some(value) => is_wanted(value),
        };
        found.map(Some).ok_or(ClaimDefect::Malformed(Claim::Audience))
    }
}

impl fmt::Debug for ClaimsSet<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ClaimsSet({} claims)", self.0.len())
    }
}

/// Where a claim is found: a name at the top, or a JSON Pointer (RFC 6901) when it starts with a slash. A URL is a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimPath {
    /// The name of a claim.
    Name(String),
    /// A pointer of one reference token or more, unescaped.
    Pointer {
        /// The name of the claim the pointer starts at.
        first: String,
        /// The way from there.
        rest: Vec<String>,
    },
}

impl ClaimPath {
    /// The claim of this name, which is not read as a pointer.
    #[must_use]
    pub fn name(name: impl Into<String>) -> Self {
        Self::Name(name.into())
    }
}

impl FromStr for ClaimPath {
    type Err = ClaimPathError;

    fn from_str(text: &str) -> Result<Self, ClaimPathError> {
        if text.is_empty() || text.len() > MAX_CLAIM_PATH_BYTES {
            return Err(ClaimPathError::Length);
        }
        let Some(pointer) = text.strip_prefix('/') else {
            return Ok(Self::Name(text.to_owned()));
        };
        let mut tokens = pointer.split('/').map(reference_token);
        let first = tokens.next().flatten().ok_or(ClaimPathError::Escape)?;
        let rest = tokens.collect::<Option<_>>().ok_or(ClaimPathError::Escape)?;
        Ok(Self::Pointer { first, rest })
    }
}

/// Why a text names no claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimPathError {
    /// Empty, or longer than [`MAX_CLAIM_PATH_BYTES`].
    Length,
    /// A `~` that is followed by neither `0` nor `1` (RFC 6901 3).
    Escape,
}

impl fmt::Display for ClaimPathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => write!(formatter, "a claim's name has 1 to {MAX_CLAIM_PATH_BYTES} bytes"),
            Self::Escape => {
                formatter.write_str("in a JSON Pointer `~` is written `~0` and `/` inside a name `~1`")
            }
        }
    }
}

impl std::error::Error for ClaimPathError {}

/// How one string stands for a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListForm {
    /// Entries divided by spaces, as in `scope` (RFC 8693 4.2).
    SpaceDelimited,
    /// The string is the only entry: `Global Admin` is one role and never the role `Admin`.
    SingleString,
}

fn bounded<'v>(entries: impl Iterator<Item = Option<&'v str>>, max_entries: usize) -> Option<Vec<String>> {
    let mut list = Vec::new();
    for entry in entries {
        if list.len() >= max_entries {
            return None;
        }
        list.push(entry?.to_owned());
    }
    Some(list)
}

/// The member of this name. They are looked through: of the few that a token has, a few are asked for.
fn member<'o, 'p>(members: &'o [(Cow<'p, str>, Tree<'p>)], name: &str) -> Option<&'o Tree<'p>> {
    members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn identifier<'o>(value: &'o Tree<'_>) -> Option<&'o str> {
    value.as_str().filter(|text| is_identifier(text))
}

/// Control characters, NUL among them, would end a string early or start a line somewhere behind us.
fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_IDENTIFIER_BYTES && !text.chars().any(char::is_control)
}

fn unix_time(number: &Tree<'_>) -> Option<UnixTime> {
    match number {
        Tree::Unsigned(seconds) => UnixTime::from_seconds(*seconds),
        // Negative, beyond 2^64, infinite or NaN: refused here, so that the conversion below cannot round anything in.
        Tree::Float(seconds) if (0.0..MAX_SECONDS).contains(seconds) => {
            let since = std::time::Duration::try_from_secs_f64(*seconds).ok()?;
            Some(UnixTime::default().saturating_add(since))
        }
        Tree::Float(_)
        | Tree::Negative(_)
        | Tree::Null
        | Tree::Boolean(_)
        | Tree::Text(_)
        | Tree::List(_)
        | Tree::Object(_) => None,
    }
}

/// Just below [`UnixTime::MAX`], in seconds.
const MAX_SECONDS: f64 = 18_446_744_073.0;

fn reference_token(escaped: &str) -> Option<String> {
    let mut token = String::with_capacity(escaped.len());
    let mut characters = escaped.chars();
    while let Some(character) = characters.next() {
        token.push(match character {
            '~' => match characters.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(token)
}

/// RFC 6901 4: decimal digits without a leading zero.
fn array_index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with(['0', '+']);
    canonical.then(|| token.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_names_or_pointers() {
        assert_eq!("sub".parse(), Ok(ClaimPath::name("sub")));
        assert_eq!("https://example.com/roles".parse(), Ok(ClaimPath::name("https://example.com/roles")));
        assert_eq!("a.b".parse(), Ok(ClaimPath::name("a.b")));
        let pointer =
            ClaimPath::Pointer { first: "a/b".to_owned(), rest: vec!["c~".to_owned(), String::new()] };
        assert_eq!("/a~1b/c~0/".parse(), Ok(pointer));
        assert_eq!("".parse::<ClaimPath>(), Err(ClaimPathError::Length));
        assert_eq!("x".repeat(257).parse::<ClaimPath>(), Err(ClaimPathError::Length));
        for bad in ["/~", "/a/~2", "/a~"] {
            assert_eq!(bad.parse::<ClaimPath>(), Err(ClaimPathError::Escape), "{bad}");
        }
    }

    #[test]
    fn pointers_lead_through_objects_and_arrays() {
        let claims = ClaimsSet::parse(br#"{"a":{"":[{"b":1}]},"0":2}"#).unwrap();
        let at = |path: &str| claims.at(&path.parse().unwrap()).cloned();
        assert_eq!(at("/a//0/b"), Some(Tree::Unsigned(1)));
        assert_eq!(at("/0"), Some(Tree::Unsigned(2)));
        for nothing in ["/a//00/b", "/a//+0/b", "/a//1", "/a//-", "/b", "/0/x", "/a//0/b/c"] {
            assert_eq!(at(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_deep_payload_is_refused_and_does_not_exhaust_the_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(8000), "]".repeat(8000));
        assert_eq!(ClaimsSet::parse(deep.as_bytes()).err(), Some(TokenDefect::PayloadNotJsonObject));
    }

    #[test]
    fn fractions_of_a_second_count() {
        let claims = ClaimsSet::parse(br#"{"exp":1.5,"nbf":18446744073.5}"#).unwrap();
        assert_eq!(
            claims.numeric_date("exp", Claim::ExpirationTime),
            Ok(Some(UnixTime::from_nanos(1_500_000_000)))
        );
        assert!(claims.numeric_date("nbf", Claim::NotBefore).is_err());
        assert_eq!(claims.numeric_date("iat", Claim::IssuedAt), Ok(None));
    }
}
