//! The decision point for JavaScript: JSON text in, JSON text out.
//!
//! Text and not values, so that there is one reader of questions for everyone, with one set of bounds, and a document in
//! text keeps the members it names twice. `policy-sdk/js` puts types around it; this module has none, and decides nothing.

use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::authzen::{EvaluationRequest, EvaluationsRequest, ShortRequest, problems_json};
use crate::document::{Document, Problems};
use crate::policy::Policy;

/// A policy that can be asked.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
}

#[wasm_bindgen]
impl Engine {
    /// Loads a document.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, as for all functions here: the text of `{"problems": [...], "unlisted": 0}`.
    #[wasm_bindgen(constructor)]
    pub fn new(document: &str) -> Result<Engine, String> {
        let document = Document::from_json(document.as_bytes()).map_err(thrown)?;
        let policy = Policy::compile(&document).map_err(thrown)?;
        Ok(Engine { policy })
    }

    /// Answers one question: AuthZEN 1.0 section 6.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the question.
    pub fn evaluation(&self, question: &str) -> Result<String, String> {
        let question = EvaluationRequest::from_json(question.as_bytes()).map_err(thrown)?;
        Ok(question.decide(&self.policy).to_json().to_string())
    }

    /// Answers one question and says what was looked at.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the question.
    pub fn explain(&self, question: &str) -> Result<String, String> {
        let question = EvaluationRequest::from_json(question.as_bytes()).map_err(thrown)?;
        Ok(self.policy.explain(&question.access_request()).to_json().to_string())
    }

    /// Answers many questions: AuthZEN 1.0 section 7.
    ///
    /// # Errors
    ///
    /// What is wrong with the whole; what is wrong with one question is its answer.
    pub fn evaluations(&self, questions: &str) -> Result<String, String> {
        let questions = EvaluationsRequest::from_json(questions.as_bytes()).map_err(thrown)?;
        Ok(questions.decide(&self.policy).to_json().to_string())
    }

    /// Answers one question in its short form.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the question; a token is, because nobody here can verify one.
    pub fn short(&self, question: &str) -> Result<String, String> {
        let question = ShortRequest::from_json(question.as_bytes()).map_err(thrown)?;
        let question = question.without_token().map_err(thrown)?;
        Ok(question.decide(&self.policy).to_short_json().to_string())
    }
}

/// What loads in `document` but is probably not meant: a list of
/// `{"pointer": ..., "code": ..., "message": ..., "remedy": ...}`.
///
/// # Errors
///
/// Everything that is wrong with it.
#[wasm_bindgen]
pub fn lint(document: &str) -> Result<String, String> {
    let document = Document::from_json(document.as_bytes()).map_err(thrown)?;
    Policy::compile(&document).map_err(thrown)?;
    let findings = crate::lint::findings(&document);
    let listed = findings.iter().map(|finding| {
        json!({
            "pointer": finding.pointer.to_string(),
            "code": finding.code,
            "message": finding.message,
            "remedy": finding.remedy,
        })
    });
    Ok(Value::Array(listed.collect()).to_string())
}

fn thrown(problems: Problems) -> String {
    json!({"problems": problems_json(&problems), "unlisted": problems.unlisted()}).to_string()
}
