//! `portcullis auth failures` as an operator runs it.

#[cfg(test)]
mod record;

#[cfg(test)]
mod command {
    use assert_cmd::Command;
    use portcullis_filter::audit::{Decision, Outcome, Texts};
    use serde_json::Value;

    use super::record::{lines, permit};

    fn denied(code: &'static str, status: u16) -> Decision<'static> {
        Decision {
            outcome: Outcome::Deny,
            code: Some(code.into()),
            status: Some(status),
            subject: None,
            ..permit()
        }
    }

    /// Two permits and four denials: twice a token that expired, once a caller who may not, once nobody.
    fn day() -> Vec<String> {
        let expired = || Decision {
            reason: Some("expired".into()),
            source: Some("192.0.2.7".parse().unwrap()),
            ..denied("invalid_token", 401)
        };
        let known = Decision {
            subject: Some("alice".into()),
            tenant: Some("acme".into()),
            authentication: Some("people".into()),
            path: Some("/v1/objects".into()),
            method: Some("POST".into()),
            rules: Texts::from_iter(["routes/1"]),
            ..denied("insufficient_permissions", 403)
        };
        lines(1, [permit(), expired(), permit(), known, expired(), denied("missing_token", 401)], true)
    }

    fn failures(input: &[u8], more: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        let output = command.args(["auth", "failures", "-"]).args(more).write_stdin(input).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn shown(lines: &[String], more: &[&str]) -> (i32, String) {
        let (status, out, err) = failures(lines.concat().as_bytes(), more);
        assert_eq!(err, "");
        (status, out.lines().map(|line| format!("{}\n", line.trim())).collect())
    }

    fn json(lines: &[String], more: &[&str]) -> (i32, Value) {
        let (status, out, err) = failures(lines.concat().as_bytes(), &[&["--json"], more].concat());
        (status, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}")))
    }

    #[test]
    fn denials_are_grouped_in_every_way() {
        let expected = "\
4 denials in 6 decisions

code                          denials  first                 last
401 invalid_token (expired)         2  2026-01-01T02:00:00Z  2026-01-01T05:00:00Z
401 missing_token                   1  2026-01-01T06:00:00Z  2026-01-01T06:00:00Z
403 insufficient_permissions        1  2026-01-01T04:00:00Z  2026-01-01T04:00:00Z

method         denials  first                 last
none verified        3  2026-01-01T02:00:00Z  2026-01-01T06:00:00Z
people               1  2026-01-01T04:00:00Z  2026-01-01T04:00:00Z

caller                   denials  first                 last
unknown, from 192.0.2.7        2  2026-01-01T02:00:00Z  2026-01-01T05:00:00Z
alice, tenant acme             1  2026-01-01T04:00:00Z  2026-01-01T04:00:00Z
unknown                        1  2026-01-01T06:00:00Z  2026-01-01T06:00:00Z

route               denials  first                 last
GET /v1/objects/42        3  2026-01-01T02:00:00Z  2026-01-01T06:00:00Z
POST /v1/objects          1  2026-01-01T04:00:00Z  2026-01-01T04:00:00Z

rule      denials  first                 last
none            3  2026-01-01T02:00:00Z  2026-01-01T06:00:00Z
routes/1        1  2026-01-01T04:00:00Z  2026-01-01T04:00:00Z

time           denials
2026-01-01T02        1
2026-01-01T04        1
2026-01-01T05        1
2026-01-01T06        1
";
        assert_eq!(shown(&day(), &[]), (0, expected.to_owned()));
    }

    #[test]
    fn time_code_and_policy_narrow_what_is_shown() {
        let denials = |more: &[&str]| {
            let (status, said) = json(&day(), more);
            assert_eq!(status, 0, "{said}");
            (said["denials"].as_u64().unwrap(), said["decisions"].as_u64().unwrap())
        };
        assert_eq!(denials(&["--since", "2026-01-01T04:00:00Z"]), (3, 3));
        assert_eq!(denials(&["--until", "2026-01-01T04:00:00Z"]), (1, 3));
        assert_eq!(denials(&["--since", "1767240000", "--until", "1767243600"]), (1, 1));
        assert_eq!(denials(&["--since", "1s"]), (0, 0));
        assert_eq!(denials(&["--code", "invalid_token"]), (2, 6));
        assert_eq!(denials(&["--code", "invalid_token", "--code", "missing_token"]), (3, 6));
        assert_eq!(denials(&["--policy", "shop"]), (4, 6));
        assert_eq!(denials(&["--policy", "other"]), (0, 0));
        assert_eq!(shown(&day(), &["--policy", "other"]).1, "0 denials in 0 decisions\n");
    }

    #[test]
    fn the_last_denials_are_shown_one_by_one() {
        let (_, out) = shown(&day(), &["--limit", "2", "--top", "1"]);
        let expected = "\
2026-01-01T05:00:00Z 401 invalid_token (expired) | unknown, from 192.0.2.7 | GET /v1/objects/42
2026-01-01T06:00:00Z 401 missing_token | unknown | GET /v1/objects/42
";
        assert!(out.ends_with(expected), "{out}");
        let others = out.lines().filter(|line| line.starts_with("others")).count();
        assert_eq!(others, 5, "{out}");
        let (_, said) = json(&day(), &["--limit", "2", "--top", "1"]);
        assert_eq!(said["recent"][1]["event"]["code"], "missing_token");
        assert_eq!(said["by"]["code"]["top"][0]["name"], "401 invalid_token (expired)");
        assert_eq!(said["by"]["code"]["others"], 2);
        assert_eq!(said["times"][0]["time"], "2026-01-01T02");
    }

    #[test]
    fn what_is_not_as_written_is_said_and_not_counted() {
        let mut edited = day();
        edited[2] = edited[2].replace("expired", "too_old");
        let (status, out) = shown(&edited, &[]);
        assert_eq!(status, 1);
        assert!(out.starts_with("3 denials in 5 decisions\n"), "{out}");
        assert!(out.contains("NOT INTACT: 1 findings; the first: line 3: record 2 was edited: "), "{out}");
        assert!(out.ends_with("see all of them: portcullis audit verify -\n"), "{out}");

        let mut cut = day().concat();
        cut.pop();
        let (status, out, _) = failures(cut.as_bytes(), &[]);
        assert!(status == 1 && out.contains("line 8: the last line has no line feed; "), "{out}");
        cut.truncate(cut.len() - 20);
        let (status, out, _) = failures(cut.as_bytes(), &[]);
        assert!(status == 1 && out.starts_with("4 denials in 6 decisions\n"), "{out}");

        let mut twice = day();
        twice.extend(day());
        assert!(shown(&twice, &[]).1.starts_with("4 denials in 6 decisions\n"), "delivered twice is once");

        let (status, out, _) =
            failures(format!("{}\n{}", "x".repeat(70_000), day().concat()).as_bytes(), &[]);
        assert!(status == 1 && out.contains("line 1: the line is longer than any record; "), "{out}");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_shown() {
        let sly = Decision { subject: Some("a\u{1b}[2J\u{202e}b".into()), ..denied("access_denied", 403) };
        let (_, out) = shown(&lines(1, [sly], true), &["--limit", "1"]);
        assert!(out.contains("a\\u{1b}[2J\\u{202e}b"), "{out}");
        assert!(!out.contains(['\u{1b}', '\u{202e}']), "{out}");
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for (input, said) in [
            (b"".as_slice(), "standard input: no audit record in it: there is no record in it; "),
            (
                b"{\"a\": 1}\n",
                "standard input: no audit record in it: line 1: the line is not an audit record; ",
            ),
            (b"\xff\x00\n", "standard input: no audit record in it: line 1: the line is not JSON; "),
        ] {
            let (status, out, err) = failures(input, &[]);
            assert_eq!((status, out.as_str()), (2, ""));
            assert!(err.starts_with(&format!("portcullis: {said}")), "{err}");
        }
        let run = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
            command.args(["auth", "failures"]).args(arguments).output().unwrap().status.code()
        };
        for arguments in [
            [].as_slice(),
            &["missing.ndjson"],
            &["."],
            &["-", "--code", "no_such_code"],
            &["-", "--since", "yesterday"],
            &["-", "--limit", "1001"],
        ] {
            assert_eq!(run(arguments), Some(2), "{arguments:?}");
        }
    }
}
