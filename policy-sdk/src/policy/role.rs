//! Roles with inheritance, resolved when the document is loaded.
//!
//! A role that inherits another *is* that other too: it carries its permissions, and rules about the other, allowing or
//! denying, are about it as well.

use crate::document::{self, Named};

use super::symbol::{Kind, Symbol, Symbols};
use super::symbol_set::SymbolSet;

/// What each role of a document also is.
#[derive(Debug, Default)]
pub(super) struct Roles {
    /// The number of the first role's symbol; the others follow.
    first: u32,
    /// Each role with everything it inherits.
    closures: Vec<SymbolSet>,
}

impl Roles {
    /// Resolves inheritance. Unknown names and cycles are problems that reading the document reports; here they merely
    /// end the walk. The roles get the next symbols, in their order.
    pub(super) fn compile(roles: &Named<document::Role>, symbols: &mut Symbols) -> Roles {
        let names: Vec<Symbol> = roles.keys().map(|name| symbols.intern(Kind::Role, name)).collect();
        let first = names.first().map_or(0, |Symbol(number)| *number);
        let mut compiled = Roles { first, closures: vec![SymbolSet::default(); names.len()] };
        let inherited = |role: &document::Role| {
            let known = role.inherits.iter().filter_map(|name| symbols.get(Kind::Role, name));
            known.filter_map(|symbol| compiled.place(symbol)).collect::<Vec<usize>>()
        };
        let inherits: Vec<Vec<usize>> = roles.values().map(inherited).collect();
        for start in 0..names.len() {
            compiled.close(start, &names, &inherits);
        }
        compiled
    }

    /// Everything that a role is: itself and what it inherits; `None` for a role that the document only mentions.
    pub(super) fn closure(&self, role: Symbol) -> Option<&SymbolSet> {
        self.closures.get(self.place(role)?)
    }

    fn place(&self, Symbol(number): Symbol) -> Option<usize> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        (place < self.closures.len()).then_some(place)
    }

    /// Depth first with a list of its own, what is inherited before what inherits: a chain of ten thousand roles must not
    /// use up a stack, and each role is put together once.
    fn close(&mut self, start: usize, names: &[Symbol], inherits: &[Vec<usize>]) {
        let is_open =
            |closures: &[SymbolSet], role: usize| closures.get(role).is_some_and(SymbolSet::is_empty);
        let mut trail: Vec<(usize, std::slice::Iter<'_, usize>)> = Vec::new();
        let enter = |role: usize, closures: &mut [SymbolSet], trail: &mut Vec<_>| {
            // Its own name first: a cycle then ends here.
            if let (Some(closure), Some(name), Some(next)) =
                (closures.get_mut(role), names.get(role), inherits.get(role))
            {
                closure.insert(*name);
                trail.push((role, next.iter()));
            }
        };
        if is_open(&self.closures, start) {
            enter(start, &mut self.closures, &mut trail);
        }
        while let Some((role, rest)) = trail.last_mut() {
            let role = *role;
            match rest.next() {
                Some(next) if is_open(&self.closures, *next) => enter(*next, &mut self.closures, &mut trail),
                Some(_closed) => {}
                None => {
                    trail.pop();
                    let mut whole = self.closures.get(role).cloned().unwrap_or_default();
                    for other in inherits.get(role).into_iter().flatten() {
                        self.closures.get(*other).into_iter().for_each(|other| whole.extend(other));
                    }
                    if let Some(closure) = self.closures.get_mut(role) {
                        *closure = whole.compact();
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(roles: &[(&str, &[&str])]) -> (Roles, Symbols) {
        let named = roles.iter().map(|(name, inherits)| {
            let inherits = inherits.iter().map(|name| (*name).to_owned()).collect();
            ((*name).to_owned(), document::Role { inherits, permissions: Vec::new() })
        });
        let mut symbols = Symbols::default();
        symbols.intern(Kind::Anyone, "");
        (Roles::compile(&named.collect(), &mut symbols), symbols)
    }

    #[test]
    fn a_role_is_what_it_inherits() {
        let (roles, symbols) = compile(&[
            ("admin", &["operator", "auditor"]),
            ("auditor", &[]),
            ("operator", &["viewer"]),
            ("viewer", &["unknown"]),
            ("round", &["about"]),
            ("about", &["round"]),
        ]);
        let is = |role: &str, other: &str| {
            let symbol = |name| symbols.get(Kind::Role, name).unwrap();
            roles.closure(symbol(role)).unwrap().contains(symbol(other))
        };
        for (role, other, expected) in [
            ("admin", "admin", true),
            ("admin", "viewer", true),
            ("admin", "auditor", true),
            ("operator", "viewer", true),
            ("operator", "auditor", false),
            ("viewer", "operator", false),
            ("round", "round", true),
        ] {
            assert_eq!(is(role, other), expected, "{role} is {other}");
        }
    }

    #[test]
    fn ten_thousand_roles_in_one_line() {
        let names: Vec<String> = (0..10_000).map(|number| format!("r{number:05}")).collect();
        let roles: Vec<(&str, Vec<&str>)> = names
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), names.get(at + 1).map(String::as_str).into_iter().collect()))
            .collect();
        let borrowed: Vec<(&str, &[&str])> =
            roles.iter().map(|(name, next)| (*name, next.as_slice())).collect();
        let (roles, symbols) = compile(&borrowed);
        let first = roles.closure(symbols.get(Kind::Role, "r00000").unwrap()).unwrap();
        assert_eq!(first.len(), 10_000);
        let last = roles.closure(symbols.get(Kind::Role, "r09999").unwrap()).unwrap();
        assert_eq!(last.len(), 1);
    }
}
