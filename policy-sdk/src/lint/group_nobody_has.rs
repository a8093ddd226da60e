//! Groups that no credential can bring.

use super::place::Place;
use super::reading::Reading;
use super::{Found, Lint};

pub(super) const LINT: Lint = Lint {
    code: "group-nobody-has",
    finds: "A group that the document asks for or grants something to, where no authentication method reads groups: nobody can be in it.",
    remedy: "map the claim with the groups to `claims.groups`, or remove the group",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    let methods = &reading.document.authentication.methods;
    if methods.is_empty() || methods.iter().any(|method| method.jwt.claims.groups.is_some()) {
        return;
    }
    for (group, place) in reading.named_groups() {
        let place: &Place = &place;
        found.add(
            || place.pointer(),
            || format!("nobody can be in the group `{group}`: no method reads groups"),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    fn after(claims: Value, groups: &[(&str, Value)]) -> Vec<String> {
        let mut changes = vec![
            ("/authentication/methods/0/jwt/claims", claims.clone()),
            ("/authentication/methods/1/jwt/claims", claims),
        ];
        changes.extend_from_slice(groups);
        found_after("group-nobody-has", &changes)
    }

    #[test]
    fn fires_where_groups_are_not_read_and_not_else() {
        let everywhere = [
            ("/authorization/groups", json!(["staff"])),
            ("/authorization/routes/0/require", json!({ "groups": { "any_of": ["a"] } })),
            ("/authorization/grants", json!([{ "group": "oncall", "roles": ["editor"] }])),
            (
                "/authorization/acl",
                json!([{ "resource": "/a", "entries": [{ "actions": ["read"], "groups": ["b"] }] }]),
            ),
            (
                "/authorization/policies",
                json!([{ "name": "p", "groups": ["c"], "conditions": [
                { "attribute": "subject.groups", "operator": "contains", "value": "d" }] }]),
            ),
        ];
        let found = after(json!({ "groups": null }), &everywhere);
        let places: Vec<&str> = found.iter().filter_map(|line| line.split(": ").next()).collect();
        assert_eq!(
            places,
            [
                "/authorization/acl/0/entries/0/groups/0",
                "/authorization/grants/0/group",
                "/authorization/groups/0",
                "/authorization/policies/0/conditions/0/value",
                "/authorization/policies/0/groups/0",
                "/authorization/routes/0/require/groups/any_of/0",
            ]
        );
        assert_eq!(
            found[2],
            "/authorization/groups/0: nobody can be in the group `staff`: no method reads groups"
        );
        assert_eq!(after(json!({}), &everywhere), [""; 0]);
    }
}
