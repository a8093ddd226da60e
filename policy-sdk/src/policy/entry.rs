//! Rules and access lists, found by what they are about: the resource in a tree, then action and principal by number.

mod body;
mod telling;

use std::collections::BTreeSet;

use hashbrown::HashTable;

use crate::condition::{Conditions, Facts, Fault, Steps, Truth};
use crate::decision::RuleId;
use crate::document::{AccessList, Condition, Effect, JsonPointer, Problem, Rule};
use crate::limits::MAX_REASONS;
use crate::path::CanonicalPath;
use crate::path_tree::{PathTemplate, PathTree};
use crate::request::AccessRequest;

use super::Compiler;
use super::action::Actions;
use super::caller::Caller;
use super::hash::hash_numbers;
use super::symbol::{Kind, Symbol, Symbols};

/// Every rule and every access list of one place of a document.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Which span of entries each resource has.
    tree: PathTree<u32>,
    spans: Vec<Span>,
    /// Sorted by span, then by what they are about.
    entries: Vec<Entry>,
    /// The first entry of each that is about the same, and of each that is about the same action with the same effect, in
    /// spans that are too long to be read through.
    index: HashTable<u32>,
    conditioned: Vec<Conditioned>,
    /// The spans in which conditions look at the body.
    body_spans: BTreeSet<u32>,
    names: Names,
}

/// The entries of one resource.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    first: u32,
    len: u32,
}

/// One rule, or one line of an access list for one action and one principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Twice the action's symbol, and one more where it denies.
    what: u32,
    principal: u32,
    /// The number of the rule, or of the line of a list, in the document's order.
    number: u32,
    /// One more than the place of its conditions; 0 for none.
    conditions: u32,
}

/// Conditions with the template whose placeholders they name.
#[derive(Debug)]
struct Conditioned {
    conditions: Conditions,
    template: PathTemplate,
}

/// The names of rules and lists: given ones, in one text, and otherwise places.
#[derive(Debug, Default)]
struct Names {
    /// What each name begins with: nothing, or the name of a policy and a slash.
    prefix: String,
    /// How many numbers are rules; lists have those after.
    rules: u32,
    given: Vec<(u32, Box<str>)>,
    /// The first number of each list.
    lists: Vec<u32>,
}

/// What is asked of rules and lists.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) request: &'a AccessRequest<'a>,
    pub(super) actions: Actions,
    pub(super) caller: &'a Caller<'a>,
    /// The path with the slash at its end taken away or put there.
    pub(super) twin: Option<&'a CanonicalPath>,
    pub(super) symbols: &'a Symbols,
}

/// What rules and lists say, by number, the lowest first and each list bounded.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) permit: Numbers,
    pub(super) deny: Numbers,
    /// Would permit, if it were known that their conditions hold.
    pub(super) may_permit: Numbers,
    /// Would deny, if it were known that their conditions hold.
    pub(super) may_deny: Numbers,
    /// Something permits or not, as a fact has it that is not known.
    pub(super) perhaps_permits: bool,
    /// Something denies or not, as a fact has it that is not known.
    pub(super) perhaps_denies: bool,
}

/// The lowest numbers, at most [`MAX_REASONS`].
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<u32>);

