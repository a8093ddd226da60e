//! The page: what stands between two marks of `docs/performance.md` is written anew, what people wrote around them stays;
//! the plots stand beside it.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::plot::{self, KEPT, MISSED, Mark, NEUTRAL, Row, Rows, SERIES};
use super::run::{Run, Spread};
use super::table::Table;
use super::verdict::{self, number, spread};

/// Before what is written.
const BEGIN: &str = "<!-- Written by `cargo xtask bench`, from here -->";

/// Behind it.
const END: &str = "<!-- to here -->";

/// The load average for each core above which a machine is busy before anything is measured.
const BUSY: f64 = 0.5;

/// A page without anything that people wrote.
pub(crate) const EMPTY: &str = concat!(
    "# What the gate costs beside Envoy's own filters\n\n",
    "<!-- Written by `cargo xtask bench`, from here -->\n",
    "<!-- to here -->\n"
);

/// A file that the page shows.
pub(crate) struct Plot {
    pub(crate) name: &'static str,
    pub(crate) svg: String,
}

/// A page with what these runs measured put in.
///
/// # Errors
/// When the marks are not there, once each and in this order.
pub(crate) fn put_in(page: &str, runs: &[Run]) -> Result<String> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.with_context(|| format!("the page lacks `{BEGIN}` or `{END}`"))?;
    ensure!(!after.contains(BEGIN) && !after.contains(END), "the page has its marks twice");
    Ok(format!("{before}{BEGIN}\n\n{}\n{END}{after}", written(runs)?))
}

/// Writes the page and its plots; the plots go into a folder beside it.
///
/// # Errors
/// When the page has no place for them, or cannot be written.
pub(crate) fn write(page: &Path, runs: &[Run]) -> Result<()> {
    let folder = page.with_extension("");
    std::fs::create_dir_all(&folder)?;
    let text = std::fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
    let text = put_in(&text, runs)?;
    for plot in plots(runs)? {
        std::fs::write(folder.join(plot.name), plot.svg)?;
    }
    Ok(std::fs::write(page, text)?)
}

fn written(runs: &[Run]) -> Result<String> {
    let Some(last) = runs.last() else { return Ok("Not measured yet.\n".to_owned()) };
    let verdicts = verdict::verdicts(runs);
    let measured = &last.measured;
    let (rounds, latency, memory) = (&measured.rounds, &measured.latency, &measured.memory);
    let (push, start, workers) = (&measured.push, &measured.start, &measured.workers);
    let sections = [
        verdict::sentence(&verdicts),
        verdict::table(&verdicts, runs.len()).markdown(),
        format!(
            "Ratios are medians of {} rounds, with the smallest and the largest. A figure of several runs keeps its bar when \
             each of them does. In the plot a cross is the bar.",
            rounds.rounds
        ),
        image("ratios", "Ratios of CPU above the bare listener, with their bars"),
        "## The runs".to_owned(),
        circumstances(runs).markdown(),
        busy(runs),
        format!(
            "All that follows is of run {}. Each run as it was measured: {}.",
            runs.len(),
            runs_as_json(runs.len())
        ),
        "## CPU for a request".to_owned(),
        format!(
            "Microseconds of the whole process above the bare listener in the same round, {} requests in each of {} rounds; of \
             the bare listener itself all. Requests a second are of clients that send as fast as answers come.",
            rounds.requests, rounds.rounds
        ),
        costs(last).markdown(),
        image("cpu", "CPU for a warm request above the bare listener"),
        "## Latency".to_owned(),
        format!(
            "Warm requests at {} a second, the same for all, the lanes in turn; {} turns of {} seconds. A request is due at a \
             moment that no answer moves, and its latency counts from that moment.",
            latency.rate,
            latency.turns,
            number(latency.seconds)
        ),
        latencies(last).markdown(),
        image("latency", "Latencies at a fixed rate: p50, p99 and p99.9"),
        "## Workers".to_owned(),
        format!(
            "Requests for each second of CPU, on a machine with {} cores, which the clients share.",
            workers.cores
        ),
        workers_table(last).markdown(),
        "## A policy pushed under load".to_owned(),
        format!(
            "A policy of {} rules replaced by extension config discovery, under {} requests a second; {} of them failed. The \
             slowest in a hundred waited {} µs in the second before, and {} µs in the second that began with the push; the \
             slowest of all {} µs.",
            push.rules,
            push.rate,
            push.failed,
            spread(&push.before_p99_us),
            spread(&push.push_p99_us),
            spread(&push.push_max_us)
        ),
        image("push", "p99 in each twentieth of a second, around a push"),
        "## Start".to_owned(),
        format!(
            "From the start of Envoy's process to the first decided request. Above the bare listener the gate takes {} times \
             what the empty filter takes.",
            spread(&start.above_bare)
        ),
        starts(last).markdown(),
        "## Memory".to_owned(),
        format!(
            "Resident memory of an Envoy with one worker and this lane alone, after some thousands of requests; and what each \
             further worker adds, Envoy's own share included. Over {} requests, of which a fifth had tokens that were not \
             remembered, forged ones or none, it grew by {} MB from the tenth part on.",
            memory.long_run.requests,
            number(memory.long_run.growth_mb)
        ),
        memories(last).markdown(),
        image("memory", "Resident memory over a long run"),
    ];
    let sections = sections.iter().filter(|section| !section.is_empty());
    let sections: Vec<_> = sections.map(|section| format!("{}\n", section.trim_end())).collect();
    Ok(sections.join("\n"))
}

