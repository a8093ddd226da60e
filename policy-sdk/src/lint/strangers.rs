//! Whether whoever calls, or whoever calls without a credential, can meet what is demanded.

use super::condition_lists::full_name;
use crate::document::{Condition, Operator, Requirement, Selection, Test};

/// Whether a caller without any role, scope and group meets the requirement.
pub(super) fn requires_nothing(require: &Requirement) -> bool {
    let asks_nothing = |selection: &Selection| selection.any_of.is_empty() && selection.all_of.is_empty();
    asks_nothing(&require.roles) && asks_nothing(&require.scopes) && asks_nothing(&require.groups)
}

/// Whether conditions cannot be true of an anonymous caller: an attribute that is not there makes every operator but
/// `present` and `absent` an error.
pub(super) fn refuse_strangers(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| match condition {
        Condition::Test(test) => is_about_caller(test) && test.operator != Operator::Absent,
        Condition::AnyOf(group) => {
            group.any_of.iter().all(|member| refuse_strangers(std::slice::from_ref(member)))
        }
        Condition::AllOf(group) => refuse_strangers(&group.all_of),
        Condition::NoneOf(group) => group.none_of.iter().any(cannot_be_false),
    })
}

/// Whether any test in `conditions` is about who calls.
pub(super) fn are_about_caller(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| match condition {
        Condition::Test(test) => is_about_caller(test),
        Condition::AnyOf(group) => are_about_caller(&group.any_of),
        Condition::AllOf(group) => are_about_caller(&group.all_of),
        Condition::NoneOf(group) => are_about_caller(&group.none_of),
    })
}

/// Whether a condition, in a group of which none may hold, is true or unknown of an anonymous caller. Groups in groups are
/// not looked into.
fn cannot_be_false(condition: &Condition) -> bool {
    match condition {
        Condition::Test(test) => is_about_caller(test) && test.operator != Operator::Present,
        Condition::AnyOf(_) | Condition::AllOf(_) | Condition::NoneOf(_) => false,
    }
}

fn is_about_caller(test: &Test) -> bool {
    let is_of_caller = |name: &String| full_name(name).starts_with("subject.");
    is_of_caller(&test.attribute) || test.value_from.as_ref().is_some_and(is_of_caller)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::document::Problems;

    fn read(conditions: Value) -> Vec<Condition> {
        deserr::deserialize::<_, _, Problems>(conditions).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn who_is_refused() {
        let of_caller = json!({ "attribute": "department", "operator": "ne", "value": "x" });
        let of_path = json!({ "attribute": "resource.path", "operator": "starts_with", "value": "/a" });
        let absent = json!({ "attribute": "subject.banned", "operator": "absent" });
        let present = json!({ "attribute": "subject.banned", "operator": "present" });
        for (conditions, refused) in [
            (json!([of_caller]), true),
            (json!([of_path]), false),
            (json!([absent]), false),
            (json!([present]), true),
            (json!([of_path, of_caller]), true),
            (json!([{ "any_of": [of_caller, of_path] }]), false),
            (json!([{ "any_of": [of_caller, present] }]), true),
            (json!([{ "all_of": [of_caller, of_path] }]), true),
            (json!([{ "none_of": [of_caller] }]), true),
            (json!([{ "none_of": [present] }]), false),
            (json!([]), false),
        ] {
            assert_eq!(refuse_strangers(&read(conditions.clone())), refused, "{conditions}");
        }
        assert!(are_about_caller(&read(json!([{ "none_of": [of_path, absent] }]))));
        assert!(!are_about_caller(&read(json!([of_path]))));
    }
}
