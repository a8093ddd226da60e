//! Documents and requests by chance: from vocabularies so small that everything meets everything else.
//!
//! A document made here need not load; whoever asks for one throws such away.

use serde_json::{Map, Value, json};

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed on every machine.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// At most `most` of them, none twice.
    pub(super) fn some<'a>(&mut self, of: &[&'a str], most: usize) -> Vec<&'a str> {
        let mut chosen: Vec<&str> = (0..self.below(most + 1)).map(|_| self.one(of)).collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    fn at_least_one<'a>(&mut self, of: &[&'a str], most: usize) -> Vec<&'a str> {
        let mut chosen = self.some(of, most);
        if chosen.is_empty() {
            chosen.push(self.one(of));
        }
        chosen
    }

    fn list(&mut self, most: usize, mut make: impl FnMut(&mut Chance, usize) -> Value) -> Vec<Value> {
        (0..self.below(most + 1)).map(|index| make(self, index)).collect()
    }
}

pub(super) const ROLES: &[&str] = &["viewer", "editor", "owner", "barred", "inspector"];
pub(super) const GROUPS: &[&str] = &["staff", "oncall", "guests"];
pub(super) const SCOPES: &[&str] = &["api", "files", "admin"];
pub(super) const USERS: &[&str] = &["alice", "bob", "carol"];
pub(super) const TENANTS: &[&str] = &["acme", "umbra"];
pub(super) const PERMISSIONS: &[&str] = &["docs:read", "docs:write", "users:read", "docs:*", "*:read", "*"];
pub(super) const KINDS: &[&str] = &["user", "service"];
pub(super) const SIGN_INS: &[&str] = &["people", "machines"];
pub(super) const HOSTS: &[&str] = &["a.example", "b.a.example", "acme.example", "umbra.example"];
const HOST_PATTERNS: &[&str] = &["a.example", "b.a.example", "*.example", "*.a.example"];
pub(super) const METHODS: &[&str] =
    &["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "MOVE"];
pub(super) const NETWORKS: &[&str] = &["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"];
pub(super) const ACTIONS: &[&str] = &["approve", "read", "update"];
pub(super) const PATHS: &[&str] = &[
    "/",
    "/docs",
    "/docs/",
    "/docs/7",
    "/docs/7/",
    "/docs/alice",
    "/users/alice",
    "/users/alice/",
    "/acme/docs",
    "/umbra/docs/",
    "/shop.Orders/Get",
    "/other",
    "/docs/%2A",
    "/docs/a%40b",
    "/docs/caf%C3%A9/",
    "/docs/%7Bid%7D",
    "/users/a%20b",
];
const TEMPLATES: &[&str] = &[
    "/**",
    "/docs",
    "/docs/",
    "/docs/{id}",
    "/docs/*",
    "/docs/**",
    "/docs/7",
    "/docs/7/",
    "/users/{id}",
    "/users/{owner}/**",
    "/{type}/{id}",
    "/{area}/**",
    "/{tenant}/docs",
    "/*/alice",
    "/",
    "/docs/%2A",
    "/docs/a@b",
    "/docs/caf%C3%A9",
    "/docs/%7Bid%7D",
];
pub(super) const NOW: i64 = 1_790_000_000;
const BEFORE: &str = "2020-01-01T00:00:00Z";
const AFTER: &str = "2030-01-01T00:00:00Z";

fn condition(chance: &mut Chance, depth: usize) -> Value {
    if depth < 2 && chance.percent(15) {
        let group = chance.one(&["any_of", "all_of", "none_of"]);
        let first = condition(chance, depth + 1);
        return json!({group: [first, condition(chance, depth + 1)]});
    }
    let flag = chance.one(&["on", "off"]);
    let [role, user, network] = [ROLES, USERS, NETWORKS].map(|names| chance.one(names));
    match chance.below(212) {
        200..205 => json!({"attribute": "context.body/amount", "operator": "gte", "value": 7}),
        205..208 => {
            json!({"attribute": "context.body/amount", "operator": chance.one(&["present", "absent"])})
        }
        208..212 => {
            json!({"attribute": "context.body/order/owner", "operator": "eq", "value_from": "subject.id"})
        }
        0..20 => {
            json!({"attribute": "department", "operator": "eq", "value": chance.one(&["finance", "sales"])})
        }
        20..35 => json!({"attribute": "level", "operator": "gte", "value": 3}),
        35..45 => json!({"attribute": "resource.id", "operator": "eq", "value_from": "subject.id"}),
        45..60 => json!({"attribute": "resource.owner", "operator": "eq", "value_from": "subject.id"}),
        60..75 => json!({"attribute": "subject.roles", "operator": "contains", "value": role}),
        75..85 => json!({"attribute": "context.time", "operator": "after", "value": BEFORE}),
        85..100 => json!({"attribute": "context.header.x-flag", "operator": "eq", "value": flag}),
        100..110 => json!({"attribute": "department", "operator": chance.one(&["present", "absent"])}),
        110..120 => json!({"attribute": "action.method", "operator": "in", "value": ["GET", "POST"]}),
        120..130 => json!({"attribute": "context.source", "operator": "in_cidr", "value": [network]}),
        130..135 => json!({"attribute": "context.source", "operator": "not_in_cidr", "value": [network]}),
        135..145 => json!({"attribute": "subject.tenant", "operator": "eq", "value": chance.one(TENANTS)}),
        145..150 => json!({"attribute": "context.query.kind", "operator": "contains", "value": "a"}),
        150..155 => json!({"attribute": "context.query.kind", "operator": "absent"}),
        155..165 => json!({"attribute": "subject.id", "operator": "starts_with", "value": "al"}),
        165..170 => json!({"attribute": "resource.id", "operator": "matches", "value": "\\d+|[*{].*"}),
        170..175 => json!({"attribute": "resource.id", "operator": chance.one(&["present", "absent"])}),
        175..180 => json!({"attribute": "profile/region", "operator": "ne", "value": "eu"}),
        180..185 => json!({"attribute": "resource.path", "operator": "starts_with", "value": "/docs/"}),
        185..190 => json!({"attribute": "action.name", "operator": "not_in", "value": ["read", "approve"]}),
        190..195 => {
            json!({"attribute": "subject.groups", "operator": "subset_of", "value": ["staff", "oncall"]})
        }
        195..198 => json!({"attribute": "resource.owner", "operator": "ne", "value": user}),
        _ => json!({"attribute": "teams", "operator": "contains_none", "value": texts(MANY / 4 * 3)}),
    }
}

/// So many texts that comparing three quarters of them with all of them takes more steps than a decision has.
pub(super) const MANY: usize = 400;

pub(super) fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("team-{number}")).collect()
}

