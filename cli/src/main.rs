//! The `portcullis` command.

mod audit_verify;
mod auth_failures;
mod auth_test;
mod case_files;
mod check;
mod clock;
mod completions;
mod diff;
mod environment;
mod evaluate;
mod exit;
mod explain;
mod file;
mod input;
mod keyring;
mod keys_validate;
mod lints;
mod live_gate;
mod ndjson;
mod normalize_path;
mod policy_file;
mod question;
mod redaction;
mod reference;
mod rehearsal;
mod render;
mod replay;
mod report;
mod schema;
mod source;
mod token_verify;
mod visible;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Authorization at the gate: policies and audit records of Portcullis.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckArgs),
    Test(case_files::TestArgs),
    Diff(diff::DiffArgs),
    Replay(replay::ReplayArgs),
    Evaluate(evaluate::EvaluateArgs),
    Decide(evaluate::DecideArgs),
    Explain(explain::ExplainArgs),
    Render(render::RenderArgs),
    Schema(schema::SchemaArgs),
    /// Audit records.
    #[command(subcommand)]
    Audit(Audit),
    /// Authentication.
    #[command(subcommand)]
    Auth(Auth),
    /// Keys that verify tokens.
    #[command(subcommand)]
    Keys(Keys),
    /// Access tokens.
    #[command(subcommand)]
    Token(Token),
    NormalizePath(normalize_path::NormalizePathArgs),
    Completions(completions::CompletionsArgs),
    Man(completions::ManArgs),
}

#[derive(Debug, Subcommand)]
enum Token {
    Verify(token_verify::TokenVerifyArgs),
}

#[derive(Debug, Subcommand)]
enum Auth {
    Test(auth_test::AuthTestArgs),
    Failures(auth_failures::AuthFailuresArgs),
}

#[derive(Debug, Subcommand)]
enum Keys {
    Validate(keys_validate::KeysValidateArgs),
}

#[derive(Debug, Subcommand)]
enum Audit {
    Verify(audit_verify::VerifyArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Test(args) => case_files::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Evaluate(args) => evaluate::evaluate(&args),
        Command::Decide(args) => evaluate::decide(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Audit(Audit::Verify(args)) => audit_verify::run(&args),
        Command::Auth(Auth::Test(args)) => auth_test::run(&args),
        Command::Auth(Auth::Failures(args)) => auth_failures::run(&args),
        Command::Keys(Keys::Validate(args)) => keys_validate::run(&args),
        Command::Token(Token::Verify(args)) => token_verify::run(&args),
        Command::NormalizePath(args) => normalize_path::run(&args),
        Command::Completions(args) => completions::completions(&args, Cli::command()),
        Command::Man(args) => completions::man(&args, Cli::command()),
    }
}
