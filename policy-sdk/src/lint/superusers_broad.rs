//! Superusers that are many.

use super::reading::Reading;
use super::strangers::are_about_caller;
use super::{Found, Lint};
use crate::document::JsonPointer;

pub(super) const LINT: Lint = Lint {
    code: "superusers-broad",
    finds: "Superusers by a role that other roles inherit or that a grant gives to a group, or by conditions of which none is about the caller.",
    remedy: "name a role that nobody has by the way, or conditions about the caller",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let authorization = &reading.document.authorization;
    let place = JsonPointer::members(&["authorization", "superusers"]);
    for (index, role) in authorization.superusers.roles.iter().enumerate() {
        let here = || place.member("roles").element(index);
        let heir = authorization.roles.iter().find(|(_, heir)| heir.inherits.contains(role));
        let group =
            authorization.grants.iter().find(|grant| grant.group.is_some() && grant.roles.contains(role));
        if let Some((heir, _)) = heir {
            found.add(here, || format!("whoever has the role `{heir}` is a superuser: it inherits `{role}`"));
        } else if let Some(group) = group.and_then(|grant| grant.group.as_deref()) {
            found.add(here, || {
                format!("whoever is in the group `{group}` is a superuser: a grant gives it `{role}`")
            });
        }
    }
    let conditions = &authorization.superusers.conditions;
    if !conditions.is_empty() && !are_about_caller(conditions) {
        found.add(
            || place.member("conditions"),
            || "every authenticated caller can be a superuser: no condition is about the caller".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(superusers: Value, more: &[(&str, Value)]) -> Vec<String> {
        let mut changes = vec![("/authorization/superusers", superusers)];
        changes.extend_from_slice(more);
        found_after("superusers-broad", &changes)
    }

    #[test]
    fn fires() {
        assert_eq!(
            after(json!({ "roles": ["viewer"] }), &[]),
            [
                "/authorization/superusers/roles/0: whoever has the role `operator` is a superuser: it inherits `viewer`"
            ]
        );
        let granted = ("/authorization/grants", json!([{ "group": "oncall", "roles": ["support"] }]));
        assert_eq!(
            after(json!({ "roles": ["support"] }), &[granted]),
            [
                "/authorization/superusers/roles/0: whoever is in the group `oncall` is a superuser: a grant gives it `support`"
            ]
        );
        let inside =
            json!([{ "attribute": "context.source", "operator": "in_cidr", "value": ["10.0.0.0/8"] }]);
        assert_eq!(
            after(json!({ "conditions": inside }), &[]),
            [
                "/authorization/superusers/conditions: every authenticated caller can be a superuser: no condition is about the caller"
            ]
        );
    }

    #[test]
    fn is_quiet() {
        let by_claim = json!([{ "attribute": "is_root", "operator": "eq", "value": true }]);
        let to_one = ("/authorization/grants", json!([{ "subject": "ann", "roles": ["support"] }]));
        assert_eq!(after(json!({ "conditions": by_claim }), &[]), [""; 0]);
        assert_eq!(after(json!({ "subjects": ["root"], "roles": ["support"] }), &[to_one]), [""; 0]);
    }
}
