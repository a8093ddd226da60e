//! What a witness is told of demands: what is asked for, and what it came to.

use crate::condition::Facts;
use crate::explain::{Node, Verdict};
use crate::path::CanonicalPath;

use super::super::Directory;
use super::super::telling::{self, names};
use super::{Case, Demands, Judgement, Part, Selection};

impl Demands {
    /// One kind of demand, where there is one. `grants` says whether to meet it is to permit.
    pub(in super::super) fn tell(
        &self,
        part: Part,
        judgement: &Judgement,
        grants: bool,
        case: Case<'_>,
        path: &CanonicalPath,
    ) -> Option<Node> {
        let verdict = match judgement {
            Judgement::NotDemanded => return None,
            Judgement::Met if grants => Verdict::Permit,
            Judgement::Met => Verdict::Met,
            Judgement::Unmet(_refusal) => Verdict::Unmet,
            Judgement::Unknown | Judgement::NotKnown => Verdict::Unknown,
        };
        let quoted =
            |names: &[String]| -> Vec<String> { names.iter().map(|name| format!("`{name}`")).collect() };
        let (label, asked) = match part {
            Part::Groups => ("groups", one_of("one of", &names(&self.groups, case.directory))),
            Part::Roles => ("require.roles", self.roles.told(case.directory)),
            Part::Scopes => ("require.scopes", self.scopes.told(case.directory)),
            Part::InGroups => ("require.groups", self.in_groups.told(case.directory)),
            Part::Permission => {
                let wanted = self.permission().map(|wanted| format!("`{}`", wanted.pattern()));
                ("permission", wanted.unwrap_or_default())
            }
            Part::Restrictions => {
                let kinds = one_of("a credential of kind", &quoted(&self.key_types));
                let methods = one_of("a method of", &quoted(&self.methods));
                ("restrictions", both(&[kinds, methods]))
            }
            Part::Conditions => ("conditions", String::new()),
        };
        let detail = match judgement {
            Judgement::Unmet(refusal) => both(&[telling::code(refusal), asked]),
            Judgement::NotDemanded | Judgement::Met | Judgement::Unknown | Judgement::NotKnown => asked,
        };
        let mut children = Vec::new();
        if part == Part::Conditions {
            let captures = self.template.as_ref().and_then(|template| template.captures(path));
            children = telling::conditions(
                &self.conditions,
                &Facts { request: case.request, tenant: case.caller.tenant, captures },
            );
        }
        Some(Node::new(label, verdict, detail).with(children))
    }
}

impl Selection {
    fn told(&self, directory: &Directory) -> String {
        let all: Vec<String> =
            self.all_of.iter().map(|symbol| format!("`{}`", directory.symbols.text(*symbol))).collect();
        both(&[
            one_of("one of", &names(&self.any_of, directory)),
            one_of("all of", &all),
            one_of("none of", &names(&self.none_of, directory)),
        ])
    }
}

fn one_of(word: &str, names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("{word} {}", names.join(", ")) }
}

fn both(parts: &[String]) -> String {
    let said: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    said.join("; ")
}
