//! Reads what `cargo test` prints: which runner, how many passed and failed, how long it took. libtest and libtest-mimic
//! print the same closing line; a runner without a harness may instead print `<suite>: N passed, N failed` lines.

use std::time::Duration;

/// How cargo begins to say that a runner failed.
const COMPLAINT: &str = "error: test failed, to rerun pass `";

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
    /// What cargo calls it.
    target: String,
    closed: bool,
}

impl Runner {
    /// Whether it ran nothing and ended well: it says why in its text.
    pub(super) fn checked_nothing(&self) -> bool {
        !self.closed && self.failed == 0
    }

    /// What it printed about failures.
    pub(super) fn failures(&self) -> String {
        let passed = |line: &str| line.starts_with("test ") && line.ends_with(" ok");
        self.text.lines().filter(|line| !passed(line)).collect::<Vec<_>>().join("\n")
    }
}

/// Every runner in what `cargo test --no-fail-fast` printed. One without a result counts one failure when cargo says that
/// it failed.
pub(super) fn read_runners(output: &str) -> Vec<Runner> {
    let mut runners: Vec<Runner> = Vec::new();
    let mut open = false;
    for line in output.lines() {
        if let Some(runner) = opening(line) {
            runners.push(runner);
            open = true;
        } else if line.starts_with(COMPLAINT) {
            open = false;
        } else if let Some(runner) = runners.last_mut().filter(|_| open) {
            open = !read_line(runner, line);
        }
    }
    for runner in runners.iter_mut().filter(|runner| !runner.closed) {
        let complaint = format!("--test {}`", runner.target);
        let complaints = output.lines().filter(|line| line.starts_with(COMPLAINT));
        let died = complaints.clone().any(|line| line.contains(&complaint))
            || (runner.name.contains(" src/") && complaints.clone().any(|line| !line.contains("--test ")));
        runner.failed = u64::from(died);
    }
    runners
}

/// Takes in one line of a runner; true when it was the closing line.
fn read_line(runner: &mut Runner, line: &str) -> bool {
    runner.text.push_str(line);
    runner.text.push('\n');
    if let Some(result) = line.strip_prefix("test result: ") {
        runner.passed = number_before(result, " passed").unwrap_or(0);
        // A closing line we cannot read must not count as a pass.
        runner.failed = number_before(result, " failed").unwrap_or(1);
        let seconds =
            result.rsplit("finished in ").next().and_then(|text| text.trim_end_matches('s').parse().ok());
        runner.took = seconds.map(Duration::from_secs_f64).unwrap_or_default();
        runner.closed = true;
        return true;
    }
    let suite = line.rsplit_once(": ").map(|(_, counts)| counts).filter(|counts| counts.ends_with(" failed"));
    if let Some(counts) = suite
        && let (Some(passed), Some(failed)) =
            (number_before(counts, " passed, "), number_before(counts, " failed"))
    {
        runner.passed += passed;
        runner.failed += failed;
        runner.closed = true;
    }
    false
}

/// `     Running tests/envoy.rs (target/debug/deps/envoy-0a1b2c)` or `   Doc-tests portcullis_policy`.
fn opening(line: &str) -> Option<Runner> {
    let runner = |name: String, target: &str| Runner {
        name,
        passed: 0,
        failed: 0,
        took: Duration::ZERO,
        text: String::new(),
        target: target.to_owned(),
        closed: false,
    };
    if let Some(of) = line.strip_prefix("   Doc-tests ") {
        return Some(runner(format!("{of} documentation"), of));
    }
    let (file, program) = line.strip_prefix("     Running ")?.split_once(" (")?;
    let program = program.trim_end_matches(')').rsplit('/').next()?;
    let (target, _hash) = program.rsplit_once('-')?;
    Some(match file.strip_prefix("unittests ") {
        Some(file) => runner(format!("{target} {file}"), target),
        None => runner(file.to_owned(), target),
    })
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
error: test failed, to rerun pass `-p portcullis-tests --test dies`
     Running tests/vectors/main.rs (target/debug/deps/vectors-9c)
JWS (native): 20 passed, 0 failed
JWK (native): 5 passed, 1 failed
error: test failed, to rerun pass `-p portcullis-filter --test vectors`
     Running tests/optional/main.rs (target/debug/deps/optional-9c)
no folder: nothing checked
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
                ("tests/vectors/main.rs", 25, 1),
                ("tests/optional/main.rs", 0, 0),
                ("portcullis_policy documentation", 1, 0),
            ]
        );
        assert_eq!(runners[1].took, Duration::from_millis(12_500));
        assert!(runners[1].text.contains("test refuses ... FAILED"));
    }

    #[test]
    fn a_runner_that_checked_nothing_is_no_pass() {
        let runners = read_runners(OUTPUT);
        let nothing: Vec<_> = runners.iter().filter(|runner| runner.checked_nothing()).collect();
        assert_eq!(nothing.len(), 1);
        assert_eq!(nothing[0].text, "no folder: nothing checked\n");
    }

    #[test]
    fn unit_tests_that_die_are_a_failure() {
        let output = "     Running unittests src/lib.rs (target/debug/deps/dies-7a)\nrunning 3 tests\n\
                      error: test failed, to rerun pass `-p dies --lib`\n";
        assert_eq!(read_runners(output)[0].failed, 1);
    }

    #[test]
    fn what_passed_is_left_out_of_a_report_of_failures() {
        let runner =
            &read_runners(OUTPUT.replace("test refuses", "test takes ... ok\ntest refuses").as_str())[1];
        assert!(runner.failures().starts_with("test refuses ... FAILED"), "{}", runner.failures());
    }
}
