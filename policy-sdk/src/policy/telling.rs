//! What a witness is told of a request as a whole: its route, its caller, its tenant.
//!
//! Names are those of the document. A role, a group or a tenant that only the request names is counted and not repeated.

use crate::condition::{Conditions, Evaluated, Facts, Steps, Truth};
use crate::decision::Refusal;
use crate::explain::{Node, Verdict};

use super::caller::Caller;
use super::route::Route;
use super::symbol::{Kind, Symbol};
use super::symbol_set::SymbolSet;
use super::tenancy::TenancyDecision;
use super::{Access, Directory, Located, Obstacle};

/// Which route decides, and what lets a request pass or stop before anything else is looked at.
pub(super) fn route(located: &Located<'_>) -> Node {
    let (verdict, detail) = match (located.preflight, located.obstacle, located.route) {
        (Some(preflight), _, _) => (Verdict::Permit, format!("a CORS preflight that `{preflight}` lists")),
        (None, Some(Obstacle::HalfMatch(route)), _) => {
            (Verdict::Deny, format!("`{}` to one reader, and not to another", route.id()))
        }
        (None, Some(Obstacle::NotKnown), _) => (Verdict::Unknown, "depends on what is not known".to_owned()),
        (None, Some(Obstacle::Upgrade), _) => (Verdict::Deny, "an upgrade that no route is about".to_owned()),
        (None, None, Some(route)) if located.access == Access::Public => {
            (Verdict::Permit, format!("`{}` is public", route.id()))
        }
        (None, None, Some(route)) => (Verdict::Noted, about(route)),
        (None, None, None) => (Verdict::Noted, "none is about this request".to_owned()),
    };
    let twin = located.twin.map(|twin| Node::new("the other spelling", Verdict::Noted, about(twin)));
    Node::new("route", verdict, detail).with(twin.into_iter().collect())
}

fn about(route: &Route) -> String {
    let access = match route.access() {
        Access::Public => "public",
        Access::Optional => "a caller may be known",
        Access::Required => "a caller is needed",
    };
    format!("`{}`: {access}", route.id())
}

/// What a route demands, and whether to meet it all is to be let in.
pub(super) fn route_demands(route: &Route, grants: bool, demands: Vec<Node>) -> Node {
    let node = Node::of(format!("route `{}`", route.id()), demands);
    match (grants, node.children.is_empty()) {
        (true, true) => Node { verdict: Verdict::Permit, detail: "demands nothing more".to_owned(), ..node },
        (true, false) => Node { verdict: Verdict::Permit, ..node },
        (false, _) => node,
    }
}

/// Who asks: what the document knows of it.
pub(super) fn caller(caller: &Caller<'_>, tenant: Option<&str>, directory: &Directory) -> Node {
    let Some(subject) = caller.subject else {
        return Node::new("caller", Verdict::Noted, "nobody");
    };
    let symbols = &directory.symbols;
    let tenant = tenant.and_then(|tenant| symbols.get(Kind::Tenant, tenant));
    let mut children = Vec::new();
    let mut unknown = 0_usize;
    for name in &subject.roles {
        let role = symbols.get(Kind::Role, name);
        let own = tenant.and_then(|tenant| symbols.get(Kind::RoleOf(tenant), name));
        if let Some(role) = role {
            let mut also = Vec::new();
            if let Some(closure) = directory.roles.closure(role) {
                also = names(closure, directory);
                also.retain(|other| *other != format!("`{}`", symbols.text(role)));
            }
            let detail = if also.is_empty() { String::new() } else { format!("is also {}", also.join(", ")) };
            children.push(Node::new(format!("role `{}`", symbols.text(role)), Verdict::Noted, detail));
        }
        if let Some(own) = own {
            let label = format!("role `{}`", symbols.text(own));
            children.push(Node::new(label, Verdict::Noted, "a role of its tenant"));
        }
        unknown = unknown.saturating_add(usize::from(role.is_none() && own.is_none()));
    }
    for name in &subject.groups {
        match symbols.get(Kind::Group, name) {
            Some(group) => {
                children.push(Node::new(format!("group `{}`", symbols.text(group)), Verdict::Noted, ""));
            }
            None => unknown = unknown.saturating_add(1),
        }
    }
    for grant in &caller.grants {
        let label = format!("grant to `{}`", symbols.text(grant.holder()));
        let permissions = grant.permissions().iter().map(|permission| format!("`{permission}`"));
        let given: Vec<String> = names(grant.roles(), directory).into_iter().chain(permissions).collect();
        children.push(Node::new(label, Verdict::Noted, format!("gives {}", given.join(", "))));
    }
    if unknown > 0 {
        let detail = format!("{unknown} roles or groups that the document does not know");
        children.push(Node::new("others", Verdict::NotApplicable, detail));
    }
    Node::new("caller", Verdict::Noted, "known").with(children)
}

/// Which tenant the request acts in.
pub(super) fn tenancy(tenancy: &TenancyDecision<'_>) -> Node {
    let (verdict, detail) = match (&tenancy.refusal, &tenancy.tenant) {
        (Some((refusal, Some(reason))), _) => (Verdict::Deny, format!("{}, by `{reason}`", refusal.code())),
        (Some((refusal, None)), _) => (Verdict::Deny, refusal.code().to_owned()),
        (None, Some(_)) if tenancy.cross_tenant => (Verdict::Met, "acts in another tenant".to_owned()),
        (None, Some(_)) => (Verdict::Met, "acts in its own tenant".to_owned()),
        (None, None) => (Verdict::Met, "no tenant".to_owned()),
    };
    Node::new("tenancy", verdict, detail)
}

/// What each condition came to, the groups with their members. The steps of the decision are not touched.
pub(super) fn conditions(conditions: &Conditions, facts: &Facts<'_>) -> Vec<Node> {
    let mut done: Vec<(usize, Node)> = Vec::new();
    // Members are reported before the group that they are in, so they are what lies on top and one deeper.
    conditions.evaluate_with(facts, &mut Steps::default(), &mut |Evaluated { place, truth }| {
        let depth = place.len();
        let first =
            done.iter().rposition(|(other, _)| *other <= depth).map_or(0, |last| last.saturating_add(1));
        let members = done.split_off(first).into_iter().map(|(_, node)| node).collect();
        let (verdict, detail) = match truth {
            Truth::True => (Verdict::Met, String::new()),
            Truth::False => (Verdict::Unmet, String::new()),
            Truth::Unknown(fault) => (Verdict::Unknown, fault.to_string()),
        };
        done.push((depth, Node::new(conditions.described(place), verdict, detail).with(members)));
    });
    done.into_iter().map(|(_, node)| node).collect()
}

/// The names in a set, each once, as they are quoted.
pub(super) fn names(set: &SymbolSet, directory: &Directory) -> Vec<String> {
    let mut names = Vec::new();
    set.any(|symbol: Symbol| {
        names.push(format!("`{}`", directory.symbols.text(symbol)));
        false
    });
    names
}

/// Why a demand is not met, as it is answered.
pub(super) fn code(refusal: &Refusal) -> String {
    refusal.code().to_owned()
}
