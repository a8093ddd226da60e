//! Where in a request a credential is looked for.

use std::ops::ControlFlow;

use deserr::{Deserr, MergeWithError, ValuePointerRef};
use schemars::JsonSchema;

use super::{Problem, Problems};

/// One place in a request where a credential is looked for: a header, a cookie or a query parameter.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, JsonSchema)]
#[deserr(error = Problems, try_from(Fields) = CredentialSource::from_fields -> Unplaced)]
#[schemars(untagged, deny_unknown_fields)]
pub enum CredentialSource {
    /// A request header.
    Header {
        /// Name of the header, in lower case.
        header: String,
        /// Authentication scheme that stands before the credential, compared without regard to case (RFC 9110
        /// section 11.1). Absent: the whole value is the credential.
        scheme: Option<String>,
    },
    /// A cookie.
    Cookie {
        /// Name of the cookie (RFC 6265 section 4.1.1), compared byte by byte.
        cookie: String,
    },
    /// A query parameter. Avoid it where you can: URLs end up in logs (RFC 6750 section 2.3).
    Query {
        /// Name of the parameter, compared byte by byte.
        query: String,
    },
}

impl CredentialSource {
    fn from_fields(fields: Fields) -> Result<Self, Unplaced> {
        match fields {
            Fields { header: Some(header), scheme, cookie: None, query: None } => {
                Ok(Self::Header { header, scheme })
            }
            Fields { header: None, scheme: None, cookie: Some(cookie), query: None } => {
                Ok(Self::Cookie { cookie })
            }
            Fields { header: None, scheme: None, cookie: None, query: Some(query) } => {
                Ok(Self::Query { query })
            }
            Fields { header: None, scheme: Some(_), .. } => Err(Unplaced::SchemeWithoutHeader),
            Fields { .. } => Err(Unplaced::NotOnePlace),
        }
    }
}

/// The fields of every kind of source, before it is known which one is meant.
#[derive(Deserr)]
#[deserr(error = Problems, deny_unknown_fields)]
struct Fields {
    #[deserr(default)]
    header: Option<String>,
    #[deserr(default)]
    scheme: Option<String>,
    #[deserr(default)]
    cookie: Option<String>,
    #[deserr(default)]
    query: Option<String>,
}

/// Why fields do not make a source.
#[derive(Clone, Copy)]
enum Unplaced {
    NotOnePlace,
    SchemeWithoutHeader,
}

impl MergeWithError<Unplaced> for Problems {
    fn merge(
        earlier: Option<Self>,
        other: Unplaced,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let problem = match other {
            Unplaced::NotOnePlace => {
                Problem::new(location, "not one place").expected("exactly one of `header`, `cookie`, `query`")
            }
            Unplaced::SchemeWithoutHeader => {
                Problem::new(location.push_key("scheme"), "no header to stand in")
                    .expected("`header` beside `scheme`")
            }
        };
        ControlFlow::Continue(Self::from(problem).after(earlier))
    }
}
