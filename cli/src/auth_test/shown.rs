//! What came of an attempt, for people and for programs.

use std::io::{self, Write};

use portcullis_filter::gate::Answer;
use serde_json::{Map, Value, json};

use super::Attempt;
use crate::live_gate::Answerer;
use crate::rehearsal::Ending;

impl Attempt {
    /// Whether the token, and with a request the request, is accepted, and by the running gate too.
    pub(super) fn is_good(&self) -> bool {
        match &self.rehearsed {
            None => self.accepted,
            Some(rehearsed) => {
                let passes = match &rehearsed.ending {
                    Ending::Passed { .. } => true,
                    Ending::Refused(_) => false,
                };
                passes && self.agrees()
            }
        }
    }

    /// Whether the running gate, if there is one, answers as the one here.
    fn agrees(&self) -> bool {
        match (&self.rehearsed, &self.heard) {
            (Some(rehearsed), Some((_, heard))) => match &rehearsed.ending {
                Ending::Passed { .. } => heard.by == Answerer::Another,
                Ending::Refused(answer) => {
                    // An answer to `HEAD` has no body to name a code in.
                    let same_code = || answer.body.is_empty() || heard.by.code() == code(answer).as_deref();
                    heard.status == answer.status && same_code()
                }
            },
            (_, _) => true,
        }
    }

    /// For people.
    pub(super) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        match &self.token {
            Some(shown) => {
                write!(out, "token: ")?;
                out.write_all(&shown.text)?;
            }
            None => writeln!(out, "token: none")?,
        }
        let (Some(request), Some(rehearsed)) = (&self.request, &self.rehearsed) else { return Ok(()) };
        let place = self.place.as_ref().map(|place| format!(", token in {place}")).unwrap_or_default();
        writeln!(out, "request: {request}{place}")?;
        match &rehearsed.ending {
            Ending::Passed { identity } => {
                writeln!(out, "answer: permit, the request goes on to the upstream")?;
                for (name, value) in identity {
                    writeln!(out, "  {name}: {value}")?;
                }
            }
            Ending::Refused(answer) => {
                let document = problem(answer);
                let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
                writeln!(out, "answer: {} {}: {}", answer.status, text("code"), text("detail"))?;
                for (name, value) in &answer.headers {
                    writeln!(out, "  {name}: {value}")?;
                }
            }
        }
        if let Some(record) = &rehearsed.record {
            writeln!(out, "on record: {}", on_record(record))?;
        }
        if let Some((gate, heard)) = &self.heard {
            let verdict = if self.agrees() { "as here" } else { "NOT as here: is this its policy?" };
            writeln!(out, "{gate}: {heard}; {verdict}")?;
        }
        Ok(())
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        let mut all = Map::new();
        all.insert("token".to_owned(), self.token.as_ref().map(|shown| shown.json.clone()).into());
        if let (Some(request), Some(rehearsed)) = (&self.request, &self.rehearsed) {
            all.insert("request".to_owned(), request.as_str().into());
            all.insert("token_in".to_owned(), self.place.clone().into());
            let answer = match &rehearsed.ending {
                Ending::Passed { identity } => {
                    let identity: Map<String, Value> =
                        identity.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
                    json!({ "permitted": true, "identity_headers": identity })
                }
                Ending::Refused(answer) => {
                    let headers: Map<String, Value> = answer
                        .headers
                        .iter()
                        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
                        .collect();
                    json!({ "permitted": false, "status": answer.status, "code": code(answer), "headers": headers,
                            "body": problem(answer) })
                }
            };
            all.insert("answer".to_owned(), answer);
            all.insert("record".to_owned(), rehearsed.record.clone().into());
        }
        if let Some((gate, heard)) = &self.heard {
            let heard = json!({ "url": gate, "status": heard.status, "answered_by": heard.by.as_str(), "code": heard.by.code(), "as_here": self.agrees() });
            all.insert("gate".to_owned(), heard);
        }
        all.into()
    }
}

/// The problem document of an answer; of one without a body what its details say.
fn problem(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!({ "code": from_details(answer) }))
}

fn code(answer: &Answer) -> Option<String> {
    problem(answer).get("code").and_then(Value::as_str).map(str::to_owned)
}

/// An answer to `HEAD` has no body, and one to gRPC another.
fn from_details(answer: &Answer) -> Option<&str> {
    answer.details.split_once('{')?.1.strip_suffix('}')
}

/// What an auditor would read of it.
fn on_record(record: &Value) -> String {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let rules = record.get("rules").and_then(Value::as_array).into_iter().flatten();
    let rules: Vec<&str> = rules.filter_map(Value::as_str).collect();
    let mut words = vec![text("decision").unwrap_or_default().to_owned()];
    for (label, value) in [
        ("reason", text("reason")),
        ("action", text("action")),
        ("tenant", text("tenant")),
        ("by", Some(rules.join(", ").as_str()).filter(|rules| !rules.is_empty())),
    ] {
        words.extend(value.map(|value| format!("{label} {value}")));
    }
    if record.get("cross_tenant").and_then(Value::as_bool).unwrap_or_default() {
        words.push("across tenants".to_owned());
    }
    words.join(", ")
}
