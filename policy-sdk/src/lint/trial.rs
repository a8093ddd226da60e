//! Whether any value of one attribute can make conditions true: candidates are tried in the engine itself.
//!
//! An answer is given only where the candidates stand for every value there is. Whatever is not understood is left out of
//! the trial, which can only make more values fit.

mod candidates;

use std::cell::Cell;

use serde_json::{Map, Value};

use super::condition_lists::full_name;
use crate::condition::{Conditions, Facts, Steps, Truth};
use crate::document::{Condition, JsonPointer};
use crate::path::{CanonicalPath, PathMode, canonicalize};
use crate::request::{AccessRequest, Action, Context, Resource};

/// Tries conditions, as often as its budget allows.
pub(super) struct Trial {
    path: Option<CanonicalPath>,
    left: Cell<usize>,
}

/// A value that an attribute could have; `None` for an attribute that is not there.
type Candidate = Option<Value>;

impl Trial {
    pub(super) fn new() -> Trial {
        let path = canonicalize(b"/", PathMode::Refuse).ok().map(|target| target.path);
        Trial { path, left: Cell::new(MAX_TRIALS) }
    }

    /// Whether no value of their attribute makes all of `conditions` true, which are about that one alone.
    pub(super) fn exclude_each_other(&self, conditions: &[&Condition]) -> bool {
        candidates::families(conditions).into_iter().any(|(conditions, candidates)| {
            let truths = self.truths(&conditions, &candidates);
            truths.is_some_and(|truths| !truths.contains(&Truth::True))
        })
    }

    /// Whether every moment makes the condition true.
    pub(super) fn holds_at_every_moment(&self, condition: &Condition) -> bool {
        candidates::is_periodic(condition)
            && self
                .truths(&[condition], &candidates::a_week())
                .is_some_and(|truths| truths.iter().all(|truth| *truth == Truth::True))
    }

    /// What all of `conditions` together are for each candidate; `None` where that cannot be said.
    fn truths(&self, conditions: &[&Condition], candidates: &[Candidate]) -> Option<Vec<Truth>> {
        self.left.set(self.left.get().checked_sub(candidates.len())?);
        let on_trial: Vec<Condition> =
            conditions.iter().map(|condition| about_candidate(condition)).collect();
        let mut problems = Vec::new();
        let compiled = Conditions::compile(&on_trial, &JsonPointer::root(), &mut problems);
        let path = self.path.as_ref().filter(|_| problems.is_empty())?;
        let mut truths = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let attributes: Map<String, Value> =
                candidate.iter().map(|value| (ON_TRIAL.to_owned(), value.clone())).collect();
            let request = AccessRequest {
                subject: None,
                action: Action::of_method("GET"),
                resource: Resource::at("", path),
                context: Context { attributes: Some(&attributes), ..Context::default() },
            };
            let mut steps = Steps::default();
            truths.push(
                compiled.evaluate(&Facts { request: &request, tenant: None, captures: None }, &mut steps),
            );
            if steps.are_exhausted() {
                return None;
            }
        }
        Some(truths)
    }
}

/// The attribute that every test of `condition` is about, if it is one and held against values of the document alone.
pub(super) fn only_attribute(condition: &Condition) -> Option<String> {
    let members = match condition {
        Condition::Test(test) if test.value_from.is_some() => return None,
        Condition::Test(test) => return Some(full_name(&test.attribute).into_owned()),
        Condition::AnyOf(group) => &group.any_of,
        Condition::AllOf(group) => &group.all_of,
        Condition::NoneOf(group) => &group.none_of,
    };
    let mut names = members.iter().map(only_attribute);
    let first = names.next()??;
    names.all(|name| name.as_ref() == Some(&first)).then_some(first)
}

/// The same condition about the attribute on trial.
fn about_candidate(condition: &Condition) -> Condition {
    let mut condition = condition.clone();
    rename(&mut condition);
    condition
}

fn rename(condition: &mut Condition) {
    match condition {
        Condition::Test(test) => test.attribute = format!("context.{ON_TRIAL}"),
        Condition::AnyOf(group) => group.any_of.iter_mut().for_each(rename),
        Condition::AllOf(group) => group.all_of.iter_mut().for_each(rename),
        Condition::NoneOf(group) => group.none_of.iter_mut().for_each(rename),
    }
}

/// The property that has the candidates as its values.
const ON_TRIAL: &str = "on_trial";

/// Most values that are tried for one document: a second or so. What comes after is not found.
const MAX_TRIALS: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::Problems;

    /// A generator of numbers that is the same everywhere (Knuth's MMIX).
    fn next(state: &mut u64, below: usize) -> usize {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*state >> 33).unwrap() % below
    }

    fn pick<'a, T>(state: &mut u64, from: &'a [T]) -> &'a T {
        &from[next(state, from.len())]
    }

    #[test]
    fn what_is_said_to_exclude_each_other_is_true_of_no_value() {
        let scalars =
            [json!("a"), json!("ab"), json!("b"), json!("B"), json!(1), json!(2), json!(1.5), json!(true)];
        let operators = [
            "eq",
            "ne",
            "in",
            "not_in",
            "lt",
            "lte",
            "gt",
            "gte",
            "contains",
            "contains_any",
            "contains_all",
            "contains_none",
            "subset_of",
            "starts_with",
            "ends_with",
            "eq_ignore_case",
            "includes",
            "present",
            "absent",
        ];
        let mut values: Vec<Value> = scalars.to_vec();
        values.push(Value::Null);
        values.push(json!([]));
        for one in &scalars {
            values.extend(scalars.iter().map(|other| json!([one, other])));
            values.push(json!([one]));
        }
        let trial = Trial::new();
        let (mut state, mut excluded, mut tried) = (11, 0, 0);
        while tried < 4_000 {
            let mut test = |depth: usize| {
                let operator = *pick(&mut state, &operators);
                let one = pick(&mut state, &scalars).clone();
                let value = match operator {
                    "present" | "absent" => None,
                    "in" | "not_in" | "contains_any" | "contains_all" | "contains_none" | "subset_of" => {
                        Some(json!([one, pick(&mut state, &scalars)]))
                    }
                    _other => Some(one),
                };
                let test = match value {
                    None => json!({ "attribute": "context.on_trial", "operator": operator }),
                    Some(value) => {
                        json!({ "attribute": "context.on_trial", "operator": operator, "value": value })
                    }
                };
                match next(&mut state, 6) {
                    0 if depth == 0 => json!({ "none_of": [test] }),
                    _other => test,
                }
            };
            let conditions = match (test(0), test(0), test(1)) {
                (one, other, third) if third["operator"] == "eq" => {
                    json!([one, { "any_of": [other, third] }])
                }
                (one, other, third) => json!([one, other, third]),
            };
            let Ok(list) = deserr::deserialize::<Vec<Condition>, _, Problems>(conditions.clone()) else {
                continue;
            };
            let mut problems = Vec::new();
            Conditions::compile(&list, &JsonPointer::root(), &mut problems);
            if !problems.is_empty() {
                continue;
            }
            tried += 1;
            let all: Vec<&Condition> = list.iter().collect();
            if trial.exclude_each_other(&all) {
                excluded += 1;
                let candidates: Vec<Candidate> = values.iter().map(|value| Some(value.clone())).collect();
                let truths = Trial::new().truths(&all, &candidates).unwrap();
                assert!(!truths.contains(&Truth::True), "{conditions}");
            }
        }
        assert!(excluded > 500 && excluded < 3_800, "{excluded}");
    }
}