fn image(name: &str, what: &str) -> String {
    format!("![{what}](performance/{name}.svg)")
}

fn runs_as_json(runs: usize) -> String {
    let names: Vec<_> = (1..=runs).map(|run| format!("[run {run}](performance/run-{run}.json)")).collect();
    names.join(", ")
}

/// Which runs began on a machine that had other things to do; empty when none did.
fn busy(runs: &[Run]) -> String {
    let busy = |run: &Run| run.circumstances.load > BUSY * run.circumstances.cores as f64;
    let numbers: Vec<_> =
        (1..).zip(runs).filter(|(_, run)| busy(run)).map(|(number, _)| format!("run {number}")).collect();
    if numbers.is_empty() {
        return String::new();
    }
    format!(
        "**On a busy machine**: {}. What a neighbour takes from cores and caches is in the figures.",
        numbers.join(", ")
    )
}

fn circumstances(runs: &[Run]) -> Table {
    let mut table = Table::new(
        8,
        ["run", "begun", "commit", "module", "Envoy", "Rust", "machine", "load average", "command"],
    );
    for (number, run) in (1..).zip(runs) {
        let with = &run.circumstances;
        table.add(vec![
            format!("{number}"),
            with.begun.clone(),
            with.commit.clone(),
            format!("{} bytes", with.module_bytes),
            with.envoy.clone(),
            with.rust.clone(),
            format!("{}, {} cores", with.processor, with.cores),
            format!("{}", with.load),
            format!("`{}`", with.command),
        ]);
    }
    table
}

/// What each lane costs.
pub(crate) fn costs(run: &Run) -> Table {
    let mut table = Table::new(2, ["traffic", "lane", "CPU, µs a request", "requests a second"]);
    for cost in &run.measured.rounds.costs {
        let row = [cost.traffic.clone(), cost.lane.clone(), spread(&cost.cpu_us), spread(&cost.per_second)];
        table.add(row.into());
    }
    table
}

fn latencies(run: &Run) -> Table {
    let mut table = Table::new(1, ["lane", "p50, µs", "p99, µs", "p99.9, µs"]);
    for lane in &run.measured.latency.lanes {
        let figures = [lane.p50_us, lane.p99_us, lane.p999_us];
        table.add([lane.lane.clone()].into_iter().chain(figures.iter().map(spread)).collect());
    }
    table
}

fn workers_table(run: &Run) -> Table {
    let many = format!("{} workers", run.measured.workers.workers);
    let mut table = Table::new(1, ["lane", "one worker", &many, "ratio"]);
    for lane in &run.measured.workers.lanes {
        let figures = [lane.one, lane.many, lane.ratio];
        table.add([lane.lane.clone()].into_iter().chain(figures.iter().map(spread)).collect());
    }
    table
}

fn starts(run: &Run) -> Table {
    let mut table = Table::new(1, ["lane", "first decision, ms"]);
    for lane in &run.measured.start.lanes {
        table.add(vec![lane.lane.clone(), spread(&lane.ms)]);
    }
    table
}

fn memories(run: &Run) -> Table {
    let memory = &run.measured.memory;
    let mut table = Table::new(1, ["lane", "resident, MB", "each further worker, MB"]);
    for lane in &memory.lanes {
        let workers = memory.workers.iter().find(|workers| workers.lane == lane.lane);
        let each = workers.map(|workers| spread(&workers.each_mb)).unwrap_or_default();
        table.add(vec![lane.lane.clone(), number(lane.resident_mb), each]);
    }
    table
}

