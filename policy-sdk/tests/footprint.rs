//! What is promised of a hundred thousand rules and needs no clock: the memory that stays, and the steps of a search. In a
//! program of its own, because all of a program's memory is counted.

#![cfg(test)]

use std::alloc::System;

use cap::Cap;
use portcullis_policy::document::Document;
use portcullis_policy::path::{PathMode, canonicalize};
use portcullis_policy::path_tree::{PathTree, Spellings};
use portcullis_policy::policy::Policy;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes that may stay for each rule.
const MAX_BYTES_A_RULE: usize = 200;

const RULES: usize = 100_000;

fn resource(number: usize) -> String {
    format!("/v1/teams/{}/objects{number}", number % 1000)
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn a_hundred_thousand_rules_take_little_room_and_no_more_steps_than_ten() {
    let rule = |number: usize| {
        let role = format!("role{}", number % 64);
        json!({ "effect": "allow", "action": "read", "resource": resource(number), "role": role })
    };
    let rules: Value = (0..RULES).map(rule).collect();
    let document = json!({ "version": 1, "authentication": {}, "authorization": { "rules": rules } });
    let document = Document::from_json(document.to_string().as_bytes()).unwrap();
    let before = ALLOCATED.allocated();
    let policy = Policy::compile(&document).unwrap();
    let kept = ALLOCATED.allocated() - before;
    assert!(kept / RULES < MAX_BYTES_A_RULE, "{} bytes a rule", kept / RULES);
    // An upper bound holds for nothing too.
    assert!(kept / RULES > 16, "{} bytes a rule cannot be all of it", kept / RULES);
    drop(policy);

    let steps = |count: usize| {
        let mut tree = PathTree::new();
        for number in 0..count {
            tree.insert(resource(number).parse().unwrap(), number).unwrap();
        }
        let path = canonicalize(resource(count - 1).as_bytes(), PathMode::Refuse).unwrap().path;
        let spellings = Spellings::of(&path);
        let mut found = tree.all(&spellings);
        assert_eq!(found.by_ref().map(|found| *found.value).collect::<Vec<_>>(), [count - 1]);
        found.steps()
    };
    assert_eq!(steps(RULES), steps(10));
}
