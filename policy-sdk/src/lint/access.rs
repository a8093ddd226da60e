//! Which request methods an action or a list of methods is about, for asking whether two of them can meet.

use crate::document::Effect;

/// A set of request methods. Methods that actions give no name to are one member of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Methods(u8);

impl Methods {
    const READ: Methods = Methods(0b0000_0111);
    const CREATE: Methods = Methods(0b0000_1000);
    const UPDATE: Methods = Methods(0b0011_0000);
    const DELETE: Methods = Methods(0b0100_0000);
    const OTHER: Methods = Methods(0b1000_0000);
    /// Every method.
    pub(super) const ALL: Methods = Methods(u8::MAX);

    /// The methods that a public entry or a route lists.
    pub(super) fn listed(methods: &[String]) -> Methods {
        methods.iter().fold(Methods::default(), |all, method| all.and(Methods::of(method, Effect::Allow)))
    }

    /// The methods that the action of a rule is about. `write` in a rule that denies is about every method that is no
    /// read.
    pub(super) fn of(action: &str, effect: Effect) -> Methods {
        match action {
            "*" => Methods::ALL,
            "read" => Methods::READ,
            "GET" => Methods(0b0000_0001),
            "HEAD" => Methods(0b0000_0010),
            "OPTIONS" => Methods(0b0000_0100),
            "create" | "POST" => Methods::CREATE,
            "update" => Methods::UPDATE,
            "PUT" => Methods(0b0001_0000),
            "PATCH" => Methods(0b0010_0000),
            "delete" | "DELETE" => Methods::DELETE,
            "write" => {
                let named = Methods::CREATE.and(Methods::UPDATE).and(Methods::DELETE);
                match effect {
                    Effect::Allow => named,
                    Effect::Deny => named.and(Methods::OTHER),
                }
            }
            _other_method => Methods::OTHER,
        }
    }

    /// These and the `other` ones.
    pub(super) const fn and(self, other: Methods) -> Methods {
        Methods(self.0 | other.0)
    }

    /// Whether a method may be in both.
    pub(super) const fn meet(self, other: Methods) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is one that is no read.
    pub(super) const fn write(self) -> bool {
        self.0 & !Methods::READ.0 != 0
    }
}

/// The actions that take in everything that `action` is about, itself first: what a rule of effect `by` may say instead.
pub(super) fn broader(action: &str, by: Effect) -> impl Iterator<Item = &str> {
    let named: &[&str] = match action {
        "GET" | "HEAD" | "OPTIONS" => &["read"],
        "POST" => &["create", "write"],
        "PUT" | "PATCH" => &["update", "write"],
        "DELETE" => &["delete", "write"],
        "create" | "update" | "delete" => &["write"],
        "read" | "write" | "*" => &[],
        _other_method => match by {
            Effect::Allow => &[],
            Effect::Deny => &["write"],
        },
    };
    let any = (action != "*").then_some("*");
    std::iter::once(action).chain(named.iter().copied()).chain(any)
}

/// Whether one host can be meant by both; no host stands for every host.
pub(super) fn hosts_meet(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return true };
    host_covers(Some(one), Some(other)) || host_covers(Some(other), Some(one))
}

/// Whether every host that `narrow` means is meant by `broad` too.
pub(super) fn host_covers(broad: Option<&str>, narrow: Option<&str>) -> bool {
    match (broad, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(broad), Some(narrow)) if broad == narrow => true,
        (Some(broad), Some(narrow)) => match broad.strip_prefix('*') {
            Some(suffix) => narrow.len() > suffix.len() && narrow.ends_with(suffix),
            None => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_meet() {
        let of = Methods::of;
        assert!(of("read", Effect::Allow).meet(of("GET", Effect::Deny)));
        assert!(!of("read", Effect::Allow).meet(of("write", Effect::Deny)));
        assert!(!of("write", Effect::Allow).meet(of("MOVE", Effect::Allow)));
        assert!(of("write", Effect::Deny).meet(of("MOVE", Effect::Allow)));
        assert!(of("*", Effect::Allow).write() && !of("read", Effect::Allow).write());
    }

    #[test]
    fn broader_actions() {
        let of = |action, by| broader(action, by).collect::<Vec<_>>();
        assert_eq!(of("POST", Effect::Allow), ["POST", "create", "write", "*"]);
        assert_eq!(of("MOVE", Effect::Allow), ["MOVE", "*"]);
        assert_eq!(of("MOVE", Effect::Deny), ["MOVE", "write", "*"]);
        assert_eq!(of("*", Effect::Deny), ["*"]);
    }

    #[test]
    fn hosts() {
        assert!(host_covers(Some("*.a.b"), Some("x.a.b")) && host_covers(None, Some("a")));
        assert!(!host_covers(Some("*.a.b"), Some("a.b")) && !host_covers(Some("a"), None));
        assert!(hosts_meet(Some("x.a.b"), Some("*.a.b")) && !hosts_meet(Some("a"), Some("b")));
    }
}
