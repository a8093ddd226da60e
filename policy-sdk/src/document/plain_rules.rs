//! The rules of a large document, read without asking after every field: most are five texts at most.
//!
//! Nothing is reported here. A list with a rule that is anything else is left to the reader that knows what to say of it,
//! and finds nothing less strict here: what is read here is read there as the same.

use crate::json::Tree;

use super::{Effect, Rule};

/// Takes `authorization.rules` out of a document, if all of them are plain: the list, to be put back, and what it says.
pub(super) fn take<'a>(document: &mut Tree<'a>) -> Option<(Vec<Tree<'a>>, Vec<Rule>)> {
    let list = list(document)?;
    let mut rules = Vec::with_capacity(list.len());
    for tree in list.iter() {
        rules.push(plain(tree)?);
    }
    Some((std::mem::take(list), rules))
}

/// Puts the list back where it was taken from.
pub(super) fn put_back<'a>(document: &mut Tree<'a>, taken: Vec<Tree<'a>>) {
    if let Some(list) = list(document) {
        *list = taken;
    }
}

fn list<'a, 'b>(document: &'b mut Tree<'a>) -> Option<&'b mut Vec<Tree<'a>>> {
    match document.member_mut("authorization")?.member_mut("rules")? {
        Tree::List(list) => Some(list),
        Tree::Null
        | Tree::Boolean(_)
        | Tree::Unsigned(_)
        | Tree::Negative(_)
        | Tree::Float(_)
        | Tree::Text(_)
        | Tree::Object(_) => None,
    }
}

/// The rule, if it has the four texts that each must have, a name perhaps, and nothing else.
fn plain(tree: &Tree<'_>) -> Option<Rule> {
    let Tree::Object(members) = tree else { return None };
    let (mut name, mut effect, mut action, mut resource, mut role) = (None, None, None, None, None);
    for (member, value) in members {
        let text = value.as_str()?;
        match &**member {
            "effect" => effect = Some(effect_of(text)?),
            "action" => action = Some(text.to_owned()),
            "resource" => resource = Some(text.to_owned()),
            "role" => role = Some(text.to_owned()),
            "name" => name = Some(text.to_owned()),
            _other => return None,
        }
    }
    Some(Rule {
        name,
        effect: effect?,
        action: action?,
        resource: resource?,
        role: role?,
        conditions: Vec::new(),
    })
}

fn effect_of(text: &str) -> Option<Effect> {
    match text {
        "allow" => Some(Effect::Allow),
        "deny" => Some(Effect::Deny),
        _other => None,
    }
}

#[cfg(test)]
mod tests {
    use deserr::deserialize;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::document::Problems;

    fn slowly(rule: &Value) -> Result<Rule, Problems> {
        deserialize::<Rule, &Tree<'_>, Problems>(&Tree::of(rule))
    }

    fn document(rules: &[Value]) -> Value {
        json!({"version": 1, "authentication": {}, "authorization": {"rules": rules}})
    }

    #[test]
    fn a_document_is_afterwards_as_it_was() {
        let rule = json!({"effect": "allow", "action": "read", "resource": "/a", "role": "*", "name": "n"});
        let value = document(&[rule.clone(), rule.clone()]);
        let mut tree = Tree::of(&value);
        let (list, rules) = take(&mut tree).unwrap();
        assert_eq!(rules, [slowly(&rule).unwrap(), slowly(&rule).unwrap()]);
        assert_eq!(tree, Tree::of(&document(&[])));
        put_back(&mut tree, list);
        assert_eq!(tree, Tree::of(&value));
    }

    #[test]
    fn one_rule_that_is_not_plain_leaves_all_to_the_other_reader() {
        let rule = json!({"effect": "allow", "action": "read", "resource": "/a", "role": "*"});
        for (member, value) in [
            ("conditions", json!([])),
            ("effect", json!("permit")),
            ("effect", json!("Allow")),
            ("action", json!(["read"])),
            ("name", json!(null)),
            ("roles", json!("x")),
        ] {
            let mut other = rule.clone();
            other[member] = value;
            let value = document(&[rule.clone(), other]);
            let mut tree = Tree::of(&value);
            assert!(take(&mut tree).is_none(), "{member}");
            assert_eq!(tree, Tree::of(&value));
        }
        for place in
            [json!({}), json!([]), json!({"authorization": []}), json!({"authorization": {"rules": {}}})]
        {
            assert!(take(&mut Tree::of(&place)).is_none());
        }
    }

    proptest! {
        /// The slow twin reads every rule that is read here, and as the same.
        #[test]
        fn what_is_plain_is_read_as_it_is_read_slowly(
            members in prop::collection::btree_map(
                "name|effect|action|resource|role|conditions|rôle|Role",
                prop_oneof![
                    4 => "allow|deny|Deny|read|\\*|/a/\\{b\\}|\\PC{0,4}".prop_map(Value::from),
                    1 => Just(Value::Null),
                    1 => Just(json!([])),
                    1 => any::<i8>().prop_map(Value::from),
                ],
                0..7,
            )
        ) {
            let mut members = members;
            for (name, text) in [("effect", "allow"), ("action", "read"), ("resource", "/"), ("role", "*")] {
                if members.len() > 2 {
                    members.entry(name.to_owned()).or_insert(json!(text));
                }
            }
            let rule = Value::Object(members.into_iter().collect());
            if let Some(fast) = plain(&Tree::of(&rule)) {
                prop_assert_eq!(Ok(fast), slowly(&rule));
            }
        }
    }
}
