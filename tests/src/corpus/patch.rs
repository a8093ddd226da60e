//! JSON merge patch (RFC 7396).

use serde_json::Value;

/// `target` with `patch` applied: null removes a member, objects merge, everything else replaces.
pub(super) fn merge(target: Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    let mut members = match target {
        Value::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    for (name, change) in changes {
        match change {
            Value::Null => {
                members.remove(name);
            }
            change => {
                let before = members.remove(name).unwrap_or_default();
                members.insert(name.clone(), merge(before, change));
            }
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::merge;
    use serde_json::json;

    #[test]
    fn the_example_of_the_standard() {
        let target = json!({"a": "b", "c": {"d": "e", "f": "g"}});
        assert_eq!(merge(target, &json!({"a": "z", "c": {"f": null}})), json!({"a": "z", "c": {"d": "e"}}));
    }
}
