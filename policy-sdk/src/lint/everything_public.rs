//! A public entry for every path of every host.

use super::reading::{Reading, public_place};
use super::{Found, Lint};

pub(super) const LINT: Lint = Lint {
    code: "everything-public",
    finds: "A public entry for every path of every host.",
    remedy: "name the paths that anyone may reach; for a caller who may be anonymous, say `authentication: optional` in a route",
    look,
};

fn look(reading: &Reading<'_>, found: &mut Found) {
    for public in &reading.public {
        if public.shape.is_everything() && public.entry.host.is_none() {
            found.add(|| public_place(public.index), || "everything is public".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::found_after;

    #[test]
    fn fires_on_all_paths_of_all_hosts_and_not_on_one_host() {
        let after = |entry: Value| found_after("everything-public", &[("/authorization/public/1", entry)]);
        assert_eq!(
            after(json!({ "methods": ["*"], "path": "/**" })),
            ["/authorization/public/1: everything is public"]
        );
        assert_eq!(after(json!({ "methods": ["*"], "path": "/**", "host": "static.example.com" })), [""; 0]);
    }
}
