//! Every metric the gate keeps: one table of families, with names bounded when the document is loaded.
//!
//! proxy-wasm has no labels, so a label is written into the name as `.label=value` and taken out again by the
//! `stats_tags` of `envoy/`. Label values come from closed sets and from names in the document, never from a request:
//! no client can add a series. This module counts nothing; see [`crate::gate::Command`].

use crate::authn::error::AuthnError;
use crate::gate::Code;
use portcullis_policy::path::PathAmbiguity;

/// A metric's place in [`Metrics::definitions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricIndex(pub usize);

/// What the host is to make of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Is set.
    Gauge,
    /// Collects values.
    Histogram,
}

/// One metric as the host is asked to define it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricDefinition {
    /// The name with its labels written in.
    pub name: String,
    /// Its kind.
    pub kind: MetricKind,
}

/// How an attempt to authenticate ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptResult {
    /// With a verified caller.
    Success,
    /// With a credential that is absent or not good.
    Failure,
    /// Because of a fault of ours.
    Error,
}

/// Whether something that is either done or not was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was.
    Success,
    /// It was not.
    Failure,
}

/// What became of a path that two servers could read differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mending {
    /// The request was refused.
    Refused,
    /// It was brought into its one reading, because the document says so.
    Normalized,
}

/// What a candidate did in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trialled {
    /// It permits what the live policy refuses.
    NewlyAllowed,
    /// It refuses what the live policy permits.
    NewlyDenied,
    /// It could not be decided, which is a refusal.
    Error,
}

/// A metric with the label values that vary from request to request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// `portcullis_auth_attempts_total{policy,method,result}`
    AuthAttempts(Method, AttemptResult),
    /// `portcullis_auth_failures_total{policy,method,reason}`; the reason is one of [`FAILURE_REASONS`] or a reason of
    /// [`AuthnError`].
    AuthFailures(Method, &'static str),
    /// `portcullis_auth_latency_ms{policy,method}`: how long a request waited for keys or for its body, rounded up to whole
    /// milliseconds. Requests that waited for nothing, which are nearly all, are not in it.
    AuthLatency(Method),
    /// `portcullis_decisions_total{policy,code}`; no code is a permit.
    Decisions(Option<Code>),
    /// `portcullis_ambiguous_path_total{policy,kind,result}`
    AmbiguousPath(PathAmbiguity, Mending),
    /// `portcullis_jwks_fetches_total{policy,method,result}`
    JwksFetches(Method, Done),
    /// `portcullis_jwks_age_seconds{policy,method}`, since the keys in use were fetched.
    JwksAge(Method),
    /// `portcullis_audit_batches_total{policy,result}`
    AuditBatches(Done),
    /// `portcullis_audit_pending{policy}`: records that no sink has acknowledged yet, in this worker.
    AuditPending,
    /// `portcullis_audit_lost_total{policy}`: records dropped because the document says `when_full: drop`.
    AuditLost,
    /// `portcullis_waiting_requests{policy}`: requests that wait for keys or for their record, in this worker.
    Waiting,
    /// `portcullis_candidate_decisions_total{policy,candidate,enforced}`: requests that both policies decided, by whether the
    /// candidate's answer counted.
    CandidateDecisions(bool),
    /// `portcullis_candidate_changes_total{policy,candidate,change,rule}`, the rule being the candidate's.
    CandidateChanges(Trialled, RuleLabel),
}

/// A candidate's rule by its place in the list of labels: see [`Metrics::rule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleLabel(usize);

/// An authentication method by its place in the document; `None` stands for "no method had a credential".
pub type Method = Option<usize>;

/// Reasons of failure besides those of [`AuthnError`].
pub const FAILURE_REASONS: [&str; 4] =
    ["missing_token", "ambiguous_credentials", "keys_unavailable", "waiting_requests_exhausted"];

/// The metrics of one document.
#[derive(Debug, Clone)]
pub struct Metrics {
    definitions: Vec<MetricDefinition>,
    methods: usize,
    reasons: Vec<&'static str>,
    /// Empty without a candidate.
    rules: Vec<String>,
    bases: Bases,
}

