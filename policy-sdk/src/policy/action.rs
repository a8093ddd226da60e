//! Actions of rules as symbols, and which of them a request is.

use crate::document::Effect;
use crate::request::Action;

use super::symbol::{Kind, Symbol, Symbols};

/// The words that a rule's `action` could be to fit a request, for rules that allow and for rules that deny.
#[derive(Debug, Clone, Copy)]
pub(super) struct Actions {
    allow: [Option<Symbol>; 4],
    deny: [Option<Symbol>; 4],
}

impl Actions {
    /// An action without a name of its own, such as `MOVE`, is no write that could be allowed by that word, and may well be
    /// one that was to be denied. The same goes for a document's own actions: nobody knows which of them write.
    pub(super) fn of(action: Action<'_>, symbols: &Symbols) -> Actions {
        let known = |word: &str| symbols.get(Kind::Action, word);
        let any = known("*");
        let name = action.name().and_then(known);
        let method = action.method().and_then(known);
        let write = known("write");
        let writes = matches!(action.name(), Some("create" | "update" | "delete"));
        let reads = action.name() == Some("read");
        Actions {
            allow: [any, write.filter(|_| writes), name, method],
            deny: [any, write.filter(|_| !reads), name, method],
        }
    }

    /// The words that fit, for rules of this effect.
    pub(super) fn of_effect(&self, effect: Effect) -> impl Iterator<Item = Symbol> {
        let words = match effect {
            Effect::Allow => self.allow,
            Effect::Deny => self.deny,
        };
        words.into_iter().flatten()
    }
}
