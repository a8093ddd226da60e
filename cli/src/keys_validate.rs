//! `portcullis keys validate`: whether keys are what a method can verify with, and what is weak or wrong about them.
//!
//! What is used is what the filter uses: see [`key_set`]. No key and no secret is shown, only what they say of themselves.

mod key_set;
mod shown;
mod unusable;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use portcullis_filter::authn::algorithm::Algorithm;
use portcullis_filter::authn::key::VerificationKey;
use portcullis_filter::secret::{Secret, SecretEncoding};
use portcullis_policy::document::{self, Document, JsonPointer, KeySource, Method, SecretReference, Step};
use serde_json::Value;

use crate::environment::{Environment, EnvironmentArgs, SET_IT};
use crate::exit;
use crate::input::Name;
use crate::keyring::KeyArgs;
use crate::report;
use crate::source::Source;
use key_set::{Examined, Finding, Key, Severity};

/// Validate a key set, or the keys of a policy's methods: types, sizes, ids, and what the policy demands of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 no errors, 1 errors (with --deny-warnings also warnings), \
    2 wrong usage, unreadable file, a policy with a problem or keys that are not here.")]
pub(crate) struct KeysValidateArgs {
    /// Key set, as an issuer publishes it (RFC 7517 section 5); `-` reads standard input.
    #[arg(required_unless_present = "policy", conflicts_with = "policy")]
    file: Option<PathBuf>,
    /// Validate the keys of this policy's methods.
    #[arg(long)]
    policy: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    environment: EnvironmentArgs,
    /// Count warnings as errors.
    #[arg(long)]
    deny_warnings: bool,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &KeysValidateArgs) -> ExitCode {
    let validated = match validate(args) {
        Ok(validated) => validated,
        Err(status) => return status,
    };
    let bad = |it: &Validated| {
        it.count(Severity::Error) > 0 || args.deny_warnings && it.count(Severity::Warning) > 0
    };
    let all_good = !validated.iter().any(bad);
    let status = exit::after_saying(all_good, |out| {
        if args.json {
            let all: Vec<Value> = validated.iter().map(Validated::to_json).collect();
            return writeln!(out, "{:#}", Value::from(all));
        }
        validated.iter().try_for_each(|validated| validated.write_text(out))
    });
    let lacking = validated.iter().find_map(|validated| validated.not_here.as_ref());
    match lacking {
        Some(lacking) if all_good => exit::unusable(&format_args!("not every key was looked at: {lacking}")),
        Some(_) | None => status,
    }
}

/// The keys of one file or one method.
struct Validated {
    /// The file that the lines of the findings are of.
    file: String,
    method: Option<String>,
    keys: Vec<Key>,
    used: usize,
    /// Each with its line.
    findings: Vec<(Option<usize>, Finding)>,
    /// What lacks here, and how to give it.
    not_here: Option<String>,
}

fn validate(args: &KeysValidateArgs) -> Result<Vec<Validated>, ExitCode> {
    let Some(policy) = &args.policy else {
        let file = args.file.as_deref().unwrap_or_else(|| Path::new("-"));
        args.keys.must_be_for(&[]).map_err(|error| exit::unusable(&error))?;
        return Ok(vec![of_file(file, None)?]);
    };
    let environment = args.environment.open()?;
    let source = Source::open(policy).map_err(|error| exit::unusable(&error))?;
    let read = source.value.clone().and_then(Document::from_value);
    let document = read.map_err(|problems| {
        report::refuse(&source, problems, "has problems, so its keys are not looked at")
    })?;
    let methods = &document.authentication.methods;
    let is_remote = |method: &&Method| matches!(method.jwt.keys(), Some(KeySource::Remote { .. }));
    let remote: Vec<&str> = methods.iter().filter(is_remote).map(|method| method.name.as_str()).collect();
    args.keys.must_be_for(&remote).map_err(|error| exit::unusable(&error))?;
    if methods.is_empty() {
        return Err(exit::unusable(&format_args!("{}: has no method, so no keys", source.name)));
    }
    let methods = methods.iter().enumerate();
    methods.map(|(index, method)| of_method(args, &source, &environment, index, method)).collect()
}

