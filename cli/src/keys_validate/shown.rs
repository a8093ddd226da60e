//! What was found about keys, for people and for programs.

use std::io::{self, Write};

use comfy_table::{Table, presets};
use portcullis_policy::document::Step;
use serde_json::{Value, json};

use super::Validated;
use super::key_set::{Finding, Severity};
use crate::visible::visible;

impl Validated {
    /// For people.
    pub(super) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        if !self.keys.is_empty() {
            let mut table = Table::new();
            table
                .load_style(presets::NOTHING)
                .set_header(["key", "kid", "kty", "use", "alg", "size", "verdict"]);
            for (index, key) in self.keys.iter().enumerate() {
                let members = [&key.key_id, &key.kind, &key.purpose, &key.algorithm, &key.size];
                let members = members.map(|member| member.as_deref().map_or("-".to_owned(), short));
                let [key_id, kind, purpose, algorithm, size] = members;
                table.add_row([
                    index.to_string(),
                    key_id,
                    kind,
                    purpose,
                    algorithm,
                    size,
                    key.verdict.to_owned(),
                ]);
            }
            writeln!(out, "{table}")?;
        }
        for (line, finding) in &self.findings {
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            let key = key_of(finding).map(|index| format!("key {index} ")).unwrap_or_default();
            let Finding { severity, message, remedy, .. } = finding;
            writeln!(out, "{}{line}: {}: {key}{message}; {remedy}", self.file, severity.as_str())?;
        }
        let method = self.method.as_ref().map(|name| format!("method `{name}`: ")).unwrap_or_default();
        let file = &self.file;
        if self.not_here.is_some() {
            return writeln!(out, "{file}: {method}keys that are not here");
        }
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        let keys = match (self.keys.len(), self.used) {
            (0, 1) => "the shared secret is used".to_owned(),
            (keys, used) => format!("{used} of {keys} keys used"),
        };
        writeln!(out, "{file}: {method}{keys}, {errors} errors, {warnings} warnings")
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        let keys = self.keys.iter().map(|key| {
            json!({ "kid": key.key_id, "kty": key.kind, "use": key.purpose, "alg": key.algorithm, "size": key.size,
                    "thumbprint": key.thumbprint, "verdict": key.verdict })
        });
        let findings = self.findings.iter().map(|(line, finding)| {
            json!({ "severity": finding.severity.as_str(), "line": line, "key": key_of(finding),
                    "pointer": finding.pointer.to_string(), "message": finding.message, "remedy": finding.remedy })
        });
        json!({
            "file": self.file,
            "method": self.method,
            "keys": keys.collect::<Vec<_>>(),
            "used": self.used,
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
            "findings": findings.collect::<Vec<_>>(),
            "not_here": self.not_here,
        })
    }
}

/// Which key a finding is about.
fn key_of(finding: &Finding) -> Option<usize> {
    finding.pointer.steps().iter().find_map(|step| match step {
        Step::Element(index) => Some(*index),
        Step::Member(_) => None,
    })
}

/// What a key says of itself, in a column.
fn short(text: &str) -> String {
    let shown: String = visible(text).chars().take(MAX_SHOWN).collect();
    if text.chars().count() > MAX_SHOWN { format!("{shown}…") } else { shown }
}

/// Letters shown of an id; a thumbprint has 43.
const MAX_SHOWN: usize = 44;
