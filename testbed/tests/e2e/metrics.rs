//! What Prometheus sees: names with labels, as `envoy/README.md` promises, and no series that a client could add.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_testbed::Fault;
use portcullis_testbed::bed::Bed;
use portcullis_testbed::client::Request;
use portcullis_testbed::issuer::{Issuer, KeySetFault};

use crate::support::{OBJECT, bed, judge, person, quickstart, viewer, wait_for_verdict, wait_until};

/// A series: its family and its labels.
type Series = (String, BTreeMap<String, String>);

/// Our series in the text format of Prometheus.
fn ours(text: &str) -> BTreeMap<Series, f64> {
    let lines = text.lines().filter(|line| line.starts_with("portcullis_"));
    lines.map(|line| series(line).unwrap_or_else(|| panic!("no sample: {line}"))).collect()
}

fn series(line: &str) -> Option<(Series, f64)> {
    let (name, value) = line.rsplit_once(' ')?;
    let (family, labels) = name.split_once('{')?;
    let labels = labels.strip_suffix('}')?.split(',').filter(|label| !label.is_empty());
    let labels = labels.map(|label| {
        let (name, value) = label.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    });
    Some(((family.to_owned(), labels.collect::<Option<_>>()?), value.parse().ok()?))
}

fn named(family: &str, labels: &[(&str, &str)]) -> Series {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    (family.to_owned(), labels.collect())
}

async fn scrape(bed: &Bed) -> BTreeMap<Series, f64> {
    ours(&bed.envoy.admin().prometheus().await.expect("Envoy tells its statistics"))
}

/// The same once so many requests are counted: workers tell their counts every half second.
async fn scrape_after(bed: &Bed, decisions: f64) -> BTreeMap<Series, f64> {
    wait_until("every decision to be counted", || async {
        let scraped = scrape(bed).await;
        let of_decisions = scraped.iter().filter(|((family, _), _)| family == "portcullis_decisions_total");
        let counted: f64 = of_decisions.map(|(_, count)| count).sum();
        (counted >= decisions).then_some(scraped)
    })
    .await
}

#[tokio::test]
async fn prometheus_sees_labels_and_right_numbers() {
    let bed = bed(quickstart()).await;
    let token = viewer(&bed.issuer);
    let forger = Issuer::start(bed.issuer.name()).await.expect("an issuer with the same name and key ids");
    let forged = viewer(&forger);
    for (request, wanted) in [
        (Request::get(OBJECT).bearer(&token), "200"),
        (Request::get(OBJECT).bearer(&person(&bed.issuer, "eve", "operator")), "200"),
        (Request::get(OBJECT), "401 missing_token"),
        (Request::get(OBJECT).bearer(&forged), "401 invalid_signature"),
        (Request::new("DELETE", OBJECT).bearer(&token), "403 insufficient_role"),
        (Request::get("/v1/objects//42"), "400 ambiguous_path"),
    ] {
        assert_eq!(judge(&bed, &request).await, wanted);
    }
    let scraped = scrape_after(&bed, 6.0).await;
    let policy = ("policy", "quickstart");
    let (people, nobody) = (("method", "people"), ("method", "none"));
    for (family, labels, wanted) in [
        ("portcullis_auth_attempts_total", vec![policy, people, ("result", "success")], 3.0),
        ("portcullis_auth_attempts_total", vec![policy, people, ("result", "failure")], 1.0),
        ("portcullis_auth_attempts_total", vec![policy, nobody, ("result", "failure")], 1.0),
        ("portcullis_auth_failures_total", vec![policy, nobody, ("reason", "missing_token")], 1.0),
        ("portcullis_auth_failures_total", vec![policy, people, ("reason", "signature_mismatch")], 1.0),
        ("portcullis_decisions_total", vec![policy, ("code", "permit")], 2.0),
        ("portcullis_decisions_total", vec![policy, ("code", "insufficient_role")], 1.0),
        ("portcullis_decisions_total", vec![policy, ("code", "ambiguous_path")], 1.0),
        (
            "portcullis_ambiguous_path_total",
            vec![policy, ("kind", "double_slash"), ("result", "refused")],
            1.0,
        ),
    ] {
        let found = scraped.get(&named(family, &labels));
        assert_eq!(found, Some(&wanted), "{family} {labels:?} among\n{scraped:#?}");
    }
    // A label that `envoy.yaml` does not know would stay in the name.
    let odd: BTreeSet<_> =
        scraped.keys().map(|(family, _)| family).filter(|name| name.contains("quickstart")).collect();
    assert!(odd.is_empty(), "{odd:?}");
    for (name, labels) in scraped.keys() {
        assert_eq!(labels.get("policy").map(String::as_str), Some("quickstart"), "{name}");
    }

    // A histogram tells of those who waited, and comes with Envoy's next flush of statistics.
    bed.issuer.set_fault(KeySetFault::Request(Fault::Slow));
    let mut document = quickstart();
    document["name"] = "waits".into();
    document["authentication"]["methods"][0]["jwt"]["jwks_timeout"] = "300ms".into();
    bed.push(&document).await.expect("a good policy");
    wait_for_verdict(&bed, &Request::get(OBJECT).bearer(&token), "503 keys_unavailable").await;
    wait_until("the latency of a caller who waited for keys", || async {
        let count = named("portcullis_auth_latency_ms_count", &[("policy", "waits"), ("method", "none")]);
        scrape(&bed).await.get(&count).copied().filter(|count| *count >= 1.0)
    })
    .await;
}

#[tokio::test]
async fn no_request_adds_a_series() {
    let bed = bed(quickstart()).await;
    let before: BTreeSet<_> =
        scrape(&bed).await.into_keys().filter(|series| !series.0.contains("_latency_")).collect();
    // The proxy itself answers what has no route, without a code of ours.
    let mut decided = 0.0;
    for request in [
        Request::new("PROPFIND", "/made/up").bearer("a.b.c").header("x-tenant-id", "made-up"),
        Request::new("M-SEARCH", "/other").header("host", "made-up.example.com"),
        Request::get(OBJECT).bearer("eyJhbGciOiJub25lIn0.eyJpc3MiOiJtYWRlLXVwIn0."),
        Request::get("/%5cmade-up"),
    ] {
        let verdict = judge(&bed, &request).await;
        assert!(!verdict.starts_with("200"), "{verdict}");
        decided += if verdict.contains(' ') { 1.0 } else { 0.0 };
    }
    assert!(decided >= 3.0, "{decided}");
    let after: BTreeSet<_> = scrape_after(&bed, decided)
        .await
        .into_keys()
        .filter(|series| !series.0.contains("_latency_"))
        .collect();
    assert!(before.len() > 50, "{before:?}");
    assert_eq!(after, before);
}
