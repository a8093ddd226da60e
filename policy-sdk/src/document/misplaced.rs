//! What to write instead: fields that others know by these names, or that belong somewhere else.
//!
//! Only for documents that are refused. Nothing here makes one readable, and nothing is guessed: each line is a mistake that
//! is easily made by those who come from another language of policies, or take one part of a document for another.

use deserr::ValueKind;

use super::{JsonPointer, Step};

/// What an unknown field should be instead.
pub(super) struct Advice {
    /// What was expected in its place.
    pub(super) expected: &'static str,
    /// Whether others with the same advice are the same mistake, so that one problem is enough. Never where a value could be
    /// a secret: what is not named as unknown is shown with its line.
    pub(super) folds: bool,
    /// Whether it stands for what is then missing in the same object.
    pub(super) stands_for_the_rest: bool,
    /// Whether the same is said of every name: a likely slip of the pen says more.
    pub(super) is_for_any_name: bool,
}

/// What is known of the field `name` of the object at `object`.
pub(super) fn advice(object: &JsonPointer, name: &str) -> Option<Advice> {
    let part = Part::at(object)?;
    let row = ROWS.iter().find(|(of, names, _)| *of == part && names.contains(&name));
    let expected = row.map(|(_, _, expected)| *expected).or((part == Part::Claims).then_some(OWN_CLAIM))?;
    let is_test = ["attribute", "operator", "value", "value_from"].contains(&name);
    let stands_for_the_rest = part == Part::Method || part == Part::Rule && is_test;
    let folds = match part {
        Part::Rule => is_test,
        Part::Condition => true,
        Part::Document => matches!(name, "kind" | "slug"),
        Part::Jwt => matches!(name, "header" | "scheme"),
        Part::Authentication
        | Part::Method
        | Part::Claims
        | Part::Authorization
        | Part::Route
        | Part::AclEntry
        | Part::Policy
        | Part::Superusers => false,
    };
    Some(Advice { expected, folds, stands_for_the_rest, is_for_any_name: row.is_none() })
}

/// What should stand at `place`, where a value of another kind was found.
pub(super) fn instead_of(found: ValueKind, place: &JsonPointer) -> Option<&'static str> {
    let (object, last) = place.split_last()?;
    match (Part::at(place), Part::at(&object), last) {
        (Some(Part::Method), _, _) if found == ValueKind::String => Some(NAMED_METHOD),
        (_, Some(Part::Authorization), Step::Member(name))
            if name == "roles" && found == ValueKind::Sequence =>
        {
            Some("an object of roles by name, such as `{editor: {}}`")
        }
        _other => None,
    }
}

/// What a field that is missing has to say, where its name is not enough.
pub(super) fn missing(field: &str) -> Option<&'static str> {
    match field {
        "version" => Some("`version: 1`"),
        "authentication" => Some("`authentication: {methods: [{name: people, jwt: {...}}]}`"),
        "jwt" => Some(ONLY_JWT),
        "audience" => Some("the names that the issuer has for this service, or `any`"),
        "issuer" => Some("the `iss` of the tokens"),
        _other => None,
    }
}

/// The word of `accepted` that others say as `value`.
pub(super) fn synonym(value: &str, accepted: &[&str]) -> Option<&'static str> {
    let value = value.to_ascii_lowercase();
    let (_, word) = SYNONYMS.iter().find(|(words, _)| words.contains(&value.as_str()))?;
    accepted.iter().any(|known| known == word).then_some(*word)
}

/// A kind of object in a document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Document,
    Authentication,
    Method,
    Jwt,
    Claims,
    Authorization,
    Rule,
    Condition,
    Route,
    AclEntry,
    Policy,
    Superusers,
}

