//! Public routes and routes: each well formed, and no request in two of them.

use std::collections::BTreeMap;

use super::syntax::{is_host, is_token};
use crate::document::{Document, JsonPointer, Match, Problem};
use crate::path_tree::{PathTemplate, PathTree, TemplateError, TemplateText};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    let authorization = JsonPointer::members(&["authorization"]);
    let routes = &document.authorization.routes;
    let written: Vec<_> =
        routes.iter().map(|route| (route.request_methods(), route.path_template())).collect();
    let mut taken = Taken::default();
    for (index, public) in document.authorization.public.iter().enumerate() {
        let pointer = authorization.member("public").element(index);
        let entry = Entry {
            methods: &public.methods,
            path: &public.path,
            host: public.host.as_deref(),
            pointer,
            is_apart: false,
        };
        entry.problems(&mut taken, found);
    }
    for (index, (route, (methods, path))) in routes.iter().zip(&written).enumerate() {
        let pointer = authorization.member("routes").element(index);
        let is_apart = route.grpc.is_some() || route.upgrade.is_some() || route.matches != Match::default();
        let entry = Entry { methods, path, host: route.host.as_deref(), pointer, is_apart };
        entry.problems(&mut taken, found);
    }
}

/// The template that `path` is, or a problem about it.
pub(super) fn well_formed_path(
    path: &str,
    pointer: impl FnOnce() -> JsonPointer,
    found: &mut Vec<Problem>,
) -> Option<PathTemplate> {
    path.parse().map_err(|error| found.push(not_a_template(pointer(), error))).ok()
}

/// A problem about `path` if it is no template, which nobody asks for.
pub(super) fn check_path(path: &str, pointer: impl FnOnce() -> JsonPointer, found: &mut Vec<Problem>) {
    if let Err(error) = TemplateText::read(path) {
        found.push(not_a_template(pointer(), error));
    }
}

fn not_a_template(pointer: JsonPointer, error: TemplateError) -> Problem {
    Problem::new(pointer, format!("not a path template: {error}"))
}

/// Which entry already answers for a method, per host, per template.
type Taken<'a> = PathTree<BTreeMap<Option<&'a str>, BTreeMap<&'a str, JsonPointer>>>;

struct Entry<'a> {
    methods: &'a [String],
    path: &'a str,
    host: Option<&'a str>,
    pointer: JsonPointer,
    /// It looks at more than method, path and host, so that another route may be about the rest.
    is_apart: bool,
}

impl<'a> Entry<'a> {
    fn problems(&self, taken: &mut Taken<'a>, found: &mut Vec<Problem>) {
        let methods_are_well_formed = self.well_formed_methods(found);
        if let Some(host) = self.host
            && !is_host(host.strip_prefix("*.").unwrap_or(host))
        {
            let problem = Problem::new(self.pointer.member("host"), "not a host");
            found.push(problem.expected(
                "a name in lower case without a port, such as `api.example.com` or `*.example.com`",
            ));
        }
        let Some(template) = well_formed_path(self.path, || self.pointer.member("path"), found) else {
            return;
        };
        if !methods_are_well_formed || self.is_apart {
            return;
        }
        let Some(hosts) = taken.get_or_insert_with(&(&template).into(), BTreeMap::new) else { return };
        let methods = hosts.entry(self.host).or_default();
        let earlier = self.methods.iter().find_map(|method| match method.as_str() {
            ANY => methods.first_key_value().map(|(method, earlier)| (*method, earlier)),
            method => methods
                .get_key_value(method)
                .or_else(|| methods.get_key_value(ANY))
                .map(|(_, earlier)| (method, earlier)),
        });
        match earlier {
            Some((method, earlier)) => {
                let message = format!("{method} {} is already in {earlier}", self.path);
                found.push(Problem::new(self.pointer.clone(), message).expected("each request in one route"));
            }
            None => methods.extend(self.methods.iter().map(|method| (method.as_str(), self.pointer.clone()))),
        }
    }

    fn well_formed_methods(&self, found: &mut Vec<Problem>) -> bool {
        let pointer = self.pointer.member("methods");
        let before = found.len();
        if self.methods.is_empty() {
            found
                .push(Problem::new(pointer.clone(), "empty").expected("at least one request method, or `*`"));
        }
        for (index, method) in self.methods.iter().enumerate() {
            let pointer = pointer.element(index);
            if method == ANY {
                if self.methods.len() > 1 {
                    found.push(Problem::new(pointer, "`*` beside other methods").expected("`*` alone"));
                }
            } else if !is_token(method) || method.bytes().any(|byte| byte.is_ascii_lowercase()) {
                let problem = Problem::new(pointer, "not a request method")
                    .expected("a token in capitals (RFC 9110 section 9.1)");
                found.push(problem.nearest(method, METHODS.iter().copied()));
            } else if self.methods.iter().take(index).any(|earlier| earlier == method) {
                found.push(Problem::new(pointer, "the same method twice").expected("each method once"));
            }
        }
        found.len() == before
    }
}

const ANY: &str = "*";

/// Methods of RFC 9110 section 9.1 and RFC 5789, for the likely name of a misspelt one. Others are welcome.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::problems_after;

    fn after(routes: Value) -> Vec<String> {
        let all = problems_after(&[("/authorization/routes", routes)]);
        all.into_iter().map(|problem| problem.replace("/authorization/routes", "")).collect()
    }

    #[test]
    fn a_request_is_in_one_route() {
        assert_eq!(
            after(json!([
                { "methods": ["GET", "HEAD"], "path": "/v1/objects/{id}" },
                { "methods": ["PUT", "GET"], "path": "/v1/objects/*" },
                { "methods": ["PUT"], "path": "/v1/objects/{name}" },
                { "methods": ["GET"], "path": "/v1/objects/{id}", "host": "a.example.com" },
                { "methods": ["*"], "path": "/v1/objects/{id}", "host": "a.example.com" },
                { "methods": ["*"], "path": "/v1/all" },
                { "methods": ["DELETE"], "path": "/v1/all" },
                { "methods": ["GET"], "path": "/healthz" },
            ])),
            [
                "/1: GET /v1/objects/* is already in /0; expected each request in one route",
                "/4: GET /v1/objects/{id} is already in /3; expected each request in one route",
                "/6: DELETE /v1/all is already in /5; expected each request in one route",
                "/7: GET /healthz is already in /authorization/public/0; expected each request in one route",
            ]
        );
    }

    #[test]
    fn methods_hosts_and_paths_are_well_formed() {
        assert_eq!(
            after(json!([
                { "methods": [], "path": "v1" },
                { "methods": ["get", "GET", "GET", "*"], "path": "/a/**/b" },
                { "methods": ["PROPFIND"], "path": "/{x", "host": "A.example.com:80" },
            ])),
            [
                "/0/methods: empty; expected at least one request method, or `*`",
                "/0/path: not a path template: a path template begins with `/` (at byte 0)",
                "/1/methods/0: not a request method; expected a token in capitals (RFC 9110 section 9.1); did you mean `GET`?",
                "/1/methods/2: the same method twice; expected each method once",
                "/1/methods/3: `*` beside other methods; expected `*` alone",
                "/1/path: not a path template: `**` can only be the last segment (at byte 3)",
                "/2/host: not a host; expected a name in lower case without a port, such as `api.example.com` or `*.example.com`",
                "/2/path: not a path template: a placeholder `{name}` is a whole segment; \
                 inside one write `%7B` and `%7D` for the characters (at byte 1)",
            ]
        );
        assert_eq!(after(json!([{ "methods": ["*"], "path": "/", "host": "*.example.com" }])), [""; 0]);
    }
}
