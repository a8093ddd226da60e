//! YAML, as far as a document needs it: what a reader sees is what the proxy gets.
//!
//! YAML 1.2 core schema (section 10.3): `no` is a text, `0x1F` a number. Refused are duplicate keys, keys that are not
//! texts, tags, merge keys, a second document, numbers that JSON does not have, and more nesting or content than a
//! document may hold. Anchors and aliases work, within the same bounds: an alias counts as often as it is used.

use std::collections::BTreeMap;

use portcullis_policy::document::{JsonPointer, Problem, Problems};
use portcullis_policy::limits::MAX_JSON_DEPTH;
use saphyr::Scalar;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::{Map, Number, Value};

use super::{Place, Positions};

/// What a YAML text holds, and where.
pub(super) struct Loaded {
    pub(super) value: Result<Value, Problems>,
    pub(super) positions: Positions,
}

/// Loads the one document of `text`. Goes on after every problem that does not make the rest unreadable.
pub(super) fn load(text: &str) -> Loaded {
    let mut loader = Loader::new(text);
    for event in Parser::new_from_str(text) {
        let goes_on = match event {
            Ok((event, span)) => loader.take(event, span),
            Err(error) => loader.unreadable(&error),
        };
        if !goes_on {
            break;
        }
    }
    loader.finish()
}

struct Loader<'t> {
    text: &'t str,
    /// The byte at which each character starts.
    starts: Vec<usize>,
    open: Vec<Open>,
    root: Option<Value>,
    documents: usize,
    anchors: BTreeMap<usize, (Value, usize)>,
    nodes: usize,
    positions: Positions,
    problems: Vec<Problem>,
}

/// A list or an object whose end has not come yet.
struct Open {
    content: Content,
    pointer: JsonPointer,
    anchor: usize,
    nodes_before: usize,
}

enum Content {
    List(Vec<Value>),
    Object { members: Map<String, Value>, key: Key },
}

/// The key of the member whose value comes next.
enum Key {
    /// A key comes next.
    Awaited,
    /// The value of this member comes next.
    Known(String),
    /// A value comes next that belongs to no member, because its key is of no use.
    Useless,
}

