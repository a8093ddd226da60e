//! The `portcullis` command.

mod audit_verify;

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
        Command::Audit(Audit::Verify(args)) => audit_verify::run(&args),
    }
}
