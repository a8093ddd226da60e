//! Verifying the credential of a request, with keys that may have to be waited for.

use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::policy::Access;

use crate::authn::error::AuthnError;
use crate::authn::error::ClaimDefect;
use crate::authn::jwk::JwkSet;
use crate::authn::jwt::{VerifiedToken, peek_issuer};
use crate::authn::keyset::KeySet;
use crate::authn::known_headers::KnownHeaders;
use crate::authn::probe::HostProbe;
use crate::authn::signature::{HostCrypto, SignatureVerifier};
use crate::config::{Config, Keys};
use crate::credential::{self, Credential, Found, Places};
use crate::gate::body::{self, Body};
use crate::gate::callout::{Purpose, REPLY_GRACE};
use crate::gate::command::{Callout, CalloutId, Command, LogLevel};
use crate::gate::conclusion::Caller;
use crate::gate::keys::{KeySource, RemoteKeys};
use crate::gate::request::Request;
use crate::gate::trial::{Sides, locate};
use crate::gate::verified_tokens::{Known, VerifiedTokens};
use crate::gate::waiting::{Waiting, Wanted};
use crate::gate::{CalloutReply, Denial, ExchangeId, Gate, Turn};
use crate::metrics::{AttemptResult, Done, Metric};
use crate::time::UnixTime;

/// The authentication methods of one document with their keys.
#[derive(Debug)]
pub(super) struct Authenticator {
    config: Arc<Config>,
    keys: Vec<KeySource>,
    signatures: SignatureVerifier,
    headers: KnownHeaders,
    verified: VerifiedTokens,
}

/// What verifying a credential came to.
pub(super) enum Attempt {
    Verified(Box<VerifiedToken>),
    Failed(AuthnError),
    /// Keys have to be fetched first.
    NeedsKeys,
    /// Keys cannot be had now.
    Unavailable(Duration),
}

impl Authenticator {
    pub(super) fn new(config: Arc<Config>, probe: HostProbe) -> Authenticator {
        let source = |keys: &Keys| match keys {
            Keys::Static(keys) => KeySource::Static(Arc::clone(keys)),
            Keys::Remote(settings) => KeySource::Remote(RemoteKeys::new(settings.clone())),
        };
        let keys = config.methods.iter().map(|method| source(&method.keys)).collect();
        Authenticator {
            config,
            keys,
            signatures: SignatureVerifier::new(probe),
            headers: KnownHeaders::default(),
            verified: VerifiedTokens::new(),
        }
    }

    /// Which of the methods that found the credential is to verify it: the only one, or the one whose issuer the token
    /// claims. The claim is not trusted: the method's own check of the issuer decides.
    pub(super) fn choose(&self, places: &Places, credential: &Credential<'_>) -> Option<usize> {
        let mut methods =
            places.iter().filter_map(|place| self.config.locations.get(place)).map(|(of, _)| *of);
        let first = methods.clone().next()?;
        if methods.clone().all(|method| method == first) {
            return Some(first);
        }
        let issuer = peek_issuer(credential.expose()).ok()?;
        let claims_it = |method: &usize| {
            self.config.methods.get(*method).is_some_and(|m| m.verifier.settings().issuer == issuer)
        };
        methods.find(claims_it)
    }

    pub(super) fn attempt(
        &self,
        method: usize,
        token: &[u8],
        now: UnixTime,
        crypto: &dyn HostCrypto,
        after_fetch: bool,
    ) -> Attempt {
        let (Some(settings), Some(source)) = (self.config.methods.get(method), self.keys.get(method)) else {
            return Attempt::Failed(AuthnError::NoKeys);
        };
        let remote = match source {
            KeySource::Static(keys) => {
                return match settings.verifier.verify_knowing(
                    &self.headers,
                    token,
                    keys,
                    now,
                    &self.signatures,
                    crypto,
                ) {
                    Ok(verified) => Attempt::Verified(Box::new(verified)),
                    Err(error) => Attempt::Failed(error),
                };
            }
            KeySource::Remote(remote) => remote,
        };
        // What could not be accepted with any key waits for none, so that garbage cannot fill the room.
        let unverified = match settings.verifier.examine(&self.headers, token, now) {
            Ok(unverified) => unverified,
            Err(error) => return Attempt::Failed(error),
        };
        let names_key = unverified.names_key();
        // A token that names no key looks forged, not unknown, when the issuer has new keys.
        let may_be_rotated = |error: &AuthnError| match error {
            AuthnError::UnknownKey => true,
            AuthnError::SignatureMismatch => !names_key,
            AuthnError::Malformed(_)
            | AuthnError::AlgorithmNotAllowed
            | AuthnError::TokenTypeNotAllowed
            | AuthnError::KeyNotForAlgorithm
            | AuthnError::KeyIdRequired
            | AuthnError::Claim(_)
            | AuthnError::NoKeys => false,
        };
        let may_look = remote.is_fetching() || remote.may_look_for_unknown_key(now);
        match remote.usable(now).map(|keys| unverified.verify(keys, &self.signatures, crypto)) {
            Some(Ok(verified)) => Attempt::Verified(Box::new(verified)),
            Some(Err(error))
                if may_be_rotated(&error) && (after_fetch || !may_look) && remote.has_failed() =>
            {
                Attempt::Unavailable(remote.retry_after(now))
            }
            Some(Err(error)) if may_be_rotated(&error) && !after_fetch && may_look => Attempt::NeedsKeys,
            Some(Err(error)) => Attempt::Failed(error),
            None if after_fetch => Attempt::Unavailable(remote.retry_after(now)),
            None if remote.is_fetching() || remote.is_due(now) => Attempt::NeedsKeys,
            None => Attempt::Unavailable(remote.retry_after(now)),
        }
    }

