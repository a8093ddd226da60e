//! `portcullis replay` over records that the filter's own gate wrote, and over access logs.

#[cfg(test)]
mod recorder;

#[cfg(test)]
mod command {
    use assert_cmd::Command;
    use serde_json::{Value, json};

    use super::recorder::{Ask, record};

    const POLICY: &str = r#"
version: 1
name: shop
authentication:
  methods:
    - name: people
      jwt:
        issuer: https://issuer.example
        audience: [api]
        algorithms: [HS256]
        secret: "${SECRET}"
        key_type: user
        claims: {user_id: sub, tenant: tenant, roles: roles, scopes: scope, groups: groups}
tenancy:
  default: house
  bind: [{path: "/tenants/{tenant}/**"}]
  cross_tenant: {roles: [support]}
request: {ambiguous_path: normalize}
authorization:
  public: [{methods: [GET], path: /healthz}]
  roles: {viewer: {permissions: ["objects:read"]}, admin: {inherits: [viewer]}, support: {}}
  routes:
    - {name: read, methods: [GET], path: "/objects/{id}", permission: "objects:read"}
    - {name: scoped, methods: [GET], path: /scoped, require: {scopes: {all_of: [deep]}}}
    - {name: welcome, methods: [GET], path: /welcome, authentication: optional}
    - {name: live, methods: [GET], path: /live, upgrade: websocket}
    - {name: tenants, methods: [GET], path: "/tenants/{tenant}/**"}
  rules:
    - {name: editors, effect: allow, action: update, resource: "/objects/*", role: admin}
    - {name: not-the-safe, effect: deny, action: "*", resource: /safe, role: "*"}
audit:
  sink: {cluster: audit, path: /v1/audit/batches}
  when_full: refuse
"#;

    /// What cannot be known of [`mix`]: neither permissions nor scopes of a credential are on record.
    const OPEN: [&str; 2] =
        ["cannot_be_known by subject.permissions: 4", "cannot_be_known by subject.scopes: 8"];

    fn claims(subject: &str, role: &str) -> Option<Value> {
        Some(json!({"sub": subject, "roles": [role], "tenant": "acme", "scope": "deep", "groups": ["staff"]}))
    }

    /// A mix of everything: lines 2 to 17 of the record, in this order, after the opening of the stream.
    fn mix() -> Vec<Ask> {
        let upgrade = &[("connection", "Upgrade"), ("upgrade", "websocket")];
        vec![
            Ask::get("api.example/objects/7?access=secret", claims("ann", "viewer")),
            Ask::get("api.example/objects/8", claims("ben", "viewer")),
            Ask::get("api.example/objects/7", claims("eve", "stranger")),
            Ask { method: "PUT", ..Ask::get("api.example/objects/7", claims("ada", "admin")) },
            Ask { method: "PUT", ..Ask::get("api.example/objects/7", claims("ann", "viewer")) },
            Ask::get("api.example/safe", claims("ada", "admin")),
            Ask::get("api.example/scoped", claims("ann", "viewer")),
            Ask::get("api.example/healthz", None),
            Ask::get("api.example/welcome", None),
            Ask::get("api.example/objects/7", None),
            Ask::get("api.example/objects/7", Some(json!({"sub": "ann", "aud": "others"}))),
            Ask::get("api.example/live", claims("ann", "viewer")),
            Ask { headers: upgrade, ..Ask::get("api.example/live", claims("ann", "viewer")) },
            Ask::get("api.example/tenants/umbra/x", claims("sue", "support")),
            Ask::get("api.example/tenants/house/x", Some(json!({"sub": "joe"}))),
            Ask::get("api.example/a//b", claims("ann", "viewer")),
        ]
    }

    /// Runs `portcullis replay` in a folder with `new.yaml`, `old.yaml` and `records`: exit status, output, error output.
    fn replay(new: &str, records: &str, more: &[&str]) -> (i32, String, String) {
        run(&[&["replay", "new.yaml", "records"], more].concat(), new, records)
    }

