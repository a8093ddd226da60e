//! `portcullis auth failures`: who was refused, why, where and when, from the audit record.
//!
//! The chain is verified while it is read, so each record counts once, and one that was edited does not count. What the
//! record does not hold this cannot show: a caller whom nothing identified has no name, only an address.

mod tally;

use std::collections::VecDeque;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use comfy_table::{CellAlignment, Table, presets};
use portcullis_filter::audit::{Expectations, Finding, Object, Recorded, Report, verify_records};
use portcullis_filter::gate::Code;
use portcullis_filter::time::UnixTime;
use serde_json::{Map, Value, json};

use crate::clock;
use crate::exit;
use crate::input::{self, InputError, Name};
use crate::visible::visible;
use tally::{Grouping, Tally, text};

/// Show failed authentications and other denials of an audit record, grouped by code, method, caller, route, rule and time.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 shown, 1 shown, but the record is not what was written, \
    2 wrong usage, unreadable file or no audit record in it.\n\
    A moment is RFC 3339 in UTC, seconds since 1970, or a time that has passed since, such as `24h`.")]
pub(crate) struct AuthFailuresArgs {
    /// NDJSON file as the sink wrote it; `-` reads standard input.
    file: PathBuf,
    /// Leave out what is older than this moment.
    #[arg(long, value_name = "MOMENT", value_parser = clock::parse_or_ago)]
    since: Option<UnixTime>,
    /// Leave out what is of this moment or newer.
    #[arg(long, value_name = "MOMENT", value_parser = clock::parse_or_ago)]
    until: Option<UnixTime>,
    /// Show denials with this code alone; may be given more than once.
    #[arg(long, value_parser = codes(), hide_possible_values = true)]
    code: Vec<String>,
    /// Show denials by this policy alone: the `name` of its document.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Rows of each table.
    #[arg(long, value_name = "ROWS", default_value_t = 10)]
    top: usize,
    /// Show as many of the last denials one by one.
    #[arg(long, value_name = "DENIALS", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=1000))]
    limit: u16,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &AuthFailuresArgs) -> ExitCode {
    let read = match read(args) {
        Ok(read) => read,
        Err(error) => {
            return exit::unusable(&InputError::Unreadable { name: Name(&args.file).to_string(), error });
        }
    };
    if let (true, Some(finding)) = (read.report.streams.is_empty(), &read.first_finding) {
        return exit::unusable(&format_args!(
            "{}: no audit record in it: {}",
            Name(&args.file),
            in_words(finding)
        ));
    }
    exit::after_saying(read.report.is_intact(), |out| {
        if args.json { writeln!(out, "{:#}", read.to_json(args)) } else { read.write_text(args, out) }
    })
}

/// The codes that `--code` takes.
fn codes() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Code::ALL.map(Code::as_str))
}

/// What one pass over a file comes to.
struct Read {
    tally: Tally,
    decisions: u64,
    /// The last denials in the order of the file, the newest last: their times and events.
    recent: VecDeque<(String, Object<'static>)>,
    report: Report,
    first_finding: Option<Finding>,
}

fn read(args: &AuthFailuresArgs) -> io::Result<Read> {
    let (input, bar) = input::open(&args.file)?;
    let (mut tally, mut decisions, mut recent) = (Tally::default(), 0_u64, VecDeque::new());
    let mut first_finding = None;
    let limit = usize::from(args.limit);
    let report = verify_records(
        BufReader::with_capacity(BUFFER_BYTES, input),
        &Expectations::default(),
        |finding| {
            first_finding.get_or_insert(finding);
        },
        |record: Recorded<'_>| {
            if text(record.event, "kind") != Some("decision") || !args.covers(&record) {
                return;
            }
            decisions = decisions.saturating_add(1);
            if !args.is_wanted(record.event) {
                return;
            }
            tally.add(record.event, record.time);
            if limit > 0 {
                if recent.len() >= limit {
                    recent.pop_front();
                }
                recent.push_back((record.time.to_owned(), record.event.clone()));
            }
        },
    )?;
    bar.finish_and_clear();
    Ok(Read { tally, decisions, recent, report, first_finding })
}

