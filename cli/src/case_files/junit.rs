//! What came of the cases as JUnit XML, which build servers show: a suite a file, a test case a case.

use quick_junit::{NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{CameTo, Outcome, Ran};

/// The report on all files. Letters that XML cannot hold are left out of names.
///
/// # Errors
/// What the writer of XML says.
pub(super) fn xml(outcomes: &[Outcome]) -> Result<String, SerializeError> {
    let mut report = Report::new("portcullis test");
    for outcome in outcomes {
        let mut suite = TestSuite::new(outcome.file.as_str());
        suite.add_property(Property::new("coverage_percent", outcome.coverage.percent().to_string()));
        for rule in outcome.coverage.missing() {
            suite.add_property(Property::new("never_decided", rule));
        }
        suite.add_test_cases(outcome.ran.iter().map(|ran| test_case(&outcome.file, ran)));
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn test_case(file: &str, ran: &Ran) -> TestCase {
    let Ran { name, line, came_to } = ran;
    let status = match came_to {
        CameTo::Passed => TestCaseStatus::success(),
        CameTo::Failed { expected, actual } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("expected {expected}, actual {actual}"));
            status.set_type("answer");
            status.set_description(super::difference(file, *line, name, expected, actual));
            status
        }
        CameTo::LeftOut => {
            let mut status = TestCaseStatus::skipped();
            status.set_message("needs a gateway");
            status
        }
    };
    let mut case = TestCase::new(name.as_str(), status);
    case.set_classname(file);
    case.extra.insert("file".into(), file.into());
    case.extra.insert("line".into(), line.to_string().into());
    case
}
