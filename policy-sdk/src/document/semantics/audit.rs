//! The numbers of the audit stream, and the way to its sink.

use super::jwt::within;
use super::syntax::is_word;
use crate::document::{Audit, Document, Duration, JsonPointer, Problem, RecordKeeping};

pub(super) fn problems(document: &Document, found: &mut Vec<Problem>) {
    match &document.audit {
        Some(audit) => stream(audit, found),
        None => nothing_to_wait_for(document, found),
    }
}

fn stream(audit: &Audit, found: &mut Vec<Problem>) {
    let pointer = JsonPointer::members(&["audit"]);
    let sink = pointer.member("sink");
    for (field, text) in
        [("cluster", Some(&audit.sink.cluster)), ("authority", audit.sink.authority.as_ref())]
    {
        if text.is_some_and(|text| !is_word(text)) {
            found.push(
                Problem::new(sink.member(field), "not a name").expected("1 to 256 bytes without spaces"),
            );
        }
    }
    let path = &audit.sink.path;
    if !path.starts_with('/') || !is_word(path) || path.contains('#') {
        found.push(
            Problem::new(sink.member("path"), "not a path")
                .expected("`/` and at most 255 bytes more, without spaces"),
        );
    }
    within(audit.sink.timeout, TIMEOUT, sink.member("timeout"), found);
    within(audit.flush_interval, FLUSH_INTERVAL, pointer.member("flush_interval"), found);

    let most_in_a_batch = audit.max_pending.min(MAX_BATCH);
    for (field, number, most) in
        [("max_pending", audit.max_pending, MAX_PENDING), ("max_batch", audit.max_batch, most_in_a_batch)]
    {
        if number == 0 || number > most {
            found.push(
                Problem::new(pointer.member(field), format!("{number} records"))
                    .expected(format!("1 to {most}")),
            );
        }
    }
}

fn nothing_to_wait_for(document: &Document, found: &mut Vec<Problem>) {
    for (index, route) in document.authorization.routes.iter().enumerate() {
        if route.audit == RecordKeeping::Acknowledged {
            let pointer = JsonPointer::members(&["authorization", "routes"]).element(index).member("audit");
            let problem = Problem::new(pointer, "nobody to acknowledge it").expected("`audit.sink`");
            found.push(problem.hinging_on(JsonPointer::members(&["audit"])));
        }
    }
}

/// A sink that needs longer than a minute is down.
const TIMEOUT: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(60_000));

/// Shorter makes a callout of every record; longer loses a minute of records with the worker.
const FLUSH_INTERVAL: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(60_000));

/// Most records that wait: about 1 KiB each, so some 64 MiB per worker.
const MAX_PENDING: u32 = 65_536;

/// Most records in one batch: about 4 MiB, what a sink still takes as one body.
const MAX_BATCH: u32 = 4_096;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::problems_after;

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(
            problems_after(&[
                ("/audit/max_pending", json!(0)),
                ("/audit/flush_interval", json!("10ms")),
                ("/audit/sink/timeout", json!("2m")),
            ]),
            [
                "/audit/flush_interval: 10ms; expected `50ms` to `1m`",
                "/audit/max_batch: 256 records; expected 1 to 0",
                "/audit/max_pending: 0 records; expected 1 to 65536",
                "/audit/sink/timeout: 2m; expected `10ms` to `1m`",
            ]
        );
        assert_eq!(
            problems_after(&[("/audit/max_pending", json!(100))]),
            ["/audit/max_batch: 256 records; expected 1 to 100"]
        );
    }

    #[test]
    fn the_sink_can_be_reached() {
        assert_eq!(
            problems_after(&[("/audit/sink", json!({ "cluster": "", "path": "audit", "authority": "a b" }))]),
            [
                "/audit/sink/authority: not a name; expected 1 to 256 bytes without spaces",
                "/audit/sink/cluster: not a name; expected 1 to 256 bytes without spaces",
                "/audit/sink/path: not a path; expected `/` and at most 255 bytes more, without spaces",
            ]
        );
    }

    #[test]
    fn an_acknowledged_route_needs_a_sink() {
        let acknowledged = ("/authorization/routes/1/audit", json!("acknowledged"));
        assert_eq!(problems_after(std::slice::from_ref(&acknowledged)), [""; 0]);
        assert_eq!(
            problems_after(&[acknowledged, ("/audit", json!(null))]),
            ["/authorization/routes/1/audit: nobody to acknowledge it; expected `audit.sink`"]
        );
    }
}
