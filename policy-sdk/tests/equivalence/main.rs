//! The engine answers as its reference does: the same decision, code, scopes, tenant and reasons, for documents and questions
//! made by chance.
//!
//! Every run asks a share of the pairs. All of them, with the distribution of the answers:
//! `cargo test -p portcullis-policy --test equivalence -- --ignored --nocapture`. Needs Python 3.

#![cfg(test)]

#[cfg(feature = "replay")]
mod foresight;
mod generate;
mod question;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use generate::Chance;
use portcullis_policy::document::Document;
use portcullis_policy::policy::Policy;
use question::Question;
use serde_json::{Value, json};

const QUESTIONS_A_DOCUMENT: usize = 20;
const SEED: u64 = 3;

#[test]
fn the_engine_answers_as_its_reference_does() {
    compare(SEED, 10_000).report();
}

#[test]
#[ignore = "takes minutes"]
fn the_engine_answers_a_million_times_as_its_reference_does() {
    let seeds = SEED..SEED + 4;
    let total = std::thread::scope(|scope| {
        let quarters: Vec<_> = seeds.map(|seed| scope.spawn(move || compare(seed, 250_000))).collect();
        let quarters = quarters.into_iter().map(|quarter| quarter.join().expect("they agree"));
        quarters.reduce(Tally::and).expect("four")
    });
    assert_eq!(total.asked, 1_000_000);
    total.report();
}

#[test]
fn the_reference_is_short() {
    let lines = include_str!("reference.py").lines().count();
    assert!(lines < 300, "{lines} lines: nobody sees at a glance that so much is right");
}

/// What was asked and answered.
#[derive(Default)]
struct Tally {
    asked: usize,
    loaded: usize,
    refused: usize,
    answers: BTreeMap<String, usize>,
}

/// 4096 tests that read 23 pieces or 24 of what was sent: within the budget, and beyond it.
#[test]
fn what_is_read_costs_the_same_in_both() {
    let mut reference = Reference::start();
    for attribute in ["context.header.x-absent", "context.query.absent", "absent"] {
        let test = json!({"attribute": attribute, "operator": "present"});
        let group = json!({"any_of": vec![test; 64]});
        let rule = json!({"effect": "allow", "action": "*", "resource": "*", "role": "*"});
        let written = json!({
            "version": 1,
            "authentication": {"disabled": false, "methods": [{"name": "a", "jwt": {"issuer": "https://i.example",
                "audience": "a", "algorithms": ["HS256"], "secret": "${SECRET}"}}]},
            "authorization": {"rules": [rule], "conditions": [{"none_of": vec![group; 64]}]},
        });
        let read = Document::from_json(written.to_string().as_bytes()).expect("a document");
        let policy = Policy::compile(&read).expect("a policy");
        let questions = [(23, 24 * 64 - 1), (24, 24 * 64 - 1), (23, 24 * 64)]
            .map(|(lines, query)| Question::of_size(lines, query));
        let answers: Vec<Value> = questions.iter().map(|question| question.ask(&policy)).collect();
        assert_eq!(answers, reference.ask(&written, &questions), "{attribute}");
        let exhausted: Vec<bool> = answers.iter().map(|answer| answer[2] == json!(["budget"])).collect();
        assert_eq!(exhausted, [false, attribute.contains("header"), attribute.contains("query")]);
    }
}

/// Asks until so many pairs agree.
fn compare(seed: u64, pairs: usize) -> Tally {
    let mut reference = Reference::start();
    let mut tally = Tally::default();
    for index in 0_u64.. {
        if tally.asked >= pairs {
            break;
        }
        let mut chance = Chance::new(seed.wrapping_mul(0x0100_0000_01b3) ^ (index << 20));
        let written = generate::document(&mut chance);
        let read = Document::from_json(written.to_string().as_bytes());
        let Ok(policy) = read.and_then(|read| Policy::compile(&read)) else {
            tally.refused += 1;
            continue;
        };
        tally.loaded += 1;
        let questions: Vec<_> = (0..QUESTIONS_A_DOCUMENT).map(|_| Question::new(&mut chance)).collect();
        let expected = reference.ask(&written, &questions);
        for (question, expected) in questions.iter().zip(&expected) {
            let answer = question.ask(&policy);
            assert!(
                answer == *expected,
                "seed {seed}, document {index}\n{written:#}\n{question:#?}\nengine: {answer}\nreference: {expected}",
            );
            tally.count(&answer);
        }
        if tally.asked % 50_000 == 0 {
            println!("seed {seed}: {} pairs agree", tally.asked);
        }
    }
    tally
}

impl Tally {
    fn count(&mut self, answer: &Value) {
        let budget = if answer[2] == json!(["budget"]) { " (budget)" } else { "" };
        let code = answer[1].as_str().and_then(|code| code.split(' ').next()).unwrap_or_default();
        let kind = format!("{} {code}{budget}", answer[0].as_str().unwrap_or_default());
        *self.answers.entry(kind).or_default() += 1;
        self.asked += 1;
    }

    fn and(mut self, other: Tally) -> Tally {
        self.asked += other.asked;
        self.loaded += other.loaded;
        self.refused += other.refused;
        for (kind, count) in other.answers {
            *self.answers.entry(kind).or_default() += count;
        }
        self
    }

    /// Shows how the answers are distributed, which must not be on few of them.
    fn report(self) {
        let Tally { asked, loaded, refused, answers } = self;
        println!("{asked} pairs agree, of {loaded} documents; {refused} more did not load");
        for (answer, count) in &answers {
            println!("{count:>8} {answer}");
        }
        assert!(loaded > refused, "{refused} documents did not load, {loaded} did");
        for decision in ["permit", "deny", "not_applicable", "indeterminate"] {
            let of = answers.iter().filter(|(answer, _)| answer.starts_with(decision));
            let count: usize = of.map(|(_, count)| count).sum();
            assert!(count * 25 >= asked, "{decision}: only {count} of {asked}");
        }
        assert!(answers.keys().any(|answer| answer.ends_with("(budget)")), "no budget was exhausted");
    }
}

/// The reference, in a process of its own.
struct Reference {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Reference {
    #[expect(
        clippy::disallowed_types,
        reason = "the reference shares nothing with the engine, not even a process"
    )]
    fn start() -> Reference {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/equivalence/reference.py");
        let python = std::process::Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut process = python.expect("python3 is installed");
        let input = process.stdin.take().expect("it is piped");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        Reference { process, input, output }
    }

    fn ask(&mut self, document: &Value, questions: &[Question]) -> Vec<Value> {
        let questions: Vec<&Value> = questions.iter().map(|question| &question.meant).collect();
        writeln!(self.input, "{}", json!({"document": document, "questions": questions})).expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the reference failed at {document:#}\n{questions:#?}"))
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}
