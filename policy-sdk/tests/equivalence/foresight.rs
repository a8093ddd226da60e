//! What the engine says without some of the facts is what it says with them, whatever they are: documents and requests by
//! chance, facts taken away by chance, and several worlds in which they are one thing or another.

use std::collections::BTreeSet;

use portcullis_policy::decision::Response;
use portcullis_policy::document::Document;
use portcullis_policy::path::{PathMode, canonicalize};
use portcullis_policy::policy::{Foresight, Policy};
use portcullis_policy::request::{AccessRequest, Action, Context, Resource};
use portcullis_policy::unknown::Fact;

use crate::generate::{self, Chance};
use crate::reference::Answer;
use crate::{Question, REQUESTS_A_DOCUMENT, SEED, shown};

/// Worlds in which what is not known is one thing or another.
const WORLDS: usize = 6;

#[test]
fn what_is_not_known_changes_no_answer() {
    compare(8_000);
}

#[test]
#[ignore = "takes minutes"]
fn what_is_not_known_changes_no_answer_of_half_a_million() {
    compare(500_000);
}

fn compare(questions: usize) {
    let (mut exact, mut settled, mut open, mut needlessly) = (0, 0, 0, 0);
    for index in 0_u64.. {
        let asked = exact + settled + open;
        if asked >= questions {
            break;
        }
        let mut chance = Chance::new(SEED.wrapping_mul(0x0100_0000_01b5) ^ (index << 20));
        let written = generate::document(&mut chance);
        let read = Document::from_json(written.to_string().as_bytes());
        let Ok(policy) = read.and_then(|read| Policy::compile(&read)) else { continue };
        for _ in 0..REQUESTS_A_DOCUMENT {
            let unknown = facts(&mut chance);
            let question = Question::new(&mut chance);
            let foresight = question.put(|request| policy.foresee(request, &unknown));
            let worlds: Vec<(Question, Response)> = (0..WORLDS)
                .map(|_| question.in_another_world(&unknown, &mut chance))
                .map(|world| {
                    let response = world.put(|request| decide(&policy, request));
                    (world, response)
                })
                .collect();
            let in_every_world = |holds: &dyn Fn(&Response) -> bool| {
                for (world, response) in &worlds {
                    assert!(
                        holds(response),
                        "document {index}, unknown {unknown:?}\n{}\n{question:#?}\n{world:#?}\nforeseen: {foresight:#?}\nin fact: {response:#?}",
                        serde_json::to_string_pretty(&written).unwrap(),
                    );
                }
            };
            match &foresight {
                Foresight::Exact(foreseen) => {
                    exact += 1;
                    // A tenant that nothing depends on is handed on, and is as unknown as before.
                    let told = |response: &Response| {
                        let knows = !unknown.contains(&Fact::Tenant);
                        let answer = shown(response);
                        Answer { tenant: answer.tenant.filter(|_| knows), ..answer }
                    };
                    in_every_world(&|response| told(response) == told(foreseen));
                }
                Foresight::Settled { is_permit, missed } => {
                    settled += 1;
                    assert!(!missed.is_empty());
                    in_every_world(&|response| response.outcome.is_ok() == *is_permit);
                }
                Foresight::Open { missed } => {
                    open += 1;
                    assert!(!missed.is_empty());
                    let permits = worlds.iter().filter(|(_, response)| response.outcome.is_ok()).count();
                    needlessly += usize::from(permits == 0 || permits == WORLDS);
                }
            }
        }
    }
    println!(
        "{exact} exact, {settled} settled, {open} open, of those {needlessly} the same in {WORLDS} worlds"
    );
    let asked = exact + settled + open;
    assert!(exact * 8 > asked && settled * 20 > asked, "{exact} exact and {settled} settled of {asked}");
}

fn decide(policy: &Policy, request: &AccessRequest<'_>) -> Response {
    policy.decide(&policy.locate(request.action, request.resource, &request.context), request)
}

/// One fact, a few, or what a record lacks.
fn facts(chance: &mut Chance) -> BTreeSet<Fact> {
    match chance.below(4) {
        0 => [Fact::ALL[chance.below(Fact::ALL.len())]].into(),
        1 | 2 => Fact::ALL.into_iter().filter(|_| chance.percent(20)).collect(),
        _ => {
            [Fact::Groups, Fact::Scopes, Fact::Permissions, Fact::Attribute, Fact::Header, Fact::Query].into()
        }
    }
}

impl Question {
    fn put<T>(&self, ask: impl FnOnce(&AccessRequest<'_>) -> T) -> T {
        let target = canonicalize(self.path.as_bytes(), PathMode::Refuse).expect("a canonical path");
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect();
        let context = Context {
            headers: &headers,
            query: self.query.as_deref(),
            time: self.time,
            ..Context::default()
        };
        ask(&AccessRequest {
            subject: self.subject.as_ref(),
            action: self.method.map_or(Action::named(self.action), Action::of_method),
            resource: Resource::at(self.host, &target.path),
            context,
        })
    }

    /// The same question where it is known, and another where it is not.
    fn in_another_world(&self, unknown: &BTreeSet<Fact>, chance: &mut Chance) -> Question {
        let other = Question::new(chance);
        let knows = |fact| !unknown.contains(&fact);
        let mut world = Question { ..self.clone() };
        if !knows(Fact::Subject) {
            world.subject.clone_from(&other.subject);
        }
        if let (Some(mine), Some(theirs)) = (&mut world.subject, other.subject) {
            let theirs_if = |fact, mine: &mut Vec<String>, theirs| {
                if !knows(fact) {
                    *mine = theirs;
                }
            };
            theirs_if(Fact::Roles, &mut mine.roles, theirs.roles);
            theirs_if(Fact::Groups, &mut mine.groups, theirs.groups);
            theirs_if(Fact::Scopes, &mut mine.scopes, theirs.scopes);
            theirs_if(Fact::Permissions, &mut mine.permissions, theirs.permissions);
            for (fact, mine, theirs) in [
                (Fact::Id, &mut mine.id, theirs.id),
                (Fact::Tenant, &mut mine.tenant, theirs.tenant),
                (Fact::Method, &mut mine.method, theirs.method),
                (Fact::KeyType, &mut mine.key_type, theirs.key_type),
            ] {
                if !knows(fact) {
                    *mine = theirs;
                }
            }
            if !knows(Fact::Attribute) {
                mine.attributes = theirs.attributes;
            }
        }
        let asks_for_upgrade = |name: &str| name == "upgrade" || name == "connection";
        for (fact, is_of) in [
            (Fact::Upgrade, asks_for_upgrade as fn(&str) -> bool),
            (Fact::Header, |name| name != "upgrade" && name != "connection"),
        ] {
            if !knows(fact) {
                world.headers.retain(|(name, _)| !is_of(name));
                world.headers.extend(other.headers.iter().filter(|(name, _)| is_of(name)));
            }
        }
        if !knows(Fact::Query) {
            world.query = other.query;
        }
        if !knows(Fact::Time) {
            world.time = other.time;
        }
        world
    }
}