#[derive(Debug, Clone, Default)]
struct Bases {
    attempts: usize,
    failures: usize,
    latency: usize,
    decisions: usize,
    ambiguous_path: usize,
    jwks_fetches: usize,
    jwks_age: usize,
    audit_batches: usize,
    audit_pending: usize,
    audit_lost: usize,
    waiting: usize,
    candidate_decisions: usize,
    candidate_changes: usize,
}

const RESULTS: [&str; 3] = ["success", "failure", "error"];
const DONE: [&str; 2] = ["success", "failure"];
const MENDINGS: [&str; 2] = ["refused", "normalized"];
const ENFORCED: [&str; 2] = ["false", "true"];
const TRIALLED: [&str; 3] = ["newly_allowed", "newly_denied", "error"];

/// What a candidate's answer can come from besides its rules, and at first what every rule is counted as that has no label.
const CAUSES: [&str; 18] = [
    "other",
    "groups",
    "require",
    "permission",
    "restrictions",
    "conditions",
    "superuser",
    "upgrade",
    "budget",
    "missing_token",
    "invalid_token",
    "tenant_required",
    "tenant_mismatch",
    "insufficient_role",
    "insufficient_scope",
    "insufficient_group",
    "insufficient_permissions",
    "access_denied",
];

impl Metrics {
    /// The metrics of the document `policy` with these authentication methods, and with a candidate of this name and these
    /// rules.
    pub fn new(policy: &str, methods: &[&str], candidate: Option<(&str, &[String])>) -> Metrics {
        // The last method is "none".
        let methods: Vec<&str> = methods.iter().copied().chain(["none"]).collect();
        let reasons: Vec<&'static str> = FAILURE_REASONS.into_iter().chain(AuthnError::REASONS).collect();
        let codes: Vec<&str> = ["permit"].into_iter().chain(Code::ALL.map(Code::as_str)).collect();
        let kinds: Vec<&str> = PathAmbiguity::ALL.iter().map(|kind| kind.label()).collect();
        let mut table = Table { policy, definitions: Vec::new() };
        use MetricKind::{Counter, Gauge, Histogram};
        let mut bases = Bases {
            attempts: table.add(
                Counter,
                "auth_attempts_total",
                &[("method", &methods), ("result", &RESULTS)],
            ),
            failures: table.add(
                Counter,
                "auth_failures_total",
                &[("method", &methods), ("reason", &reasons)],
            ),
            latency: table.add(Histogram, "auth_latency_ms", &[("method", &methods)]),
            decisions: table.add(Counter, "decisions_total", &[("code", &codes)]),
            ambiguous_path: table.add(
                Counter,
                "ambiguous_path_total",
                &[("kind", &kinds), ("result", &MENDINGS)],
            ),
            jwks_fetches: table.add(
                Counter,
                "jwks_fetches_total",
                &[("method", &methods), ("result", &DONE)],
            ),
            jwks_age: table.add(Gauge, "jwks_age_seconds", &[("method", &methods)]),
            audit_batches: table.add(Counter, "audit_batches_total", &[("result", &DONE)]),
            audit_pending: table.add(Gauge, "audit_pending", &[]),
            audit_lost: table.add(Counter, "audit_lost_total", &[]),
            waiting: table.add(Gauge, "waiting_requests", &[]),
            ..Bases::default()
        };
        let mut rules: Vec<String> = Vec::new();
        if let Some((candidate, named)) = candidate {
            let labels = CAUSES.into_iter().map(str::to_owned).chain(named.iter().map(|id| label(id)));
            for label in labels {
                // Two ids that differ in no character of a label are counted as one.
                if !rules.contains(&label) {
                    rules.push(label);
                }
            }
            let labels: Vec<&str> = rules.iter().map(String::as_str).collect();
            let candidate: (&str, &[&str]) = ("candidate", &[candidate]);
            bases.candidate_decisions =
                table.add(Counter, "candidate_decisions_total", &[candidate, ("enforced", &ENFORCED)]);
            bases.candidate_changes = table.add(
                Counter,
                "candidate_changes_total",
                &[candidate, ("rule", &labels), ("change", &TRIALLED)],
            );
        }
        Metrics { definitions: table.definitions, methods: methods.len(), reasons, rules, bases }
    }

