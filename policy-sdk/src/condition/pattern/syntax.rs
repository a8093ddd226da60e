//! From the text of an expression to its tree.
//!
//! Knows nothing of states; what is too large is for [`super::program`] to say.

use std::iter::Peekable;
use std::str::CharIndices;

use super::{PatternError, PatternFault};

/// One part of an expression. None is empty, and every repetition allows one: each becomes at least one state.
pub(super) enum Expression {
    Character(Class),
    Sequence(Vec<Expression>),
    Choice(Vec<Expression>),
    /// From the first to the second number of times; without a second, any number.
    Repeat(Box<Expression>, u8, Option<u8>),
}

/// A set of characters.
#[derive(Clone)]
pub(super) struct Class {
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Class {
    pub(super) fn contains(&self, character: char) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&character)) != self.negated
    }

    /// How many ranges a character is compared with.
    pub(super) const fn ranges(&self) -> usize {
        self.ranges.len()
    }

    fn one(character: char) -> Class {
        Class { ranges: vec![(character, character)], negated: false }
    }
}

/// Reads a whole expression.
pub(super) fn parse(text: &str) -> Result<Expression, PatternError> {
    let begin = usize::from(text.starts_with('^'));
    let inner = text.strip_prefix('^').unwrap_or(text);
    let inner = inner.strip_suffix('$').filter(|before| !ends_in_escape(before)).unwrap_or(inner);
    let mut reader =
        Reader { rest: inner.char_indices().peekable(), begin, end: begin.saturating_add(inner.len()) };
    let expression = reader.choice(0)?;
    match reader.rest.peek() {
        None => Ok(expression),
        Some(_) => Err(reader.error(PatternFault::StrayClose)),
    }
}

/// Whether what follows `text` is escaped: an odd number of `\` stands at its end.
fn ends_in_escape(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Groups within groups. Nobody reads an expression with more, and reading one recurses.
const MAX_GROUP_DEPTH: usize = 16;

/// The characters that mean something outside of a class.
const SPECIAL: &str = "\\.[]{}()|*+?^$";

/// The characters that mean something in a class, here or elsewhere.
const SPECIAL_IN_CLASS: &str = "\\[]^&~-";

struct Reader<'a> {
    rest: Peekable<CharIndices<'a>>,
    begin: usize,
    end: usize,
}