    /// The keys that tokens are verified with at this moment.
    fn keys_in_force(&self, method: usize, now: UnixTime) -> Option<&Arc<KeySet>> {
        match self.keys.get(method)? {
            KeySource::Static(keys) => Some(keys),
            KeySource::Remote(remote) => remote.usable(now),
        }
    }

    /// What the token came to before, if verifying it anew would come to the same.
    pub(super) fn recall(&mut self, method: usize, token: &[u8], now: UnixTime) -> Option<Known> {
        let keys = Arc::clone(self.keys_in_force(method, now)?);
        self.verified.find(method, token, &keys, now)
    }

    pub(super) fn remember(
        &mut self,
        token: &[u8],
        caller: &Arc<Caller>,
        now: UnixTime,
        valid_until: Option<UnixTime>,
    ) {
        if let Some(keys) = self.keys_in_force(caller.method, now).map(Arc::clone) {
            let known = Known::Caller(Arc::clone(caller));
            self.verified.remember(caller.method, token, &keys, known, now, valid_until);
        }
    }

    /// Remembers that the token has expired, if its signature was looked at before its claims.
    fn remember_expired(&mut self, method: usize, token: &[u8], now: UnixTime) {
        if let Some(KeySource::Static(keys)) = self.keys.get(method) {
            self.verified.remember(method, token, keys, Known::Expired, now, None);
        }
    }

    fn remote(&self, method: usize) -> Option<&RemoteKeys> {
        match self.keys.get(method)? {
            KeySource::Remote(remote) => Some(remote),
            KeySource::Static(_) => None,
        }
    }

    fn remote_mut(&mut self, method: usize) -> Option<&mut RemoteKeys> {
        match self.keys.get_mut(method)? {
            KeySource::Remote(remote) => Some(remote),
            KeySource::Static(_) => None,
        }
    }

    /// How long a caller should wait for the keys of `method`.
    pub(super) fn retry_after(&self, method: usize, now: UnixTime) -> Duration {
        self.remote(method).map_or(Duration::ZERO, |remote| remote.retry_after(now))
    }
}

