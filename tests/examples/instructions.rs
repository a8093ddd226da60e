//! `instructions [--write]`: counts what requests cost in the built module, and prints it beside what they cost before;
//! with `--write` it becomes what they cost before.

use portcullis_tests::host::{Cost, Module};
use portcullis_tests::instructions::{Baseline, Counted, PATHS};
use std::process::ExitCode;

fn main() -> ExitCode {
    let write = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--write") => true,
        Some(_) => {
            eprintln!("instructions [--write]");
            return ExitCode::from(2);
        }
    };
    match run(write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(write: bool) -> Result<(), String> {
    let module = Module::built()?;
    let before = Baseline::read();
    let mut now = Baseline::default();
    println!("{:<44} {:>12} {:>8} {:>7}", "", "instructions", "change", "calls");
    for path in PATHS {
        let cost = path.cost(&module).map_err(|error| format!("{}: {error}", path.name))?;
        let counted = Counted::mean(&cost, path.requests);
        let earlier = before.as_ref().ok().and_then(|before| before.0.get(path.name));
        let change = earlier.map(|earlier| format!("{:+.1} %", counted.percent_above(earlier)));
        let calls: f64 = counted.calls.values().sum();
        println!(
            "{:<44} {:>12} {:>8} {calls:>7.2}",
            path.name,
            counted.instructions,
            change.as_deref().unwrap_or("new")
        );
        show_parts(&cost, path.requests, &counted);
        now.0.insert(path.name.to_owned(), counted);
    }
    if write { now.write() } else { Ok(()) }
}

/// Which callbacks the instructions are of, and which calls were made.
fn show_parts(cost: &Cost, requests: u32, counted: &Counted) {
    for (export, count) in &cost.instructions {
        println!("    {:<40} {:>12}", export.trim_start_matches("proxy_"), count / u64::from(requests));
    }
    let calls: Vec<_> = counted.calls.iter().map(|(name, count)| format!("{count} {name}")).collect();
    println!("    {}", calls.join(", "));
}
