//! What a route is about besides method, path and host: gRPC, upgrades, values of headers and query parameters; and true
//! CORS preflights.
//!
//! Every value that was sent is seen. Where two servers could disagree about which of them counts, the answer is
//! [`Fit::Half`], which refuses.

use crate::document::{Match, ValueMatch};
use crate::query;
use crate::request::{Action, Context};
use crate::unknown::Fact;

/// What a route is about besides.
#[derive(Debug, Default)]
pub(super) struct Matching {
    pub(super) grpc: bool,
    pub(super) websocket: bool,
    headers: Vec<ValueMatch>,
    query: Vec<ValueMatch>,
}

/// Whether a request is what a route is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    No,
    /// It depends on a fact that is not known.
    NotKnown,
    /// To one reader it is, to another it is not.
    Half,
    Yes,
}

impl Matching {
    pub(super) fn of(grpc: bool, websocket: bool, matches: &Match) -> Option<Box<Matching>> {
        let matching =
            Matching { grpc, websocket, headers: matches.headers.clone(), query: matches.query.clone() };
        (matching.specificity() > 0).then(|| Box::new(matching))
    }

    /// How much is said.
    pub(super) fn specificity(&self) -> usize {
        usize::from(self.grpc)
            .saturating_add(usize::from(self.websocket))
            .saturating_add(self.headers.len())
            .saturating_add(self.query.len())
    }

    /// A request that does not fit one thing fits not at all; one that half fits one, and the others wholly, half.
    pub(super) fn fit(&self, action: Action<'_>, context: &Context<'_>) -> Fit {
        let grpc = if self.grpc { known(Fact::Header, "content-type", context, grpc) } else { Fit::Yes };
        let websocket = if self.websocket { websocket(action, context) } else { Fit::Yes };
        let headers = self
            .headers
            .iter()
            .map(|wanted| known(Fact::Header, &wanted.name, context, |context| header(wanted, context)));
        let query = self
            .query
            .iter()
            .map(|wanted| known(Fact::Query, "", context, |context| parameter(wanted, context)));
        headers.chain(query).chain([grpc, websocket]).min().unwrap_or(Fit::Yes)
    }
}

/// What `fit` says, where it is known what that looks at.
fn known(fact: Fact, name: &str, context: &Context<'_>, fit: impl FnOnce(&Context<'_>) -> Fit) -> Fit {
    if context.unknown.hides(fact, name) { Fit::NotKnown } else { fit(context) }
}

/// The content types of gRPC: `application/grpc`, and the same with a `+codec` or a parameter behind.
fn grpc(context: &Context<'_>) -> Fit {
    let is_grpc = |value: &[u8]| {
        let (kind, rest) = value.trim_ascii().split_at_checked(GRPC.len()).unwrap_or_default();
        kind.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';'))
    };
    all_or_some(context.header_values("content-type").map(is_grpc))
}

const GRPC: &[u8] = b"application/grpc";

/// RFC 6455 section 4.1: a `GET` that asks for WebSocket and nothing else.
fn websocket(action: Action<'_>, context: &Context<'_>) -> Fit {
    if action.method() != Some("GET") || !context.asks_for_upgrade() {
        return Fit::No;
    }
    all_or_some(
        context.header_values("upgrade").map(|value| value.trim_ascii().eq_ignore_ascii_case(b"websocket")),
    )
}

/// A line is one value. One that has a listed value only as a part of a list is that value to some and not to others.
fn header(wanted: &ValueMatch, context: &Context<'_>) -> Fit {
    let is_listed = |value: &[u8]| wanted.one_of.iter().any(|one| one.as_bytes() == value.trim_ascii());
    let fits = context.header_values(&wanted.name).map(|line| {
        if is_listed(line) {
            Fit::Yes
        } else if line.split(|byte| *byte == b',').any(is_listed) {
            Fit::Half
        } else {
            Fit::No
        }
    });
    together(fits)
}

/// A query that has no one reading has half of every value.
fn parameter(wanted: &ValueMatch, context: &Context<'_>) -> Fit {
    match query::values(context.query.unwrap_or_default(), &wanted.name) {
        Ok(values) => all_or_some(values.iter().map(|value| wanted.one_of.iter().any(|one| one == value))),
        Err(_ambiguous) => Fit::Half,
    }
}

fn all_or_some(fits: impl Iterator<Item = bool>) -> Fit {
    together(fits.map(|fits| if fits { Fit::Yes } else { Fit::No }))
}

/// All of several: one answer if they agree, half if they do not, and none if there are none.
fn together(fits: impl Iterator<Item = Fit>) -> Fit {
    fits.reduce(|one, other| if one == other { one } else { Fit::Half }).unwrap_or(Fit::No)
}

/// The origin of a true preflight (Fetch standard, CORS-preflight request): `OPTIONS` with one `origin`, one method that
/// is asked about, and no body.
pub(super) fn preflight_origin<'a>(action: Action<'_>, context: &Context<'a>) -> Option<&'a [u8]> {
    if action.method() != Some("OPTIONS") {
        return None;
    }
    let method = only(context.header_values("access-control-request-method"))?.trim_ascii();
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let has_body = context.has_body
        || context.header_values("transfer-encoding").next().is_some()
        || context.header_values("content-length").any(|length| length.trim_ascii() != b"0");
    let origin = only(context.header_values("origin"))?.trim_ascii();
    let is_asked = !method.is_empty() && method.iter().all(is_token);
    (is_asked && !has_body && !origin.is_empty()).then_some(origin)
}

