//! From the rules and lists of a document to entries that are found by number.
//!
//! Knows nothing of requests: who is asked about is for [`super`] to say.

use std::collections::BTreeSet;

use hashbrown::HashTable;

use crate::decision::RuleId;
use crate::document::{AccessList, Condition, Effect, JsonPointer, Problem, Rule};
use crate::limits::MAX_SEARCH_STEPS;
use crate::path_tree::{PathTemplate, PathTree, TemplateText};

use super::super::action::what;
use super::super::hash::hash_numbers;
use super::super::symbol::{Kind, Symbol};
use super::super::{Compiler, TOO_MANY_CHOICES};
use super::{ANY_PRINCIPAL, Conditioned, Entries, Entry, MAX_READ_THROUGH, Span};

impl Entries {
    /// Takes rules and lists apart; `place` is what they stand in, `prefix` what their names begin with.
    pub(in crate::policy) fn compile(
        rules: (&JsonPointer, &[Rule]),
        acl: (&JsonPointer, &[AccessList]),
        prefix: String,
        compiler: &mut Compiler<'_>,
    ) -> Entries {
        let mut building = Building::default();
        building.whole.names.prefix = prefix;
        building.whole.names.rules = u32::try_from(rules.1.len()).unwrap_or(u32::MAX);
        building.tree.reserve(rules.1.len());
        building.collected.reserve(rules.1.len());
        // Rules that follow each other are mostly about one role and one action.
        let mut last = ("*", compiler.anyone);
        let mut last_action = None;
        for (index, rule) in rules.1.iter().enumerate() {
            let place = || rules.0.element(index);
            let Some(template) = resource(&rule.resource, place, compiler) else { continue };
            let conditions = match rule.conditions.as_slice() {
                [] => 0,
                list => building.conditions(list, &template.to_template(), &place(), compiler),
            };
            let number = building.number(rule.name.as_deref());
            let principal = match rule.role.as_str() {
                role if role == last.0 => last.1,
                "*" => compiler.anyone,
                role => compiler.symbols.intern(Kind::Role, role),
            };
            last = (&rule.role, principal);
            let span = building.span(&template);
            let action = match last_action {
                Some((known, action)) if known == rule.action.as_str() => action,
                _other => compiler.symbols.intern(Kind::Action, &rule.action),
            };
            last_action = Some((&rule.action, action));
            building.add(span, (action, rule.effect), principal, number, conditions);
        }
        for (index, list) in acl.1.iter().enumerate() {
            let place = acl.0.element(index);
            let Some(template) = resource(&list.resource, || place.clone(), compiler) else { continue };
            building.list(list, &template.to_template(), &place, compiler);
        }
        building.finish(compiler.problems, rules.0)
    }
}

/// Entries as they are collected: sorted and indexed at the end.
#[derive(Default)]
pub(super) struct Building {
    pub(super) whole: Entries,
    /// The number of each resource's span.
    tree: PathTree<u32>,
    /// The numbers of spans in which conditions look at the body.
    pub(super) body_spans: BTreeSet<u32>,
    collected: Vec<(u32, Entry)>,
    next: u32,
    spans: u32,
}

impl Building {
    fn number(&mut self, name: Option<&str>) -> u32 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        if let Some(name) = name {
            self.whole.names.given.push((number, RuleId::new(Some(name), "")));
        }
        number
    }

    fn span(&mut self, template: &TemplateText<'_>) -> u32 {
        let next = self.spans;
        // A tree without room for it refuses the whole document, at the end.
        let span = self.tree.get_or_insert_with(template, || next).map_or(next, |span| *span);
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
        (action, effect): (Symbol, Effect),
        Symbol(principal): Symbol,
        number: u32,
        conditions: u32,
    ) {
        self.note_body(span, conditions);
        self.whole.deny |= effect == Effect::Deny;
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
        let span = self.span(&template.into());
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
                let action = compiler.symbols.intern(Kind::Action, action);
                for principal in &principals {
                    self.add(span, (action, line.effect), *principal, number, conditions);
                }
            }
        }
    }

    fn finish(self, problems: &mut Vec<Problem>, place: &JsonPointer) -> Entries {
        let Building { mut whole, mut tree, body_spans, mut collected, spans, .. } = self;
        if tree.worst_case_steps() > MAX_SEARCH_STEPS {
            problems.push(Problem::new(place.clone(), TOO_MANY_CHOICES));
        }
        collected.sort_unstable();
        whole.entries.reserve_exact(collected.len());
        let mut spans = vec![Span::default(); usize::try_from(spans).unwrap_or(0)];
        for (span, entry) in collected {
            let place = u32::try_from(whole.entries.len()).unwrap_or(u32::MAX);
            if let Some(span) = usize::try_from(span).ok().and_then(|span| spans.get_mut(span)) {
                if span.len == 0 {
                    span.first = place;
                }
                span.len = span.len.saturating_add(1);
            }
            whole.entries.push(entry);
        }
        let Entries { entries, index, .. } = &mut whole;
        let mut firsts = Vec::new();
        for span in &spans {
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
        let span = |number: u32| usize::try_from(number).ok().and_then(|number| spans.get(number).copied());
        whole.body_spans = body_spans.into_iter().filter_map(span).map(|span| span.first).collect();
        tree.shrink_to_fit();
        whole.tree = tree.map(|number| span(number).unwrap_or_default());
        whole
    }
}

/// The place is asked for where something is wrong, and nowhere else.
fn resource<'a>(
    text: &'a str,
    place: impl FnOnce() -> JsonPointer,
    compiler: &mut Compiler<'_>,
) -> Option<TemplateText<'a>> {
    let text = if text == "*" { "/**" } else { text };
    match TemplateText::read(text) {
        Ok(template) => Some(template),
        Err(error) => {
            compiler.not_a_template(&error, &place().member("resource"));
            None
        }
    }
}

/// Actions of one line of an access list: each is an entry for each of its principals, and their product is what counts.
const MAX_ACTIONS_OF_AN_ENTRY: usize = 32;
