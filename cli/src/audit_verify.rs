//! `portcullis audit verify`: reads audit records and says where they are not what was written.
//!
//! Exit status 0 when intact, 1 when there are findings, 2 when the file cannot be read. What is found is decided in
//! `portcullis_filter::audit`; here it is only shown.

use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use comfy_table::{CellAlignment, Table, presets};
use portcullis_filter::audit::{
    Expectations, ExpectedHead, Finding, Report, StreamId, StreamSummary, verify,
};
use serde_json::json;

use crate::clock;
use crate::input::{self, Name};

/// Findings shown one by one; of a file that is not a record at all nobody reads more.
const MAX_SHOWN_FINDINGS: u64 = 1_000;
/// Bytes read at once: large enough that reading is not what one waits for.
const BUFFER_BYTES: usize = 1 << 20;
/// Exit status when the file cannot be read; usage errors have the same.
const UNREADABLE: u8 = 2;

/// Verify audit records: find edited, missing, swapped and forged ones.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 intact, 1 findings, 2 wrong usage or unreadable file.\n\
    Rotated files are verified joined in order: cat audit.1 audit.2 | portcullis audit verify -")]
pub(crate) struct VerifyArgs {
    /// NDJSON file as the sink wrote it; `-` reads standard input.
    file: PathBuf,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
    /// Count a stream without `close` as a finding: its tail may have been cut off.
    #[arg(long)]
    require_closed: bool,
    /// A head kept apart from the records, which must be in the file. May be given several times.
    #[arg(long, value_name = "STREAM:SEQUENCE:HASH")]
    expect_head: Vec<ExpectedHead>,
}

/// Runs the command.
pub(crate) fn run(args: &VerifyArgs) -> ExitCode {
    match show(args) {
        Ok(report) if report.is_intact() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            let name = Name(&args.file);
            // Nothing can be done when standard error is closed as well.
            let _written = writeln!(io::stderr(), "portcullis: cannot verify {name}: {error}");
            ExitCode::from(UNREADABLE)
        }
    }
}

fn show(args: &VerifyArgs) -> io::Result<Report> {
    let (input, bar) = input::open(&args.file)?;
    let expectations = Expectations { closed: args.require_closed, heads: args.expect_head.clone() };
    let reader = BufReader::with_capacity(BUFFER_BYTES, input);
    let mut out = io::stdout().lock();
    if args.json {
        let mut findings = Vec::new();
        let report = verify(reader, &expectations, |finding| {
            if (findings.len() as u64) < MAX_SHOWN_FINDINGS {
                findings.push(finding);
            }
        })?;
        bar.finish_and_clear();
        serde_json::to_writer_pretty(&mut out, &document(&args.file, &report, &findings))?;
        writeln!(out)?;
        return Ok(report);
    }
    let mut shown = 0_u64;
    let mut written = Ok(());
    let report = verify(reader, &expectations, |finding| {
        if shown < MAX_SHOWN_FINDINGS && written.is_ok() {
            shown = shown.saturating_add(1);
            written = bar.suspend(|| show_finding(&mut out, &args.file, &finding));
        }
    })?;
    bar.finish_and_clear();
    written?;
    summarize(&mut out, &report, shown)?;
    out.flush()?;
    Ok(report)
}

fn show_finding(out: &mut impl Write, file: &Path, finding: &Finding) -> io::Result<()> {
    write!(out, "{}:", Name(file))?;
    match finding.line {
        Some(line) => write!(out, "{line}: ")?,
        None => write!(out, " ")?,
    }
    if let Some(stream) = finding.stream {
        write!(out, "stream {stream}: ")?;
    }
    writeln!(out, "{}; {}", finding.kind, finding.kind.remedy())
}

fn summarize(out: &mut impl Write, report: &Report, shown: u64) -> io::Result<()> {
    if report.findings > shown {
        writeln!(out, "... and {} more findings", report.findings.saturating_sub(shown))?;
    }
    if !report.streams.is_empty() {
        writeln!(out, "{}", table(report))?;
    }
    let open: Vec<_> = report.streams.iter().filter(|(_, summary)| !summary.closed).collect();
    if !open.is_empty() {
        writeln!(out, "open streams: still being written, or cut off. Compare these heads with the sink's,")?;
        writeln!(out, "or keep them elsewhere and expect them the next time:")?;
        for (id, summary) in open {
            writeln!(out, "  --expect-head {id}:{}:{}", summary.last, summary.head)?;
        }
    }
    let (streams, lines) = (report.streams.len(), report.lines);
    match report.findings {
        0 => writeln!(out, "intact: {lines} lines in {streams} streams"),
        findings => writeln!(out, "NOT INTACT: {findings} findings in {lines} lines, {streams} streams"),
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["stream", "first", "last", "records", "permits", "denies", "repeated", "lost", "state"]);
    for (id, summary) in &report.streams {
        table.add_row(row(*id, summary));
    }
    for column in table.column_iter_mut().skip(3).take(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(id: StreamId, summary: &StreamSummary) -> [String; 9] {
    let state = match (summary.findings, summary.closed) {
        (0, true) => "closed".to_owned(),
        (0, false) => format!("open at {}", summary.last),
        (findings, _) => format!("{findings} findings"),
    };
    let lost = match summary.gaps {
        0 => "0".to_owned(),
        gaps => format!("{} in {gaps}", summary.lost),
    };
    [
        id.to_string(),
        clock::to_the_second(&summary.first_time),
        clock::to_the_second(&summary.last_time),
        summary.records.to_string(),
        summary.permits.to_string(),
        summary.denies.to_string(),
        summary.repeated.to_string(),
        lost,
        state,
    ]
}

fn document(file: &Path, report: &Report, findings: &[Finding]) -> serde_json::Value {
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "line": finding.line,
                "stream": finding.stream.map(|stream| stream.to_string()),
                "kind": finding.kind.label(),
                "message": finding.kind.to_string(),
                "remedy": finding.kind.remedy(),
            })
        })
        .collect();
    let streams: Vec<_> = report
        .streams
        .iter()
        .map(|(id, summary)| {
            json!({
                "stream": id.to_string(),
                "records": summary.records,
                "repeated": summary.repeated,
                "permits": summary.permits,
                "denies": summary.denies,
                "gaps": summary.gaps,
                "lost": summary.lost,
                "first_time": summary.first_time,
                "last_time": summary.last_time,
                "closed": summary.closed,
                "head": format!("{id}:{}:{}", summary.last, summary.head),
                "findings": summary.findings,
            })
        })
        .collect();
    json!({
        "file": Name(file).to_string(),
        "intact": report.is_intact(),
        "lines": report.lines,
        "finding_count": report.findings,
        "findings": findings,
        "streams": streams,
    })
}