impl Gate {
    /// Takes a readable request to its decision, or as far as it can go without keys and body. `ended` says that it has no
    /// body.
    pub(super) fn admit(
        &mut self,
        exchange: ExchangeId,
        mut request: Request,
        ended: bool,
        turn: &mut Turn<'_>,
    ) {
        let config = turn.config;
        if let Some(max_bytes) = config.max_body_bytes {
            let policies = [Some(&config.policy), config.policy.candidate()];
            if policies.into_iter().flatten().any(|policy| body::is_needed(policy, &request, turn.now)) {
                request.body = Body::expected(&request, ended, max_bytes);
            }
        }
        let sides = Sides::of(config, None);
        let located = locate(sides.deciding, &request, turn.now);
        let access = located.access();
        turn.located = sides.other.is_none().then_some((exchange, located));
        if access == Access::Public {
            let caller = self.recognise(&request, turn);
            return match caller.as_deref().and_then(|caller| self.defect(caller, &request, turn.now)) {
                Some(error) => {
                    let denial = Denial::Credential(error);
                    self.refuse(exchange, &request, None, &denial, turn.now, turn);
                }
                None => self.conclude(exchange, request, caller, turn.now, turn),
            };
        }
        let locations = config.locations.iter().enumerate().map(|(place, (_, location))| (place, location));
        match credential::find(locations, request.headers(), request.target.query.as_deref()) {
            Found::Nothing => {
                if access == Access::Required {
                    self.count_attempt(None, AttemptResult::Failure, Some("missing_token"), turn);
                }
                self.conclude(exchange, request, None, turn.now, turn);
            }
            Found::Ambiguous => {
                self.count_attempt(None, AttemptResult::Failure, Some("ambiguous_credentials"), turn);
                self.refuse(exchange, &request, None, &Denial::AmbiguousCredentials, turn.now, turn);
            }
            Found::One(credential, places) => match self.authenticator.choose(&places, &credential) {
                Some(method) => match self.authenticator.recall(method, credential.expose(), turn.now) {
                    Some(known) => self.recalled(exchange, request, method, known, turn.now, turn),
                    None => {
                        let credential = credential.into_owned();
                        self.verify_anew(exchange, request, method, credential, turn.now, false, turn);
                    }
                },
                None => {
                    let error = AuthnError::Claim(ClaimDefect::IssuerMismatch);
                    self.count_attempt(None, AttemptResult::Failure, Some(error.reason()), turn);
                    self.refuse(exchange, &request, None, &Denial::Credential(error), turn.now, turn);
                }
            },
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of one waiting request, taken apart here once"
    )]
    fn verify_anew(
        &mut self,
        exchange: ExchangeId,
        request: Request,
        method: usize,
        credential: Credential<'static>,
        since: UnixTime,
        after_fetch: bool,
        turn: &mut Turn<'_>,
    ) {
        match self.authenticator.attempt(method, credential.expose(), turn.now, turn.crypto, after_fetch) {
            Attempt::Verified(token) => {
                self.fetch_if_due(method, turn);
                let config = turn.config;
                let Some(settings) = config.methods.get(method) else {
                    let denial = Denial::Credential(AuthnError::NoKeys);
                    return self.refuse(exchange, &request, None, &denial, since, turn);
                };
                let caller = Arc::new(Caller::new(method, settings, &token, config));
                self.authenticator.remember(credential.expose(), &caller, turn.now, token.valid_until());
                self.accept(exchange, request, caller, since, turn);
            }
            Attempt::Failed(error) => {
                if error == AuthnError::Claim(ClaimDefect::Expired) {
                    self.authenticator.remember_expired(method, credential.expose(), turn.now);
                }
                self.refuse_credential(exchange, &request, method, error, since, turn);
            }
            Attempt::Unavailable(retry_after) => {
                self.refuse_for_keys(exchange, &request, method, retry_after, since, turn);
            }
            Attempt::NeedsKeys => {
                let timeout =
                    self.authenticator.remote(method).map_or(Duration::ZERO, |keys| keys.settings.timeout);
                let deadline = turn.now.saturating_add(timeout).saturating_add(REPLY_GRACE);
                let wanted = Wanted::Keys { method, credential };
                self.wait(exchange, Waiting { request, since, deadline, wanted }, turn);
                if self.authenticator.remote(method).is_some_and(|keys| !keys.is_fetching()) {
                    self.fetch(method, turn);
                }
            }
        }
    }

    /// Takes a request on whose credential was verified before, with what that came to.
    fn recalled(
        &mut self,
        exchange: ExchangeId,
        request: Request,
        method: usize,
        known: Known,
        since: UnixTime,
        turn: &mut Turn<'_>,
    ) {
        match known {
            Known::Caller(caller) => {
                self.fetch_if_due(method, turn);
                self.accept(exchange, request, caller, since, turn);
            }
            Known::Expired => {
                let error = AuthnError::Claim(ClaimDefect::Expired);
                self.refuse_credential(exchange, &request, method, error, since, turn);
            }
        }
    }

    /// Takes a request on whose credential is good, unless the policy that decides for its caller cannot use it.
    fn accept(
        &mut self,
        exchange: ExchangeId,
        request: Request,
        caller: Arc<Caller>,
        since: UnixTime,
        turn: &mut Turn<'_>,
    ) {
        let method = caller.method;
        if let Some(error) = self.defect(&caller, &request, turn.now) {
            return self.refuse_credential(exchange, &request, method, error, since, turn);
        }
        self.count_attempt(Some(method), AttemptResult::Success, None, turn);
        self.conclude(exchange, request, Some(caller), since, turn);
    }

    fn refuse_credential(
        &mut self,
        exchange: ExchangeId,
        request: &Request,
        method: usize,
        error: AuthnError,
        since: UnixTime,
        turn: &mut Turn<'_>,
    ) {
        self.count_attempt(Some(method), AttemptResult::Failure, Some(error.reason()), turn);
        self.refuse(exchange, request, None, &Denial::Credential(error), since, turn);
    }

