//! What is said about a document file: for people with the line and a caret, for programs as JSON.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use portcullis_policy::document::{JsonPointer, Problem, Problems, Warning};
use serde_json::{Value, json};

use crate::redaction::redacted;
use crate::source::{Place, Source};

/// What was found in one file.
pub(crate) struct Report<'s> {
    source: &'s Source,
    problems: Option<Problems>,
    warnings: Vec<Warning>,
}

impl<'s> Report<'s> {
    /// A report on `source`: its problems, or if there are none its warnings.
    pub(crate) fn new(source: &'s Source, found: Result<Vec<Warning>, Problems>) -> Self {
        match found {
            Ok(warnings) => Self { source, problems: None, warnings },
            Err(problems) => Self { source, problems: Some(problems), warnings: Vec::new() },
        }
    }

    /// Whether the document loads.
    pub(crate) fn is_good(&self) -> bool {
        self.problems.is_none()
    }

    /// Writes every finding with its line of the text, then one line that sums up.
    pub(crate) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let mut findings: Vec<(Option<&Place>, Level<'static>, &JsonPointer, String)> = Vec::new();
        for problem in self.problems.iter().flatten() {
            findings.push((self.place_of(problem), Level::ERROR, &problem.pointer, wording(problem)));
        }
        for warning in &self.warnings {
            let place = self.source.positions.nearest(&warning.pointer);
            findings.push((place, Level::WARNING, &warning.pointer, warning.message.clone()));
        }
        // In the order of the text, which is how people mend it.
        findings.sort_by_key(|(place, ..)| place.map(|place| (place.line, place.column)));
        let text = redacted(self.source, self.problems.as_ref());
        let renderer = Renderer::styled();
        for (place, level, pointer, wording) in findings {
            let pointer =
                if pointer.steps().is_empty() { "document".to_owned() } else { pointer.to_string() };
            let title = format!("{pointer}: {wording}");
            let rendered = match place {
                Some(place) if place.is_legible => {
                    let annotation = AnnotationKind::Primary.span(place.bytes.clone());
                    let snippet = Snippet::source(&text).path(&self.source.name).annotation(annotation);
                    renderer.render(&[level.primary_title(title).element(snippet)])
                }
                Some(place) => {
                    let origin = Origin::path(&self.source.name).line(place.line).char_column(place.column);
                    renderer.render(&[level.primary_title(title).element(origin)])
                }
                None => {
                    let title = format!("{}: {title}", self.source.name);
                    renderer.render(&[Group::with_title(level.primary_title(title))])
                }
            };
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
        let warnings = self.warnings.iter().map(|warning| {
            let place = self.source.positions.nearest(&warning.pointer);
            self.finding("warning", &warning.pointer, &warning.message, place)
        });
        json!({
            "file": self.source.name,
            "ok": self.is_good(),
            "findings": problems.chain(warnings).collect::<Vec<_>>(),
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
            None => match self.warnings.len() {
                0 => "ok".to_owned(),
                1 => "ok, 1 warning".to_owned(),
                count => format!("ok, {count} warnings"),
            },
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
                source.value.clone().and_then(Document::from_value).map(|document| document.warnings());
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
