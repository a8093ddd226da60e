//! Conditions: attribute-based access control, compiled once and evaluated for each request.
//!
//! Evaluation is total: every condition is [true, false or unknown](Truth) of every request, in a bounded number of
//! [`Steps`], and the order in which conditions stand does not matter. Nothing is skipped for what came before, so the
//! work does not depend on the order either.
//!
//! What a condition that could not be decided does to a request is not said here: that depends on whether it stands with
//! an allowance, a denial or a demand, which only the policy knows.

mod attribute;
mod operator;
mod pattern;
mod steps;
mod test;
mod truth;
mod value;

use std::collections::BTreeSet;

use crate::document::{self, JsonPointer, Problem};
use crate::limits::{MAX_CONDITION_DEPTH, MAX_CONDITIONS};
use crate::path_tree::Captures;
use crate::request::AccessRequest;
use test::Test;

pub use steps::Steps;
pub use truth::{Fault, Truth};

/// What is known when conditions are evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The question.
    pub request: &'a AccessRequest<'a>,
    /// The tenant of the caller: its credential's, or the default.
    pub tenant: Option<&'a str>,
    /// What the placeholders stand for of the template that the conditions stand with, if they stand with one.
    pub captures: Option<Captures<'a>>,
}

/// Conditions that must all hold.
#[derive(Debug, Default)]
pub struct Conditions(Box<[Node]>);

impl Conditions {
    /// Compiles the list that stands at `place`. What is wrong is added to `problems` and left out: whoever finds a problem
    /// must not decide with the rest.
    pub fn compile(
        list: &[document::Condition],
        place: &JsonPointer,
        problems: &mut Vec<Problem>,
    ) -> Conditions {
        Conditions(compile(list, place, 0, problems))
    }

    /// Whether there is no condition. All of none hold.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all conditions hold.
    pub fn evaluate(&self, facts: &Facts<'_>, steps: &mut Steps) -> Truth {
        self.evaluate_with(facts, steps, &mut |_| {})
    }

    /// Whether all conditions hold, with a report on each test and each group, the inner ones first.
    pub fn evaluate_with(
        &self,
        facts: &Facts<'_>,
        steps: &mut Steps,
        report: &mut dyn FnMut(Evaluated<'_>),
    ) -> Truth {
        let truth = Truth::all(
            self.0
                .iter()
                .enumerate()
                .map(|(index, node)| node.evaluate(facts, steps, &mut vec![index], report)),
        );
        // Exhaustion anywhere is exhaustion of the decision.
        if steps.are_exhausted() { Truth::Unknown(Fault::Exhausted) } else { truth }
    }

    /// What the test at `place` asks of which attribute, or which group stands there. Not what an attribute is held against:
    /// that can be long.
    pub fn described(&self, place: &[usize]) -> String {
        let Some((last, above)) = place.split_last() else { return String::new() };
        let mut members = &self.0;
        for index in above {
            match members.get(*index) {
                Some(Node::Group(_, inner)) => members = inner,
                Some(Node::Test(_)) | None => return String::new(),
            }
        }
        match members.get(*last) {
            Some(Node::Test(test)) => format!("{test:?}"),
            Some(Node::Group(Group::Any, _)) => "any_of".to_owned(),
            Some(Node::Group(Group::All, _)) => "all_of".to_owned(),
            Some(Node::Group(Group::None, _)) => "none_of".to_owned(),
            None => String::new(),
        }
    }

    /// Whether one of them looks at the body of the request.
    #[must_use]
    pub fn read_body(&self) -> bool {
        self.any_test(Test::reads_body)
    }

    /// Whether one of them looks at the address of the peer.
    #[must_use]
    pub fn read_source(&self) -> bool {
        self.any_test(Test::reads_source)
    }

    fn any_test(&self, is: fn(&Test) -> bool) -> bool {
        self.0.iter().any(|node| node.any_test(is))
    }

    /// The names of the subject's own attributes that the conditions look at: what the gate has to take from a credential.
    pub fn subject_attributes(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.0.iter().for_each(|node| node.subject_attributes(&mut names));
        names
    }
}

/// One test or group, and what it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluated<'a> {
    /// Where it stands: the index in the list, then the index in each group on the way.
    pub place: &'a [usize],
    /// Whether it holds.
    pub truth: Truth,
}

#[derive(Debug)]
enum Node {
    Test(Test),
    Group(Group, Box<[Node]>),
}

#[derive(Debug, Clone, Copy)]
enum Group {
    Any,
    All,
    None,
}

impl Node {
    fn evaluate(
        &self,
        facts: &Facts<'_>,
        steps: &mut Steps,
        place: &mut Vec<usize>,
        report: &mut dyn FnMut(Evaluated<'_>),
    ) -> Truth {
        let truth = match self {
            Node::Test(test) => test.evaluate(facts, steps),
            Node::Group(group, members) => {
                let mut truths = Vec::with_capacity(members.len());
                for (index, member) in members.iter().enumerate() {
                    place.push(index);
                    truths.push(member.evaluate(facts, steps, place, report));
                    place.pop();
                }
                match group {
                    Group::Any => Truth::any(truths),
                    Group::All => Truth::all(truths),
                    Group::None => Truth::any(truths).negated(),
                }
            }
        };
        report(Evaluated { place, truth });
        truth
    }

    fn any_test(&self, is: fn(&Test) -> bool) -> bool {
        match self {
            Node::Test(test) => is(test),
            Node::Group(_, members) => members.iter().any(|node| node.any_test(is)),
        }
    }

    fn subject_attributes<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Node::Test(test) => names.extend(test.subject_attributes()),
            Node::Group(_, members) => members.iter().for_each(|node| node.subject_attributes(names)),
        }
    }
}

fn compile(
    list: &[document::Condition],
    place: &JsonPointer,
    depth: usize,
    problems: &mut Vec<Problem>,
) -> Box<[Node]> {
    if list.len() > MAX_CONDITIONS {
        let expected = format!("at most {MAX_CONDITIONS}; a list of values is one condition with `in`");
        problems.push(Problem::new(place.clone(), "too many conditions").expected(expected));
    }
    let mut nodes = Vec::new();
    for (index, condition) in list.iter().enumerate() {
        let here = place.element(index);
        let (group, name, members) = match condition {
            document::Condition::Test(test) => {
                nodes.extend(Test::compile(test, &here, problems).map(Node::Test));
                continue;
            }
            document::Condition::AnyOf(group) => (Group::Any, "any_of", &group.any_of),
            document::Condition::AllOf(group) => (Group::All, "all_of", &group.all_of),
            document::Condition::NoneOf(group) => (Group::None, "none_of", &group.none_of),
        };
        let inside = here.member(name);
        if depth >= MAX_CONDITION_DEPTH {
            let expected = format!("at most {MAX_CONDITION_DEPTH} groups within each other");
            problems.push(Problem::new(inside, "groups nested too deeply").expected(expected));
        } else {
            nodes.push(Node::Group(group, compile(members, &inside, depth.saturating_add(1), problems)));
        }
    }
    nodes.into()
}

#[cfg(test)]
mod tests;
