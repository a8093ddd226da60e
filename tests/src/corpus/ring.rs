//! Running the corpus as named tests.

use super::{
    Corpus, Keys, Seen, Sent,
    case::{Case, CaseFile},
    compare,
    sent::describe,
};
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;
use std::sync::Arc;

/// What a ring must be able to do.
pub trait Runner: Send + Sync + 'static {
    /// The ring's name, as `skips.yaml` has it.
    fn ring(&self) -> &'static str;

    /// The keys that documents and tokens are made with.
    fn keys(&self) -> Keys;

    /// The ring's idea of now, in seconds since 1970.
    fn now(&self) -> i64;

    /// How many cases may run at once; `None` is as many as there are processors.
    fn threads(&self) -> Option<usize> {
        None
    }

    /// Sends a request through a gate under the file's document.
    ///
    /// # Errors
    /// When the gate cannot be set up at all.
    fn exchange(&self, file: &CaseFile, case: &Case, sent: &Sent) -> Result<Seen, String>;
}

/// Runs every case that the ring does not leave out, each as a test of its own.
pub fn run(runner: impl Runner) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = runner.threads().or(arguments.test_threads);
    let corpus = match Corpus::load() {
        Ok(corpus) => corpus,
        Err(error) => {
            eprintln!("the corpus cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let runner = Arc::new(runner);
    let mut trials = Vec::new();
    let mut skipped = 0;
    for file in &corpus.files {
        let file = Arc::new(file.clone());
        for case in &file.cases {
            if let Some(skip) = corpus.skip(runner.ring(), &case.id) {
                println!("left out of ring {}: {}: {}", skip.ring, skip.id, skip.reason);
                skipped += 1;
                continue;
            }
            let (file, case, runner) = (Arc::clone(&file), case.clone(), Arc::clone(&runner));
            trials.push(Trial::test(format!("{}::{}", file.name, case.id), move || {
                run_case(&*runner, &file, &case)
            }));
        }
    }
    println!(
        "ring {}: {} cases of {} files, {skipped} left out",
        runner.ring(),
        trials.len(),
        corpus.files.len()
    );
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn run_case(runner: &dyn Runner, file: &CaseFile, case: &Case) -> Result<(), Failed> {
    let sent = Sent::of(file, case, &runner.keys(), runner.now())?;
    let seen = runner.exchange(file, case, &sent)?;
    let realm = file.document["name"].as_str().unwrap_or_default();
    let mut wrong = compare(&case.want, &seen, realm);
    if let Seen::Permitted { body: Some(body), .. } = &seen
        && *body != sent.body
    {
        wrong.push(format!("the upstream got a body of {} bytes and not the one sent", body.len()));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("{}\n{}\n  {}", case.note, describe(case), wrong.join("\n  ")).into())
}