/// The plots, of the last run.
///
/// # Errors
/// When one cannot be drawn.
pub(crate) fn plots(runs: &[Run]) -> Result<Vec<Plot>> {
    let measured = &runs.last().context("nothing was measured")?.measured;
    let mark =
        |spread: &Spread, colour| Mark { min: spread.min, median: spread.median, max: spread.max, colour };
    let ratios = measured.rounds.ratios.iter().map(|ratio| {
        let colour = match ratio.kept {
            Some(true) => KEPT,
            Some(false) => MISSED,
            None => NEUTRAL,
        };
        let note = format!("to {}", ratio.against);
        Row { label: ratio.name.clone(), note, marks: vec![mark(&ratio.ratio, colour)], bar: ratio.bar }
    });
    let warm = measured.rounds.costs.iter().filter(|cost| cost.traffic == "warm" && cost.lane != "bare");
    let cpu = warm.map(|cost| {
        let colour = if cost.lane.starts_with("portcullis") { KEPT } else { NEUTRAL };
        plain_row(&cost.lane, vec![mark(&cost.cpu_us, colour)])
    });
    let latency = measured.latency.lanes.iter().map(|lane| {
        let figures = [&lane.p50_us, &lane.p99_us, &lane.p999_us].into_iter().zip(SERIES);
        plain_row(&lane.lane, figures.map(|(figure, colour)| mark(figure, colour)).collect())
    });
    let push: Vec<_> = (0..)
        .zip(&measured.push.picture_p99_us)
        .map(|(at, p99)| (f64::from(at) / 20.0 - 1.0, *p99 / 1e3))
        .collect();
    let memory: Vec<_> =
        measured.memory.long_run.samples.iter().map(|(requests, mb)| (*requests as f64, *mb)).collect();
    let ratios = Rows {
        title: "CPU for a request of the gate, as a multiple of what it is compared with",
        axis: "times; both above the bare listener; less is better",
        legend: &[("keeps its bar", KEPT), ("misses it", MISSED), ("has none", NEUTRAL)],
        rows: ratios.collect(),
    };
    let cpu = Rows {
        title: "CPU for a warm request, above the bare listener",
        axis: "microseconds of the whole process; less is better",
        legend: &[("Portcullis", KEPT), ("others", NEUTRAL)],
        rows: cpu.collect(),
    };
    let [p50, p99, p999] = SERIES;
    let latency_title = format!("Latency of a warm request at {} requests a second", measured.latency.rate);
    let latency = Rows {
        title: &latency_title,
        axis: "microseconds; less is better",
        legend: &[("p50", p50), ("p99", p99), ("p99.9", p999)],
        rows: latency.collect(),
    };
    let push = plot::line(
        "p99 of requests around a push of a policy, in each twentieth of a second",
        ["seconds from the push", "milliseconds"],
        &push,
    )?;
    let memory = plot::line("Resident memory of Envoy over a long run", ["requests", "MB"], &memory)?;
    let named = [
        ("ratios.svg", ratios.draw()?),
        ("cpu.svg", cpu.draw()?),
        ("latency.svg", latency.draw()?),
        ("push.svg", push),
        ("memory.svg", memory),
    ];
    Ok(named.map(|(name, svg)| Plot { name, svg }).into())
}

fn plain_row(lane: &str, marks: Vec<Mark>) -> Row {
    Row { label: lane.to_owned(), note: String::new(), marks, bar: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::example;

    #[test]
    fn what_people_wrote_around_it_survives() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nbehind\n");
        let once = put_in(&page, &[example()]).unwrap();
        assert!(
            once.starts_with("before\n") && once.ends_with("\nbehind\n") && !once.contains("old"),
            "{once}"
        );
        assert_eq!(put_in(&once, &[example()]).unwrap(), once, "written twice it is the same");
        for broken in [BEGIN.to_owned(), format!("{END}{BEGIN}"), format!("{page}{page}")] {
            assert!(put_in(&broken, &[example()]).is_err(), "{broken}");
        }
        assert!(put_in(EMPTY, &[]).unwrap().contains("Not measured yet."));
    }

    #[test]
    fn the_page_names_what_is_kept_and_what_is_missed() {
        let page = put_in(EMPTY, &[example(), example()]).unwrap();
        for part in ["run 2", "| **missed** |", "| kept |", "bars are kept. Missed: warm", "run-2.json"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert_eq!(plots(&[example()]).unwrap().len(), 5);
    }

    #[test]
    fn a_busy_machine_is_named() {
        let mut late = example();
        late.circumstances.load = 1.5;
        let page = put_in(EMPTY, &[example(), late]).unwrap();
        assert!(page.contains("**On a busy machine**: run 2."), "{page}");
        assert!(!put_in(EMPTY, &[example()]).unwrap().contains("busy"));
    }
}
