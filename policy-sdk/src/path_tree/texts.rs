//! Texts by number: each kept once, found by its hash.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

/// Texts, each with the number it was given when it came first. The first is 0.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    /// All of them, one after the other.
    all: String,
    /// Where each one ends.
    ends: Vec<u32>,
    numbers: HashTable<u32>,
    /// The text that was added last: the next is mostly the same.
    last: Option<u32>,
}

impl Texts {
    pub(super) const fn new() -> Self {
        Self { all: String::new(), ends: Vec::new(), numbers: HashTable::new(), last: None }
    }

    /// The number of `text`, which is added first if need be; `None` when no more can be numbered.
    pub(super) fn add(&mut self, text: &str) -> Option<u32> {
        let (all, ends) = (&self.all, &self.ends);
        let is_it = |number: &u32| get(all, ends, *number) == text;
        if let Some(last) = self.last.filter(is_it) {
            return Some(last);
        }
        let number = match self.numbers.entry(hash(text), is_it, |number| hash(get(all, ends, *number))) {
            Entry::Occupied(there) => *there.get(),
            Entry::Vacant(free) => {
                let number = u32::try_from(self.ends.len()).ok()?;
                let end = u32::try_from(self.all.len().checked_add(text.len())?).ok()?;
                free.insert(number);
                self.all.push_str(text);
                self.ends.push(end);
                number
            }
        };
        self.last = Some(number);
        self.last
    }

    /// The text with this number; empty when there is none.
    pub(super) fn get(&self, number: u32) -> &str {
        get(&self.all, &self.ends, number)
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.all.shrink_to_fit();
        self.ends.shrink_to_fit();
        let (all, ends) = (&self.all, &self.ends);
        self.numbers.shrink_to_fit(|number| hash(get(all, ends, *number)));
    }
}

fn get<'a>(all: &'a str, ends: &[u32], number: u32) -> &'a str {
    let position = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let end = |number: u32| ends.get(position(number)).map_or(0, |end| position(*end));
    all.get(number.checked_sub(1).map_or(0, end)..end(number)).unwrap_or_default()
}

/// Without a seed, so that every run and every worker does the same. Texts of requests are only looked for, never added:
/// a client cannot make a chain longer.
fn hash(text: &str) -> u64 {
    FxBuildHasher.hash_one(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_number() {
        let mut texts = Texts::new();
        for (text, number) in [("a", 0), ("a", 0), ("", 1), ("", 1), ("bc", 2), ("a", 0), ("", 1)] {
            assert_eq!(texts.add(text), Some(number));
        }
        texts.shrink_to_fit();
        assert_eq!([0, 1, 2, 3].map(|number| texts.get(number)), ["a", "", "bc", ""]);
    }
}