impl<'t> Loader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            starts: text.char_indices().map(|(start, _)| start).collect(),
            open: Vec::new(),
            root: None,
            documents: 0,
            anchors: BTreeMap::new(),
            nodes: 0,
            positions: Positions::default(),
            problems: Vec::new(),
        }
    }

    /// Takes one event; `false` if nothing after it could be told.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
            Event::DocumentStart(_) => {
                self.documents = self.documents.saturating_add(1);
                if self.documents > 1 {
                    self.problem("a second document in one file", "one document");
                }
                self.documents == 1
            }
            Event::Scalar(text, style, anchor, tag) => {
                let place = self.place(span);
                if self.awaits_key() {
                    return self.key(&text, style, place);
                }
                self.stands_at(place);
                self.refuse_tag(tag.as_deref());
                let value = self.scalar(Scalar::parse_from_cow_and_metadata(text, style, None));
                self.add(value, anchor, 1);
                self.count(1)
            }
            Event::Alias(anchor) => {
                let place = self.place(span);
                if self.awaits_key() {
                    return self.unnameable("an alias as a name");
                }
                self.stands_at(place);
                let (value, nodes) = match self.anchors.get(&anchor) {
                    Some((value, nodes)) => (value.clone(), *nodes),
                    None => {
                        self.problem("an alias inside of what it stands for", "an anchor that ends before");
                        (Value::Null, 1)
                    }
                };
                self.add(value, 0, nodes);
                self.count(nodes)
            }
            Event::SequenceStart(anchor, tag) => {
                self.enter(Content::List(Vec::new()), anchor, tag.as_deref(), span)
            }
            Event::MappingStart(anchor, tag) => {
                let content = Content::Object { members: Map::new(), key: Key::Awaited };
                self.enter(content, anchor, tag.as_deref(), span)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let value = match open.content {
                        Content::List(elements) => Value::Array(elements),
                        Content::Object { members, .. } => Value::Object(members),
                    };
                    let nodes = self.nodes.saturating_sub(open.nodes_before);
                    self.add(value, open.anchor, nodes);
                    true
                }
                None => false,
            },
        }
    }

    fn enter(&mut self, content: Content, anchor: usize, tag: Option<&Tag>, span: Span) -> bool {
        if self.awaits_key() {
            return self.unnameable("a list or an object as a name");
        }
        self.refuse_tag(tag);
        if self.open.len() >= MAX_JSON_DEPTH {
            self.problem("nested too deeply", &format!("at most {MAX_JSON_DEPTH} levels"));
            return false;
        }
        let pointer = self.pointer();
        let place = self.place(span);
        self.positions.name(pointer.clone(), Place { bytes: place.bytes.start..place.bytes.start, ..place });
        self.open.push(Open { content, pointer, anchor, nodes_before: self.nodes });
        self.count(1)
    }

    /// Counts what was added; `false` if it is too much.
    fn count(&mut self, nodes: usize) -> bool {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            self.problem("too much content", &format!("at most {MAX_NODES} values"));
        }
        self.nodes <= MAX_NODES
    }

    /// Puts a value that is whole, and as large as `nodes` says, into what is around it.
    fn add(&mut self, value: Value, anchor: usize, nodes: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), nodes));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            Some(Content::List(elements)) => elements.push(value),
            Some(Content::Object { members, key }) => {
                if let Key::Known(name) = std::mem::replace(key, Key::Awaited) {
                    members.insert(name, value);
                }
            }
            None => self.root = Some(value),
        }
    }

    fn key(&mut self, text: &str, style: ScalarStyle, place: Place) -> bool {
        let Some(Open { content: Content::Object { members, key }, pointer, .. }) = self.open.last_mut()
        else {
            return false;
        };
        let pointer = pointer.member(text);
        let is_text = || {
            matches!(Scalar::parse_from_cow_and_metadata(text.into(), style, None), Some(Scalar::String(_)))
        };
        let useless = if text == "<<" && style == ScalarStyle::Plain {
            Some(("a merge key, which YAML 1.2 does not have".to_owned(), "a text as a name"))
        } else if !is_text() {
            Some(("a name that is not a text".to_owned(), "a text as a name"))
        } else if members.contains_key(text) {
            let first = self.positions.of_name(&pointer).map_or(0, |first| first.line);
            Some((format!("the same name again, first in line {first}"), "each name once"))
        } else {
            None
        };
        match useless {
            Some((message, expected)) => {
                *key = Key::Useless;
                self.positions.rename(pointer.clone(), place);
                self.problems.push(Problem::new(pointer, message).expected(expected));
            }
            None => {
                *key = Key::Known(text.to_owned());
                self.positions.name(pointer, place);
            }
        }
        true
    }

    fn scalar(&mut self, scalar: Option<Scalar<'_>>) -> Value {
        match scalar {
            Some(Scalar::Null) => Value::Null,
            Some(Scalar::Boolean(value)) => Value::Bool(value),
            Some(Scalar::Integer(value)) => Value::from(value),
            Some(Scalar::String(text)) => Value::String(text.into_owned()),
            Some(Scalar::FloatingPoint(value)) => match Number::from_f64(value.into_inner()) {
                Some(number) => Value::Number(number),
                None => {
                    self.problem(
                        "a number that JSON does not have",
                        "a finite number, or quotes around a text",
                    );
                    Value::Null
                }
            },
            None => Value::Null,
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>) {
        if tag.is_some() {
            self.problem("a tag", "a plain value; quotes make a text");
        }
    }

    /// A name that is no scalar; nothing after it can be told, for its events would be taken for names.
    fn unnameable(&mut self, message: &str) -> bool {
        self.problem(message, "a text as a name");
        false
    }

    /// What comes next is a scalar and stands here.
    fn stands_at(&mut self, place: Place) {
        let has_no_name =
            matches!(self.open.last(), Some(Open { content: Content::Object { key: Key::Useless, .. }, .. }));
        if has_no_name {
            self.positions.orphan(place);
        } else {
            let pointer = self.pointer();
            self.positions.scalar(pointer, place);
        }
    }

    /// A problem with what comes next.
    fn problem(&mut self, message: &str, expected: &str) {
        let pointer = self.pointer();
        self.problems.push(Problem::new(pointer, message).expected(expected));
    }

    fn unreadable(&mut self, error: &ScanError) -> bool {
        let marker = error.marker();
        let (line, column) = (marker.line(), marker.col().saturating_add(1));
        let pointer = self.pointer();
        let message = format!("not YAML at line {line}, column {column}: {}", error.info());
        let start = self.byte(marker.index());
        self.positions
            .scalar(pointer.clone(), Place { line, column, bytes: start..start, is_legible: false });
        self.problems.push(Problem::new(pointer, message));
        false
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Object { key: Key::Awaited, .. }, .. }))
    }

    /// Where the value that comes next will stand.
    fn pointer(&self) -> JsonPointer {
        match self.open.last() {
            None => JsonPointer::root(),
            Some(Open { content: Content::List(elements), pointer, .. }) => pointer.element(elements.len()),
            Some(Open { content: Content::Object { key: Key::Known(name), .. }, pointer, .. }) => {
                pointer.member(name)
            }
            Some(Open {
                content: Content::Object { key: Key::Awaited | Key::Useless, .. }, pointer, ..
            }) => pointer.clone(),
        }
    }

    fn place(&self, span: Span) -> Place {
        let bytes = self.byte(span.start.index())..self.byte(span.end.index());
        Place { line: span.start.line(), column: span.start.col().saturating_add(1), bytes, is_legible: true }
    }

    fn byte(&self, character: usize) -> usize {
        self.starts.get(character).copied().unwrap_or(self.text.len())
    }

    fn finish(mut self) -> Loaded {
        if self.root.is_none() && self.problems.is_empty() {
            self.problem("empty", "an object");
        }
        let value = match (Problems::from_list(self.problems), self.root) {
            (None, Some(value)) => Ok(value),
            (Some(problems), _) => Err(problems),
            (None, None) => Ok(Value::Null),
        };
        Loaded { value, positions: self.positions }
    }
}

