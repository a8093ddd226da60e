//! A policy of ten thousand rules, replaced under load by extension config discovery: who is refused or waits longer.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use portcullis_testbed::envoy::{Envoy, EnvoyOptions};
use tokio::time::sleep_until;

use crate::listener::{self, PUSHED};
use crate::measured::{Bar, Push, Spread};
use crate::paced::{Exchange, Pace};
use crate::spread::Latencies;
use crate::stage::Programs;
use crate::traffic::{Mint, Traffic};

/// Rules of the policy.
const RULES: usize = 10_000;

/// The load of a turn; the policy is pushed in its middle.
const DURING: Duration = Duration::from_secs(4);

/// What is compared: so long before the push, and so long from it on.
const WINDOW: Duration = Duration::from_secs(1);

/// How much longer the slowest in a hundred may take in the second of the push.
const BAR: f64 = 2.0;

/// How long Envoy may take to notice the last policy of a turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the pictures of a turn's latencies are.
const PICTURE: Duration = Duration::from_millis(50);

/// Pushes once in each turn.
///
/// # Errors
/// When Envoy does not start, or does not take a policy.
pub(crate) async fn measure(programs: &Programs, mint: &mut Mint, rate: u32, turns: usize) -> Result<Push> {
    let folder = tempfile::tempdir()?;
    let jwks = mint.keys().jwks();
    let policies = ["read", "create"]
        .map(|first| listener::discovery(&programs.module, &jwks, RULES, first).to_string());
    write(folder.path(), &policies[0])?;
    let mut options = EnvoyOptions::new(&programs.envoy, listener::discovering(folder.path()).to_string());
    options.concurrency = 1;
    options.log_level = "warning".to_owned();
    let envoy = Envoy::start(&options).await?;
    let to = envoy.listener(PUSHED).await?;
    let requests = mint.requests(Traffic::Warm, 64)?;
    let pace = Pace { rate, during: DURING };
    pace.start(to, &requests)?.finish().await?;

    let (mut before, mut during, mut longest, mut failed) = (vec![], vec![], vec![], 0);
    let mut picture_p99_us = Vec::new();
    for turn in 1..=turns {
        let load = pace.start(to, &requests)?;
        let started = load.started;
        sleep_until((started + DURING / 2).into()).await;
        // From here on, the writing of the file included.
        let pushed = started.elapsed();
        write(folder.path(), &policies[turn % 2])?;
        let exchanges = load.finish().await?;
        // The first policy was the first update.
        taken(&envoy, turn as u64 + 1).await?;
        failed += exchanges.iter().filter(|exchange| exchange.latency.is_none()).count();
        before.push(within(&exchanges, pushed.saturating_sub(WINDOW), WINDOW)?.percentile_us(99.0));
        let of_push = within(&exchanges, pushed, WINDOW)?;
        during.push(of_push.percentile_us(99.0));
        longest.push(of_push.percentile_us(100.0));
        picture_p99_us = picture(&exchanges, pushed.saturating_sub(WINDOW))?;
    }
    let ratio = during.iter().zip(&before).map(|(during, before)| during / before).collect();
    let bars = vec![
        Bar::at_most("policy push, failed requests", "requests", Spread::of(vec![failed as f64]), 0.0),
        Bar::at_most("policy push, p99 against the second before", "", Spread::of(ratio), BAR),
    ];
    Ok(Push {
        rules: RULES,
        rate,
        before_p99_us: Spread::of(before),
        push_p99_us: Spread::of(during),
        push_max_us: Spread::of(longest),
        failed,
        picture_p99_us,
        bars,
    })
}

/// Puts a policy in force as an operator does: written elsewhere, renamed over the one before.
fn write(folder: &Path, policy: &str) -> Result<()> {
    let new = folder.join("new");
    std::fs::write(&new, policy)?;
    Ok(std::fs::rename(new, folder.join(listener::DISCOVERED))?)
}

/// Waits until Envoy has taken so many policies. Not asked during the load: the answer costs Envoy time, too.
async fn taken(envoy: &Envoy, count: u64) -> Result<()> {
    let prefix = format!("extension_config_discovery.http_filter.{PUSHED}.");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let stats = envoy.admin().stats_with(&prefix).await?;
        let stat = |name: &str| stats.iter().find(|stat| stat.0.ends_with(name)).map_or(0, |stat| stat.1);
        ensure!(stat("update_rejected") == 0, "Envoy refuses the policy:\n{}", envoy.log().tail(5));
        if stat("update_success") >= count {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "Envoy has not taken {count} policies: {stats:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The latencies of what was due in a window.
fn within(exchanges: &[Exchange], from: Duration, during: Duration) -> Result<Latencies> {
    let until = from.checked_add(during).context("a window of seconds")?;
    let due = exchanges.iter().filter(|exchange| (from..until).contains(&exchange.due));
    Latencies::of(due.filter_map(|exchange| exchange.latency))
}

fn picture(exchanges: &[Exchange], from: Duration) -> Result<Vec<f64>> {
    let count = (2 * WINDOW.as_millis() / PICTURE.as_millis()) as u32;
    (0..count)
        .map(|step| Ok(within(exchanges, from + PICTURE * step, PICTURE)?.percentile_us(99.0)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_what_was_due_in_it() {
        let exchange = |due, latency| Exchange {
            due: Duration::from_millis(due),
            latency: Some(Duration::from_millis(latency)),
        };
        // Due before the window and answered in it: a wait of the second before.
        let exchanges = [exchange(999, 500), exchange(1000, 3), exchange(1999, 4), exchange(2000, 700)];
        let window = within(&exchanges, Duration::from_secs(1), Duration::from_secs(1)).unwrap();
        assert!((window.percentile_us(100.0) / 4000.0 - 1.0).abs() < 0.01);
        assert_eq!(picture(&exchanges, Duration::ZERO).unwrap().len(), 40);
    }
}