    pub(super) fn refuse_for_keys(
        &mut self,
        exchange: ExchangeId,
        request: &Request,
        method: usize,
        retry_after: Duration,
        since: UnixTime,
        turn: &mut Turn<'_>,
    ) {
        self.count_attempt(Some(method), AttemptResult::Error, Some("keys_unavailable"), turn);
        self.refuse(exchange, request, None, &Denial::KeysUnavailable(retry_after), since, turn);
    }

    /// Fetches every JWKS that is due, so that requests seldom have to wait.
    pub(super) fn refresh_keys(&mut self, turn: &mut Turn<'_>) {
        if self.retired_at.is_some() {
            return;
        }
        for method in 0..self.config.methods.len() {
            self.fetch_if_due(method, turn);
            if let Some(age) = self.authenticator.remote(method).and_then(|keys| keys.age(turn.now)) {
                self.record(
                    Metric::JwksAge(Some(method)),
                    usize::try_from(age.as_secs()).unwrap_or(usize::MAX),
                    turn,
                );
            }
        }
    }

    fn fetch_if_due(&mut self, method: usize, turn: &mut Turn<'_>) {
        if self.authenticator.remote(method).is_some_and(|keys| keys.is_due(turn.now)) {
            self.fetch(method, turn);
        }
    }

    fn fetch(&mut self, method: usize, turn: &mut Turn<'_>) {
        let Some(timeout) = self.authenticator.remote(method).map(|keys| keys.settings.timeout) else {
            return;
        };
        let id = self.next_callout(Purpose::Keys { method }, timeout, turn.now);
        let Some(remote) = self.authenticator.remote_mut(method) else { return };
        remote.started(id, turn.now);
        turn.commands.push(Command::Dispatch(jwks_request(id, remote)));
    }

    /// A fetch has ended: takes the keys, or keeps the last good ones, and answers everyone who waited.
    pub(super) fn keys_arrived(&mut self, method: usize, reply: &CalloutReply, turn: &mut Turn<'_>) {
        let parsed = match reply {
            CalloutReply::Answered { status: 200, body } => {
                JwkSet::parse(body).map_err(|error| error.reason())
            }
            CalloutReply::Answered { .. } => Err("status_not_200"),
            CalloutReply::TooLarge => Err("too_large"),
            CalloutReply::Failed => Err("no_answer"),
            CalloutReply::NotSent => Err("not_sent"),
        };
        let name = self.config.methods.get(method).map_or("", |method| method.name.as_str());
        let Some(remote) = self.authenticator.remote_mut(method) else { return };
        let done = match parsed {
            Ok(set) => {
                for key in set.skipped() {
                    let (index, reason) = (key.index, key.reason.reason());
                    turn.log(
                        LogLevel::Info,
                        format!("jwks of method `{name}`: key {index} is not used: {reason}"),
                    );
                }
                remote.succeeded(set.into_keys(), turn.now);
                self.authenticator.verified.forget(method);
                Done::Success
            }
            Err(reason) => {
                remote.failed();
                turn.log(LogLevel::Warn, format!("jwks of method `{name}` could not be fetched: {reason}"));
                Done::Failure
            }
        };
        self.count(Metric::JwksFetches(Some(method), done), turn);
        let waits_for_it =
            |waiting: &Waiting| matches!(&waiting.wanted, Wanted::Keys { method: of, .. } if *of == method);
        for (exchange, waiting) in self.wake(waits_for_it) {
            let Wanted::Keys { method, credential } = waiting.wanted else { continue };
            let (request, since) = (waiting.request, waiting.since);
            match self.authenticator.recall(method, credential.expose(), turn.now) {
                Some(known) => self.recalled(exchange, request, method, known, since, turn),
                None => self.verify_anew(exchange, request, method, credential, since, true, turn),
            }
        }
    }

    fn count_attempt(
        &self,
        method: Option<usize>,
        result: AttemptResult,
        reason: Option<&'static str>,
        turn: &mut Turn<'_>,
    ) {
        self.count(Metric::AuthAttempts(method, result), turn);
        if let Some(reason) = reason {
            self.count(Metric::AuthFailures(method, reason), turn);
        }
    }
}

fn jwks_request(id: CalloutId, remote: &RemoteKeys) -> Callout {
    let settings = &remote.settings;
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Callout {
        id,
        cluster: settings.cluster.clone(),
        headers: vec![
            header(":method", "GET"),
            header(":scheme", &settings.scheme),
            header(":authority", &settings.authority),
            header(":path", &settings.path),
            header("accept", "application/jwk-set+json, application/json"),
        ],
        body: Vec::new(),
        timeout: settings.timeout,
    }
}
