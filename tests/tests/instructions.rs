//! What requests cost in the module, held to what they cost before: see `src/instructions/mod.rs`.

use libtest_mimic::{Arguments, Failed, Trial};
use portcullis_tests::host::Module;
use portcullis_tests::instructions::{Baseline, Counted, PATHS, Path};
use std::process::ExitCode;
use std::sync::Arc;

/// What a difference is answered with, when it is wanted.
const REMEDY: &str = "`cargo xtask counts --write` writes the new counts to tests/instructions.json";

/// Places on the way of requests at which the module is stopped.
const SAMPLES: u64 = 16;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (module, baseline) = match (Module::built(), Baseline::read()) {
        (Ok(module), Ok(baseline)) => (module, Arc::new(baseline)),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mut trials: Vec<Trial> = PATHS
        .iter()
        .map(|path| {
            let (module, baseline) = (module.clone(), baseline.clone());
            Trial::test(path.name.replace(' ', "_"), move || hold(path, &module, &baseline))
        })
        .collect();
    trials.push(Trial::test("counts_are_the_same_each_time", {
        let module = module.clone();
        move || is_deterministic(&module)
    }));
    trials.push(Trial::test("requests_can_be_stopped_anywhere_for_a_profile", {
        let module = module.clone();
        move || is_profiled(&module)
    }));
    trials.push(Trial::test("every_count_is_of_a_path", move || {
        let forgotten: Vec<&str> = baseline.forgotten(PATHS).collect();
        if forgotten.is_empty() {
            Ok(())
        } else {
            Err(failed(&format!("no paths: {}", forgotten.join(", "))))
        }
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn hold(path: &Path, module: &Module, baseline: &Baseline) -> Result<(), Failed> {
    let counted = Counted::mean(&path.cost(module)?, path.requests);
    let Some(before) = baseline.0.get(path.name) else { return Err(failed("nobody has counted it before")) };
    counted.hold_to(before).map_err(|difference| failed(&difference))
}

fn is_deterministic(module: &Module) -> Result<(), Failed> {
    let count = || PATHS.iter().map(|path| path.cost(module)).collect::<Result<Vec<_>, _>>();
    if count()? == count()? { Ok(()) } else { Err("two counts of the same differ".into()) }
}

/// Wherever the module is stopped on the way of requests, there is a stack.
fn is_profiled(module: &Module) -> Result<(), Failed> {
    let whole = PATHS.iter().filter(|path| path.requests > 1);
    let stacks = whole.map(|path| path.stacks(module, SAMPLES)).collect::<Result<Vec<_>, _>>()?;
    if stacks.iter().flatten().all(|stack| !stack.is_empty()) {
        Ok(())
    } else {
        Err("stacks are missing".into())
    }
}

fn failed(difference: &str) -> Failed {
    format!("{difference}\n{REMEDY}").into()
}
