//! `portcullis auth test` as people and programs run it.

#[cfg(test)]
mod shop;

#[cfg(test)]
mod command {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use serde_json::Value;

    use super::shop::{TOKEN, portcullis};

    const ACCEPTED: &str = "token: accepted by method `services`\n  subject     ci\n  tenant      acme\n  \
        roles       viewer\n  scopes      none\n  permissions none\n  expires     2100-01-01T00:00:00Z\n";

    fn test(token: &[u8], more: &[&str]) -> (i32, String, String) {
        portcullis(&[&["auth", "test", "shop.yaml", "--token", "-"], more].concat(), token)
    }

    #[test]
    fn a_token_alone_is_verified() {
        assert_eq!(test(TOKEN.as_bytes(), &[]), (0, ACCEPTED.to_owned(), String::new()));
        let (status, out, _) = test(TOKEN.as_bytes(), &["--now", "4200000000"]);
        let refused =
            "refused by method `services`: invalid_token (expired); get a new token, or look at the clocks\n";
        assert_eq!((status, out), (1, format!("token: {refused}")));
        for junk in [b"".as_slice(), b"\xff\xfe\x00", b"a.b.c", b"a.b"] {
            let (status, out, _) = test(junk, &[]);
            assert!(status == 1 && out.starts_with("token: refused: invalid_token ("), "{out}");
        }
    }

    #[test]
    fn a_request_is_answered_in_the_words_of_the_gate() {
        let (status, out, _) = test(TOKEN.as_bytes(), &["--request", "GET /v1/objects/7"]);
        let permit = "request: GET localhost/v1/objects/7, token in header `x-service-token`\n\
            answer: permit, the request goes on to the upstream\n  x-tenant-id: acme\n  x-user-id: ci\n  \
            x-user-roles: viewer\n  x-auth-method: services\n\
            on record: permit, action objects:read, tenant acme, by routes/0\n";
        assert_eq!((status, out), (0, format!("{ACCEPTED}{permit}")));

        let ask = ["--request", "GET https://shop.example/v1/objects/7", "--header", "x-org: globex"];
        let (status, out, _) = test(TOKEN.as_bytes(), &ask);
        let deny = "request: GET shop.example/v1/objects/7, token in header `x-service-token`\n\
            answer: 403 tenant_mismatch: The access token is not for this tenant.\n  cache-control: no-store\n  \
            content-type: application/problem+json\n\
            on record: deny, action objects:read, tenant acme, by tenancy/0\n";
        assert_eq!((status, out), (1, format!("{ACCEPTED}{deny}")));

        let (_, out, _) = test(TOKEN.as_bytes(), &["--request", "GET /v1/objects/7", "--now", "4200000000"]);
        let expired = "answer: 401 invalid_token: The access token expired.\n  cache-control: no-store\n  \
            www-authenticate: Bearer realm=\"shop\", error=\"invalid_token\", \
            error_description=\"The access token expired\"\n";
        assert!(
            out.contains(expired) && out.ends_with("on record: deny, reason expired, action read\n"),
            "{out}"
        );
    }

    /// ES256 by the key of RFC 7515 A.3 under the id `a`: `iss` of the method `people`, `sub` `alice`, `tenant_id` `acme`,
    /// `roles` `operator`, `exp` in 2100.
    const PERSON: &str = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS5jb20iLCJhdWQiOiJhcGkuZXhhbXBsZS5jb20iLCJzdWIiOiJhbGljZSIsInRlbmFudF9pZCI6ImFjbWUiLCJyb2xlcyI6WyJvcGVyYXRvciJdLCJzY29wZSI6Im9iamVjdHMiLCJleHAiOjQxMDI0NDQ4MDB9.B0XnRgjxnXrj8V0vvYfbh0sgoWPU5AEIfgLeOH8_23dsslGk-YExPtNsKySY6x-eir9lyu8NqQZ-HEbwex3bIw";

    #[test]
    fn the_issuer_chooses_the_method_and_its_keys_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, x: &str| {
            let set =
                format!("{{\"keys\": [{{\"kty\": \"EC\", \"crv\": \"P-256\", \"kid\": \"{name}\", {x}}}]}}");
            let path = folder.path().join(name);
            std::fs::write(&path, set).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let point = "\"x\": \"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\", \
            \"y\": \"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"";
        let (good, other) = (file("a", point), file("b", point));
        let ask = ["--request", "POST /v1/objects"];
        let (status, out, err) = test(PERSON.as_bytes(), &[&ask[..], &["--jwks", &good]].concat());
        assert_eq!(status, 0, "{out}{err}");
        assert!(out.starts_with("token: accepted by method `people`\n  subject     alice\n"), "{out}");
        assert!(
            out.contains(
                "request: POST localhost/v1/objects, token in header `authorization`, scheme Bearer\n"
            ),
            "{out}"
        );
        let (status, out, _) = test(PERSON.as_bytes(), &[&ask[..], &["--jwks", &other]].concat());
        assert!(
            status == 1 && out.contains("token: refused by method `people`: invalid_token (unknown_key); "),
            "{out}"
        );
        assert!(out.contains("answer: 401 invalid_token: "), "{out}");
        let (status, out, err) = test(PERSON.as_bytes(), &ask);
        assert_eq!((status, out.as_str()), (2, ""));
        assert!(
            err.contains(
                "method `people`: its keys are fetched by the proxy; give them with --jwks people=FILE"
            ),
            "{err}"
        );
        // No key could make good what has expired, so it is refused without one.
        let (status, out, _) = test(PERSON.as_bytes(), &[&ask[..], &["--now", "4200000000"]].concat());
        assert!(status == 1 && out.contains("on record: deny, reason expired, action create"), "{out}");
    }

