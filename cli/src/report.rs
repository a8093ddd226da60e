//! What is said about a document file: for people with the line and a caret, for programs as JSON.

use std::io::{self, Write};
use std::process::ExitCode;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use portcullis_policy::document::{JsonPointer, Problem, Problems};
use portcullis_policy::lint::Finding;
use serde_json::{Value, json};

use crate::exit;
use crate::redaction::redacted;
use crate::source::{Place, Source};

/// What was found in one file.
pub(crate) struct Report<'s> {
    source: &'s Source,
    problems: Option<Problems>,
    findings: Vec<Finding>,
    denied: bool,
}

impl<'s> Report<'s> {
    /// A report on `source`: its problems, or if there are none what the lints find.
    pub(crate) fn new(source: &'s Source, found: Result<Vec<Finding>, Problems>) -> Self {
        match found {
            Ok(findings) => Self { source, problems: None, findings, denied: false },
            Err(problems) => Self { source, problems: Some(problems), findings: Vec::new(), denied: false },
        }
    }

    /// The same report, in which a finding is as bad as a problem.
    pub(crate) fn denying_findings(self) -> Self {
        Self { denied: true, ..self }
    }

    /// Whether the document loads, and has no finding where findings are denied.
    pub(crate) fn is_good(&self) -> bool {
        self.problems.is_none() && (!self.denied || self.findings.is_empty())
    }

    /// Writes every finding with its line of the text, then one line that sums up.
    pub(crate) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let mut said: Vec<Said<'_>> = Vec::new();
        for problem in self.problems.iter().flatten() {
            said.push(Said {
                place: self.place_of(problem),
                level: Level::ERROR,
                pointer: &problem.pointer,
                wording: wording(problem),
                lint: None,
            });
        }
        for finding in &self.findings {
            said.push(Said {
                place: self.source.positions.nearest(&finding.pointer),
                level: if self.denied { Level::ERROR } else { Level::WARNING },
                pointer: &finding.pointer,
                wording: finding.message.clone(),
                lint: Some(finding),
            });
        }
        // In the order of the text, which is how people mend it.
        said.sort_by_key(|said| said.place.map(|place| (place.line, place.column)));
        let text = redacted(self.source, self.problems.as_ref());
        let renderer = Renderer::styled();
        for said in said {
            let rendered = renderer.render(&[said.group(self.source, &text)]);
            writeln!(out, "{rendered}\n")?;
        }
        writeln!(out, "{}: {}", self.source.name, self.summary())
    }

    /// The same as one JSON value.
    pub(crate) fn to_json(&self) -> Value {
        let problems = self.problems.iter().flatten().map(|problem| {
            let mut finding =
                self.finding("error", &problem.pointer, &problem.message, self.place_of(problem));
            for (member, text) in [("expected", &problem.expected), ("nearest", &problem.nearest)] {
                if let (Some(text), Some(members)) = (text, finding.as_object_mut()) {
                    members.insert(member.to_owned(), Value::from(text.as_str()));
                }
            }
            finding
        });
        let severity = if self.denied { "error" } else { "warning" };
        let findings = self.findings.iter().map(|lint| {
            let place = self.source.positions.nearest(&lint.pointer);
            let mut finding = self.finding(severity, &lint.pointer, &lint.message, place);
            if let Some(members) = finding.as_object_mut() {
                members.insert("code".to_owned(), Value::from(lint.code));
                members.insert("remedy".to_owned(), Value::from(lint.remedy));
            }
            finding
        });
        json!({
            "file": self.source.name,
            "ok": self.is_good(),
            "findings": problems.chain(findings).collect::<Vec<_>>(),
            "unlisted": self.problems.as_ref().map_or(0, Problems::unlisted),
        })
    }

    fn finding(&self, severity: &str, pointer: &JsonPointer, message: &str, place: Option<&Place>) -> Value {
        json!({
            "severity": severity,
            "pointer": pointer.to_string(),
            "line": place.map(|place| place.line),
            "column": place.map(|place| place.column),
            "message": message,
        })
    }

    /// A field that is unknown is wrong by its name, everything else by its value.
    fn place_of(&self, problem: &Problem) -> Option<&'s Place> {
        let positions = &self.source.positions;
        let by_name = problem.message == UNKNOWN_FIELD;
        by_name
            .then(|| positions.of_name(&problem.pointer))
            .flatten()
            .or_else(|| positions.nearest(&problem.pointer))
    }

    fn summary(&self) -> String {
        match &self.problems {
            Some(problems) => {
                let count = problems.iter().count().saturating_add(problems.unlisted());
                let unlisted = match problems.unlisted() {
                    0 => String::new(),
                    unlisted => format!(", {unlisted} of them not listed"),
                };
                format!("{count} {}{unlisted}", if count == 1 { "problem" } else { "problems" })
            }
            None => {
                let count = match self.findings.len() {
                    0 => return "ok".to_owned(),
                    1 => "1 warning".to_owned(),
                    count => format!("{count} warnings"),
                };
                if self.denied {
                    format!("{count}, denied by --deny-warnings")
                } else {
                    format!("ok, {count}")
                }
            }
        }
    }
}