fn conditions(chance: &mut Chance, percent: usize) -> Value {
    if !chance.percent(percent) {
        return json!([]);
    }
    let first = condition(chance, 0);
    if chance.percent(30) { json!([first, condition(chance, 0)]) } else { json!([first]) }
}

fn selection(chance: &mut Chance, names: &[&str]) -> Value {
    match chance.below(6) {
        0 | 1 => json!({"any_of": chance.at_least_one(names, 3)}),
        2 => json!({"all_of": chance.at_least_one(names, 1)}),
        3 => json!({"none_of": chance.at_least_one(names, 1)}),
        4 => json!({"any_of": chance.some(names, 3), "none_of": chance.some(names, 1)}),
        _ => json!({}),
    }
}

fn require(chance: &mut Chance, percent: usize) -> Value {
    let mut require = Map::new();
    for (kind, names) in [("roles", ROLES), ("scopes", SCOPES), ("groups", GROUPS)] {
        if chance.percent(percent) {
            require.insert(kind.to_owned(), selection(chance, names));
        }
    }
    Value::Object(require)
}

fn restrictions(chance: &mut Chance, percent: usize) -> Value {
    match (chance.percent(percent), chance.percent(50)) {
        (false, _) => json!({}),
        (true, true) => json!({"key_types": chance.at_least_one(KINDS, 1)}),
        (true, false) => json!({"methods": chance.at_least_one(SIGN_INS, 1)}),
    }
}

fn effect(chance: &mut Chance) -> &'static str {
    if chance.percent(70) { "allow" } else { "deny" }
}

fn rule_action(chance: &mut Chance) -> &'static str {
    chance.one(&["read", "read", "*", "*", "write", "create", "update", "GET", "MOVE", "approve"])
}

fn resource(chance: &mut Chance) -> &'static str {
    if chance.percent(20) { "*" } else { chance.one(TEMPLATES) }
}

fn role(chance: &mut Chance) -> &'static str {
    if chance.percent(25) { "*" } else { chance.one(ROLES) }
}

fn rules(chance: &mut Chance, most: usize) -> Vec<Value> {
    chance.list(most, |chance, index| {
        let mut rule = json!({"effect": effect(chance), "action": rule_action(chance),
            "resource": resource(chance), "role": role(chance), "conditions": conditions(chance, 35)});
        if chance.percent(30) {
            rule["name"] = format!("rule-{index}").into();
        }
        rule
    })
}

