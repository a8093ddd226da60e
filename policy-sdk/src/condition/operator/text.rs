//! Parts of texts, patterns of texts. By code point, without normalisation and without regard to language.

use super::{Fault, Misfit, ONE_TEXT, Predicate, Row, Steps, Value, only};
use crate::condition::pattern::Pattern;
use crate::condition::steps::STEP_BYTES;
use crate::document::Operator;

pub(super) const STARTS_WITH: Row = Row {
    operator: Operator::StartsWith,
    attribute: Some(ONE_TEXT),
    operand: Some(ONE_TEXT),
    from_attribute: true,
    alike: true,
    negated: false,
    prepare: |values| part(values, |text, part| text.starts_with(part)),
};

pub(super) const ENDS_WITH: Row = Row {
    operator: Operator::EndsWith,
    prepare: |values| part(values, |text, part| text.ends_with(part)),
    ..STARTS_WITH
};

pub(super) const INCLUDES: Row = Row {
    operator: Operator::Includes,
    prepare: |values| part(values, |text, part| text.contains(part)),
    ..STARTS_WITH
};

/// Without regard to the case of the letters A to Z only: what other letters are one in two cases depends on the language.
pub(super) const EQ_IGNORE_CASE: Row = Row {
    operator: Operator::EqIgnoreCase,
    prepare: |values| part(values, |text, whole| text.eq_ignore_ascii_case(whole)),
    ..STARTS_WITH
};

/// The expression stands in the document: one that comes with a request would be the caller's to choose.
pub(super) const MATCHES: Row = Row {
    operator: Operator::Matches,
    from_attribute: false,
    prepare: |values| match Pattern::parse(only(values)?.as_text()?) {
        Ok(pattern) => Ok(Box::new(Matches(pattern))),
        Err(error) => Err(Misfit::new(format!("a regular expression: {error}"))),
    },
    ..STARTS_WITH
};

struct Part {
    part: Box<str>,
    is_part: fn(&str, &str) -> bool,
}

fn part(values: &[Value<'_>], is_part: fn(&str, &str) -> bool) -> Result<Box<dyn Predicate>, Misfit> {
    match only(values)?.as_text()? {
        // Every text begins with nothing: such a test always holds, which nobody means.
        "" => Err(Misfit::new("a text that is not empty")),
        text => Ok(Box::new(Part { part: text.into(), is_part })),
    }
}

impl Predicate for Part {
    fn holds(&self, values: &[Value<'_>], steps: &mut Steps) -> Result<bool, Fault> {
        let text = only(values)?.as_text()?;
        steps.spend(text.len() / STEP_BYTES)?;
        Ok((self.is_part)(text, &self.part))
    }
}

struct Matches(Pattern);

impl Predicate for Matches {
    fn holds(&self, values: &[Value<'_>], steps: &mut Steps) -> Result<bool, Fault> {
        self.0.matches(only(values)?.as_text()?, steps)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Is, Is::*, refused, table};
    use crate::condition::Fault::*;
    use crate::limits::MAX_MATCHED_BYTES;
    use serde_json::{Value, json};

    /// What every operator of this family says of what is no text.
    fn with_faults(mut cases: Vec<(Value, Value, Is)>, operand: &str) -> Vec<(Value, Value, Is)> {
        for (attribute, fault) in [
            (json!(null), Missing),
            (json!([]), Missing),
            (json!([operand, operand]), Several),
            (json!(1), WrongType),
            (json!(true), WrongType),
            (json!({}), WrongType),
        ] {
            cases.push((attribute, json!(operand), Unknown(fault)));
        }
        cases
    }

    #[test]
    fn starts_with() {
        let cases = vec![
            (json!("team-a"), json!("team-"), True),
            (json!("team-"), json!("team-"), True),
            (json!("Team-a"), json!("team-"), False),
            (json!("my-team-a"), json!("team-"), False),
            (json!(""), json!("team-"), False),
            (json!(["team-a"]), json!("team-"), True),
            // A star is a star.
            (json!("team-a"), json!("team-*"), False),
            (json!("e\u{301}a"), json!("e"), True),
        ];
        table("starts_with", with_faults(cases, "team-"));
    }

    #[test]
    fn ends_with() {
        let cases = vec![
            (json!("a@example.com"), json!("@example.com"), True),
            (json!("a@example.com.evil.org"), json!("@example.com"), False),
            (json!("a@example.com\n"), json!("@example.com"), False),
            (json!("a@EXAMPLE.com"), json!("@example.com"), False),
        ];
        table("ends_with", with_faults(cases, "@example.com"));
    }

    #[test]
    fn includes() {
        let cases = vec![
            (json!("a-admin-b"), json!("admin"), True),
            (json!("adm-in"), json!("admin"), False),
            (json!("a.b"), json!("."), True),
            (json!("ab"), json!("."), False),
        ];
        table("includes", with_faults(cases, "admin"));
    }

    #[test]
    fn eq_ignore_case() {
        let cases = vec![
            (json!("FINANCE"), json!("finance"), True),
            (json!("finance"), json!("finances"), False),
            // ASCII only: É is not é, the Kelvin sign is no k, and Turkish has two kinds of i.
            (json!("É"), json!("é"), False),
            (json!("\u{212a}"), json!("k"), False),
            (json!("İ"), json!("i"), False),
            (json!("STRASSE"), json!("straße"), False),
        ];
        table("eq_ignore_case", with_faults(cases, "finance"));
    }

    #[test]
    fn matches() {
        let cases = vec![
            (json!("order-17"), json!(r"order-\d+"), True),
            (json!("order-17"), json!(r"^order-\d+$"), True),
            (json!("order-17x"), json!(r"order-\d+"), False),
            (json!("x-order-17"), json!(r"order-\d+"), False),
            (json!("order-17\n"), json!(r"order-\d+"), False),
            (json!("order-\u{0661}"), json!(r"order-\d+"), False),
            (json!("axb"), json!("a.b"), True),
            (json!("é"), json!("."), True),
            (json!("e\u{301}"), json!("."), False),
            (json!("a".repeat(MAX_MATCHED_BYTES)), json!("a+"), True),
            (json!("a".repeat(MAX_MATCHED_BYTES + 1)), json!("a+"), Unknown(TooLarge)),
        ];
        table("matches", with_faults(cases, "a"));
    }

    #[test]
    fn operands_that_do_not_fit_do_not_load() {
        for operator in ["starts_with", "ends_with", "includes", "eq_ignore_case", "matches"] {
            for operand in [json!(""), json!(1), json!(true), json!(["a"])] {
                refused(operator, &operand);
            }
        }
        for operand in ["(", "a)|(?:b", "(?i)a", "(?=a)a", r"\1", "a{1000}", "[z-a]", "*"] {
            refused("matches", &json!(operand));
        }
    }
}