fn only<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::Headers;

    fn wanted(name: &str, one_of: &[&str]) -> ValueMatch {
        ValueMatch { name: name.into(), one_of: one_of.iter().map(|one| (*one).into()).collect() }
    }

    fn lines(lines: &[(&str, &str)]) -> Headers {
        lines.iter().copied().collect()
    }

    #[test]
    fn every_copy_of_a_header_counts() {
        for (sent, fit) in [
            (&[][..], Fit::No),
            (&[("x-tier", "gold")], Fit::Yes),
            (&[("x-tier", " gold ")], Fit::Yes),
            (&[("x-tier", "gold"), ("x-tier", "silver")], Fit::Yes),
            (&[("x-tier", "gold"), ("x-tier", "lead")], Fit::Half),
            (&[("x-tier", "lead"), ("x_tier", "gold")], Fit::Half),
            (&[("x-tier", "gold, lead")], Fit::Half),
            (&[("x-tier", "Gold")], Fit::No),
            (&[("x-tier", "")], Fit::No),
        ] {
            let headers = lines(sent);
            let context = Context { headers: &headers, ..Context::default() };
            assert_eq!(header(&wanted("x-tier", &["gold", "silver"]), &context), fit, "{sent:?}");
        }
    }

    #[test]
    fn every_value_of_a_parameter_counts() {
        for (query, fit) in [
            (None, Fit::No),
            (Some("a=1"), Fit::No),
            (Some("v=1"), Fit::Yes),
            (Some("v=%31"), Fit::Yes),
            (Some("v=1&v=1"), Fit::Yes),
            (Some("v=1&v=2"), Fit::Half),
            (Some("v=1&v"), Fit::Half),
            (Some("v=%3"), Fit::Half),
            (Some("v=2"), Fit::No),
        ] {
            let context = Context { query, ..Context::default() };
            assert_eq!(parameter(&wanted("v", &["1"]), &context), fit, "{query:?}");
        }
    }

    #[test]
    fn grpc_and_upgrades_are_true_ones() {
        for (sent, fit) in [
            (&[("content-type", "application/grpc")][..], Fit::Yes),
            (&[("content-type", "Application/GRPC+proto")], Fit::Yes),
            (&[("content-type", "application/grpc; charset=utf-8")], Fit::Yes),
            (&[("content-type", "application/grpc-web")], Fit::No),
            (&[("content-type", "application/json"), ("content-type", "application/grpc")], Fit::Half),
            (&[], Fit::No),
        ] {
            let headers = lines(sent);
            assert_eq!(grpc(&Context { headers: &headers, ..Context::default() }), fit, "{sent:?}");
        }
        for (method, sent, fit) in [
            ("GET", &[("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")][..], Fit::Yes),
            ("POST", &[("connection", "upgrade"), ("upgrade", "websocket")], Fit::No),
            ("GET", &[("upgrade", "websocket")], Fit::No),
            ("GET", &[("connection", "upgrade"), ("upgrade", "h2c")], Fit::No),
            ("GET", &[("connection", "upgrade"), ("upgrade", "websocket"), ("upgrade", "h2c")], Fit::Half),
        ] {
            let headers = lines(sent);
            let context = Context { headers: &headers, ..Context::default() };
            assert_eq!(websocket(Action::of_method(method), &context), fit, "{method} {sent:?}");
        }
    }

    #[test]
    fn a_preflight_is_a_true_one() {
        const ORIGIN: (&str, &str) = ("origin", "https://app.example");
        const METHOD: (&str, &str) = ("access-control-request-method", "PUT");
        for (method, sent, is) in [
            ("OPTIONS", &[ORIGIN, METHOD][..], true),
            ("OPTIONS", &[ORIGIN, METHOD, ("content-length", "0")], true),
            ("OPTIONS", &[ORIGIN, ("access-control-request-method", " PUT ")], true),
            ("OPTIONS", &[ORIGIN, METHOD, ("content-length", "1")], false),
            ("OPTIONS", &[ORIGIN, METHOD, ("transfer-encoding", "chunked")], false),
            ("OPTIONS", &[ORIGIN, ORIGIN, METHOD], false),
            ("OPTIONS", &[ORIGIN, METHOD, METHOD], false),
            ("OPTIONS", &[ORIGIN], false),
            ("OPTIONS", &[METHOD], false),
            ("OPTIONS", &[ORIGIN, ("access-control-request-method", "PU T")], false),
            ("OPTIONS", &[ORIGIN, ("access-control-request-method", "")], false),
            ("GET", &[ORIGIN, METHOD], false),
        ] {
            let headers = lines(sent);
            let context = Context { headers: &headers, ..Context::default() };
            let origin = preflight_origin(Action::of_method(method), &context);
            assert_eq!(origin.is_some(), is, "{method} {sent:?}");
            let context = Context { has_body: true, ..context };
            assert_eq!(
                preflight_origin(Action::of_method(method), &context),
                None,
                "{method} {sent:?} and a body"
            );
        }
    }
}