/// Shows the problems that keep a file from being used, and why that ends the command.
pub(crate) fn refuse(source: &Source, problems: Problems, why: &str) -> ExitCode {
    // Nothing can be done when standard error is closed.
    let _written = Report::new(source, Err(problems)).write_text(&mut anstream::stderr().lock());
    exit::unusable(&format_args!("{}: {why}", source.name))
}

/// One thing to be said, with its place in the text.
struct Said<'r> {
    place: Option<&'r Place>,
    level: Level<'static>,
    pointer: &'r JsonPointer,
    wording: String,
    lint: Option<&'r Finding>,
}

impl<'r> Said<'r> {
    /// What the renderer shows: a title, the line it is about, and what to do.
    fn group(self, source: &'r Source, text: &'r str) -> Group<'r> {
        let pointer = match self.pointer.steps() {
            [] => "document".to_owned(),
            [..] => self.pointer.to_string(),
        };
        let title = format!("{pointer}: {}", self.wording);
        let titled = |title: String| {
            let title = self.level.primary_title(title);
            match self.lint {
                Some(lint) => title.id(lint.code),
                None => title,
            }
        };
        let group = match self.place {
            Some(place) if place.is_legible => {
                let annotation = AnnotationKind::Primary.span(place.bytes.clone());
                titled(title).element(Snippet::source(text).path(&source.name).annotation(annotation))
            }
            Some(place) => {
                titled(title).element(Origin::path(&source.name).line(place.line).char_column(place.column))
            }
            None => Group::with_title(titled(format!("{}: {title}", source.name))),
        };
        match self.lint {
            Some(lint) => group.element(Level::HELP.message(lint.remedy)),
            None => group,
        }
    }
}

fn wording(problem: &Problem) -> String {
    let mut wording = problem.message.clone();
    if let Some(expected) = &problem.expected {
        wording.push_str(&format!("; expected {expected}"));
    }
    if let Some(nearest) = &problem.nearest {
        wording.push_str(&format!("; did you mean `{nearest}`?"));
    }
    wording
}

/// The message of a problem about a field that is unknown.
pub(crate) const UNKNOWN_FIELD: &str = "unknown field";

#[cfg(test)]
mod tests {
    use portcullis_policy::document::Document;
    use portcullis_policy::lint;

    use super::*;

    /// A generator of numbers that is the same everywhere (Knuth's MMIX).
    fn next(state: &mut u64) -> usize {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*state >> 33).unwrap()
    }

    #[test]
    fn whatever_the_text_the_report_can_be_written() {
        let pieces = [
            "version",
            "secret",
            "authentication",
            ": ",
            ":",
            "\n",
            "\n  ",
            "- ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "\"",
            "'",
            "&a ",
            "*a",
            "!t ",
            "<<",
            "|",
            "> ",
            "# ",
            "é",
            "\u{1f512}",
            "\t",
            "1",
            "null",
            "---\n",
            "...\n",
            "? ",
            "%",
            "@",
            "\r\n",
        ];
        let mut state = 7;
        let mut refused = 0;
        for _ in 0..3_000 {
            let count = next(&mut state) % 24;
            let text: String = (0..count).map(|_| pieces[next(&mut state) % pieces.len()]).collect();
            let source = Source::from_text("x.yaml".to_owned(), text);
            let found =
                source.value.clone().and_then(Document::from_value).map(|document| lint::findings(&document));
            let report = Report::new(&source, found);
            refused += usize::from(!report.is_good());
            let mut out = Vec::new();
            report.write_text(&mut out).unwrap();
            assert!(String::from_utf8(out).unwrap().contains("x.yaml"), "{}", source.text);
            assert!(report.to_json()["findings"].is_array());
        }
        assert!(refused > 2_000, "{refused}");
    }
}
