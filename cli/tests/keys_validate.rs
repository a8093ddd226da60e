//! `portcullis keys validate` as people and programs run it.

#[cfg(test)]
mod shop;

#[cfg(test)]
mod command {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::shop::{TOKEN, portcullis};

    /// The point of RFC 7515 A.3.
    fn elliptic_curve(key_id: &str) -> Value {
        json!({"kty": "EC", "crv": "P-256", "kid": key_id, "use": "sig", "alg": "ES256",
               "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    fn rsa(key_id: &str, octets: usize, last: u8) -> Value {
        let mut modulus = vec![0xff; octets];
        modulus[octets - 2] = last;
        json!({"kty": "RSA", "kid": key_id, "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB"})
    }

    /// One key a line, from line 2 on.
    fn set(keys: &[Value]) -> String {
        let keys: Vec<String> = keys.iter().map(Value::to_string).collect();
        format!("{{\"keys\": [\n{}\n]}}\n", keys.join(",\n"))
    }

    fn validate(input: &str, more: &[&str]) -> (i32, String) {
        let (status, out, err) = portcullis(&[&["keys", "validate", "-"], more].concat(), input.as_bytes());
        assert_eq!(err, "");
        (status, out.lines().map(|line| format!("{}\n", line.trim())).collect())
    }

    #[test]
    fn a_good_set_is_a_table() {
        let (status, out) = validate(&set(&[elliptic_curve("a"), rsa("b", 256, 1)]), &[]);
        let expected = "\
key  kid  kty  use  alg    size       verdict
0    a    EC   sig  ES256  P-256      used
1    b    RSA  -    -      2048 bits  used
standard input: 2 of 2 keys used, 0 errors, 0 warnings
";
        assert_eq!((status, out.as_str()), (0, expected));
    }

    #[test]
    fn what_is_weak_or_broken_is_an_error_with_its_line() {
        let mut off_curve = elliptic_curve("c");
        off_curve["x"] = off_curve["y"].clone();
        let mut contradiction = elliptic_curve("d");
        contradiction["alg"] = "RS256".into();
        let mut padded = elliptic_curve("e");
        padded["x"] = "f83O=".into();
        let keys = [elliptic_curve("a"), rsa("b", 128, 1), off_curve, contradiction, padded];
        let (status, out) = validate(&set(&keys), &[]);
        assert_eq!(status, 1, "{out}");
        for line in [
            "standard input:3: error: key 1 has a modulus of 1024 bits, and RFC 7518 section 3.3 demands 2048; \
             let the issuer make a new key of 2048 bits or more\n",
            "standard input:4: error: key 2 is no point of its curve; compare it with the issuer's own copy\n",
            "standard input:5: error: key 3 has an `alg` that its type or curve cannot have; ",
            "standard input:6: error: key 4 lacks a member that makes up the key, or has one that is not base64url",
            "1    b    RSA  -    -      1024 bits  rsa_too_short\n",
            "standard input: 1 of 5 keys used, 4 errors, 0 warnings\n",
        ] {
            assert!(out.contains(line), "{line}: {out}");
        }
    }

    #[test]
    fn one_private_or_symmetric_key_refuses_the_set_and_is_never_shown() {
        let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA";
        let mut private = elliptic_curve("p");
        private["d"] = secret.into();
        for (key, said) in [
            (private, "has the member `d` of a private key, and whoever reads it can sign tokens"),
            (json!({"kty": "oct", "k": secret, "kid": "s"}), "has the member `k` of a symmetric key, and"),
        ] {
            for more in [[].as_slice(), &["--json"]] {
                let (status, out) = validate(&set(&[elliptic_curve("a"), key.clone()]), more);
                assert!(status == 1 && out.contains(said), "{out}");
                assert!(out.contains("set_refused") && !out.contains(secret), "{out}");
            }
        }
    }

    #[test]
    fn ids_that_do_not_tell_keys_apart() {
        let keys = [rsa("a", 256, 1), rsa("a", 256, 2), rsa("a", 256, 1)];
        let (status, out) = validate(&set(&keys), &[]);
        assert_eq!(status, 1, "{out}");
        let clash = "standard input:3: error: key 1 has the `kid` of key 0 and fits the same algorithm, so that a token \
            could mean either; give each key an id of its own (RFC 7517 section 4.5); the set is refused whole\n";
        assert!(out.contains(clash) && out.contains("warning: key 2 is key 0 again; "), "{out}");
        let (status, out) = validate(&set(&[rsa("a", 256, 1), elliptic_curve("a")]), &[]);
        assert!(status == 0 && out.contains("and only the algorithm tells them apart"), "{out}");
        assert_eq!(validate(&set(&[rsa("a", 256, 1), elliptic_curve("a")]), &["--deny-warnings"]).0, 1);

        let nameless: Vec<Value> = (1..=5)
            .map(|last| {
                let mut key = rsa("", 256, last);
                key.as_object_mut().unwrap().remove("kid");
                key
            })
            .collect();
        let (status, out) = validate(&set(&nameless), &[]);
        assert!(status == 1 && out.contains("more than 4 keys fit RS256"), "{out}");
        assert!(out.contains("key 0 has no `kid` in a set of 5"), "{out}");
    }

    #[test]
    fn a_key_that_is_left_out_is_a_warning() {
        let with = |name: &str, value: Value| {
            let mut key = elliptic_curve("b");
            key[name] = value;
            key
        };
        for (key, label) in [
            (with("use", "enc".into()), "use"),
            (with("key_ops", json!(["sign"])), "key_operations"),
            (with("alg", "ES256K".into()), "algorithm"),
            (with("crv", "secp256k1".into()), "curve"),
            (with("kty", "LMS".into()), "key_type"),
        ] {
            let (status, out) = validate(&set(&[elliptic_curve("a"), key]), &[]);
            assert!(status == 0 && out.contains("standard input:3: warning: key 1 "), "{label}: {out}");
            assert!(out.contains("1 of 2 keys used, 0 errors, 1 warnings"), "{label}: {out}");
            assert!(out.lines().any(|line| line.ends_with(&format!(" {label}"))), "{label}: {out}");
        }
        let (status, out) = validate(&set(&[with("kid", 7.into())]), &[]);
        assert!(status == 1 && out.contains("the key set has no key to verify signatures with"), "{out}");
    }

    #[test]
    fn what_is_no_key_set_is_an_error() {
        let whole = set(&[elliptic_curve("a")]);
        let long = format!("{{\"keys\": [], \"x\": \"{}\"}}", "x".repeat(300_000));
        let many = set(&vec![elliptic_curve("a"); 65]);
        for (input, said) in [
            ("", "not a strict JSON object"),
            (TOKEN, "is this the file that the issuer publishes?"),
            ("[]", "not a strict JSON object"),
            ("keys: []", "not a strict JSON object"),
            ("{\"keys\": [], \"keys\": []}", "not a strict JSON object"),
            (whole.get(..whole.len() - 10).unwrap(), "not a strict JSON object"),
            ("{}", "the key set has no array `keys`"),
            ("{\"keys\": []}", "no key to verify signatures with"),
            ("{\"keys\": [1]}", "key 0 is no key"),
            (&long, "longer than 256 KiB"),
            (&many, "more than 64 keys"),
        ] {
            let (status, out) = validate(input, &[]);
            assert!(status == 1 && out.contains(said), "{said}: {out}");
        }
        for arguments in [
            ["keys", "validate"].as_slice(),
            &["keys", "validate", "missing.json"],
            &["keys", "validate", "-", "--policy", "shop.yaml"],
            &["keys", "validate", "-", "--jwks", "keys.json"],
            &["keys", "validate", "--policy", "missing.yaml"],
            &["keys", "validate", "--policy", "twelve-mistakes.yaml"],
            &["keys", "validate", "--policy", "shop.yaml", "--jwks", "services=keys.json"],
            &["keys", "validate", "--policy", "shop.yaml", "--jwks", "missing.json"],
        ] {
            assert_eq!(portcullis(arguments, b"").0, 2, "{arguments:?}");
        }
        assert_eq!(portcullis(&["keys", "validate", "-"], b"\xff").0, 2);
    }

    #[test]
    fn a_policy_demands_keys_for_its_algorithms() {
        let policy = ["keys", "validate", "--policy", "shop.yaml"];
        let (status, out, err) = portcullis(&policy, b"");
        assert_eq!(status, 2, "{out}");
        assert!(out.contains("shop.yaml: method `people`: keys that are not here\n"), "{out}");
        assert!(err.contains("give them with --jwks people=FILE"), "{err}");

        let with = [policy.as_slice(), &["--jwks", "people=-"]].concat();
        let (status, out, _) = portcullis(&with, set(&[elliptic_curve("a")]).as_bytes());
        let expected = "warning: no key for RS256, which the method allows; take it out of `algorithms`, or let the issuer \
            publish a key for it\nstandard input: method `people`: 1 of 1 keys used, 0 errors, 1 warnings\n\
            shop.yaml: method `services`: the shared secret is used, 0 errors, 0 warnings\n";
        assert!(status == 0 && out.contains(expected), "{out}");
        let (status, out, _) = portcullis(&with, set(&[rsa("a", 256, 1), elliptic_curve("b")]).as_bytes());
        assert!(status == 0 && out.contains("2 of 2 keys used, 0 errors, 0 warnings"), "{out}");

        let mut wrong = elliptic_curve("a");
        wrong["alg"] = "ES256".into();
        let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let (status, out, _) = portcullis(&with, set(&[ed]).as_bytes());
        assert_eq!(status, 1, "{out}");
        assert!(
            out.contains("error: no key for RS256, ES256, which the method allows; no token can be accepted"),
            "{out}"
        );
        assert!(out.contains("warning: key 0 fits none of the method's `algorithms`"), "{out}");
    }

    #[test]
    fn keys_in_the_document_are_validated_and_private_ones_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy.yaml");
        let run = |keys: &[Value]| {
            let fetched = "jwks_uri: https://auth.example.com/.well-known/jwks.json\n        cluster: idp\n";
            let inline = format!("jwks: {}\n", json!({ "keys": keys }));
            let document = include_str!("documents/shop.yaml").replace(fetched, &inline);
            std::fs::write(&policy, document).unwrap();
            portcullis(&["keys", "validate", "--policy", policy.to_str().unwrap()], b"")
        };
        let (status, out, err) = run(&[rsa("a", 256, 1), elliptic_curve("b")]);
        assert!(
            status == 0 && out.contains("method `people`: 2 of 2 keys used, 0 errors, 0 warnings\n"),
            "{out}{err}"
        );
        // The gate refuses this document whole; here it is said which key is to blame, and at which line.
        let (status, out, _) = run(&[rsa("a", 128, 1)]);
        assert!(
            status == 1 && out.contains("policy.yaml:10: error: key 0 has a modulus of 1024 bits, "),
            "{out}"
        );
        let mut private = elliptic_curve("b");
        private["d"] = "c2VjcmV0LXNlY3JldC1zZWNyZXQ".into();
        let (status, out, err) = run(&[private]);
        assert!(status == 2 && err.contains("part of a private key"), "{err}");
        assert!(err.ends_with("policy.yaml: has problems, so its keys are not looked at\n"), "{err}");
        assert!(!out.contains("c2VjcmV0") && !err.contains("c2VjcmV0"), "{out}{err}");
    }

    #[test]
    fn a_secret_is_weighed_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let variables = folder.path().join("env");
        let file = variables.to_str().unwrap();
        let keys = folder.path().join("keys.json");
        std::fs::write(&keys, set(&[rsa("a", 256, 1), elliptic_curve("b")])).unwrap();
        let policy = ["keys", "validate", "--policy", "shop.yaml", "--jwks", keys.to_str().unwrap()];
        let run = |variable: &str| {
            std::fs::write(&variables, variable).unwrap();
            portcullis(&[policy.as_slice(), &["--env-file", file]].concat(), b"")
        };
        let (status, out, _) = run("SHOP_SERVICES_SECRET=much-too-short\n");
        assert_eq!(status, 1, "{out}");
        assert!(
            out.contains("error: `SHOP_SERVICES_SECRET` in the environment: shorter than 32 bytes; "),
            "{out}"
        );
        assert!(!out.contains("much-too"), "{out}");
        let (status, _, err) = run("");
        assert!(status == 2 && err.contains("`SHOP_SERVICES_SECRET` is not set here; set it"), "{err}");
        assert_eq!(run("SHOP_SERVICES_SECRET=0123456789abcdef0123456789abcdef\n").0, 0);
    }

    #[test]
    fn json_says_the_same_with_the_thumbprint() {
        let (status, out, _) = portcullis(
            &["keys", "validate", "-", "--json"],
            set(&[elliptic_curve("a\u{1b}[2J"), rsa("b", 128, 1)]).as_bytes(),
        );
        let said: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, &said[0]["used"], &said[0]["errors"]), (1, &1.into(), &1.into()), "{out}");
        assert_eq!(said[0]["keys"][0]["thumbprint"], "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
        assert_eq!(said[0]["keys"][1]["verdict"], "rsa_too_short");
        assert_eq!(said[0]["findings"][0]["line"], 3);
        assert_eq!(said[0]["findings"][0]["pointer"], "/keys/1/n");
        let (_, out) = validate(&set(&[elliptic_curve("a\u{1b}[2J")]), &[]);
        assert!(out.contains("a\\u{1b}[2J") && !out.contains('\u{1b}'), "{out}");
    }
}