/// Most values a document may hold, each use of an alias counted anew: some hundred megabytes of memory at worst.
const MAX_NODES: usize = 2_000_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        load(text).value.unwrap_or_else(|problems| panic!("{text}: {problems}"))
    }

    fn problems(text: &str) -> Vec<String> {
        let loaded = load(text);
        let place = |problem: &Problem| match loaded.positions.nearest(&problem.pointer) {
            Some(place) => format!("{}:{} {problem}", place.line, place.column),
            None => problem.to_string(),
        };
        loaded.value.unwrap_err().iter().map(place).collect()
    }

    #[test]
    fn texts_and_numbers_are_distinct() {
        assert_eq!(
            value("[1, '1', -2, 0x1F, 1.5, true, yes, no, 'null', null, ~, 1e3, 2027-01-01, \"a\\n\"]"),
            json!([1, "1", -2, 31, 1.5, true, "yes", "no", "null", null, null, 1000.0, "2027-01-01", "a\n"])
        );
        assert_eq!(value("a: |\n  x\n  y\nb: {c: [d]}\n"), json!({ "a": "x\ny\n", "b": { "c": ["d"] } }));
    }

    #[test]
    fn anchors_work_and_cannot_explode() {
        assert_eq!(
            value("a: &x [1, {b: 2}]\nc: *x\n"),
            json!({ "a": [1, { "b": 2 }], "c": [1, { "b": 2 }] })
        );
        let mut bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for level in 1..=9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert_eq!(problems(&bomb).len(), 1);
        assert!(problems(&bomb)[0].contains("too much content; expected at most 2000000 values"));
        assert_eq!(
            problems("a: &x [*x]\n"),
            ["1:8 /a/0: an alias inside of what it stands for; expected an anchor that ends before"]
        );
    }

    #[test]
    fn what_a_reader_could_take_for_something_else_is_refused() {
        for (text, found) in [
            ("a: 1\nb: 2\na: 3\n", "3:1 /a: the same name again, first in line 1; expected each name once"),
            (
                "a: {b: 1, \"b\": 2}\n",
                "1:11 /a/b: the same name again, first in line 1; expected each name once",
            ),
            ("a: !secret b\n", "1:4 /a: a tag; expected a plain value; quotes make a text"),
            (
                "a: &x {b: 1}\nc:\n  <<: *x\n",
                "3:3 /c/<<: a merge key, which YAML 1.2 does not have; expected a text as a name",
            ),
            ("a:\n  1: b\n", "2:3 /a/1: a name that is not a text; expected a text as a name"),
            (
                "a: .inf\n",
                "1:4 /a: a number that JSON does not have; expected a finite number, or quotes around a text",
            ),
            ("a: 1\n---\nb: 2\n", "1:1 document: a second document in one file; expected one document"),
            ("", "document: empty; expected an object"),
        ] {
            assert_eq!(problems(text), [found], "{text}");
        }
    }

    #[test]
    fn what_is_not_yaml_says_where() {
        let found = problems("a: [1\nb: 2\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("not YAML at line"), "{found:?}");
        let deep = "[".repeat(100);
        assert!(
            problems(&deep)[0].contains("nested too deeply; expected at most 64 levels"),
            "{:?}",
            problems(&deep)
        );
    }

    #[test]
    fn places_count_characters_and_bytes() {
        let loaded = load("é: 'ü'\nb:\n  - {c: d}\n");
        let place = |pointer: JsonPointer| loaded.positions.nearest(&pointer).cloned().unwrap();
        let root = JsonPointer::root();
        assert_eq!(place(root.member("é")), Place { line: 1, column: 4, bytes: 4..8, is_legible: true });
        assert_eq!(
            place(root.member("b").element(0).member("c")),
            Place { line: 3, column: 9, bytes: 20..21, is_legible: true }
        );
        assert_eq!(place(root.member("b").element(7)).line, 2);
    }
}
