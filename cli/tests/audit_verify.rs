//! `portcullis audit verify` as an auditor runs it.

#[cfg(test)]
mod record;

#[cfg(test)]
mod command {
    use std::io::Write;

    use assert_cmd::Command;
    use portcullis_filter::audit::{Decision, Outcome};
    use tempfile::NamedTempFile;

    use super::record::{lines, permit};

    /// `open`, two permits, one deny, and `close` if so.
    fn records(byte: u8, closes: bool) -> Vec<String> {
        let outcomes = [Outcome::Permit, Outcome::Deny, Outcome::Permit];
        lines(byte, outcomes.map(|outcome| Decision { outcome, ..permit() }), closes)
    }

    fn file(lines: &[String]) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(lines.concat().as_bytes()).unwrap();
        file
    }

    /// Exit status and standard output.
    fn verify(lines: &[String], arguments: &[&str]) -> (i32, String) {
        let file = file(lines);
        let output = Command::cargo_bin("portcullis")
            .unwrap()
            .args(["audit", "verify"])
            .arg(file.path())
            .args(arguments)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), text.replace(file.path().to_str().unwrap(), "FILE"))
    }

    #[test]
    fn an_intact_file_is_a_table_and_status_0() {
        let (status, text) = verify(&[records(1, true), records(2, false)].concat(), &[]);
        assert_eq!(status, 0, "{text}");
        let row = |start: &str| {
            let line = text.lines().find(|line| line.trim().starts_with(start)).unwrap_or_default();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let times = "2026-01-01T00:00:00Z 2026-01-01T03:00:00Z";
        assert_eq!(row("0101"), format!("{} {times} 5 2 1 0 0 closed", "01".repeat(16)), "{text}");
        assert!(row("0202").ends_with("4 2 1 0 0 open at 3"), "{text}");
        assert!(text.contains(&format!("--expect-head {}:3:", "02".repeat(16))), "{text}");
        assert!(text.ends_with("intact: 9 lines in 2 streams\n"), "{text}");
    }

    #[test]
    fn each_finding_is_one_line_with_its_place_and_what_to_do() {
        let mut lines = records(1, true);
        lines[2] = lines[2].replace("deny", "permit");
        let (status, text) = verify(&lines, &[]);
        assert_eq!(status, 1);
        let expected = format!(
            "FILE:3: stream {}: record 2 was edited: its hash does not match; treat this record and what follows in \
             its stream as tampered with; compare with another copy\n",
            "01".repeat(16)
        );
        assert!(text.starts_with(&expected), "{text}");
        assert!(text.ends_with("NOT INTACT: 1 findings in 5 lines, 1 streams\n"), "{text}");
    }

    #[test]
    fn json_says_the_same() {
        let mut lines = records(1, true);
        lines.remove(2);
        let (status, text) = verify(&lines, &["--json"]);
        assert_eq!(status, 1);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["intact"], false);
        assert_eq!(document["findings"][0]["kind"], "missing");
        assert_eq!(document["findings"][0]["line"], 3);
        assert_eq!(document["streams"][0]["closed"], true);
        assert_eq!(document["streams"][0]["records"], 4);
        let (status, text) = verify(&records(1, true), &["--json"]);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &document["intact"], &document["finding_count"]), (0, &true.into(), &0.into()));
    }

    #[test]
    fn a_cut_tail_is_found_by_what_is_demanded() {
        let whole = records(1, true);
        let (_, text) = verify(&whole, &["--json"]);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let head = document["streams"][0]["head"].as_str().unwrap();
        assert_eq!(verify(&whole, &["--require-closed", "--expect-head", head]).0, 0);
        let cut = &whole[..3];
        assert_eq!(verify(cut, &[]).0, 0);
        let (status, text) = verify(cut, &["--require-closed"]);
        assert!(status == 1 && text.contains("the stream has no end"), "{text}");
        let (status, text) = verify(cut, &["--expect-head", head]);
        assert!(status == 1 && text.contains("the expected head, record 4, is absent"), "{text}");
    }

    #[test]
    fn standard_input_is_read_as_a_dash() {
        let run = |input: String| {
            Command::cargo_bin("portcullis")
                .unwrap()
                .args(["audit", "verify", "-"])
                .write_stdin(input)
                .assert()
        };
        run(records(1, true).concat()).code(0);
        let refused = run("not a record\n".to_owned()).code(1);
        let text = String::from_utf8(refused.get_output().stdout.clone()).unwrap();
        assert!(text.starts_with("standard input:1: the line is not JSON; "), "{text}");
    }

    #[test]
    fn findings_beyond_what_anyone_reads_are_counted() {
        let (status, text) = verify(&vec!["x\n".to_owned(); 1_500], &[]);
        assert_eq!(status, 1);
        assert!(text.contains("... and 500 more findings\n"), "{text}");
    }

    #[test]
    fn what_cannot_be_read_is_status_2_and_never_intact() {
        let run = |arguments: &[&str]| {
            Command::cargo_bin("portcullis")
                .unwrap()
                .args(["audit", "verify"])
                .args(arguments)
                .assert()
                .code(2)
        };
        run(&[]);
        run(&["no-such-file.ndjson"]);
        run(&["."]);
        run(&["-", "--expect-head", "nonsense"]);
    }
}
