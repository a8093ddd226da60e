//! `instructions`: counts what requests cost in the built module, and prints it beside what they cost before; with `--write` it
//! becomes what they cost before. `--profile PATH` shows which functions the instructions of one path are of, and `--stacks PATH`
//! the same as folded stacks, the outermost function first, with the instructions of a request for each: what tools draw flame
//! graphs of.

use portcullis_tests::host::{Cost, Module};
use portcullis_tests::instructions::{Baseline, Counted, PATHS, Path};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// Stacks that a profile is made of: no multiple of the requests of a path, or the same places of each would be seen.
const SAMPLES: u64 = 499;

/// Functions that a profile shows.
const SHOWN: usize = 40;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => run(false),
        ["--write"] => run(true),
        ["--profile", name] => profile(name),
        ["--stacks", name] => stacks(name),
        _ => Err("instructions [--write | --profile PATH | --stacks PATH]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Which functions the instructions of a path are of: on their own, and with everything they call.
fn profile(name: &str) -> Result<(), String> {
    let path = path(name)?;
    let mut functions: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for stack in path.stacks(&Module::built()?, SAMPLES)? {
        if let Some(innermost) = stack.first() {
            functions.entry(innermost.clone()).or_default().0 += 1;
        }
        for function in stack.into_iter().collect::<BTreeSet<_>>() {
            functions.entry(function).or_default().1 += 1;
        }
    }
    let mut functions: Vec<_> = functions.into_iter().collect();
    functions.sort_by_key(|(_, (own, all))| std::cmp::Reverse((*own, *all)));
    let percent = |count: u64| count as f64 * 100.0 / SAMPLES as f64;
    println!("{:>7} {:>7}", "own, %", "all, %");
    for (function, (own, all)) in functions.into_iter().take(SHOWN) {
        println!("{:>7.1} {:>7.1}  {function}", percent(own), percent(all));
    }
    Ok(())
}

/// Each stack once, with its share of the instructions of a request.
fn stacks(name: &str) -> Result<(), String> {
    let (path, module) = (path(name)?, Module::built()?);
    let instructions = path.cost(&module)?.total() / u64::from(path.requests);
    let mut folded: BTreeMap<String, u64> = BTreeMap::new();
    for stack in path.stacks(&module, SAMPLES)? {
        let outermost_first: Vec<_> = stack.iter().rev().map(|name| name.replace(';', "")).collect();
        *folded.entry(outermost_first.join(";")).or_default() += 1;
    }
    for (stack, samples) in folded {
        println!("{stack} {}", samples * instructions / SAMPLES);
    }
    Ok(())
}

fn path(name: &str) -> Result<&'static Path, String> {
    let names: Vec<_> = PATHS.iter().map(|path| path.name).collect();
    let path = PATHS.iter().find(|path| path.name == name);
    path.ok_or_else(|| format!("the paths are: {}", names.join("; ")))
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
