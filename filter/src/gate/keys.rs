//! The keys of one authentication method: always at hand, or fetched from a JWKS and kept fresh.
//!
//! This module sends nothing: it says when a fetch is due and is told how it ended. Each worker keeps its own keys;
//! sharing them between workers will take the place of [`RemoteKeys`] and nothing else.

use std::sync::Arc;
use std::time::Duration;

use crate::authn::keyset::KeySet;
use crate::gate::command::CalloutId;
use crate::time::UnixTime;

/// Where a method's keys come from.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// From the document or the environment.
    Static(Arc<KeySet>),
    /// From a JWKS by callout.
    Remote(RemoteKeys),
}

/// Where and how to fetch a JWKS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteKeySettings {
    /// The cluster that the callout goes to.
    pub cluster: String,
    /// `:scheme` of the request.
    pub scheme: String,
    /// `:authority` of the request.
    pub authority: String,
    /// `:path` of the request.
    pub path: String,
    /// How long fetched keys are used before they are fetched again.
    pub time_to_live: Duration,
    /// How long one fetch may take.
    pub timeout: Duration,
}

/// A JWKS that is fetched.
#[derive(Debug)]
pub(crate) struct RemoteKeys {
    pub(crate) settings: RemoteKeySettings,
    current: Option<Current>,
    in_flight: Option<CalloutId>,
    /// Fetches that failed since the last good one.
    failures: u32,
    last_attempt: Option<UnixTime>,
}

#[derive(Debug)]
struct Current {
    keys: Arc<KeySet>,
    fetched_at: UnixTime,
}

impl RemoteKeys {
    pub(crate) fn new(settings: RemoteKeySettings) -> RemoteKeys {
        RemoteKeys { settings, current: None, in_flight: None, failures: 0, last_attempt: None }
    }

    /// The keys to verify with: the last good ones, until they are older than their time to live and
    /// [`MAX_STALE`] together.
    pub(crate) fn usable(&self, now: UnixTime) -> Option<&Arc<KeySet>> {
        let current = self.current.as_ref()?;
        let age = now.saturating_since(current.fetched_at);
        (age < self.settings.time_to_live.saturating_add(MAX_STALE)).then_some(&current.keys)
    }

    /// Whether the last fetch brought nothing.
    pub(crate) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// How old the keys in use are. Keys from the future, after the clock was set back, are due for a new fetch.
    pub(crate) fn age(&self, now: UnixTime) -> Option<Duration> {
        let current = self.current.as_ref()?;
        let from_the_future = current.fetched_at > now;
        Some(if from_the_future {
            self.settings.time_to_live
        } else {
            now.saturating_since(current.fetched_at)
        })
    }

    /// Whether a fetch is under way.
    pub(crate) fn is_fetching(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Whether to fetch now: nothing is under way, the keys are absent or old, and the last failure is long enough ago.
    pub(crate) fn is_due(&self, now: UnixTime) -> bool {
        let wanted = self.age(now).is_none_or(|age| age >= self.settings.time_to_live);
        wanted && self.in_flight.is_none() && self.retry_after(now).is_zero()
    }

    /// Whether a token that names a key we do not have may cause a fetch: rotation looks like this, and so does a flood of
    /// made-up key ids.
    pub(crate) fn may_look_for_unknown_key(&self, now: UnixTime) -> bool {
        let over = |at: UnixTime| at.saturating_add(UNKNOWN_KEY_INTERVAL).has_come(now, UNKNOWN_KEY_INTERVAL);
        let attempted_lately = self.last_attempt.is_some_and(|at| !over(at));
        self.in_flight.is_none() && !attempted_lately
    }

    /// How long to wait before the next attempt: nothing at first, then twice as long after each failure.
    pub(crate) fn retry_after(&self, now: UnixTime) -> Duration {
        let (Some(last), 1..) = (self.last_attempt, self.failures) else { return Duration::ZERO };
        if last > now {
            return Duration::ZERO;
        }
        let doubled = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(self.failures.saturating_sub(1)));
        doubled.min(LAST_RETRY).saturating_sub(now.saturating_since(last))
    }

    /// A fetch has been sent.
    pub(crate) fn started(&mut self, callout: CalloutId, now: UnixTime) {
        self.in_flight = Some(callout);
        self.last_attempt = Some(now);
    }

    /// The fetch brought keys.
    pub(crate) fn succeeded(&mut self, keys: KeySet, now: UnixTime) {
        self.in_flight = None;
        self.failures = 0;
        self.current = Some(Current { keys: Arc::new(keys), fetched_at: now });
    }

    /// The fetch brought nothing usable. The last good keys stay.
    pub(crate) fn failed(&mut self) {
        self.in_flight = None;
        self.failures = self.failures.saturating_add(1);
    }
}

/// How long keys are used beyond their time to live while the issuer cannot be reached: long enough for an outage to be
/// noticed and mended, short enough that a key withdrawn during it does not live on.
pub(crate) const MAX_STALE: Duration = Duration::from_secs(60 * 60);

/// The least time between two fetches that unknown key ids may cause, whoever sends them.
pub(crate) const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(10);

/// The pause after a first failure.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest pause between two attempts: an issuer that is back is noticed within it.
const LAST_RETRY: Duration = Duration::from_secs(30);