    /// Everything to define, in the order that [`MetricIndex`] counts.
    pub fn definitions(&self) -> &[MetricDefinition] {
        &self.definitions
    }

    /// The label of a candidate's rule, or of another cause; `other` for one that has none of its own.
    pub fn rule(&self, id: &str) -> RuleLabel {
        let label = label(id);
        RuleLabel(self.rules.iter().position(|known| *known == label).unwrap_or_default())
    }

    /// Where `metric` stands; `None` for a label value outside the closed sets, which is then not counted.
    pub fn index(&self, metric: Metric) -> Option<MetricIndex> {
        let method = |method: Method| method.unwrap_or(usize::MAX).min(self.methods.saturating_sub(1));
        let row = |base: usize, major: usize, width: usize, minor: usize| {
            major.checked_mul(width)?.checked_add(minor)?.checked_add(base)
        };
        let bases = &self.bases;
        let index = match metric {
            Metric::AuthAttempts(of, result) => {
                row(bases.attempts, method(of), RESULTS.len(), result as usize)
            }
            Metric::AuthFailures(of, reason) => {
                // Nearly all are the very texts that are listed.
                let same = |known: &&'static str| std::ptr::eq(*known, reason);
                let alike = |known: &&'static str| *known == reason;
                let at =
                    self.reasons.iter().position(same).or_else(|| self.reasons.iter().position(alike))?;
                row(bases.failures, method(of), self.reasons.len(), at)
            }
            Metric::AuthLatency(of) => row(bases.latency, method(of), 1, 0),
            Metric::Decisions(None) => Some(bases.decisions),
            Metric::Decisions(Some(code)) => {
                // All of them are listed in their order, behind the permit.
                row(bases.decisions, code as usize, 1, 1)
            }
            Metric::AmbiguousPath(kind, mending) => {
                let at = PathAmbiguity::ALL.iter().position(|known| *known == kind)?;
                row(bases.ambiguous_path, at, MENDINGS.len(), mending as usize)
            }
            Metric::JwksFetches(of, done) => row(bases.jwks_fetches, method(of), DONE.len(), done as usize),
            Metric::JwksAge(of) => row(bases.jwks_age, method(of), 1, 0),
            Metric::AuditBatches(done) => row(bases.audit_batches, 0, 1, done as usize),
            Metric::AuditPending => Some(bases.audit_pending),
            Metric::AuditLost => Some(bases.audit_lost),
            Metric::Waiting => Some(bases.waiting),
            Metric::CandidateDecisions(enforced) => {
                row(bases.candidate_decisions, 0, 1, usize::from(enforced)).filter(|_| !self.rules.is_empty())
            }
            Metric::CandidateChanges(what, RuleLabel(rule)) => {
                row(bases.candidate_changes, rule, TRIALLED.len(), what as usize)
                    .filter(|_| !self.rules.is_empty())
            }
        };
        index.filter(|at| *at < self.definitions.len()).map(MetricIndex)
    }
}

/// A rule's id in the characters that a label has; every other one becomes `_`.
fn label(id: &str) -> String {
    let character = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '_' | '-') => c,
        _ => '_',
    };
    id.chars().map(character).collect()
}

struct Table<'a> {
    policy: &'a str,
    definitions: Vec<MetricDefinition>,
}