impl Part {
    fn at(object: &JsonPointer) -> Option<Part> {
        let names: Vec<&str> = object
            .steps()
            .iter()
            .map(|step| match step {
                Step::Member(name) => name.as_str(),
                Step::Element(_) => "",
            })
            .collect();
        match names.as_slice() {
            [] => Some(Part::Document),
            ["authentication"] => Some(Part::Authentication),
            ["authentication", "methods", ""] => Some(Part::Method),
            ["authentication", "methods", "", "jwt"] => Some(Part::Jwt),
            ["authentication", "methods", "", "jwt", "claims"] => Some(Part::Claims),
            ["authorization"] | ["candidate", "authorization"] => Some(Part::Authorization),
            [.., "superusers"] => Some(Part::Superusers),
            [.., "rules", ""] => Some(Part::Rule),
            [.., "conditions" | "any_of" | "all_of" | "none_of", ""] => Some(Part::Condition),
            [.., "routes", ""] => Some(Part::Route),
            [.., "entries", ""] => Some(Part::AclEntry),
            [.., "policies", ""] => Some(Part::Policy),
            _other => None,
        }
    }
}

type Row = (Part, &'static [&'static str], &'static str);

const ROWS: &[Row] = &[
    (Part::Document, &["kind", "slug"], "`version: 1`, `name`, and what `spec` holds"),
    (Part::Document, &["spec"], "what it holds, at the top of the document"),
    (Part::Document, &["methods", "jwt", "api_key", "oauth", "basic", "custom", "hmac", "bearer"], METHODS),
    (Part::Document, AUTHORIZATION, "it in `authorization`"),
    (Part::Document, &["permissions"], PERMISSIONS),
    (Part::Document, &["scopes"], "`authorization.require.scopes`"),
    (Part::Document, &["context"], "`identity_headers`: the headers that tell the upstream who called"),
    (Part::Document, &["scope", "attach"], "`authorization.policies`, each with an `attach`"),
    (
        Part::Document,
        &["session"],
        "nothing: there are no sessions; `max_token_age` of a method bounds the age of tokens",
    ),
    (
        Part::Document,
        &["path", "target", "auth"],
        "a route in `authorization.routes`, with `methods` and `path`",
    ),
    (Part::Authentication, &["required"], OPTIONAL),
    (Part::Authentication, &["jwt", "api_key", "oauth", "basic", "custom", "hmac", "bearer"], METHODS),
    (Part::Authentication, &["type", "method"], METHODS),
    (Part::Method, &["api_key", "basic", "custom", "hmac", "bearer"], ONLY_JWT),
    (
        Part::Method,
        &["oauth"],
        "`jwt` with the `jwks_uri` of the issuer: tokens are verified by keys and not asked about",
    ),
    (
        Part::Method,
        &["issuer", "audience", "algorithms", "jwks_uri", "secret", "from", "claims"],
        "it in `jwt`",
    ),
    (Part::Jwt, &["header", "scheme"], "`from: [{header: authorization, scheme: Bearer}]`"),
    (Part::Jwt, &["query_param", "query"], "`from: [{query: NAME}]`"),
    (Part::Jwt, &["cookie"], "`from: [{cookie: NAME}]`"),
    (
        Part::Jwt,
        &["required_scopes"],
        "`require: {scopes: {all_of: [...]}}` in `authorization`, a policy or a route",
    ),
    (
        Part::Jwt,
        &["introspection_url", "client_id", "client_secret"],
        "`jwks_uri`: tokens are verified by keys and not asked about",
    ),
    (Part::Authorization, &["permissions"], PERMISSIONS),
    (Part::Authorization, &["scopes"], SCOPES),
    (Part::Authorization, &["attach"], "`policies`, each with an `attach`"),
    (
        Part::Rule,
        &["attribute", "operator", "value", "value_from"],
        "`conditions: [{attribute, operator, value}]` in the rule, beside `role`",
    ),
    (Part::Rule, &["priority", "order"], "no order: a rule that denies overrides, wherever it stands"),
    (Part::Rule, &["users", "subject", "groups"], "an entry of `acl`: a rule is about a role"),
    (
        Part::Rule,
        &["path", "host", "method", "methods"],
        "`action` and `resource`; a host stands in `attach` of a policy or in a route",
    ),
    (
        Part::Rule,
        &["permission", "permissions", "scopes", "require"],
        "`require` or `permission` of a route, or `require` of a policy",
    ),
    (
        Part::Condition,
        &["effect", "action", "resource", "role"],
        "`rules` for who may do what: a condition is `attribute`, `operator` and `value`",
    ),
    (Part::Route, &["role", "roles"], "`require: {roles: {any_of: [...]}}`"),
    (Part::Route, &["scopes", "required_scopes"], SCOPES),
    (Part::Route, &["groups"], "`require: {groups: {any_of: [...]}}`"),
    (Part::Route, &["auth", "required", "public"], "`authentication: optional`, or an entry of `public`"),
    (
        Part::Route,
        &["rules", "acl"],
        "`authorization.policies`, with the name of the route in `attach: {routes: [...]}`",
    ),
    (Part::AclEntry, &["subject", "subjects", "user"], "`users`"),
    (Part::AclEntry, &["resource"], "it beside `entries`: a list is about one resource"),
    (
        Part::Policy,
        &["permissions", "superusers", "grants", "roles", "routes", "public"],
        "it in `authorization`",
    ),
    (Part::Policy, &["scopes"], SCOPES),
    (Part::Policy, &["host", "path", "methods", "tenants"], "it in `attach`"),
    (Part::Superusers, &["users"], "`subjects`"),
    (Part::Superusers, &["groups"], "a condition on `subject.groups`"),
];

