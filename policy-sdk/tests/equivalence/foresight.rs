//! What the engine says without some of the facts is what it says with them, whatever they are: documents and requests by
//! chance, facts taken away by chance, and several worlds in which they are one thing or another.

use std::collections::BTreeSet;

use portcullis_policy::decision::Response;
use portcullis_policy::document::Document;
use portcullis_policy::policy::{Foresight, Policy};
use portcullis_policy::unknown::Fact;

use crate::generate::{self, Chance};
use crate::question::{Question, decide, shown};
use crate::{QUESTIONS_A_DOCUMENT, SEED};

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
        for _ in 0..QUESTIONS_A_DOCUMENT {
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
                        let mut answer = shown(response);
                        if unknown.contains(&Fact::Tenant) {
                            answer[3].take();
                        }
                        answer
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
    /// The same question where it is known, and another where it is not.
    fn in_another_world(&self, unknown: &BTreeSet<Fact>, chance: &mut Chance) -> Question {
        let other = Question::new(chance);
        let knows = |fact| !unknown.contains(&fact);
        let mut world = self.clone();
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
        let fact_of = |(name, _): &(Vec<u8>, Vec<u8>)| {
            let is_of_upgrade = name == b"upgrade" || name == b"connection";
            if is_of_upgrade { Fact::Upgrade } else { Fact::Header }
        };
        world.headers.retain(|line| knows(fact_of(line)));
        world.headers.extend(other.headers.into_iter().filter(|line| !knows(fact_of(line))));
        if !knows(Fact::Query) {
            world.query = other.query;
        }
        if !knows(Fact::Source) {
            world.source = other.source;
        }
        if !knows(Fact::Time) {
            world.time = other.time;
        }
        if !knows(Fact::Body) {
            world.body = other.body;
        }
        world
    }
}
