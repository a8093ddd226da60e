//! Reads what `cargo test` prints: which runner, how many passed and failed, how long it took. libtest and libtest-mimic
//! print the same closing line.

use std::time::Duration;

/// One test program that `cargo test` ran.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Runner {
    /// Crate and file, such as `portcullis_policy src/lib.rs`.
    pub(super) name: String,
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) took: Duration,
    /// All it printed.
    pub(super) text: String,
}

/// Every runner that came to its closing line; one that died before it counts one failure.
pub(super) fn read_runners(output: &str) -> Vec<Runner> {
    let mut runners: Vec<Runner> = Vec::new();
    let mut open = false;
    for line in output.lines() {
        if let Some(name) = runner_name(line) {
            bury(&mut runners, open);
            runners.push(Runner { name, passed: 0, failed: 0, took: Duration::ZERO, text: String::new() });
            open = true;
            continue;
        }
        let Some(runner) = runners.last_mut().filter(|_| open) else { continue };
        runner.text.push_str(line);
        runner.text.push('\n');
        if let Some(result) = line.strip_prefix("test result: ") {
            runner.passed = number_before(result, " passed").unwrap_or(0);
            // A closing line we cannot read must not count as a pass.
            runner.failed = number_before(result, " failed").unwrap_or(1);
            let seconds =
                result.rsplit("finished in ").next().and_then(|text| text.trim_end_matches('s').parse().ok());
            runner.took = seconds.map(Duration::from_secs_f64).unwrap_or_default();
            open = false;
        }
    }
    bury(&mut runners, open);
    runners
}

fn bury(runners: &mut [Runner], open: bool) {
    if let Some(dead) = runners.last_mut().filter(|_| open) {
        dead.failed = 1;
    }
}

/// `     Running tests/envoy.rs (target/debug/deps/envoy-0a1b2c)` or `   Doc-tests portcullis_policy`.
fn runner_name(line: &str) -> Option<String> {
    if let Some(of) = line.strip_prefix("   Doc-tests ") {
        return Some(format!("{of} documentation"));
    }
    let (file, program) = line.strip_prefix("     Running ")?.split_once(" (")?;
    let program = program.trim_end_matches(')').rsplit('/').next()?;
    let (program, _hash) = program.rsplit_once('-')?;
    match file.strip_prefix("unittests ") {
        Some(file) => Some(format!("{program} {file}")),
        None => Some(file.to_owned()),
    }
}

fn number_before(text: &str, word: &str) -> Option<u64> {
    text.split(word).next()?.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
   Compiling portcullis-policy v0.1.0
     Running unittests src/lib.rs (target/debug/deps/portcullis_policy-5b1d)

running 2 tests
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.25s

     Running tests/envoy.rs (target/debug/deps/envoy-7a)
test refuses ... FAILED
failures: refuses
test result: FAILED. 40 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 12.50s

     Running tests/dies.rs (target/debug/deps/dies-7a)
   Doc-tests portcullis_policy
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s
";

    #[test]
    fn counts_times_and_names_are_read() {
        let runners = read_runners(OUTPUT);
        let seen: Vec<_> =
            runners.iter().map(|runner| (runner.name.as_str(), runner.passed, runner.failed)).collect();
        assert_eq!(
            seen,
            [
                ("portcullis_policy src/lib.rs", 2, 0),
                ("tests/envoy.rs", 40, 1),
                ("tests/dies.rs", 0, 1),
                ("portcullis_policy documentation", 1, 0),
            ]
        );
        assert_eq!(runners[1].took, Duration::from_millis(12_500));
        assert!(runners[1].text.contains("test refuses ... FAILED"));
    }

    #[test]
    fn a_runner_that_dies_last_is_a_failure() {
        let runners =
            read_runners("     Running tests/dies.rs (target/debug/deps/dies-7a)\nrunning 3 tests\n");
        assert_eq!(runners[0].failed, 1);
    }
}