fn of_method(
    args: &KeysValidateArgs,
    source: &Source,
    environment: &Environment,
    index: usize,
    method: &Method,
) -> Result<Validated, ExitCode> {
    // The names are the same by RFC 7518 section 3.1.
    let algorithms: Vec<Algorithm> =
        method.jwt.algorithms.iter().filter_map(|algorithm| algorithm.as_str().parse().ok()).collect();
    let place = JsonPointer::members(&["authentication", "methods"]).element(index).member("jwt");
    match method.jwt.keys() {
        Some(KeySource::Static(jwks)) => {
            let examined = key_set::examine(jwks.as_value().to_string().as_bytes(), Some(&algorithms));
            Ok(Validated::new(source, &place.member("jwks"), Some(method), examined))
        }
        Some(KeySource::Secret { secret, encoding }) => {
            let found = about_secret(secret, encoding, environment, &algorithms);
            let not_here = (!environment.is_set(secret.variable())).then(|| {
                format!("method `{}`: `{}` is not set here; {SET_IT}", method.name, secret.variable())
            });
            let used = usize::from(found.is_none() && not_here.is_none());
            let examined = Examined { keys: Vec::new(), used, findings: found.into_iter().collect() };
            Ok(Validated {
                not_here,
                ..Validated::new(source, &place.member("secret"), Some(method), examined)
            })
        }
        Some(KeySource::Remote { uri, cluster }) => match args.keys.of(&method.name) {
            Some(file) => of_file(file, Some((method, &algorithms))),
            None => {
                let name = &method.name;
                let lacking = format!(
                    "method `{name}`: its keys are at {uri}, by cluster `{cluster}`; give them with --jwks {name}=FILE"
                );
                let nothing = Examined { keys: Vec::new(), used: 0, findings: Vec::new() };
                Ok(Validated {
                    not_here: Some(lacking),
                    ..Validated::new(source, &place, Some(method), nothing)
                })
            }
        },
        None => Err(exit::unusable(&format_args!("method `{}`: not one source of keys", method.name))),
    }
}

fn of_file(file: &Path, method: Option<(&Method, &[Algorithm])>) -> Result<Validated, ExitCode> {
    let source = Source::open(file).map_err(|error| exit::unusable(&error))?;
    let examined = key_set::examine(source.text.as_bytes(), method.map(|(_, algorithms)| algorithms));
    let source = Source { name: Name(file).to_string(), ..source };
    Ok(Validated::new(&source, &JsonPointer::root(), method.map(|(method, _)| method), examined))
}

/// What is wrong with a secret that is here.
fn about_secret(
    secret: &SecretReference,
    encoding: document::SecretEncoding,
    environment: &Environment,
    algorithms: &[Algorithm],
) -> Option<Finding> {
    let variable = secret.variable();
    if !environment.is_set(variable) {
        return None;
    }
    let encoding = match encoding {
        document::SecretEncoding::Utf8 => SecretEncoding::Utf8,
        document::SecretEncoding::Base64url => SecretEncoding::Base64Url,
    };
    let text = environment.get_or_stand_in(variable).unwrap_or_default();
    let message = match Secret::parse(&text, encoding).map(VerificationKey::shared_secret) {
        Err(error) => error.to_string(),
        Ok(key) => {
            let too_long = algorithms.iter().find(|it| it.is_symmetric() && !key.fits(**it))?;
            format!("shorter than {} bytes, too short for {too_long}", too_long.hash().output_bytes())
        }
    };
    let message = format!("`{variable}` in the environment: {message}");
    let remedy = "make a new one of 64 random bytes (RFC 7518 section 3.2)";
    Some(Finding { severity: Severity::Error, pointer: JsonPointer::root(), message, remedy })
}

impl Validated {
    fn new(source: &Source, place: &JsonPointer, method: Option<&Method>, examined: Examined) -> Self {
        let line_of = |finding: &Finding| {
            let steps = finding.pointer.steps().iter();
            let pointer = steps.fold(place.clone(), |pointer, step| match step {
                Step::Member(name) => pointer.member(name),
                Step::Element(index) => pointer.element(*index),
            });
            source.positions.nearest(&pointer).map(|place| place.line)
        };
        let mut findings: Vec<_> =
            examined.findings.into_iter().map(|finding| (line_of(&finding), finding)).collect();
        findings.sort_by_key(|(line, _)| *line);
        Self {
            file: source.name.clone(),
            method: method.map(|method| method.name.clone()),
            keys: examined.keys,
            used: examined.used,
            findings,
            not_here: None,
        }
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|(_, finding)| finding.severity == severity).count()
    }
}
