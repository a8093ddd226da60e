//! Actions of rules as symbols, and which of them a request is.

use crate::document::Effect;
use crate::request::Action;

use super::symbol::{Kind, Symbol, Symbols};

/// The words for actions, as far as a document uses them: looked up once, when it is loaded.
#[derive(Debug, Default)]
pub(super) struct Words {
    any: Option<Symbol>,
    write: Option<Symbol>,
    read: Option<Symbol>,
    create: Option<Symbol>,
    update: Option<Symbol>,
    delete: Option<Symbol>,
    /// Whether the document has other actions: methods, and those of its own.
    has_others: bool,
}

/// What a rule could be about to fit a request, for rules that allow and for rules that deny: each is an action with an
/// effect, as [`what`] has them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Actions {
    allow: [u32; MAX_WORDS],
    deny: [u32; MAX_WORDS],
}

/// Words that an action can be for one effect.
pub(super) const MAX_WORDS: usize = 4;

impl Words {
    pub(super) fn of(symbols: &Symbols) -> Words {
        let known = |word: &str| symbols.get(Kind::Action, word);
        let words = ["*", "write", "read", "create", "update", "delete"].map(known);
        let has_others = symbols.of_kind(Kind::Action).any(|action| !words.contains(&Some(action)));
        let [any, write, read, create, update, delete] = words;
        Words { any, write, read, create, update, delete, has_others }
    }

    /// The symbol of an action's name, and whether it is known to read and to write.
    fn named(&self, name: &str, symbols: &Symbols) -> (Option<Symbol>, bool, bool) {
        match name {
            "read" => (self.read, true, false),
            "create" => (self.create, false, true),
            "update" => (self.update, false, true),
            "delete" => (self.delete, false, true),
            other => (self.method(other, symbols), false, false),
        }
    }

    /// The symbol of a method. No word of ours begins with a capital letter, and nearly every method does.
    fn method(&self, method: &str, symbols: &Symbols) -> Option<Symbol> {
        let is_no_word = !self.has_others && method.as_bytes().first().is_some_and(u8::is_ascii_uppercase);
        if is_no_word { None } else { symbols.get(Kind::Action, method) }
    }
}

impl Actions {
    /// An action without a name of its own, such as `MOVE`, is no write that could be allowed by that word, and may well be
    /// one that was to be denied. The same goes for a document's own actions: nobody knows which of them write.
    pub(super) fn of(action: Action<'_>, words: &Words, symbols: &Symbols) -> Actions {
        let named = action.name().map(|name| words.named(name, symbols));
        let (name, reads, writes) = named.unwrap_or_default();
        let method = action.method().and_then(|method| words.method(method, symbols));
        let fitting = |write: bool, effect: Effect| {
            [words.any, words.write.filter(|_| write), name, method]
                .map(|action| action.map_or(NOTHING, |action| what(action, effect)))
        };
        Actions { allow: fitting(writes, Effect::Allow), deny: fitting(!reads, Effect::Deny) }
    }

    /// What fits, for rules of this effect.
    pub(super) fn of_effect(&self, effect: Effect) -> impl Iterator<Item = u32> {
        let fitting = match effect {
            Effect::Allow => self.allow,
            Effect::Deny => self.deny,
        };
        fitting.into_iter().filter(|what| *what != NOTHING)
    }

    /// The effect of what a rule is about, if that fits.
    pub(super) fn effect_of(&self, what: u32) -> Option<Effect> {
        let (fitting, effect) =
            if denies(what) { (&self.deny, Effect::Deny) } else { (&self.allow, Effect::Allow) };
        (what != NOTHING && fitting.contains(&what)).then_some(effect)
    }
}

/// An action with an effect: twice the action's symbol, and one more where it denies.
pub(super) fn what(Symbol(action): Symbol, effect: Effect) -> u32 {
    action.saturating_mul(2).saturating_add(u32::from(effect == Effect::Deny))
}

/// Whether the effect of `what` is to deny.
pub(super) const fn denies(what: u32) -> bool {
    what & 1 == 1
}

/// No action: a document is too short for so many names.
const NOTHING: u32 = u32::MAX;
