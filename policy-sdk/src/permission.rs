//! Permissions: `resource:action`, each part a name or `*`.
//!
//! This module does not know who holds a permission; see [`crate::policy`].

use std::fmt;
use std::str::FromStr;

/// A permission as a role carries it: `objects:read`, `objects:*`, `*:read`, or `*` for everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PermissionPattern {
    resource: Part,
    action: Part,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Any,
    Named(String),
}

impl PermissionPattern {
    /// Whether a holder of this pattern has everything that `wanted` names. A wildcard in `wanted` is held only by a
    /// wildcard: asking for `objects:*` is asking for all of it.
    pub fn covers(&self, wanted: &PermissionPattern) -> bool {
        self.resource.covers(&wanted.resource) && self.action.covers(&wanted.action)
    }

    /// The patterns that cover this one: itself, all of its resource, its action on all resources, everything. Where a part
    /// is a wildcard already, some are the same.
    pub fn covering(&self) -> [PermissionPattern; 4] {
        let pattern = |resource: &Part, action: &Part| PermissionPattern {
            resource: resource.clone(),
            action: action.clone(),
        };
        [
            pattern(&self.resource, &self.action),
            pattern(&self.resource, &Part::Any),
            pattern(&Part::Any, &self.action),
            pattern(&Part::Any, &Part::Any),
        ]
    }
}

impl Part {
    fn covers(&self, wanted: &Part) -> bool {
        match (self, wanted) {
            (Part::Any, Part::Any | Part::Named(_)) => true,
            (Part::Named(_), Part::Any) => false,
            (Part::Named(held), Part::Named(wanted)) => held == wanted,
        }
    }
}

/// Why a text is not a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidPermission {
    /// Neither `*` nor two parts with one colon between them. A last colon splits, so `a:b:read` is `a:b` and `read`.
    NoColon,
    /// One of the two parts is empty.
    EmptyPart,
    /// A part mixes `*` with other characters, or holds a character outside letters, digits and `_ - . / :`.
    InvalidCharacter,
    /// Longer than [`crate::limits::MAX_NAME_BYTES`].
    TooLong,
}

impl fmt::Display for InvalidPermission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            InvalidPermission::NoColon => "expected `resource:action` or `*`",
            InvalidPermission::EmptyPart => "expected a name or `*` on both sides of the colon",
            InvalidPermission::InvalidCharacter => {
                "expected letters, digits, `_`, `-`, `.`, `/` and `:`, or `*` alone, on both sides of the colon"
            }
            InvalidPermission::TooLong => "expected at most 256 bytes",
        })
    }
}

impl FromStr for PermissionPattern {
    type Err = InvalidPermission;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > crate::limits::MAX_NAME_BYTES {
            return Err(InvalidPermission::TooLong);
        }
        if text == "*" {
            return Ok(PermissionPattern { resource: Part::Any, action: Part::Any });
        }
        let (resource, action) = text.rsplit_once(':').ok_or(InvalidPermission::NoColon)?;
        Ok(PermissionPattern { resource: resource.parse()?, action: action.parse()? })
    }
}

impl FromStr for Part {
    type Err = InvalidPermission;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => Err(InvalidPermission::EmptyPart),
            "*" => Ok(Part::Any),
            name if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./:".contains(&byte)) => {
                Ok(Part::Named(name.to_owned()))
            }
            _other_text => Err(InvalidPermission::InvalidCharacter),
        }
    }
}

impl fmt::Display for PermissionPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.resource, &self.action) {
            (Part::Any, Part::Any) => formatter.write_str("*"),
            (resource, action) => write!(formatter, "{resource}:{action}"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Any => formatter.write_str("*"),
            Part::Named(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_it_names_and_nothing_else() {
        for (held, wanted, covered) in [
            ("objects:read", "objects:read", true),
            ("objects:read", "objects:write", false),
            ("objects:*", "objects:read", true),
            ("*:read", "objects:read", true),
            ("*:read", "objects:write", false),
            ("*", "objects:read", true),
            ("*", "*", true),
            ("objects:read", "objects:*", false),
            ("objects:*", "objects:*", true),
            ("objects:*", "*", false),
            ("object:read", "objects:read", false),
            ("a:b:read", "a:b:read", true),
        ] {
            let pattern = |text: &str| text.parse::<PermissionPattern>().unwrap();
            assert_eq!(pattern(held).covers(&pattern(wanted)), covered, "{held} covers {wanted}");
        }
    }

    #[test]
    fn what_is_not_a_permission_says_why() {
        for (text, error) in [
            ("objects", InvalidPermission::NoColon),
            ("", InvalidPermission::NoColon),
            (":read", InvalidPermission::EmptyPart),
            ("objects:", InvalidPermission::EmptyPart),
            ("obj*:read", InvalidPermission::InvalidCharacter),
            ("objects:re ad", InvalidPermission::InvalidCharacter),
        ] {
            assert_eq!(text.parse::<PermissionPattern>(), Err(error), "{text:?}");
        }
        assert_eq!("a".repeat(257).parse::<PermissionPattern>(), Err(InvalidPermission::TooLong));
    }
}
