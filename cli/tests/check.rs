//! `portcullis check` as people and programs run it.

#[cfg(test)]
mod command {
    use std::path::{Path, PathBuf};

    use assert_cmd::Command;
    use serde_json::Value;
    use snapbox::{assert_data_eq, file};

    fn portcullis() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.current_dir(documents()).env_remove("SHOP_SERVICES_SECRET");
        command
    }

    fn documents() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
    }

    fn check(name: &str, text: &str) -> (i32, String) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        let output = portcullis().current_dir(folder.path()).args(["check", name]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    #[test]
    fn twelve_mistakes_are_twelve_problems_with_their_lines() {
        let output = portcullis().args(["check", "--json", "twelve-mistakes.yaml"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = reports[0]["findings"].as_array().unwrap();
        let mut found: Vec<(u64, &str)> = findings
            .iter()
            .map(|finding| (finding["line"].as_u64().unwrap(), finding["pointer"].as_str().unwrap()))
            .collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                (6, "/authentication/methods/0/jwt"),
                (7, "/authentication/methods/0/jwt/isuer"),
                (9, "/authentication/methods/0/jwt/algorithms/0"),
                (12, "/authentication/methods/0/jwt/jwks_timeout"),
                (14, "/authentication/methods/1/jwt"),
                (17, "/authentication/methods/1/jwt/secret"),
                (20, "/tenancy/bind/0/path"),
                (24, "/authorization/roles/admin/inherits/0"),
                (26, "/authorization/routes/0/methods/0"),
                (28, "/authorization/routes/2"),
                (30, "/authorization/rules/0/action"),
                (33, "/audit/max_batch"),
            ]
        );
    }

    #[test]
    fn people_see_the_line_and_never_the_secret() {
        let output = portcullis().args(["check", "twelve-mistakes.yaml"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("correct-horse"), "{said}");
        assert_data_eq!(said, file!["documents/twelve-mistakes.txt"].raw());
    }

    #[test]
    fn twelve_mistakes_in_what_callers_may_do_are_twelve_problems_at_once() {
        let output = portcullis().args(["check", "twelve-more-mistakes.yaml"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_data_eq!(&said, file!["documents/twelve-more-mistakes.txt"].raw());
        assert!(said.ends_with("twelve-more-mistakes.yaml: 12 problems\n"), "{said}");
        let text = std::fs::read_to_string(documents().join("twelve-more-mistakes.yaml")).unwrap();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| line.contains(" # ")) {
            assert!(said.contains(&format!("twelve-more-mistakes.yaml:{}:", index + 1)), "{line}");
        }
    }

    /// A document as those write it who come from another language of policies.
    #[test]
    fn whatever_another_language_says_is_told_what_to_write_instead() {
        let output = portcullis().args(["check", "--json", "another-language.yaml"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = reports[0]["findings"].as_array().unwrap();
        let mut lines: Vec<u64> = Vec::new();
        for finding in findings {
            assert!(finding["expected"].is_string() || finding["nearest"].is_string(), "{finding}");
            lines.push(finding["line"].as_u64().unwrap());
        }
        lines.sort_unstable();
        assert_eq!(
            lines,
            [1, 3, 4, 8, 9, 10, 11, 12, 15, 17, 20, 22, 28, 29, 31, 33, 35, 36, 37, 39, 40, 41, 43, 44],
            "{findings:#?}"
        );
    }

    /// The two shapes that a document can have, and the two at once.
    #[test]
    fn rules_and_groups_stand_in_one_of_two_places() {
        let head = std::fs::read_to_string(documents().join("shop.yaml")).unwrap();
        let head = head.split("tenancy:").next().unwrap();
        let rules = "[{effect: allow, action: read, resource: /docs/*, role: editor}]";
        for (shape, good) in [
            (format!("rules: {rules}\ngroups: [staff]\n"), true),
            (format!("authorization: {{rules: {rules}, groups: [staff]}}\n"), true),
            (format!("rules: {rules}\nauthorization: {{groups: [staff]}}\n"), false),
            (format!("groups: [staff]\nauthorization: {{rules: {rules}}}\n"), false),
        ] {
            let (code, said) = check("doc.yaml", &format!("{head}{shape}"));
            assert_eq!(code, i32::from(!good), "{shape}: {said}");
            let refused = "two shapes of one document: ";
            assert_eq!(said.contains(refused), !good, "{shape}: {said}");
            assert_eq!(said.contains("keep `authorization` and move this into it"), !good, "{shape}: {said}");
        }
    }

    #[test]
    fn a_good_document_is_good_in_yaml_and_in_json() {
        let secret = ("SHOP_SERVICES_SECRET", "0123456789abcdef0123456789abcdef");
        let output = portcullis().env(secret.0, secret.1).args(["check", "shop.yaml"]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "shop.yaml: ok\n");
        assert_eq!(output.status.code(), Some(0));
        let json = portcullis().args(["render", "shop.yaml"]).output().unwrap().stdout;
        let piped =
            portcullis().env(secret.0, secret.1).args(["check", "-"]).write_stdin(json).output().unwrap();
        assert_eq!(String::from_utf8(piped.stdout).unwrap(), "-: ok\n");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named_and_one_too_short_is_refused() {
        let output = portcullis().args(["check", "shop.yaml"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("`SHOP_SERVICES_SECRET` is not set here"), "{said}");
        assert!(said.contains("shop.yaml:19:17"), "{said}");
        assert!(said.ends_with("shop.yaml: ok, 1 warning\n"), "{said}");

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("env");
        let check = |content: &str| {
            std::fs::write(&file, content).unwrap();
            let output = portcullis().args(["check", "shop.yaml", "--env-file"]).arg(&file).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
            (output.status.code().unwrap(), said)
        };
        let (code, said) =
            check("# secrets\n\nexport SHOP_SERVICES_SECRET=\"0123456789abcdef0123456789abcdef\"\n");
        assert_eq!((code, said.as_str()), (0, "shop.yaml: ok\n"));
        let (code, said) = check("SHOP_SERVICES_SECRET=hunter2\n");
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("/authentication/methods/1/jwt/secret") && !said.contains("hunter2"), "{said}");
        let (code, said) = check("SHOP_SERVICES_SECRET hunter2\n");
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(":1: not `NAME=value`") && !said.contains("hunter2"), "{said}");
    }

    #[test]
    fn yaml_that_could_be_misread_is_refused_with_its_line() {
        for (text, said) in [
            ("version: 1\nname: a\nname: b\n", "doc.yaml:3:1"),
            ("version: !int 1\n", "doc.yaml:1:10"),
            ("version: [\n", "not YAML at line 2"),
            ("", "document: empty"),
        ] {
            let (code, output) = check("doc.yaml", text);
            assert_eq!(code, 1, "{output}");
            assert!(output.contains(said), "{said}: {output}");
        }
    }

    #[test]
    fn a_secret_is_not_shown_with_its_line() {
        for text in [
            "version: 1\nauthentication: {methods: [{name: a, jwt: {secret: hunter2, isuer: b}}]}\n",
            "version: 1\nsecert: hunter2\n",
            "version: 1\nsecret: a\nsecret: hunter2\n",
            "version: 1\nsecret: \"hunter2\nname: x\n",
            "version: 1\nsecret: [hunter2\nname: x\n",
            "version: 1\nsecret: !tag hunter2\n",
            "version: 1\nx: &a hunter2\nsecret: *a\n",
            "version: 1\nsecret: @hunter2\n",
        ] {
            let (code, said) = check("doc.yaml", text);
            assert_eq!(code, 1, "{text}: {said}");
            assert!(!said.contains("hunter2"), "{text}: {said}");
            assert!(said.contains("doc.yaml:"), "{text}: {said}");
        }
    }

    #[test]
    fn json_is_read_as_the_proxy_reads_it() {
        let (code, said) = check("doc.json", "{\"version\": 1, \"version\": 1}");
        assert_eq!(code, 1);
        assert!(
            said.contains("the same name again, first in line 1") && said.contains("doc.json:1:16"),
            "{said}"
        );
        let (code, said) = check("doc.json", "version: 1\n");
        assert_eq!(code, 1);
        assert!(said.contains("not JSON at line 1"), "{said}");
    }

    #[test]
    fn what_cannot_be_read_is_not_a_problem_of_the_document() {
        let output = portcullis().args(["check", "missing.yaml"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().starts_with("portcullis: missing.yaml: "));
        assert_eq!(portcullis().arg("check").output().unwrap().status.code(), Some(2));
    }

    #[test]
    fn several_files_are_all_looked_at() {
        let output =
            portcullis().args(["check", "--json", "shop.yaml", "twelve-mistakes.yaml"]).output().unwrap();
        let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(reports[0]["ok"], true);
        assert_eq!(reports[1]["ok"], false);
        assert_eq!(output.status.code(), Some(1));
    }

    #[test]
    fn a_warning_has_its_code_its_line_and_its_remedy() {
        let output = portcullis().args(["check", "warnings.yaml"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_data_eq!(String::from_utf8(output.stdout).unwrap(), file!["documents/warnings.txt"].raw());

        let output = portcullis().args(["check", "--json", "warnings.yaml"]).output().unwrap();
        let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
        let finding = &reports[0]["findings"][0];
        assert_eq!(finding["code"], "unauthenticated-access");
        assert_eq!(finding["severity"], "warning");
        assert_eq!(
            (finding["line"].as_u64(), finding["pointer"].as_str()),
            (Some(15), Some("/authorization/public/1"))
        );
        assert!(finding["remedy"].as_str().unwrap().starts_with("ensure that this is intentional"));
    }

    #[test]
    fn warnings_are_denied_and_allowed_by_code() {
        let check = |arguments: &[&str]| {
            let output = portcullis().arg("check").args(arguments).arg("warnings.yaml").output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
            (output.status.code(), said)
        };
        let (code, said) = check(&["--deny-warnings"]);
        assert_eq!(code, Some(1));
        assert!(said.ends_with("warnings.yaml: 3 warnings, denied by --deny-warnings\n"), "{said}");
        assert!(said.starts_with("error[unauthenticated-access]: "), "{said}");
        let allowed =
            ["--allow", "unauthenticated-access", "--allow", "redundant-rule", "--allow", "unused-role"];
        let (code, said) = check(&[&["--deny-warnings"], &allowed[..]].concat());
        assert_eq!((code, said.as_str()), (Some(0), "warnings.yaml: ok\n"));
        let (code, said) = check(&["--allow", "redundant-rules"]);
        assert_eq!(code, Some(2));
        assert!(said.contains("redundant-rule"), "{said}");
    }

    #[test]
    fn a_grant_that_has_expired_is_found_by_the_clock_or_at_the_moment_given() {
        let folder = tempfile::tempdir().unwrap();
        let shop = std::fs::read_to_string(documents().join("shop.yaml")).unwrap();
        let grant = "  grants: [{subject: ann, roles: [editor], expires: 2020-01-01T00:00:00Z}]\naudit:";
        std::fs::write(folder.path().join("shop.yaml"), shop.replace("audit:\n", &format!("{grant}\n")))
            .unwrap();
        let check = |arguments: &[&str]| {
            let mut command = portcullis();
            command.current_dir(folder.path()).args(["check", "--allow", "unset-variable", "shop.yaml"]);
            let output = command.args(arguments).output().unwrap();
            (output.status.code(), String::from_utf8(output.stdout).unwrap())
        };
        let (code, said) = check(&[]);
        assert_eq!(code, Some(0));
        assert!(
            said.starts_with(
                "warning[grant-expired]: /authorization/grants/0/expires: a grant that has expired"
            ),
            "{said}"
        );
        assert_eq!(check(&["--now", "2019-12-31T23:59:59Z"]), (Some(0), "shop.yaml: ok\n".to_owned()));
        assert_eq!(check(&["--now", "yesterday"]).0, Some(2));
    }

    #[test]
    fn the_list_of_lints_is_current() {
        let output = portcullis().args(["check", "--list"]).output().unwrap();
        let list = String::from_utf8(output.stdout).unwrap();
        assert_data_eq!(list, file!["../../docs/lints.md"].raw());
        let output = portcullis().args(["check", "--list", "--json"]).output().unwrap();
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(rows.iter().any(|row| row["code"] == "redundant-rule"));
    }
}
