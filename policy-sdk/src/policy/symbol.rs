//! Texts as numbers: every name that a document knows is one [`Symbol`], and a decision compares numbers.
//!
//! A name that a request brings and no document knows has no symbol, and nothing can be said of it.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::bytes::is_same;

/// The number of one name of one kind. Numbers are given in the order of first mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Symbol(pub(super) u32);

/// What a name is the name of. The same text as two kinds is two symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Every authenticated caller: one symbol, without a name.
    Anyone,
    /// An action of rules: a word, a method, or one of the document's own.
    Action,
    Role,
    Group,
    User,
    Scope,
    Tenant,
    Route,
    /// A role of one tenant.
    RoleOf(Symbol),
}

impl Kind {
    fn number(self) -> u32 {
        match self {
            Kind::Anyone => 0,
            Kind::Action => 1,
            Kind::Role => 2,
            Kind::Group => 3,
            Kind::User => 4,
            Kind::Scope => 5,
            Kind::Tenant => 6,
            Kind::Route => 7,
            Kind::RoleOf(Symbol(tenant)) => tenant.saturating_add(FIXED_KINDS),
        }
    }
}

/// Kinds that are no role of a tenant.
const FIXED_KINDS: u32 = 8;

/// All names of a document, in one text.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    text: String,
    names: Vec<Name>,
    table: HashTable<u32>,
    /// One bit for each of the fixed kinds that a name was given for.
    kinds: u16,
}

#[derive(Debug, Clone, Copy)]
struct Name {
    kind: u32,
    start: u32,
    end: u32,
}

impl Symbols {
    /// The symbol of `text`, made if there is none.
    pub(super) fn intern(&mut self, kind: Kind, text: &str) -> Symbol {
        if let Some(known) = self.get(kind, text) {
            return known;
        }
        let kind = kind.number();
        if kind < FIXED_KINDS {
            self.kinds |= 1 << kind;
        }
        // A document of at most 16 MiB has fewer names and fewer bytes of them than this counts.
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let start = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.names.push(Name { kind, start, end });
        let Symbols { text, names, table, .. } = self;
        table.insert_unique(hash_of(kind, spelt(text, names, number).1), number, |other| {
            let (kind, text) = spelt(text, names, *other);
            hash_of(kind, text)
        });
        Symbol(number)
    }

    /// The symbol of `text`, if the document knows it.
    #[inline]
    pub(super) fn get(&self, kind: Kind, text: &str) -> Option<Symbol> {
        let kind = kind.number();
        let is_it = |number: &u32| {
            let (of, known) = spelt(&self.text, &self.names, *number);
            of == kind && is_same(known.as_bytes(), text.as_bytes())
        };
        self.table.find(hash_of(kind, text), is_it).copied().map(Symbol)
    }

    /// All symbols of a kind, in their order.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = Symbol> {
        let kind = kind.number();
        let is_of = move |(number, name): (u32, &Name)| (name.kind == kind).then_some(Symbol(number));
        (0_u32..).zip(&self.names).filter_map(is_of)
    }

    /// Whether the document knows any name of this kind: of what it does not know, nothing has to be looked up.
    pub(super) fn has(&self, kind: Kind) -> bool {
        let number = kind.number();
        number < FIXED_KINDS && self.kinds & (1 << number) != 0
    }

    /// Whether a symbol is a role, of the document or of a tenant.
    pub(super) fn is_role(&self, Symbol(number): Symbol) -> bool {
        let (kind, _text) = spelt(&self.text, &self.names, number);
        kind == Kind::Role.number() || kind >= FIXED_KINDS
    }

    /// The name that a symbol stands for.
    pub(super) fn text(&self, Symbol(number): Symbol) -> &str {
        spelt(&self.text, &self.names, number).1
    }

    /// Gives back the room that was kept for more names.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.names.shrink_to_fit();
    }
}

#[inline]
fn spelt<'a>(text: &'a str, names: &[Name], number: u32) -> (u32, &'a str) {
    let name = usize::try_from(number).ok().and_then(|number| names.get(number));
    let Some(Name { kind, start, end }) = name.copied() else { return (u32::MAX, "") };
    let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
    (kind, text.get(range).unwrap_or_default())
}

/// Without a seed, so that every run and every worker does the same. Names of requests are only looked for, never added: a
/// client cannot make a chain longer.
fn hash_of(kind: u32, text: &str) -> u64 {
    FxBuildHasher.hash_one((kind, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_symbol() {
        let mut symbols = Symbols::default();
        let acme = symbols.intern(Kind::Tenant, "acme");
        let editor = symbols.intern(Kind::Role, "editor");
        let of_acme = symbols.intern(Kind::RoleOf(acme), "editor");
        assert_eq!(symbols.intern(Kind::Role, "editor"), editor);
        assert!(
            editor != of_acme
                && symbols.is_role(editor)
                && symbols.is_role(of_acme)
                && !symbols.is_role(acme)
        );
        assert_eq!(symbols.get(Kind::Role, "editor"), Some(editor));
        assert_eq!(symbols.get(Kind::RoleOf(acme), "editor"), Some(of_acme));
        assert_eq!(symbols.get(Kind::RoleOf(editor), "editor"), None);
        assert_eq!(symbols.get(Kind::Group, "editor"), None);
        assert!(symbols.has(Kind::Role) && !symbols.has(Kind::Group));
    }

    #[test]
    fn many_names_are_found_again() {
        let mut symbols = Symbols::default();
        let all: Vec<Symbol> = (0..10_000).map(|n| symbols.intern(Kind::User, &n.to_string())).collect();
        symbols.shrink();
        for (number, symbol) in all.iter().enumerate() {
            assert_eq!(symbols.get(Kind::User, &number.to_string()), Some(*symbol));
        }
        assert_eq!(symbols.get(Kind::User, "10000"), None);
    }
}