    #[test]
    fn nobody_may_ask_too() {
        let ask = |request: &str| portcullis(&["auth", "test", "shop.yaml", "--request", request], b"");
        let (status, out, _) = ask("GET /healthz");
        let expected = "token: none\nrequest: GET localhost/healthz\nanswer: permit, the request goes on to the upstream\n\
            on record: permit, action read, by public/0\n";
        assert_eq!((status, out.as_str()), (0, expected));
        assert!(ask("GET /v1/objects/7").1.contains("answer: 401 missing_token: "));
        assert!(ask("GET /a//b").1.contains("answer: 400 ambiguous_path: "));
        assert!(ask("HEAD /v1/objects/7").1.contains("answer: 401 missing_token"));
    }

    #[test]
    fn a_record_that_must_be_acknowledged_is() {
        let ask = ["--request", "POST /v1/objects", "--json"];
        let (status, out, _) = test(TOKEN.as_bytes(), &ask);
        let said: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, &said["answer"]["code"]), (1, &"insufficient_permissions".into()), "{out}");
        assert_eq!(said["answer"]["body"]["status"], 403);
        assert_eq!(said["record"]["rules"][0], "routes/1");
        assert_eq!(said["token"]["subject"], "ci");
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy.yaml");
        let shop = include_str!("documents/shop.yaml")
            .replace("viewer: {permissions: [\"objects:read\"]}", "viewer: {permissions: [\"*\"]}");
        std::fs::write(&policy, shop).unwrap();
        let arguments = ["auth", "test", policy.to_str().unwrap(), "--token", "-"];
        let (status, out, err) = portcullis(&[&arguments[..], &ask[..]].concat(), TOKEN.as_bytes());
        assert_eq!(status, 0, "{out}{err}");
    }

    #[test]
    fn what_cannot_be_known_here_is_no_refusal() {
        let (status, out, err) = portcullis(&["auth", "test", "shop.yaml", TOKEN], b"");
        assert_eq!((status, out.as_str()), (2, ""), "{err}");
        let (status, _, err) = portcullis(&["auth", "test", "shop.yaml", "--token", TOKEN], b"");
        assert!(status == 2 && err.contains("a token on the command line is seen by others"), "{err}");
        assert!(!TOKEN.split('.').any(|part| err.contains(part)), "{err}");
        let (status, _, err) = portcullis(&["token", "verify", "shop.yaml", TOKEN], b"");
        assert!(status == 2 && !TOKEN.split('.').any(|part| err.contains(part)), "{err}");

        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("env");
        std::fs::write(&empty, "").unwrap();
        let (status, _, err) = test(TOKEN.as_bytes(), &["--env-file", empty.to_str().unwrap()]);
        assert!(status == 2 && err.contains("`SHOP_SERVICES_SECRET` is not set here"), "{err}");
        assert_eq!(test(&vec![b'x'; 20_000], &[]).0, 2);
        assert_eq!(test(TOKEN.as_bytes(), &["--request", "GET"]).0, 2);
        assert_eq!(test(TOKEN.as_bytes(), &["--request", "GET x"]).0, 2);
        assert_eq!(test(TOKEN.as_bytes(), &["--request", "GET /", "--header", "x"]).0, 2);
        assert_eq!(test(TOKEN.as_bytes(), &["--header", "x: y"]).0, 2, "a header of no request");
        assert_eq!(portcullis(&["auth", "test", "shop.yaml"], b"").0, 2);
        assert_eq!(portcullis(&["auth", "test", "shop.yaml", "--token", "missing"], b"").0, 2);
        assert_eq!(portcullis(&["auth", "test", "missing.yaml", "--token", "-"], b"").0, 2);
        assert_eq!(portcullis(&["auth", "test", "twelve-mistakes.yaml", "--token", "-"], b"").0, 2);
    }

    #[test]
    fn a_body_is_sent_and_decided_by() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &[u8]| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name).to_str().unwrap().to_owned()
        };
        let shop = include_str!("documents/shop.yaml");
        let conditions = "conditions: [{attribute: context.body/amount, operator: lte, value: 1000}], permission: \"objects:read\"";
        let shop = shop.replace(
            "methods: [GET], path: \"/v1/objects/{id}\", permission: \"objects:read\"",
            &format!("methods: [POST], path: /pay, {conditions}"),
        );
        let policy =
            file("policy.yaml", format!("{shop}\nrequest: {{body: {{max_bytes: 64}}}}\n").as_bytes());
        let token = file("token", TOKEN.as_bytes());
        let ask = |body: &[u8], more: &[&str]| {
            let body = file("body", body);
            let arguments = ["auth", "test", &policy, "--token", &token, "--request", "POST /pay"];
            portcullis(&[&arguments[..], &["--body", &body], more].concat(), b"")
        };
        let (status, out, err) = ask(b"{\"amount\": 7}", &[]);
        assert!(status == 0 && out.contains("answer: permit"), "{out}{err}");
        for (body, header) in [
            (b"{\"amount\": 7000}".as_slice(), "x: y"),
            (b"{\"amount\": 7, \"amount\": 8}", "x: y"),
            (b"", "x: y"),
            (&[b' '; 65], "x: y"),
            (b"{\"amount\": 7}", "content-type: text/plain"),
        ] {
            let (status, out, err) = ask(body, &["--header", header]);
            assert!(status == 1 && !out.contains("answer: permit"), "{header}: {out}{err}");
        }
        let (url, serves) = gate("HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n");
        let (status, out, err) = ask(b"{\"amount\": 7}", &["--gate", &url]);
        assert!(status == 0 && out.ends_with(": 201, not from the gate; as here\n"), "{out}{err}");
        let lines = serves.join().unwrap();
        assert!(lines.contains(&"content-length: 13".to_owned()), "{lines:?}");
        assert!(lines.contains(&"content-type: application/json".to_owned()), "{lines:?}");
        assert_eq!(ask(&vec![b' '; 2 << 20], &[]).0, 2);
        let arguments =
            ["auth", "test", &policy, "--token", &token, "--request", "POST /pay", "--body", "missing"];
        assert_eq!(portcullis(&arguments, b"").0, 2);
    }

    /// Answers one request with `answer`; gives its address, and the lines of the request.
    fn gate(answer: &'static str) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serves = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let lines = lines.take_while(|line| !line.is_empty()).collect();
            stream.write_all(answer.as_bytes()).unwrap();
            lines
        });
        (url, serves)
    }

    #[test]
    fn a_running_gate_is_asked_the_same() {
        let (url, serves) = gate("HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n");
        let (status, out, err) = test(
            TOKEN.as_bytes(),
            &["--request", "GET /v1/objects/7?x=1", "--gate", &url, "--header", "x-a: b"],
        );
        assert_eq!(status, 0, "{out}{err}");
        assert!(out.ends_with(&format!("\n{url}: 302, not from the gate; as here\n")), "{out}");
        let lines = serves.join().unwrap();
        assert_eq!(lines[0], "GET /v1/objects/7?x=1 HTTP/1.1");
        assert!(lines.contains(&format!("x-service-token: {TOKEN}")), "{lines:?}");
        assert!(lines.contains(&"x-a: b".to_owned()), "{lines:?}");

        let body = "{\"code\":\"invalid_token\"}";
        let answer = format!("HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let (url, serves) = gate(answer.leak());
        let (status, out, _) = test(TOKEN.as_bytes(), &["--request", "GET /v1/objects/7", "--gate", &url]);
        assert_eq!(status, 1, "{out}");
        assert!(
            out.ends_with(&format!("\n{url}: 401 invalid_token; NOT as here: is this its policy?\n")),
            "{out}"
        );
        serves.join().unwrap();
    }

    #[test]
    fn a_guard_that_refuses_is_no_permit() {
        let body = "RBAC: access denied";
        let answer = format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let (url, serves) = gate(answer.leak());
        let ask = ["--request", "GET /v1/objects/7", "--gate", &url, "--json"];
        let (status, out, _) = test(TOKEN.as_bytes(), &ask);
        let said: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, &said["answer"]["permitted"]), (1, &true.into()), "{out}");
        assert_eq!(
            (&said["gate"]["answered_by"], &said["gate"]["as_here"]),
            (&"guard".into(), &false.into())
        );
        serves.join().unwrap();
    }

    #[test]
    fn a_gate_that_is_none_is_named() {
        for url in ["", "127.0.0.1:1", "https://a", "http://a/b", "http://user@a", "ftp://a"] {
            assert_eq!(test(TOKEN.as_bytes(), &["--request", "GET /", "--gate", url]).0, 2, "{url}");
        }
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{closed}");
        let (status, out, err) = test(TOKEN.as_bytes(), &["--request", "GET /v1/objects/7", "--gate", &url]);
        assert_eq!((status, out.as_str()), (2, ""));
        assert!(err.starts_with(&format!("portcullis: {url}: ")), "{err}");
        let (url, serves) = gate("nonsense\r\n\r\n");
        assert_eq!(test(TOKEN.as_bytes(), &["--request", "GET /", "--gate", &url]).0, 2);
        serves.join().unwrap();
    }
}
