//! What tests take from the budget of a decision for what they read.

use super::*;

#[test]
fn what_is_read_is_paid_for() {
    let [long, many] = [json!("a".repeat(640)), json!(["a", "b", "c"])];
    let request = json!({"long": long, "many": many, "longs": ["a".repeat(640)]});
    let subject = Subject { attributes: request.as_object().unwrap().clone(), ..Subject::default() };
    let path = canonicalize(b"/", PathMode::Refuse).unwrap().path;
    let headers = (0..100)
        .map(|number| (format!("x-{number}"), "a".repeat(if number == 7 { 128 } else { 0 })))
        .collect();
    let query = "a".repeat(6400);
    let request = AccessRequest {
        subject: Some(&subject),
        action: Action::named("read"),
        resource: Resource::at("localhost", &path),
        context: Context { headers: &headers, query: Some(&query), ..Context::default() },
    };
    let facts = Facts { request: &request, tenant: None, captures: None };
    for (attribute, cost) in [
        ("absent", 1),
        ("long", 1),
        ("many", 1 + 3),
        ("longs", 1 + 1 + 10),
        // Absent, and all the same looked for everywhere.
        ("context.header.x-region", 1 + 100),
        ("context.header.x-7", 1 + 100 + 1 + 2),
        ("context.query.region", 1 + 100),
    ] {
        let conditions = compile(&json!([{"attribute": attribute, "operator": "present"}]));
        let exhausted =
            |steps| conditions.evaluate(&facts, &mut Steps::new(steps)) == Truth::Unknown(Fault::Exhausted);
        assert!(exhausted(cost - 1) && !exhausted(cost), "{attribute}");
    }
}