/// Members of `authorization` that are looked for at the top of a document.
const AUTHORIZATION: &[&str] = &[
    "type",
    "actions",
    "public",
    "preflight",
    "roles",
    "grants",
    "superusers",
    "require",
    "restrictions",
    "conditions",
    "routes",
    "acl",
    "policies",
];

const METHODS: &str = "`authentication.methods`, each method with a name: `{name: people, jwt: {...}}`";
const NAMED_METHOD: &str = "an object with a name, such as `{name: people, jwt: {...}}`";
const ONLY_JWT: &str = "`jwt`, the one kind of method there is in this release";
const OPTIONAL: &str = "`authentication: optional` in each route that callers without a credential may use";
const PERMISSIONS: &str =
    "`permissions` of a role: `roles: {editor: {permissions: [...]}}` in `authorization`";
const SCOPES: &str = "`require: {scopes: {all_of: [...]}}`";
const OWN_CLAIM: &str = "`attributes: {NAME: CLAIM}` for a claim that conditions look at";

const SYNONYMS: &[(&[&str], &str)] = &[
    (&["permit", "grant", "accept"], "allow"),
    (&["forbid", "refuse", "reject", "block"], "deny"),
    (&["equals", "equal", "is", "=", "=="], "eq"),
    (&["not_equals", "neq", "not", "!="], "ne"),
    (&["less_than", "<"], "lt"),
    (&["<=", "le"], "lte"),
    (&["greater_than", ">"], "gt"),
    (&[">=", "ge"], "gte"),
    (&["nin", "notin"], "not_in"),
    (&["has", "includes_element"], "contains"),
    (&["intersects"], "contains_any"),
    (&["prefix"], "starts_with"),
    (&["suffix"], "ends_with"),
    (&["regex", "like", "match"], "matches"),
    (&["cidr", "ip_in"], "in_cidr"),
    (&["exists", "is_set"], "present"),
    (&["not_exists", "missing", "is_null"], "absent"),
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::semantics::testing::changed;
    use super::*;
    use crate::document::Document;

    fn problems(document: Value) -> Vec<String> {
        let problems = Document::from_value(document).unwrap_err();
        problems.iter().map(ToString::to_string).collect()
    }

    fn after(place: &str, value: Value) -> Vec<String> {
        problems(changed(&[(place, value)]))
    }

    #[test]
    fn a_condition_inside_a_rule_is_one_problem_that_says_where_it_belongs() {
        assert_eq!(
            after(
                "/authorization/rules/0",
                json!({ "effect": "allow", "attribute": "department", "operator": "eq", "value": "finance" })
            ),
            [
                "/authorization/rules/0/attribute: unknown field; expected `conditions: [{attribute, operator, value}]` in the rule, beside `role`"
            ]
        );
        assert_eq!(
            after(
                "/authorization/rules/0",
                json!({ "effect": "allow", "action": "read", "resource": "/a", "role": "editor", "operator": "eq", "value": 1 })
            ),
            [
                "/authorization/rules/0/operator: unknown field; expected `conditions: [{attribute, operator, value}]` in the rule, beside `role`"
            ]
        );
        let policy = json!([{ "name": "p", "rules": [{ "effect": "allow", "attribute": "department" }] }]);
        assert_eq!(
            after("/authorization/policies", policy),
            [
                "/authorization/policies/0/rules/0/attribute: unknown field; expected `conditions: [{attribute, operator, value}]` in the rule, beside `role`"
            ]
        );
    }

    #[test]
    fn another_field_does_not_stand_for_what_is_missing() {
        let found = after(
            "/authorization/rules/0",
            json!({ "effect": "allow", "action": "read", "resource": "/a", "priority": 5 }),
        );
        assert_eq!(
            found,
            [
                "/authorization/rules/0: `role` is missing",
                "/authorization/rules/0/priority: unknown field; expected no order: a rule that denies overrides, wherever it stands",
            ]
        );
    }

    #[test]
    fn a_rule_among_conditions_is_one_problem_too() {
        let rule = json!([{ "effect": "allow", "action": "read", "resource": "/a", "role": "editor" }]);
        assert_eq!(
            after("/authorization/conditions", rule),
            [
                "/authorization/conditions/0/action: unknown field; expected `rules` for who may do what: a condition is `attribute`, `operator` and `value`"
            ]
        );
    }

    #[test]
    fn words_of_others_lead_to_ours() {
        for (word, ours) in
            [("equals", "eq"), ("==", "eq"), ("REGEX", "matches"), ("exists", "present"), ("nin", "not_in")]
        {
            let test = json!([{ "attribute": "department", "operator": word, "value": "x" }]);
            let found = after("/authorization/conditions", test);
            assert!(found[0].ends_with(&format!("; did you mean `{ours}`?")), "{found:?}");
        }
        let found = after("/authorization/rules/0/effect", json!("permit"));
        assert_eq!(
            found,
            [
                "/authorization/rules/0/effect: unknown value; expected one of `allow`, `deny`; did you mean `allow`?"
            ]
        );
    }

    #[test]
    fn every_line_of_the_table_is_said_at_its_place() {
        let places = [
            (Part::Document, ""),
            (Part::Authentication, "/authentication"),
            (Part::Method, "/authentication/methods/0"),
            (Part::Jwt, "/authentication/methods/0/jwt"),
            (Part::Claims, "/authentication/methods/0/jwt/claims"),
            (Part::Authorization, "/authorization"),
            (Part::Rule, "/authorization/rules/0"),
            (Part::Condition, "/authorization/conditions/0"),
            (Part::Route, "/authorization/routes/0"),
            (Part::AclEntry, "/authorization/acl/0/entries/0"),
            (Part::Policy, "/authorization/policies/0"),
            (Part::Superusers, "/authorization/superusers"),
        ];
        let entry = json!({ "actions": ["read"], "users": ["ann"] });
        let whole = changed(&[
            ("/authentication/methods/0/jwt/claims", json!({})),
            ("/authorization/superusers", json!({ "subjects": ["root"] })),
            ("/authorization/conditions", json!([{ "attribute": "a", "operator": "present" }])),
            ("/authorization/policies", json!([{ "name": "p", "groups": ["staff"] }])),
            ("/authorization/acl", json!([{ "resource": "/a", "entries": [entry] }])),
        ]);
        let mut seen = 0;
        for (part, names, expected) in ROWS {
            let (_, place) = places.iter().find(|(of, _)| of == part).unwrap();
            for name in *names {
                let mut document = whole.clone();
                document.pointer_mut(place).unwrap()[*name] = json!("x");
                let found = problems(document);
                let said = format!("{place}/{name}: unknown field; expected {expected}");
                assert!(found.contains(&said), "{said}\n{found:?}");
                seen += 1;
            }
        }
        assert!(seen > 90, "{seen}");
    }

    #[test]
    fn lists_of_names_are_told_what_they_should_be() {
        assert_eq!(
            after("/authorization/roles", json!(["editor"])),
            [
                "/authorization/roles: found a list; expected an object of roles by name, such as `{editor: {}}`"
            ]
        );
        let found = after("/authentication/methods", json!(["jwt"]));
        assert_eq!(
            found,
            [
                "/authentication/methods/0: found a text; expected an object with a name, such as `{name: people, jwt: {...}}`"
            ]
        );
    }
}
