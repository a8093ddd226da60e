//! Names that label metrics and records: well formed, and each given once.

use std::collections::BTreeMap;

use super::syntax::is_name;
use crate::document::{Document, JsonPointer, Problem};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    if document.version != 1 {
        let pointer = JsonPointer::members(&["version"]);
        found.push(Problem::new(pointer, format!("unknown version {}", document.version)).expected("1"));
    }
    well_formed(&document.name, JsonPointer::members(&["name"]), found);

    let methods = JsonPointer::members(&["authentication", "methods"]);
    let named = document.authentication.methods.iter().map(|method| Some(&method.name));
    each_once(named, &methods, found);

    let authorization = JsonPointer::members(&["authorization"]);
    let named = document.authorization.routes.iter().map(|route| route.name.as_ref());
    each_once(named, &authorization.member("routes"), found);
    let (rules_place, rules) = document.rules();
    each_once(rules.iter().map(|rule| rule.name.as_ref()), &rules_place, found);
    let policies = authorization.member("policies");
    for (index, policy) in document.authorization.policies.iter().enumerate() {
        let rules = policies.element(index).member("rules");
        each_once(policy.rules.iter().map(|rule| rule.name.as_ref()), &rules, found);
    }
}

fn each_once<'a>(
    names: impl Iterator<Item = Option<&'a String>>,
    list: &JsonPointer,
    found: &mut Vec<Problem>,
) {
    let mut first = BTreeMap::new();
    for (index, name) in names.enumerate() {
        let Some(name) = name else { continue };
        let pointer = list.element(index).member("name");
        well_formed(name, pointer.clone(), found);
        match first.get(name) {
            Some(earlier) => found.push(
                Problem::new(pointer, format!("the same name as {earlier}")).expected("a name of its own"),
            ),
            None => {
                first.insert(name, list.element(index));
            }
        }
    }
}

/// Adds a problem if `name` could not be a label.
pub(super) fn well_formed(name: &str, pointer: JsonPointer, found: &mut Vec<Problem>) {
    if !is_name(name) {
        found.push(Problem::new(pointer, "not a name").expected("1 to 63 of `a-z`, `0-9`, `_`, `-`"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;

    #[test]
    fn a_version_of_the_future() {
        assert_eq!(problems_after(&[("/version", json!(2))]), ["/version: unknown version 2; expected 1"]);
    }

    #[test]
    fn a_name_that_is_none() {
        assert_eq!(
            problems_after(&[("/name", json!("The Shop"))]),
            ["/name: not a name; expected 1 to 63 of `a-z`, `0-9`, `_`, `-`"]
        );
    }

    #[test]
    fn a_name_given_twice() {
        assert_eq!(
            problems_after(&[
                ("/authentication/methods/1/name", json!("people")),
                ("/authorization/routes/0/name", json!("objects")),
                ("/authorization/routes/1/name", json!("objects")),
            ]),
            [
                "/authentication/methods/1/name: the same name as /authentication/methods/0; expected a name of its own",
                "/authorization/routes/1/name: the same name as /authorization/routes/0; expected a name of its own",
            ]
        );
    }
}
