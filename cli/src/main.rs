//! The `portcullis` command.

mod audit_verify;
mod check;
mod environment;
mod exit;
mod redaction;
mod reference;
mod render;
mod report;
mod schema;
mod source;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    Render(render::RenderArgs),
    Schema(schema::SchemaArgs),
    /// Audit records.
    #[command(subcommand)]
    Audit(Audit),
}

#[derive(Debug, Subcommand)]
enum Audit {
    Verify(audit_verify::VerifyArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Audit(Audit::Verify(args)) => audit_verify::run(&args),
    }
}
