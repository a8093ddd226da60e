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
    compare(10_000);
}

#[test]
#[ignore = "takes minutes"]
fn the_engine_answers_a_million_times_as_its_reference_does() {
    compare(1_000_000);
}

#[test]
fn the_reference_is_short() {
    let lines = include_str!("reference.py").lines().count();
    assert!(lines < 300, "{lines} lines: nobody sees at a glance that so much is right");
}

fn compare(pairs: usize) {
    let mut reference = Reference::start();
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    let (mut asked, mut loaded, mut refused, mut step) = (0, 0, 0, 0);
    for index in 0_u64.. {
        if asked >= pairs {
            break;
        }
        let mut chance = Chance::new(SEED.wrapping_mul(0x0100_0000_01b3) ^ (index << 20));
        let written = generate::document(&mut chance);
        let read = Document::from_json(written.to_string().as_bytes());
        let Ok(policy) = read.and_then(|read| Policy::compile(&read)) else {
            refused += 1;
            continue;
        };
        loaded += 1;
        let questions: Vec<_> = (0..QUESTIONS_A_DOCUMENT).map(|_| Question::new(&mut chance)).collect();
        let expected = reference.ask(&written, &questions);
        for (question, expected) in questions.iter().zip(&expected) {
            let answer = question.ask(&policy);
            assert!(
                answer == *expected,
                "seed {SEED}, document {index}, pair {asked}\n{written:#}\n{question:#?}\nengine: {answer}\nreference: {expected}",
            );
            asked += 1;
            let budget = if answer[2] == json!(["budget"]) { " (budget)" } else { "" };
            let code = answer[1].as_str().and_then(|code| code.split(' ').next()).unwrap_or_default();
            *answers
                .entry(format!("{} {code}{budget}", answer[0].as_str().unwrap_or_default()))
                .or_default() += 1;
        }
        if asked / 100_000 > step {
            step = asked / 100_000;
            println!("{asked} pairs agree");
        }
    }
    println!("seed {SEED}: {asked} pairs agree, of {loaded} documents; {refused} more did not load");
    for (answer, count) in &answers {
        println!("{count:>8} {answer}");
    }
    assert!(loaded > refused, "{refused} documents did not load, {loaded} did");
    for decision in ["permit", "deny", "not_applicable", "indeterminate"] {
        let count: usize =
            answers.iter().filter(|(answer, _)| answer.starts_with(decision)).map(|(_, count)| count).sum();
        assert!(count * 25 >= asked, "{decision}: only {count} of {asked}");
    }
    assert!(answers.keys().any(|answer| answer.ends_with("(budget)")), "no budget was exhausted");
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
