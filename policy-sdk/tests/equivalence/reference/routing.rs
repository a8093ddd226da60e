//! Which route a request is routed by: that of its own spelling, that of the other, and what is half a match.

use portcullis_policy::document::{RequiredAuthentication, Route};
use portcullis_policy::path::CanonicalPath;
use portcullis_policy::query;

use super::{Reference, fits, route_name};

pub(super) enum Place<'a> {
    Public(usize),
    Route(usize, &'a Route),
}

/// What was found for one spelling of the path, with its template.
enum Found<'a> {
    Nothing,
    Half(String),
    Entry(Place<'a>, String),
}

/// What a request is routed by.
pub(super) struct Located<'a> {
    pub(super) own: Option<Place<'a>>,
    pub(super) twin: Option<(usize, &'a Route)>,
    /// Why no route can decide.
    pub(super) half: Option<String>,
    /// Whether anonymous callers may go on.
    pub(super) open: bool,
    pub(super) routes: Vec<String>,
}

pub(super) fn host_fits(pattern: Option<&String>, host: &str) -> bool {
    pattern.is_none_or(|pattern| match pattern.strip_prefix('*') {
        Some(below) => host.len() > below.len() && host.ends_with(below),
        None => pattern == host,
    })
}

impl<'a> Reference<'a> {
    /// Where the request belongs, or the public entry that lets it pass.
    pub(super) fn locate(&self) -> Result<Located<'a>, String> {
        let own = self.found(self.request.resource.path);
        let rest = match &own {
            Found::Nothing => true,
            Found::Half(_) => false,
            Found::Entry(_, template) => template.ends_with("**"),
        };
        let twin = match (&self.twin, rest) {
            (Some(twin), true) => match self.found(twin) {
                Found::Entry(_, template) if template.ends_with("**") => Found::Nothing,
                found => found,
            },
            _ => Found::Nothing,
        };
        let asked_to_upgrade = self.asks_for_upgrade();
        let half = match (&own, &twin) {
            (Found::Half(name), _) | (_, Found::Half(name)) => Some(name.clone()),
            (Found::Entry(Place::Route(..), _), _) => None,
            _ => asked_to_upgrade.then(|| "upgrade".to_owned()),
        };
        let named = |found: &Found<'_>| match found {
            Found::Entry(Place::Route(index, route), _) => Some(route_name(*index, route)),
            Found::Entry(Place::Public(index), _) => Some(format!("public/{index}")),
            _ => None,
        };
        let routes = named(&own).into_iter().chain(named(&twin)).filter(|_| half.is_none()).collect();
        let twin = match twin {
            Found::Entry(Place::Route(index, route), _) => Some((index, route)),
            _ => None,
        };
        let own = match own {
            Found::Entry(Place::Public(index), _) if twin.is_none() && half.is_none() => {
                return Err(format!("public/{index}"));
            }
            Found::Entry(place, _) => Some(place),
            _ => None,
        };
        let optional = |route: &Route| route.authentication == RequiredAuthentication::Optional;
        let open = half.is_none()
            && match &own {
                Some(Place::Public(_)) => true,
                Some(Place::Route(_, route)) => optional(route),
                None => false,
            }
            && twin.as_ref().is_none_or(|(_, route)| optional(route));
        Ok(Located { own, twin, half, open, routes })
    }

    pub(super) fn headers(&self, name: &str) -> Vec<&'a [u8]> {
        let headers = self.request.context.headers;
        headers.iter().filter(|(key, _)| key == name.as_bytes()).map(|(_, value)| value.as_slice()).collect()
    }

    pub(super) fn preflight(&self) -> Option<String> {
        let (origins, methods) = (self.headers("origin"), self.headers("access-control-request-method"));
        let empty = self.headers("transfer-encoding").is_empty()
            && self.headers("content-length").iter().all(|length| *length == b"0");
        if self.request.action.method() != Some("OPTIONS")
            || origins.len() != 1
            || methods.len() != 1
            || !empty
        {
            return None;
        }
        let token = !methods[0].is_empty() && methods[0].iter().all(u8::is_ascii_alphanumeric);
        let listed = |origin: &String| origin == "*" || origin.as_bytes() == origins[0];
        let place = self.document.authorization.preflight.iter().position(|entry| {
            host_fits(entry.host.as_ref(), self.request.resource.host)
                && fits(&entry.path, self.request.resource.path)
                && entry.origins.iter().any(listed)
        });
        place.filter(|_| token).map(|index| format!("preflight/{index}"))
    }

    /// The most specific entry for one spelling of the path.
    fn found(&self, path: &CanonicalPath) -> Found<'a> {
        let authorization = &self.document.authorization;
        let mut best: Option<(_, Found<'a>)> = None;
        let public = authorization.public.iter().enumerate().map(|(index, public)| {
            let whole = (!self.asks_for_upgrade()).then_some(true);
            (
                Place::Public(index),
                public.path.clone(),
                public.host.as_ref(),
                public.methods.clone(),
                whole,
                0,
            )
        });
        let routes = authorization.routes.iter().enumerate().map(|(index, route)| {
            let beyond = usize::from(route.grpc.is_some())
                + usize::from(route.upgrade.is_some())
                + route.matches.headers.len()
                + route.matches.query.len();
            let methods = route.request_methods().into_owned();
            (
                Place::Route(index, route),
                route.path_template().into_owned(),
                route.host.as_ref(),
                methods,
                self.matches(route),
                beyond,
            )
        });
        for (order, (place, text, host, methods, matches, beyond)) in public.chain(routes).enumerate() {
            let method = self.request.action.method();
            let meant = methods.iter().any(|listed| listed == "*" || Some(listed.as_str()) == method);
            let fits = meant && host_fits(host, self.request.resource.host) && fits(&text, path);
            let Some(whole) = matches.filter(|_| fits) else { continue };
            let precedence = (
                text.split('/')
                    .map(
                        |piece| {
                            if piece == "**" { 2 } else { u8::from(piece == "*" || piece.starts_with('{')) }
                        },
                    )
                    .collect::<Vec<_>>(),
                host.map_or(2, |host| u8::from(host.starts_with('*'))),
                usize::MAX - host.map_or(0, String::len),
                usize::MAX - beyond,
                order,
            );
            if best.as_ref().is_none_or(|(least, _)| precedence < *least) {
                best = Some((precedence, found_as(place, text, whole)));
            }
        }
        best.map_or(Found::Nothing, |(_, found)| found)
    }

    fn asks_for_upgrade(&self) -> bool {
        let mut connection = self.headers("connection").into_iter();
        connection.any(|value| value.eq_ignore_ascii_case(b"upgrade")) && !self.headers("upgrade").is_empty()
    }

    /// Whether the request is what the route is about beyond method, path and host; `Some(false)` is half a match.
    fn matches(&self, route: &Route) -> Option<bool> {
        let to_websocket = self.request.action.method() == Some("GET")
            && matches!(self.headers("upgrade").as_slice(), [one] if one.eq_ignore_ascii_case(b"websocket"));
        let upgrade = match route.upgrade {
            Some(_) => self.asks_for_upgrade() && to_websocket,
            None => !self.asks_for_upgrade(),
        };
        let types = self.headers("content-type");
        let of_grpc = types.iter().filter(|kind| kind.starts_with(b"application/grpc")).count();
        let mut parts = vec![(usize::from(upgrade), 1)];
        parts.extend(route.grpc.as_ref().map(|_| (of_grpc, types.len())));
        for wanted in &route.matches.headers {
            let sent = self.headers(&wanted.name);
            let listed =
                sent.iter().filter(|value| wanted.one_of.iter().any(|one| one.as_bytes() == **value));
            parts.push((listed.count(), sent.len()));
        }
        for wanted in &route.matches.query {
            let sent = query::values(self.request.context.query.unwrap_or_default(), &wanted.name)
                .unwrap_or_default();
            parts.push((
                sent.iter().filter(|value| wanted.one_of.iter().any(|one| one == *value)).count(),
                sent.len(),
            ));
        }
        parts.iter().all(|(good, _)| *good > 0).then(|| parts.iter().all(|(good, all)| good == all))
    }
}

fn found_as(place: Place<'_>, template: String, whole: bool) -> Found<'_> {
    match place {
        Place::Route(index, route) if !whole => Found::Half(route_name(index, route)),
        place => Found::Entry(place, template),
    }
}
