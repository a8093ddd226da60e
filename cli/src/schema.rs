//! `portcullis schema`: what a document may hold, for editors or for people.

use std::io::Write as _;
use std::process::ExitCode;

use clap::ValueEnum;
use portcullis_policy::document::Document;

use crate::exit;
use crate::reference;

/// Print the JSON Schema of policy documents, or the reference made from it.
#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// JSON Schema, draft 2020-12.
    Json,
    /// The reference, in Markdown.
    Markdown,
}

/// Runs the command.
pub(crate) fn run(args: &SchemaArgs) -> ExitCode {
    let schema = Document::schema();
    let text = match args.format {
        Format::Json => format!("{schema:#}\n"),
        Format::Markdown => reference::of(&schema),
    };
    exit::after_saying(true, |out| out.write_all(text.as_bytes()))
}