impl Reader<'_> {
    /// The fault, at what is read next.
    fn error(&mut self, fault: PatternFault) -> PatternError {
        let here = self.rest.peek().map_or(self.end, |(offset, _)| self.begin.saturating_add(*offset));
        PatternError { fault, offset: here }
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|(_, character)| *character)
    }

    fn next(&mut self) -> Option<char> {
        self.rest.next().map(|(_, character)| character)
    }

    fn takes(&mut self, character: char) -> bool {
        self.rest.next_if(|(_, next)| *next == character).is_some()
    }

    fn choice(&mut self, depth: usize) -> Result<Expression, PatternError> {
        let mut branches = vec![self.sequence(depth)?];
        while self.takes('|') {
            branches.push(self.sequence(depth)?);
        }
        Ok(Expression::Choice(branches))
    }

    fn sequence(&mut self, depth: usize) -> Result<Expression, PatternError> {
        let mut parts = Vec::new();
        while let Some(character) = self.peek().filter(|character| !matches!(character, '|' | ')')) {
            if matches!(character, '*' | '+' | '?') {
                return Err(self.error(PatternFault::NothingToRepeat));
            }
            let atom = self.atom(character, depth)?;
            parts.push(self.repeated(atom)?);
        }
        if parts.is_empty() { Err(self.error(PatternFault::Empty)) } else { Ok(Expression::Sequence(parts)) }
    }

    fn atom(&mut self, character: char, depth: usize) -> Result<Expression, PatternError> {
        let class = match character {
            '(' => return self.group(depth),
            '[' => {
                self.next();
                self.class()?
            }
            '.' => {
                self.next();
                Class { ranges: vec![('\n', '\n')], negated: true }
            }
            '\\' => {
                self.next();
                self.escape()?
            }
            '^' | '$' => return Err(self.error(PatternFault::Anchor)),
            '{' => return Err(self.error(PatternFault::NothingToRepeat)),
            special if SPECIAL.contains(special) => return Err(self.error(PatternFault::Unescaped)),
            plain => {
                self.next();
                Class::one(plain)
            }
        };
        Ok(Expression::Character(class))
    }

    fn group(&mut self, depth: usize) -> Result<Expression, PatternError> {
        if depth >= MAX_GROUP_DEPTH {
            return Err(self.error(PatternFault::TooDeep));
        }
        self.next();
        if self.takes('?') && !self.takes(':') {
            return Err(self.error(PatternFault::SpecialGroup));
        }
        let inner = self.choice(depth.saturating_add(1))?;
        if self.takes(')') { Ok(inner) } else { Err(self.error(PatternFault::OpenGroup)) }
    }

    fn repeated(&mut self, atom: Expression) -> Result<Expression, PatternError> {
        let (least, most) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => return self.counted(atom),
            Some(_) | None => return Ok(atom),
        };
        self.next();
        self.repeated_once(Expression::Repeat(Box::new(atom), least, most))
    }

    fn counted(&mut self, atom: Expression) -> Result<Expression, PatternError> {
        self.next();
        let least = self.number()?;
        let most = if !self.takes(',') {
            Some(least)
        } else if self.peek() == Some('}') {
            None
        } else {
            Some(self.number()?)
        };
        if most.is_some_and(|most| most < least || most == 0) || !self.takes('}') {
            return Err(self.error(PatternFault::BadCount));
        }
        self.repeated_once(Expression::Repeat(Box::new(atom), least, most))
    }

    fn repeated_once(&mut self, repeat: Expression) -> Result<Expression, PatternError> {
        match self.peek() {
            Some('*' | '+' | '?' | '{') => Err(self.error(PatternFault::RepeatedTwice)),
            Some(_) | None => Ok(repeat),
        }
    }

    fn number(&mut self) -> Result<u8, PatternError> {
        let mut digits = String::new();
        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
            digits.push(digit);
            self.next();
        }
        digits.parse().map_err(|_| self.error(PatternFault::BadCount))
    }

    /// What follows a `\`.
    fn escape(&mut self) -> Result<Class, PatternError> {
        let error = self.error(PatternFault::BadEscape);
        let escaped = self.next().ok_or(error)?;
        let ascii = |ranges: &[(char, char)]| Class {
            ranges: ranges.to_vec(),
            negated: escaped.is_ascii_uppercase(),
        };
        match escaped {
            'd' | 'D' => Ok(ascii(&[('0', '9')])),
            'w' | 'W' => Ok(ascii(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')])),
            's' | 'S' => Ok(ascii(&[('\t', '\r'), (' ', ' ')])),
            'n' => Ok(Class::one('\n')),
            'r' => Ok(Class::one('\r')),
            't' => Ok(Class::one('\t')),
            mark if mark.is_ascii_punctuation() => Ok(Class::one(mark)),
            _other => Err(error),
        }
    }

    /// What follows a `[`.
    fn class(&mut self) -> Result<Class, PatternError> {
        let mut class = Class { ranges: Vec::new(), negated: self.takes('^') };
        while !self.takes(']') {
            let first = self.member()?;
            match (first.ranges.as_slice(), first.negated) {
                ([(begin, same)], false) if begin == same && self.takes('-') => {
                    let error = self.error(PatternFault::BadRange);
                    let last = self.member()?;
                    match (last.ranges.as_slice(), last.negated) {
                        ([(end, same)], false) if end == same && begin <= end => {
                            class.ranges.push((*begin, *end))
                        }
                        _no_character => return Err(error),
                    }
                }
                (_, false) => class.ranges.extend(first.ranges),
                // The opposite of a class within a class: all the characters in between.
                (ranges, true) => class.ranges.extend(gaps(ranges)),
            }
        }
        if class.ranges.is_empty() { Err(self.error(PatternFault::EmptyClass)) } else { Ok(class) }
    }

    /// One member of a class: a character, or an escape for several.
    fn member(&mut self) -> Result<Class, PatternError> {
        match self.peek() {
            None => Err(self.error(PatternFault::OpenClass)),
            Some('\\') => {
                self.next();
                self.escape()
            }
            Some(special) if SPECIAL_IN_CLASS.contains(special) => Err(self.error(PatternFault::Unescaped)),
            Some(plain) => {
                self.next();
                Ok(Class::one(plain))
            }
        }
    }
}

/// The characters that are in none of `ranges`, which are in order.
fn gaps(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let before = |character: char| ('\0'..character).next_back();
    let after = |character: char| (character..=char::MAX).nth(1);
    let mut gaps = Vec::new();
    let mut begin = Some('\0');
    for (first, last) in ranges {
        gaps.extend(begin.zip(before(*first)).filter(|(begin, end)| begin <= end));
        begin = after(*last);
    }
    gaps.extend(begin.map(|begin| (begin, char::MAX)));
    gaps
}