/// So many rules on two resources that they are looked up and not read through. Each has conditions, for two alike without
/// any do not load.
fn many_rules(chance: &mut Chance) -> Vec<Value> {
    let resources = ["/docs/**", "/{area}/**"];
    let of_none = (0..60).map(|number| {
        json!({"effect": "allow", "action": "GET", "resource": resources[number % 2], "role": format!("none-{number}")})
    });
    let mut rules: Vec<Value> = of_none.collect();
    for _ in 0..8 {
        rules.push(json!({"effect": effect(chance), "action": rule_action(chance), "role": role(chance),
            "resource": chance.one(&resources), "conditions": [condition(chance, 1)]}));
    }
    rules
}

fn lists(chance: &mut Chance, most: usize) -> Vec<Value> {
    chance.list(most, |chance, _| {
        let first = entry(chance);
        let entries = if chance.percent(50) { vec![first, entry(chance)] } else { vec![first] };
        json!({"resource": resource(chance), "entries": entries})
    })
}

fn entry(chance: &mut Chance) -> Value {
    let mut entry = json!({"effect": effect(chance), "actions": [rule_action(chance)],
        "users": chance.some(USERS, 1), "groups": chance.some(GROUPS, 1), "conditions": conditions(chance, 30)});
    let roles = if chance.percent(20) { vec!["*"] } else { chance.some(ROLES, 2) };
    if roles.is_empty() && entry["users"] == json!([]) && entry["groups"] == json!([]) {
        entry["users"] = json!([chance.one(USERS)]);
    }
    entry["roles"] = json!(roles);
    entry
}

fn host(chance: &mut Chance, entry: &mut Value, percent: usize) {
    if chance.percent(percent) {
        entry["host"] = chance.one(HOST_PATTERNS).into();
    }
}

fn methods(chance: &mut Chance) -> Vec<&'static str> {
    if chance.percent(50) { vec!["*"] } else { chance.at_least_one(&METHODS[2..], 3) }
}

fn route(chance: &mut Chance, index: usize) -> Value {
    let mut route = json!({"require": require(chance, 15), "conditions": conditions(chance, 20)});
    if chance.percent(10) {
        route["grpc"] = json!({"service": "shop.Orders"});
        if chance.percent(50) {
            route["grpc"]["method"] = "Get".into();
        }
    } else {
        route["methods"] = json!(methods(chance));
        route["path"] = chance.one(TEMPLATES).into();
    }
    host(chance, &mut route, 20);
    if chance.percent(60) {
        route["name"] = format!("route-{index}").into();
    }
    if chance.percent(30) {
        route["permission"] = chance.one(PERMISSIONS).into();
    }
    if chance.percent(35) {
        route["authentication"] = "optional".into();
    }
    if chance.percent(5) && route.get("grpc").is_none() {
        route["upgrade"] = "websocket".into();
        route["methods"] = json!(["GET"]);
    }
    match chance.below(12) {
        0 => {
            route["match"] =
                json!({"headers": [{"name": "x-kind", "one_of": chance.at_least_one(&["a", "b"], 2)}]})
        }
        1 => {
            route["match"] =
                json!({"query": [{"name": "kind", "one_of": chance.at_least_one(&["a", "b"], 2)}]})
        }
        _ => {}
    }
    route
}

fn policy(chance: &mut Chance, index: usize) -> Value {
    let mut attach = json!({});
    host(chance, &mut attach, 15);
    if chance.percent(40) {
        attach["path"] = chance.one(TEMPLATES).into();
    }
    if chance.percent(12) {
        attach["routes"] = json!([format!("route-{}", chance.below(2))]);
    }
    if chance.percent(15) {
        attach["methods"] = json!(chance.at_least_one(&METHODS[2..], 3));
    }
    if chance.percent(15) {
        attach["tenants"] = json!(chance.at_least_one(TENANTS, 1));
    }
    let mut policy = json!({"name": format!("policy-{index}"), "attach": attach, "require": require(chance, 12),
        "restrictions": restrictions(chance, 10)});
    if chance.percent(10) {
        policy["groups"] = json!(chance.at_least_one(GROUPS, 2));
    }
    match chance.below(6) {
        0 => {
            policy["type"] = "abac".into();
            policy["conditions"] = json!([condition(chance, 0)]);
        }
        1 => policy["rules"] = json!(rules(chance, 3)),
        2 => policy["acl"] = json!(lists(chance, 2)),
        3 => {
            policy["rules"] = json!(rules(chance, 3));
            policy["acl"] = json!(lists(chance, 2));
            policy["conditions"] = conditions(chance, 30);
        }
        _ => policy["conditions"] = conditions(chance, 60),
    }
    policy
}

