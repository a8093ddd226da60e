//! `portcullis render`: a document as the proxy reads it.
//!
//! The frames around it are the files under `envoy/`, which the tests boot: what is shipped and what is rendered
//! differ in the document and in nothing else.

mod frame;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::Value;

use crate::check::load;
use crate::environment::Environment;
use crate::exit;
use crate::file;
use crate::report::Report;
use crate::source::Source;

/// Render a policy document for the proxy. One with a problem is not rendered.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 rendered, 1 problems, 2 wrong usage or unreadable file.\n\
    The JSON is canonical: its SHA-256 is the policy digest in audit records.")]
pub(crate) struct RenderArgs {
    /// Document, in YAML or JSON; `-` reads standard input.
    file: PathBuf,
    /// What to render.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Put line breaks and indentation between the parts; the digest is that of the text without them.
    #[arg(long)]
    pretty: bool,
    /// Where the module is: for `envoy` a file, for `istio` and `envoy-gateway` the URL of an image.
    #[arg(long, value_name = "PLACE")]
    module: Option<String>,
    /// Write to this file, which is replaced in one step: what watches it sees the old content or the new.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The document as canonical JSON.
    Json,
    /// A file for Envoy's extension config discovery.
    Envoy,
    /// An Istio `WasmPlugin`, with its guard.
    Istio,
    /// An Envoy Gateway `EnvoyExtensionPolicy`.
    EnvoyGateway,
}

/// Runs the command.
pub(crate) fn run(args: &RenderArgs) -> ExitCode {
    let source = match Source::open(&args.file) {
        Ok(source) => source,
        Err(error) => return exit::unusable(&error),
    };
    let document = match load(&source, &Environment::Process, None) {
        Ok((document, _)) => document,
        Err(problems) => {
            let report = Report::new(&source, Err(problems));
            return exit::after_writing(report.write_text(&mut anstream::stderr().lock()), false);
        }
    };
    let module = args.module.as_deref();
    let rendered = match args.format {
        Format::Json => Ok(document),
        Format::Envoy => frame::envoy(&document, module),
        Format::Istio => frame::istio(&document, module),
        Format::EnvoyGateway => frame::envoy_gateway(&document, module),
    };
    let text = match rendered {
        Ok(value) => text(&value, args.pretty || args.format != Format::Json),
        Err(error) => return exit::unusable(&error),
    };
    match &args.output {
        Some(path) => match file::replace(path, text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => exit::unusable(&format_args!("{}: {error}", path.display())),
        },
        None => exit::after_saying(true, |out| out.write_all(text.as_bytes())),
    }
}

/// Members are in the order of their names in either form. Only the compact one, without a line break at its end, is
/// canonical.
fn text(value: &Value, pretty: bool) -> String {
    if pretty { format!("{value:#}\n") } else { value.to_string() }
}