    fn run(arguments: &[&str], new: &str, records: &str) -> (i32, String, String) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("old.yaml", POLICY), ("new.yaml", new), ("records", records)] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        let output = command.current_dir(folder.path()).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn json_of(new: &str, records: &str, more: &[&str]) -> (i32, Value) {
        let (status, out, said) = replay(new, records, &[more, &["--json"]].concat());
        (status, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{said}")))
    }

    /// Change, what is responsible, and lines of each group.
    fn groups(said: &Value) -> Vec<String> {
        let groups = said["groups"].as_array().unwrap().iter().map(|group| {
            let list = |name: &str| {
                let list = group[name].as_array().into_iter().flatten();
                list.map(|one| one.to_string().replace('"', "")).collect::<Vec<_>>().join("+")
            };
            let by = list("rules") + &list("missing");
            format!("{} by {by}: {}", group["change"].as_str().unwrap(), list("lines"))
        });
        groups.collect()
    }

    #[test]
    fn under_the_same_policy_nothing_changes() {
        let records = record(POLICY, &mix());
        let (status, said) = json_of(POLICY, &records, &[]);
        assert_eq!(groups(&said), OPEN, "{records}\n{said:#}");
        assert_eq!((said["asked"].as_u64(), said["unchanged"].as_u64()), (Some(15), Some(13)), "{said:#}");
        assert_eq!(said["left_out"], json!({"invalid_token": 1}));
        assert_eq!(status, 1);
        assert_eq!(replay(POLICY, &records, &["--allow-unknown"]).0, 0);
    }

    #[test]
    fn exactly_what_changes_is_shown_with_what_is_responsible() {
        let records = record(POLICY, &mix());
        let new = POLICY
            .replace("{name: not-the-safe,", "{name: no-sevens, effect: deny, action: read, resource: /objects/7, role: viewer}\n    - {name: not-the-safe,")
            .replace("resource: \"/objects/*\", role: admin", "resource: \"/objects/*\", role: viewer");
        let (status, said) = json_of(&new, &records, &["--allow-unknown"]);
        let expected = ["newly_allowed by editors: 6", "newly_denied by no-sevens: 2", OPEN[0], OPEN[1]];
        assert_eq!((status, groups(&said)), (1, expected.map(str::to_owned).to_vec()), "{said:#}");
        let (_, out, said) = replay(&new, &records, &[]);
        assert_eq!(said, "");
        assert!(
            out.starts_with(
                "15 requests asked: 11 unchanged, 1 newly allowed, 1 newly denied, 0 answered otherwise, 2 cannot be known\n\
                 1 left out, no policy was asked about them: 1 invalid_token\n"
            ),
            "{out}"
        );
        assert!(out.contains("line 2: GET api.example/objects/7 by ann"), "{out}");
        assert!(!out.contains("secret"), "{out}");
    }

    #[test]
    fn what_is_not_on_record_is_named_and_not_guessed() {
        let records = record(POLICY, &mix());
        for (change, expected) in [
            // A public path that is public no more: nobody looked who asked.
            (("  public: [{methods: [GET], path: /healthz}]\n", ""), "cannot_be_known by subject: 9"),
            (
                (
                    "permission: \"objects:read\"}",
                    "conditions: [{attribute: department, operator: eq, value: it}]}",
                ),
                "cannot_be_known by subject.department: 2+3+4",
            ),
            (
                ("permission: \"objects:read\"}", "require: {groups: {any_of: [staff]}}}"),
                "cannot_be_known by subject.groups: 2+3+4",
            ),
            (
                (
                    "path: \"/objects/{id}\",",
                    "path: \"/objects/{id}\", match: {query: [{name: access, one_of: [secret]}]},",
                ),
                "cannot_be_known by context.query: 2+3+4+11",
            ),
            (
                ("bind: [{path: \"/tenants/{tenant}/**\"}]", "bind: [{header: x-org}]"),
                "cannot_be_known by context.header.x-org: 2+3+4+5+6+7+8+10+13+14+15+16+17",
            ),
            (
                ("- name: people\n", "- name: persons\n"),
                "cannot_be_known by subject (this policy has no method `people`): 2+3+4+5+6+7+8+13+14+15+16+17",
            ),
        ] {
            assert!(POLICY.contains(change.0), "{change:?}");
            let (_, said) = json_of(&POLICY.replace(change.0, change.1), &records, &[]);
            assert!(groups(&said).contains(&expected.to_owned()), "{change:?}\n{said:#}");
        }
    }

    #[test]
    fn a_denial_that_fits_stands_whatever_is_not_known() {
        let records = record(POLICY, &mix());
        let new = POLICY.replace(
            "resource: /safe, role: \"*\"}",
            "resource: /safe, role: \"*\"}\n  require: {scopes: {any_of: [deep]}}",
        );
        let (_, said) = json_of(&new, &records, &[]);
        let open =
            said["groups"].as_array().unwrap().iter().find(|group| group["change"] == "cannot_be_known");
        let lines = &open.unwrap()["lines"];
        assert!(!lines.as_array().unwrap().contains(&json!(7)), "the safe is denied to all: {said:#}");
    }

    #[test]
    fn what_the_records_tell_of_tenants_paths_and_upgrades_counts() {
        let records = record(POLICY, &mix());
        for (change, expected) in [
            (("default: house", "default: home"), "newly_denied by tenancy/0: 16"),
            (("ambiguous_path: normalize", "ambiguous_path: refuse"), "answered_otherwise by : 17"),
            ((", upgrade: websocket", ""), "newly_denied by upgrade: 14"),
            (("roles: [support]", "roles: [admin]"), "newly_denied by tenancy/0: 15"),
        ] {
            assert!(POLICY.contains(change.0), "{change:?}");
            let (_, said) = json_of(&POLICY.replace(change.0, change.1), &records, &[]);
            assert!(groups(&said).contains(&expected.to_owned()), "{change:?}\n{said:#}");
        }
    }

    #[test]
    fn a_broken_chain_is_loud_and_what_was_edited_is_not_asked() {
        let records = record(POLICY, &mix());
        let edited = records.replace("\"subject\":\"ben\"", "\"subject\":\"bob\"");
        let (status, out, said) = replay(POLICY, &edited, &[]);
        assert!(status == 2 && said.contains("records:3: stream") && said.contains("NOT INTACT: "), "{said}");
        assert!(out.starts_with("14 requests asked: "), "{out}");
        let allow = ["--allow-unknown", "--allow-unreadable"];
        assert_eq!(replay(POLICY, &edited, &allow).0, 0);

        let cut = records.get(..records.len() - 40).unwrap();
        let (status, _, said) = replay(POLICY, cut, &["--allow-unknown"]);
        assert!(status == 2 && said.contains("NOT INTACT: "), "{said}");
        let without: String =
            records.split_inclusive('\n').filter(|line| !line.contains("\"ben\"")).collect();
        let (status, _, said) = replay(POLICY, &without, &["--allow-unknown"]);
        assert!(status == 2 && said.contains("missing"), "{said}");
        let long = format!("{records}{}\n", "x".repeat(70_000));
        let (status, _, said) = replay(POLICY, &long, &["--allow-unknown"]);
        assert!(status == 2 && said.contains(&format!("records:{}:", records.lines().count() + 1)), "{said}");
        let (status, _, said) = replay(POLICY, "{\"a\":1}\n", &[]);
        assert!(status == 2 && said.contains("--format"), "{said}");
        assert_eq!(replay(POLICY, "", &[]).0, 2);
        let folder = run(&["replay", "new.yaml", "absent"], POLICY, "");
        assert_eq!(folder.0, 2);
    }

    /// A line as the access log in docs/replay.md has it.
    fn line(change: Value) -> String {
        let mut line = json!({
            "time": "2027-01-15T08:00:00.000Z", "method": "GET", "authority": "api.example", "path": "/objects/7?x=1",
            "original_path": null, "connection": null, "upgrade": null, "source": "192.0.2.7",
            "details": "via_upstream", "permit": "1", "authentication": "people", "user": "ann", "tenant": null,
            "roles": "viewer", "scopes": null,
        });
        for (name, value) in change.as_object().unwrap() {
            line[name] = value.clone();
        }
        format!("{line}\n")
    }

    /// The policy without tenants: an access log does not tell whose tenant it names.
    fn without_tenants() -> String {
        let (before, rest) = POLICY.split_once("tenancy:\n").unwrap();
        let (_, after) = rest.split_once("request:").unwrap();
        format!("{before}request:{after}")
            .replace("    - {name: tenants, methods: [GET], path: \"/tenants/{tenant}/**\"}\n", "")
    }

    #[test]
    fn an_access_log_tells_what_it_tells() {
        let refused = |code: &str| json!({"details": format!("portcullis_denied{{{code}}}"), "permit": null, "user": "mallory", "roles": "admin"});
        let log: String = [
            json!({}),
            json!({"user": "eve%20of%2Cdestruction", "roles": "a%2Cb,viewer"}),
            refused("missing_token"),
            refused("insufficient_permissions"),
            refused("invalid_token"),
            json!({"details": "route_not_found", "permit": null}),
            json!({"path": "/healthz", "authentication": null, "roles": null, "user": null}),
            json!({"path": "/rewritten", "original_path": "/objects/9"}),
            json!({"roles": null}),
        ]
        .map(line)
        .concat();
        let policy = without_tenants();
        let (status, said) = json_of(&policy, &log, &[]);
        let open =
            ["cannot_be_known by subject: 4", "cannot_be_known by subject.permissions+subject.roles: 9"];
        assert_eq!((status, groups(&said)), (1, open.map(str::to_owned).to_vec()), "{said:#}");
        assert_eq!(said["unchanged"], 5, "{said:#}");
        assert_eq!(said["left_out"], json!({"invalid_token": 1, "not decided by the gate": 1}));
        let new = policy.replace("{name: not-the-safe,", "{name: no-nines, effect: deny, action: read, resource: /objects/9, role: viewer}\n    - {name: not-the-safe,");
        let (_, said) = json_of(&new, &log, &[]);
        assert!(groups(&said).contains(&"newly_denied by no-nines: 8".to_owned()), "{said:#}");
        // With tenants it depends on whose tenant it was: who knows the policy that was in force may know that.
        let (_, said) = json_of(POLICY, &line(json!({"tenant": "acme"})), &[]);
        assert_eq!(groups(&said), ["cannot_be_known by subject.tenant: 1"]);
    }

    #[test]
    fn bad_lines_are_counted_and_named() {
        let short = line(json!({}));
        let log =
            [&short, "{\"method\":\"GET\"}\n", "no json\n", &"x".repeat(600_000), "\n", &short, "{\"met"]
                .concat();
        let (status, out, said) = replay(&without_tenants(), &log, &[]);
        assert_eq!(status, 2, "{out}{said}");
        for place in ["records:2: no `authority`", "records:3: ", "records:4: longer than", "records:6: "] {
            assert!(said.contains(place), "{place}: {said}");
        }
        assert!(
            said.contains("4 lines could not be read") && out.starts_with("2 requests asked"),
            "{out}{said}"
        );
        assert_eq!(replay(&without_tenants(), &log, &["--allow-unreadable"]).0, 0);
    }

    #[test]
    fn two_policies_are_compared_by_recorded_requests_and_by_questions() {
        let records = record(POLICY, &mix());
        let new =
            POLICY.replace("resource: \"/objects/*\", role: admin", "resource: \"/objects/*\", role: viewer");
        let diff = ["diff", "old.yaml", "new.yaml", "--requests", "records", "--json"];
        let (status, out, said) = run(&diff, &new, &records);
        assert_eq!(said, "");
        let said: Value = serde_json::from_str(&out).unwrap();
        let expected = ["newly_allowed by editors: 6", OPEN[0], OPEN[1]];
        assert_eq!(
            (status, groups(&said["requests"])),
            (1, expected.map(str::to_owned).to_vec()),
            "{said:#}"
        );
        let (status, said) = json_of(&new, &records, &["--old", "old.yaml"]);
        assert_eq!((status, groups(&said)), (1, expected.map(str::to_owned).to_vec()));

        let questions = "{\"role\":\"viewer\",\"action\":\"update\",\"resource\":\"/objects/7\"}\n\
            {\"role\":\"viewer\",\"action\":\"read\",\"resource\":\"/objects/7\"}\n\
            {\"action\":\"read\",\"resource\":\"/objects/7\",\"token\":\"a.b.c\"}\n";
        let (status, out, said) = run(&diff, &new, questions);
        let told: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(groups(&told["requests"]), ["newly_allowed by editors: 1"], "{told:#}");
        assert!(status == 2 && said.contains("records:3: a question with a token"), "{said}");
        let (status, _, said) = replay(&new, questions, &[]);
        assert!(status == 2 && said.contains("give --old"), "{said}");
        let (status, out, _) = run(&["diff", "old.yaml", "new.yaml"], POLICY, "");
        assert_eq!((status, out.as_str()), (0, "0 parts differ, 0 answers differ\n"));
    }
}