fn grant(chance: &mut Chance) -> Value {
    let mut grant = json!({"roles": chance.some(ROLES, 2), "permissions": chance.some(PERMISSIONS, 1)});
    if chance.percent(60) {
        grant["subject"] = chance.one(USERS).into();
    } else {
        grant["group"] = chance.one(GROUPS).into();
    }
    if chance.percent(30) {
        grant["tenant"] = chance.one(TENANTS).into();
    }
    match chance.below(4) {
        0 => grant["not_before"] = chance.one(&[BEFORE, AFTER]).into(),
        1 => grant["expires"] = chance.one(&[BEFORE, AFTER]).into(),
        2 => {
            grant["not_before"] = BEFORE.into();
            grant["expires"] = AFTER.into();
        }
        _ => {}
    }
    grant
}

fn tenancy(chance: &mut Chance) -> Value {
    let mut tenancy = json!({"required": chance.percent(25)});
    if chance.percent(30) {
        tenancy["default"] = chance.one(TENANTS).into();
    }
    let places = [
        json!({"path": "/{tenant}/docs"}),
        json!({"header": "x-org"}),
        json!({"host": "{tenant}.example"}),
        json!({"query": "org"}),
    ];
    tenancy["bind"] = places.into_iter().filter(|_| chance.percent(25)).collect();
    if chance.percent(40) {
        tenancy["cross_tenant"] = json!({"roles": chance.at_least_one(ROLES, 2)});
    }
    if chance.percent(25) {
        tenancy["tenants"] =
            json!({"acme": {"roles": {"inspector": {"permissions": chance.some(PERMISSIONS, 2)}}}});
    }
    tenancy
}

pub(super) fn document(chance: &mut Chance) -> Value {
    let mut roles = json!({"viewer": {"permissions": ["docs:read"]}, "barred": {}});
    roles["editor"] = json!({"inherits": chance.some(&["viewer", "barred"], 1), "permissions": chance.some(PERMISSIONS, 1)});
    roles["owner"] = json!({"inherits": chance.some(&["viewer", "editor"], 2), "permissions": chance.some(PERMISSIONS, 2)});
    let mut authorization = json!({"roles": roles, "actions": ["approve"]});
    authorization["public"] = json!(chance.list(1, |chance, _| {
        let mut public = json!({"methods": methods(chance), "path": chance.one(TEMPLATES)});
        host(chance, &mut public, 20);
        public
    }));
    authorization["routes"] = json!(chance.list(4, route));
    authorization["grants"] = json!(chance.list(2, |chance, _| grant(chance)));
    authorization["policies"] = json!(chance.list(3, policy));
    if chance.percent(20) {
        authorization["preflight"] =
            json!([{"path": chance.one(TEMPLATES), "origins": [chance.one(&["*", "https://a.example"])]}]);
    }
    if chance.percent(20) {
        authorization["superusers"] = match chance.percent(50) {
            true => {
                json!({"subjects": chance.some(USERS, 1), "roles": chance.some(ROLES, 1), "conditions": []})
            }
            false => json!({"subjects": [], "roles": [], "conditions": conditions(chance, 50)}),
        };
    }
    if chance.percent(10) {
        authorization["groups"] = json!(chance.at_least_one(GROUPS, 2));
    }
    if chance.percent(15) {
        authorization["require"] = require(chance, 40);
    }
    authorization["restrictions"] = restrictions(chance, 8);
    match chance.below(8) {
        0 => {
            authorization["type"] = "abac".into();
            authorization["conditions"] = json!([condition(chance, 0)]);
        }
        1 => authorization["acl"] = json!(lists(chance, 2)),
        2 | 3 => {
            authorization["acl"] = json!(lists(chance, 2));
            authorization["rules"] = json!(rules(chance, 4));
            authorization["conditions"] = conditions(chance, 40);
        }
        _ => authorization["rules"] = json!(rules(chance, 5)),
    }
    if authorization.get("rules").is_some() && chance.percent(6) {
        authorization["rules"] = json!(many_rules(chance));
    }
    let tenancy = if chance.percent(60) { tenancy(chance) } else { json!({}) };
    let method = |name: &str, kind: &str| {
        json!({"name": name, "jwt": {"issuer": format!("https://{name}.example"),
        "audience": ["api"], "algorithms": ["RS256"], "jwks_uri": "https://issuer.example/jwks", "cluster": "idp",
        "key_type": kind}})
    };
    let mut authentication = json!({"methods": [method("people", "user"), method("machines", "service")]});
    if chance.percent(1) {
        authentication["disabled"] = true.into();
    }
    let mut document = json!({"version": 1, "request": {"body": {"max_bytes": 4096}},
        "authentication": authentication, "tenancy": tenancy});
    if chance.percent(8) {
        document["rules"] = json!(rules(chance, 6));
        if chance.percent(30) {
            document["groups"] = json!(chance.at_least_one(GROUPS, 2));
        }
    } else {
        document["authorization"] = authorization;
    }
    document
}