impl AuthFailuresArgs {
    /// Whether the record is of the time and the policy that are asked for. A time that cannot be read is not left out.
    fn covers(&self, record: &Recorded<'_>) -> bool {
        let time = humantime::parse_rfc3339(record.time).ok().and_then(clock::unix);
        let is_late_enough = self.since.is_none_or(|since| time.is_none_or(|time| time >= since));
        let is_early_enough = self.until.is_none_or(|until| time.is_none_or(|time| time < until));
        let is_of_policy =
            || self.policy.as_deref().is_none_or(|name| text(record.event, "policy") == Some(name));
        is_late_enough && is_early_enough && is_of_policy()
    }

    fn is_wanted(&self, event: &Object<'_>) -> bool {
        let code = text(event, "code");
        text(event, "decision") == Some("deny")
            && (self.code.is_empty() || self.code.iter().any(|wanted| code == Some(wanted)))
    }
}

impl Read {
    fn lost(&self) -> u64 {
        self.report.streams.values().map(|stream| stream.lost).fold(0, u64::saturating_add)
    }

    fn write_text(&self, args: &AuthFailuresArgs, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{} denials in {} decisions", self.tally.denials, self.decisions)?;
        for (grouping, groups) in &self.tally.groups {
            let (top, others) = groups.top(args.top);
            let mut table = plain_table(&[grouping.as_str(), "denials", "first", "last"]);
            for (name, count) in top {
                let (first, last) = (clock::to_the_second(&count.first), clock::to_the_second(&count.last));
                table.add_row([visible(name), count.count.to_string(), first, last]);
            }
            if others > 0 {
                table.add_row(["others".to_owned(), others.to_string()]);
            }
            writeln!(out, "\n{table}")?;
        }
        if self.tally.denials > 0 {
            let mut table = plain_table(&["time", "denials"]);
            for (time, count) in self.tally.times() {
                table.add_row([time.to_owned(), count.to_string()]);
            }
            writeln!(out, "\n{table}")?;
        }
        if !self.recent.is_empty() {
            writeln!(out)?;
        }
        for (time, event) in &self.recent {
            let names =
                [Grouping::Code, Grouping::Caller, Grouping::Route].map(|by| visible(&by.name_of(event)));
            writeln!(out, "{} {}", clock::to_the_second(time), names.join(" | "))?;
        }
        if self.lost() > 0 {
            writeln!(out, "{} records were lost in gaps and are not counted", self.lost())?;
        }
        if let Some(finding) = &self.first_finding {
            let (findings, first, file) = (self.report.findings, in_words(finding), args.file.display());
            writeln!(out, "NOT INTACT: {findings} findings; the first: {first}")?;
            writeln!(out, "see all of them: portcullis audit verify {file}")?;
        }
        Ok(())
    }

    fn to_json(&self, args: &AuthFailuresArgs) -> Value {
        let groups = self.tally.groups.iter().map(|(grouping, groups)| {
            let (top, others) = groups.top(args.top);
            let rows = top.iter().map(|(name, count)| {
                json!({ "name": name, "denials": count.count, "first": count.first, "last": count.last })
            });
            let rows: Vec<Value> = rows.collect();
            (grouping.as_str().to_owned(), json!({ "top": rows, "others": others }))
        });
        let times = self.tally.times();
        let times = times.iter().map(|(time, count)| json!({ "time": time, "denials": count }));
        let recent = self.recent.iter().map(|(time, event)| {
            let event: Value = serde_json::from_str(&event.encode()).unwrap_or_default();
            json!({ "time": time, "event": event })
        });
        json!({
            "file": Name(&args.file).to_string(),
            "intact": self.report.is_intact(),
            "finding_count": self.report.findings,
            "lost": self.lost(),
            "decisions": self.decisions,
            "denials": self.tally.denials,
            "by": groups.collect::<Map<_, _>>(),
            "times": times.collect::<Vec<_>>(),
            "recent": recent.collect::<Vec<_>>(),
        })
    }
}

fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().copied());
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn in_words(finding: &Finding) -> String {
    let line = finding.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    format!("{line}{}; {}", finding.kind, finding.kind.remedy())
}

/// Bytes read at once: large enough that reading is not what one waits for.
const BUFFER_BYTES: usize = 1 << 20;
