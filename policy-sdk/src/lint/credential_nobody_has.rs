//! Methods and kinds of credential that the document names and does not have.

use std::collections::BTreeSet;

use super::place::Place;
use super::reading::{Reading, policy_place};
use super::{Found, Lint};
use crate::document::{JsonPointer, Restrictions};

pub(super) const LINT: Lint = Lint {
    code: "credential-nobody-has",
    finds: "`restrictions`, or a condition on `subject.method` or `subject.key_type`, that names a method which the document does not have, or a kind of credential which no method has in `key_type`: nobody can have it.",
    remedy: "correct its spelling, or give a method this name or this `key_type`",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let methods = &reading.document.authentication.methods;
    if methods.is_empty() {
        return;
    }
    let names: BTreeSet<&str> = methods.iter().map(|method| method.name.as_str()).collect();
    let kinds: BTreeSet<&str> = methods.iter().filter_map(|method| method.jwt.key_type.as_deref()).collect();
    for (field, attribute, known, what) in [
        ("methods", "subject.method", &names, "no method has this name"),
        ("key_types", "subject.key_type", &kinds, "no method has this `key_type`"),
    ] {
        let restricted = restrictions(reading).into_iter().flat_map(|(restrictions, place)| {
            let named = if field == "methods" { &restrictions.methods } else { &restrictions.key_types };
            let place = Place::new(&place).member(field);
            named.iter().enumerate().map(move |(index, name)| (name.as_str(), place.clone().element(index)))
        });
        for (_, place) in
            restricted.chain(reading.texts_tested(attribute)).filter(|(name, _)| !known.contains(name))
        {
            found.add(|| place.pointer(), || what.to_owned());
        }
    }
}

fn restrictions<'d>(reading: &Reading<'d>) -> Vec<(&'d Restrictions, JsonPointer)> {
    let authorization = &reading.document.authorization;
    let everyone = JsonPointer::members(&["authorization", "restrictions"]);
    let policies = authorization.policies.iter().enumerate();
    let policies =
        policies.map(|(index, policy)| (&policy.restrictions, policy_place(index).member("restrictions")));
    std::iter::once((&authorization.restrictions, everyone)).chain(policies).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(restrictions: Value) -> Vec<String> {
        let policy = json!([{ "name": "p", "restrictions": restrictions }]);
        found_after(
            "credential-nobody-has",
            &[
                ("/authentication/methods/0/jwt/key_type", json!("user")),
                ("/authorization/restrictions", restrictions),
                ("/authorization/policies", policy),
            ],
        )
    }

    #[test]
    fn fires() {
        assert_eq!(
            after(json!({ "methods": ["people", "poeple"], "key_types": ["service"] })),
            [
                "/authorization/policies/0/restrictions/key_types/0: no method has this `key_type`",
                "/authorization/policies/0/restrictions/methods/1: no method has this name",
                "/authorization/restrictions/key_types/0: no method has this `key_type`",
                "/authorization/restrictions/methods/1: no method has this name",
            ]
        );
        let test = json!([{ "attribute": "subject.method", "operator": "in", "value": ["people", "jwt"] }]);
        assert_eq!(
            found_after("credential-nobody-has", &[("/authorization/conditions", test)]),
            ["/authorization/conditions/0/value/1: no method has this name"]
        );
    }

    #[test]
    fn is_quiet() {
        assert_eq!(after(json!({ "methods": ["people", "services"], "key_types": ["user"] })), [""; 0]);
    }
}
