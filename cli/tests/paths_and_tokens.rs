//! `portcullis normalize-path`, `token verify`, `completions` and `man` as people and programs run them.

#[cfg(test)]
mod shop;

#[cfg(test)]
mod command {
    use serde_json::Value;

    use super::shop::{TOKEN, portcullis};

    fn rows(text: &str) -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_path_is_shown_in_its_one_form() {
        let (status, out, _) = portcullis(&["normalize-path", "/a/%7Eb?token=x"], b"");
        assert_eq!((status, out.as_str()), (0, "/a/~b\n"));
        let (status, out, _) = portcullis(&["normalize-path", "/a//b", "/c"], b"");
        assert_eq!(status, 1);
        assert!(out.starts_with("refused: the path can be read in two ways: double_slash; send it"), "{out}");
        assert!(out.ends_with("\n/c\n"), "{out}");
        let (status, out, _) = portcullis(&["normalize-path", "--mode", "normalize", "/a//b"], b"");
        assert_eq!((status, out.as_str()), (0, "/a/b\n"));
    }

    #[test]
    fn one_line_comes_out_for_each_that_goes_in() {
        let mut input = b"\"/a\"\n{\"path\": \"/a%2fb\"}\n{\"path\": 1}\n\nnonsense\n\xff\xfe\n{\"path\":\"/a\",\"path\":\"/b\"}\n".to_vec();
        input.extend(vec![b'x'; 600 * 1024]);
        input.extend(b"\n\"/last\"");
        let (status, out, err) = portcullis(&["normalize-path", "--ndjson", "-"], &input);
        let rows = rows(&out);
        assert_eq!((status, rows.len()), (2, 9), "{out}");
        assert_eq!(rows[0]["path"], "/a");
        assert_eq!(
            (&rows[1]["code"], &rows[1]["reason"]),
            (&"ambiguous_path".into(), &"encoded_slash".into())
        );
        for (index, said) in
            [(2, "not a path"), (3, "an empty line"), (6, "occurs twice"), (7, "longer than")]
        {
            assert_eq!(rows[index]["line"], index + 1);
            assert!(rows[index]["error"].as_str().unwrap().contains(said), "{}", rows[index]);
        }
        assert!(rows[4]["error"].is_string() && rows[5]["error"].is_string());
        assert_eq!(rows[8]["path"], "/last");
        assert_eq!(err, "9 lines: 2 with one reading, 1 refused, 6 unreadable\n");
        assert_eq!(portcullis(&["normalize-path", "--ndjson", "missing"], b"").0, 2);
        assert_eq!(portcullis(&["normalize-path"], b"").0, 2);
    }

    #[test]
    fn a_token_is_verified_as_the_gate_does_it() {
        let at = "2026-11-23T09:00:00Z";
        let verify = |token: &[u8], more: &[&str]| {
            portcullis(&[&["token", "verify", "shop.yaml", "-", "--now", at], more].concat(), token)
        };
        let (status, out, err) = verify(TOKEN.as_bytes(), &[]);
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        assert!(out.starts_with("accepted by method `services`\n  subject     ci\n"), "{out}");
        let (_, out, _) = verify(TOKEN.as_bytes(), &["--json"]);
        assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["roles"][0], "viewer");

        let (status, out, _) = verify(TOKEN.as_bytes(), &["--now", "2200-01-01T00:00:00Z"]);
        assert_eq!((status, out.as_str()), (2, ""), "a moment twice is wrong usage");
        let late =
            portcullis(&["token", "verify", "shop.yaml", "-", "--now", "4200000000"], TOKEN.as_bytes());
        assert_eq!(
            (late.0, late.1.as_str()),
            (
                1,
                "refused by method `services`: invalid_token (expired); get a new token, or look at the clocks\n"
            )
        );
        let (signed, signature) = TOKEN.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{}", "A".repeat(signature.len()));
        let (status, out, _) = verify(forged.as_bytes(), &[]);
        assert_eq!(status, 1);
        assert!(out.contains("invalid_signature (signature_mismatch)"), "{out}");
        for junk in [b"".as_slice(), b"\xff\xfe\x00", b"a.b.c", b"a.b"] {
            let (status, out, _) = verify(junk, &[]);
            assert_eq!(status, 1, "{out}");
            assert!(out.starts_with("refused: invalid_token ("), "{out}");
        }
        let (status, _, err) = verify(&vec![b'x'; 20_000], &[]);
        assert_eq!(status, 2);
        assert!(err.contains("standard input: longer than"), "{err}");
    }

    #[test]
    fn what_is_lacking_is_named_with_what_to_do() {
        let (status, _, err) = portcullis(&["token", "verify", "shop.yaml", "missing"], b"");
        assert!(status == 2 && err.starts_with("portcullis: missing: "), "{err}");
        let (status, _, err) =
            portcullis(&["token", "verify", "shop.yaml", "-", "--jwks", "nobody=shop.yaml"], b"");
        assert!(status == 2 && err.contains("the key set is not a strict JSON object"), "{err}");
        let (status, _, err) = portcullis(&["token", "verify", "twelve-mistakes.yaml", "-"], b"");
        assert!(status == 2 && err.contains("twelve-mistakes.yaml: 12 problems"), "{err}");
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("env");
        std::fs::write(&empty, "").unwrap();
        let (status, _, err) = portcullis(
            &[
                "token",
                "verify",
                "shop.yaml",
                "-",
                "--now",
                "1795424400",
                "--env-file",
                empty.to_str().unwrap(),
            ],
            TOKEN.as_bytes(),
        );
        assert!(status == 2 && err.contains("`SHOP_SERVICES_SECRET` is not set here"), "{err}");
    }

    #[test]
    fn tokens_are_verified_in_bulk_and_never_shown() {
        let input = format!(
            "\"{TOKEN}\"\n{{\"token\": \"{TOKEN}\", \"now\": \"4200000000\"}}\n{{\"tokn\": \"{TOKEN}\"}}\n"
        );
        let (status, out, err) = portcullis(
            &["token", "verify", "shop.yaml", "--now", "1795424400", "--ndjson", "-"],
            input.as_bytes(),
        );
        let rows = rows(&out);
        assert_eq!(status, 2, "{out}");
        assert_eq!((&rows[0]["accepted"], &rows[0]["subject"]), (&true.into(), &"ci".into()));
        assert_eq!((&rows[1]["accepted"], &rows[1]["reason"]), (&false.into(), &"expired".into()));
        assert_eq!(rows[2]["line"], 3);
        assert_eq!(err, "3 lines: 1 accepted, 1 refused, 1 unreadable\n");
        let parts: Vec<&str> = TOKEN.split('.').collect();
        assert!(!parts.iter().any(|part| out.contains(part) || err.contains(part)), "{out}{err}");
    }

    #[test]
    fn shells_and_manuals_know_every_command() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let (status, out, _) = portcullis(&["completions", shell], b"");
            assert_eq!(status, 0);
            assert!(out.contains("normalize-path"), "{shell}");
        }
        assert_eq!(portcullis(&["completions", "nosh"], b"").0, 2);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert_eq!(portcullis(&["man", path], b"").0, 0);
        assert!(folder.path().join("portcullis-normalize-path.1").exists());
        assert_eq!(portcullis(&["man", "missing-folder"], b"").0, 2);
    }
}