impl Table<'_> {
    /// Adds one series for each combination of label values, the last label varying fastest, and returns where they
    /// start.
    fn add(&mut self, kind: MetricKind, family: &str, labels: &[(&str, &[&str])]) -> usize {
        let base = self.definitions.len();
        let mut names = vec![format!("portcullis_{family}.policy={}", self.policy)];
        for (label, values) in labels {
            names = names
                .iter()
                .flat_map(|name| values.iter().map(move |value| format!("{name}.{label}={value}")))
                .collect();
        }
        self.definitions.extend(names.into_iter().map(|name| MetricDefinition { name, kind }));
        base
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn name(metrics: &Metrics, metric: Metric) -> String {
        metrics.definitions()[metrics.index(metric).unwrap().0].name.clone()
    }

    #[test]
    fn each_metric_stands_where_its_name_says() {
        let metrics = Metrics::new("shop", &["people", "services"], None);
        for (metric, expected) in [
            (
                Metric::AuthAttempts(Some(1), AttemptResult::Failure),
                "portcullis_auth_attempts_total.policy=shop.method=services.result=failure",
            ),
            (
                Metric::AuthFailures(None, "missing_token"),
                "portcullis_auth_failures_total.policy=shop.method=none.reason=missing_token",
            ),
            (Metric::AuthLatency(Some(0)), "portcullis_auth_latency_ms.policy=shop.method=people"),
            (Metric::Decisions(None), "portcullis_decisions_total.policy=shop.code=permit"),
            (
                Metric::Decisions(Some(Code::InternalError)),
                "portcullis_decisions_total.policy=shop.code=internal_error",
            ),
            (
                Metric::JwksFetches(Some(1), Done::Success),
                "portcullis_jwks_fetches_total.policy=shop.method=services.result=success",
            ),
            (Metric::AuditPending, "portcullis_audit_pending.policy=shop"),
            (Metric::Waiting, "portcullis_waiting_requests.policy=shop"),
        ] {
            assert_eq!(name(&metrics, metric), expected);
        }
        for kind in PathAmbiguity::ALL {
            for (mending, result) in [(Mending::Refused, "refused"), (Mending::Normalized, "normalized")] {
                let expected = format!(
                    "portcullis_ambiguous_path_total.policy=shop.kind={}.result={result}",
                    kind.label()
                );
                assert_eq!(name(&metrics, Metric::AmbiguousPath(kind, mending)), expected);
            }
        }
        for code in Code::ALL {
            let label = format!(".code={}", code.as_str());
            assert!(name(&metrics, Metric::Decisions(Some(code))).ends_with(&label));
        }
    }

    #[test]
    fn names_are_unique_and_fit_the_stats_tags() {
        let metrics = Metrics::new("shop", &["people"], None);
        let names: BTreeSet<_> = metrics.definitions().iter().map(|metric| &metric.name).collect();
        assert_eq!(names.len(), metrics.definitions().len());
        for name in names {
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.=".contains(&b)), "{name}");
        }
    }

    #[test]
    fn a_candidate_is_counted_by_rule_and_what_has_no_label_as_other() {
        let rules = ["writers", "eu/rules/0", "eu_rules_0", "conditions"].map(str::to_owned);
        let metrics = Metrics::new("shop", &[], Some(("next", &rules)));
        let changes = |what, id| name(&metrics, Metric::CandidateChanges(what, metrics.rule(id)));
        let family = "portcullis_candidate_changes_total.policy=shop.candidate=next";
        assert_eq!(
            changes(Trialled::NewlyDenied, "writers"),
            format!("{family}.rule=writers.change=newly_denied")
        );
        assert_eq!(
            changes(Trialled::NewlyAllowed, "eu/rules/0"),
            format!("{family}.rule=eu_rules_0.change=newly_allowed")
        );
        assert_eq!(changes(Trialled::Error, "conditions"), format!("{family}.rule=conditions.change=error"));
        assert_eq!(changes(Trialled::Error, "rules/7"), format!("{family}.rule=other.change=error"));
        assert_eq!(
            name(&metrics, Metric::CandidateDecisions(true)),
            "portcullis_candidate_decisions_total.policy=shop.candidate=next.enforced=true"
        );
        let names: BTreeSet<_> = metrics.definitions().iter().map(|metric| &metric.name).collect();
        assert_eq!(names.len(), metrics.definitions().len());
        let none = Metrics::new("shop", &[], None);
        assert_eq!(none.index(Metric::CandidateDecisions(false)), None);
        assert_eq!(none.index(Metric::CandidateChanges(Trialled::Error, none.rule("writers"))), None);
    }

    #[test]
    fn a_label_has_the_characters_of_a_label() {
        assert_eq!(label("eu/Rules/0=é"), "eu_rules_0__");
    }

    #[test]
    fn an_unknown_reason_is_not_counted_and_a_method_out_of_range_is_none() {
        let metrics = Metrics::new("shop", &["people"], None);
        assert_eq!(metrics.index(Metric::AuthFailures(None, "made_up")), None);
        assert_eq!(metrics.index(Metric::AuthLatency(Some(9))), metrics.index(Metric::AuthLatency(None)));
    }
}