impl Numbers {
    fn add(&mut self, number: u32) {
        if let Err(place) = self.0.binary_search(&number) {
            self.0.insert(place, number);
            self.0.truncate(MAX_REASONS);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Entries {
    /// Takes rules and lists apart; `place` is what they stand in, `prefix` what their names begin with.
    pub(super) fn compile(
        rules: (&JsonPointer, &[Rule]),
        acl: (&JsonPointer, &[AccessList]),
        prefix: String,
        compiler: &mut Compiler<'_>,
    ) -> Entries {
        let mut building = Building::default();
        building.whole.names.prefix = prefix;
        building.whole.names.rules = u32::try_from(rules.1.len()).unwrap_or(u32::MAX);
        building.whole.tree.reserve(rules.1.len());
        building.collected.reserve(rules.1.len());
        for (index, rule) in rules.1.iter().enumerate() {
            let place = || rules.0.element(index);
            let Some(template) = resource(&rule.resource, place, compiler) else { continue };
            let conditions = match rule.conditions.as_slice() {
                [] => 0,
                list => building.conditions(list, &template, &place(), compiler),
            };
            let number = building.number(rule.name.as_deref());
            let principal = match rule.role.as_str() {
                "*" => compiler.anyone,
                role => compiler.symbols.intern(Kind::Role, role),
            };
            let span = building.span(&template);
            building.add(span, (&rule.action, rule.effect), principal, number, conditions, compiler);
        }
        for (index, list) in acl.1.iter().enumerate() {
            let place = acl.0.element(index);
            let Some(template) = resource(&list.resource, || place.clone(), compiler) else { continue };
            building.list(list, &template, &place, compiler);
        }
        building.finish(compiler.problems, rules.0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the entries say of a request.
    ///
    /// What denies is about both spellings of a path, with and without a slash at its end; what allows is about the
    /// spelling it was written for.
    pub(super) fn decide(&self, asked: Asked<'_>, steps: &mut Steps) -> Tally {
        let mut tally = Tally::default();
        let path = asked.request.resource.path;
        for span in self.spans_of(path) {
            for effect in [Effect::Allow, Effect::Deny] {
                self.read(span, effect, path, asked, steps, &mut tally);
            }
        }
        if let Some(twin) = asked.twin {
            for span in self.spans_of(twin) {
                self.read(span, Effect::Deny, twin, asked, steps, &mut tally);
            }
        }
        tally
    }

    /// Entries that would have permitted another role the same: some of them, where there are many.
    pub(super) fn for_other_roles(&self, asked: Asked<'_>) -> Numbers {
        let mut found = Numbers::default();
        for span in self.spans_of(asked.request.resource.path) {
            let entries = self.entries_of(span);
            for action in asked.actions.of_effect(Effect::Allow) {
                let what = what(action, Effect::Allow);
                let first = entries.partition_point(|entry| entry.what < what);
                let same = entries.iter().skip(first).take_while(|entry| entry.what == what);
                let others = same.take(MAX_NEAR_MISSES).filter(|entry| {
                    let principal = Symbol(entry.principal);
                    asked.symbols.is_role(principal) && !asked.caller.is(principal)
                });
                others.for_each(|entry| found.add(entry.number));
            }
        }
        found
    }

    /// The names of numbers.
    pub(super) fn ids(&self, numbers: &Numbers) -> impl Iterator<Item = RuleId> {
        numbers.0.iter().map(|number| self.names.id(*number))
    }

    fn spans_of(&self, path: &CanonicalPath) -> impl Iterator<Item = Span> {
        let number = |found: crate::path_tree::Match<'_, '_, u32>| usize::try_from(*found.value).ok();
        self.tree.all(path).filter_map(move |found| self.spans.get(number(found)?).copied())
    }

    fn entries_of(&self, span: Span) -> &[Entry] {
        let first = usize::try_from(span.first).unwrap_or(usize::MAX);
        let end = first.saturating_add(usize::try_from(span.len).unwrap_or(0));
        self.entries.get(first..end).unwrap_or_default()
    }

    /// Reads through a short span; in a long one looks up what the caller and the action could be.
    fn read(
        &self,
        span: Span,
        effect: Effect,
        path: &CanonicalPath,
        asked: Asked<'_>,
        steps: &mut Steps,
        tally: &mut Tally,
    ) {
        let entries = self.entries_of(span);
        let lookups = || asked.caller.held.len().saturating_mul(MAX_WORDS);
        if entries.len() <= MAX_READ_THROUGH || entries.len() <= lookups() {
            for entry in entries {
                if asked.actions.of_effect(effect).any(|action| what(action, effect) == entry.what) {
                    let fits = asked.caller.has(Symbol(entry.principal));
                    self.count(*entry, effect, fits, path, asked, steps, tally);
                }
            }
            return;
        }
        let end = usize::try_from(span.first.saturating_add(span.len)).unwrap_or(0);
        for action in asked.actions.of_effect(effect) {
            let what = what(action, effect);
            if self.first_of(span, what, None).is_none() {
                continue;
            }
            let mut look_up = |Symbol(principal): Symbol, fits: Truth| {
                // To the end of this span: what follows is about another resource, and may be about the same otherwise.
                let first = self.first_of(span, what, Some(principal));
                let rest = first.and_then(|first| self.entries.get(first..end)).unwrap_or_default();
                let same = rest.iter().take_while(|entry| (entry.what, entry.principal) == (what, principal));
                let mut found = false;
                for entry in same {
                    found = true;
                    self.count(*entry, effect, fits, path, asked, steps, tally);
                }
                found
            };
            asked.caller.held.any(|principal| {
                look_up(principal, Truth::True);
                false
            });
            asked.caller.perhaps.any(|principal| look_up(principal, Truth::Unknown(Fault::NotKnown)));
        }
    }

    /// The place of the first entry about this in a long span; of any about this action and effect, with no principal.
    fn first_of(&self, span: Span, what: u32, principal: Option<u32>) -> Option<usize> {
        let hash = hash_numbers([span.first, what, principal.unwrap_or(ANY_PRINCIPAL)]);
        let place = self.index.find(hash, |place| {
            let entry = usize::try_from(*place).ok().and_then(|place| self.entries.get(place));
            entry.is_some_and(|entry| {
                entry.what == what && principal.is_none_or(|principal| principal == entry.principal)
            }) && (span.first..span.first.saturating_add(span.len)).contains(place)
        });
        usize::try_from(*place?).ok()
    }

    /// Counts what an entry says that is about the caller, if `fits` holds.
    #[expect(clippy::too_many_arguments, reason = "the parts of one question, and where its answer goes")]
    fn count(
        &self,
        entry: Entry,
        effect: Effect,
        fits: Truth,
        path: &CanonicalPath,
        asked: Asked<'_>,
        steps: &mut Steps,
        tally: &mut Tally,
    ) {
        if fits == Truth::False {
            return;
        }
        let truth = match steps.spend(1) {
            Ok(()) => Truth::all([fits, self.truth(entry, path, asked, steps)]),
            Err(fault) => Truth::Unknown(fault),
        };
        match (effect, truth) {
            (Effect::Allow, Truth::True) => tally.permit.add(entry.number),
            (Effect::Deny, Truth::True) => tally.deny.add(entry.number),
            (Effect::Allow, Truth::Unknown(Fault::NotKnown)) => tally.perhaps_permits = true,
            (Effect::Deny, Truth::Unknown(Fault::NotKnown)) => tally.perhaps_denies = true,
            (Effect::Allow, Truth::Unknown(_)) => tally.may_permit.add(entry.number),
            (Effect::Deny, Truth::Unknown(_)) => tally.may_deny.add(entry.number),
            (Effect::Allow | Effect::Deny, Truth::False) => {}
        }
    }

    fn truth(&self, entry: Entry, path: &CanonicalPath, asked: Asked<'_>, steps: &mut Steps) -> Truth {
        let Some(place) = entry.conditions.checked_sub(1) else { return Truth::True };
        let conditioned = usize::try_from(place).ok().and_then(|place| self.conditioned.get(place));
        // There are none that cannot be found; if there were, nobody could say that an entry that denies does not.
        let Some(Conditioned { conditions, template }) = conditioned else {
            return Truth::Unknown(Fault::Missing);
        };
        let captures = template.captures(path);
        conditions.evaluate(&Facts { request: asked.request, tenant: asked.caller.tenant, captures }, steps)
    }
}

/// Entries as they are collected: sorted and indexed at the end.
#[derive(Default)]
struct Building {
    whole: Entries,
    collected: Vec<(u32, Entry)>,
    next: u32,
    spans: u32,
}

impl Building {
    fn number(&mut self, name: Option<&str>) -> u32 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        if let Some(name) = name {
            self.whole.names.given.push((number, name.into()));
        }
        number
    }

    fn span(&mut self, template: &PathTemplate) -> u32 {
        let next = self.spans;
        // A tree without room for it refuses the whole document, at the end.
        let span = self.whole.tree.get_or_insert_with(template, || next).map_or(next, |span| *span);
        if span == next {
            self.spans = next.saturating_add(1);
        }
        span
    }

    fn conditions(
        &mut self,
        list: &[Condition],
        template: &PathTemplate,
        place: &JsonPointer,
        compiler: &mut Compiler<'_>,
    ) -> u32 {
        if list.is_empty() {
            return 0;
        }
        let conditions = compiler.conditions(list, place);
        self.whole.conditioned.push(Conditioned { conditions, template: template.clone() });
        u32::try_from(self.whole.conditioned.len()).unwrap_or(u32::MAX)
    }

    fn add(
        &mut self,
        span: u32,
        (action, effect): (&str, Effect),
        Symbol(principal): Symbol,
        number: u32,
        conditions: u32,
        compiler: &mut Compiler<'_>,
    ) {
        self.note_body(span, conditions);
        let action = compiler.symbols.intern(Kind::Action, action);
        self.collected.push((span, Entry { what: what(action, effect), principal, number, conditions }));
    }

    fn list(
        &mut self,
        list: &AccessList,
        template: &PathTemplate,
        place: &JsonPointer,
        compiler: &mut Compiler<'_>,
    ) {
        self.whole.names.lists.push(self.next);
        let span = self.span(template);
        for (index, line) in list.entries.iter().enumerate() {
            let place = place.member("entries").element(index);
            let conditions = self.conditions(&line.conditions, template, &place, compiler);
            let name = list.name.as_ref().map(|name| format!("{name}/entries/{index}"));
            let number = self.number(name.as_deref());
            if line.actions.len() > MAX_ACTIONS_OF_AN_ENTRY {
                let problem = Problem::new(place.member("actions"), "too many actions");
                compiler.problems.push(problem.expected(format!("at most {MAX_ACTIONS_OF_AN_ENTRY}")));
                continue;
            }
            let mut principals = Vec::new();
            for (kind, names) in
                [(Kind::User, &line.users), (Kind::Group, &line.groups), (Kind::Role, &line.roles)]
            {
                principals.extend(names.iter().map(|name| match (kind, name.as_str()) {
                    (Kind::Role, "*") => compiler.anyone,
                    (kind, name) => compiler.symbols.intern(kind, name),
                }));
            }
            for action in &line.actions {
                for principal in &principals {
                    self.add(span, (action, line.effect), *principal, number, conditions, compiler);
                }
            }
        }
    }

    fn finish(self, problems: &mut Vec<Problem>, place: &JsonPointer) -> Entries {
        let Building { mut whole, mut collected, spans, .. } = self;
        if whole.tree.worst_case_steps() > crate::limits::MAX_SEARCH_STEPS {
            problems.push(Problem::new(place.clone(), super::TOO_MANY_CHOICES));
        }
        collected.sort_unstable();
        whole.entries.reserve_exact(collected.len());
        whole.spans.resize(usize::try_from(spans).unwrap_or(0), Span::default());
        for (span, entry) in collected {
            let place = u32::try_from(whole.entries.len()).unwrap_or(u32::MAX);
            if let Some(span) = usize::try_from(span).ok().and_then(|span| whole.spans.get_mut(span)) {
                if span.len == 0 {
                    span.first = place;
                }
                span.len = span.len.saturating_add(1);
            }
            whole.entries.push(entry);
        }
        let Entries { spans, entries, index, .. } = &mut whole;
        let mut firsts = Vec::new();
        for span in spans.iter() {
            let of_span = usize::try_from(span.first).ok().zip(usize::try_from(span.len).ok());
            let Some((first, len)) = of_span.filter(|(_, len)| *len > MAX_READ_THROUGH) else { continue };
            let mut last = None;
            for (place, entry) in (span.first..).zip(entries.iter().skip(first).take(len)) {
                let about = (entry.what, entry.principal);
                let before = last.replace(about);
                if before.is_none_or(|(what, _)| what != entry.what) {
                    firsts.push((hash_numbers([span.first, entry.what, ANY_PRINCIPAL]), place));
                }
                if before != Some(about) {
                    firsts.push((hash_numbers([span.first, entry.what, entry.principal]), place));
                }
            }
        }
        // With room for all of them beforehand nothing is ever hashed again.
        *index = HashTable::with_capacity(firsts.len());
        for (hash, place) in firsts {
            index.insert_unique(hash, place, |_| 0);
        }
        whole.tree.shrink_to_fit();
        whole
    }
}

impl Names {
    fn id(&self, number: u32) -> RuleId {
        let given = self.given.binary_search_by_key(&number, |(number, _)| *number).ok();
        if let Some((_, name)) = given.and_then(|place| self.given.get(place)) {
            return RuleId::new(Some(name), "");
        }
        let prefix = &self.prefix;
        if number < self.rules {
            return RuleId::new(None, &format!("{prefix}rules/{number}"));
        }
        let list = self.lists.partition_point(|first| *first <= number).saturating_sub(1);
        let first = self.lists.get(list).copied().unwrap_or_default();
        RuleId::new(None, &format!("{prefix}acl/{list}/entries/{}", number.saturating_sub(first)))
    }
}

fn what(Symbol(action): Symbol, effect: Effect) -> u32 {
    action.saturating_mul(2).saturating_add(u32::from(effect == Effect::Deny))
}

/// The place is asked for where something is wrong, and nowhere else.
fn resource(
    text: &str,
    place: impl FnOnce() -> JsonPointer,
    compiler: &mut Compiler<'_>,
) -> Option<PathTemplate> {
    let text = if text == "*" { "/**" } else { text };
    text.parse().ok().or_else(|| compiler.template(text, &place().member("resource")))
}

/// Entries of one resource that are read through one by one: about as dear as the lookups they replace.
const MAX_READ_THROUGH: usize = 16;

/// No principal's number: a document is too short for so many names.
const ANY_PRINCIPAL: u32 = u32::MAX;

/// Words that an action can be for one effect: what a lookup is made for, for each principal of the caller.
const MAX_WORDS: usize = 4;

/// Entries that are looked at for one action to tell a caller that another role would do: a courtesy has its price.
const MAX_NEAR_MISSES: usize = 256;

/// Actions of one line of an access list: each is an entry for each of its principals, and their product is what counts.
const MAX_ACTIONS_OF_AN_ENTRY: usize = 32;
