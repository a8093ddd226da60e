//! Sets of symbols: a sorted list while they are small, one bit a symbol when that takes less room.

use super::symbol::Symbol;

/// A set of symbols.
#[derive(Debug, Clone)]
pub(super) struct SymbolSet(Form);

#[derive(Debug, Clone)]
enum Form {
    /// Sorted, each once.
    List(Vec<u32>),
    Bits(Vec<u64>),
}

impl Default for SymbolSet {
    fn default() -> Self {
        SymbolSet(Form::List(Vec::new()))
    }
}

impl FromIterator<Symbol> for SymbolSet {
    fn from_iter<I: IntoIterator<Item = Symbol>>(symbols: I) -> Self {
        let mut list: Vec<u32> = symbols.into_iter().map(|Symbol(number)| number).collect();
        list.sort_unstable();
        list.dedup();
        SymbolSet(Form::List(list)).compact()
    }
}

impl SymbolSet {
    /// Adds one symbol.
    pub(super) fn insert(&mut self, Symbol(number): Symbol) {
        match &mut self.0 {
            Form::List(list) => {
                if let Err(place) = list.binary_search(&number) {
                    list.insert(place, number);
                }
            }
            Form::Bits(words) => set(words, number),
        }
    }

    /// Adds all symbols of another set.
    pub(super) fn extend(&mut self, other: &SymbolSet) {
        match (&mut self.0, &other.0) {
            (Form::List(mine), Form::List(theirs)) if mine.is_empty() => mine.clone_from(theirs),
            (Form::List(mine), Form::List(theirs)) => {
                mine.extend(theirs);
                mine.sort_unstable();
                mine.dedup();
            }
            (Form::List(mine), Form::Bits(words)) => {
                let mut words = words.clone();
                mine.iter().for_each(|number| set(&mut words, *number));
                self.0 = Form::Bits(words);
            }
            (Form::Bits(words), Form::List(theirs)) => theirs.iter().for_each(|number| set(words, *number)),
            (Form::Bits(mine), Form::Bits(theirs)) => {
                if mine.len() < theirs.len() {
                    mine.resize(theirs.len(), 0);
                }
                mine.iter_mut().zip(theirs).for_each(|(word, other)| *word |= other);
            }
        }
    }

    /// The same set in the form that takes less room.
    #[must_use]
    pub(super) fn compact(self) -> Self {
        match self.0 {
            Form::List(mut list) => {
                let words = list.last().map_or(0, |last| word_of(*last).0.saturating_add(1));
                if words.saturating_mul(size_of::<u64>()) < list.len().saturating_mul(size_of::<u32>()) {
                    let mut bits = vec![0; words];
                    list.iter().for_each(|number| set(&mut bits, *number));
                    return SymbolSet(Form::Bits(bits));
                }
                list.shrink_to_fit();
                SymbolSet(Form::List(list))
            }
            bits @ Form::Bits(_) => SymbolSet(bits),
        }
    }

    /// Whether `symbol` is in the set.
    pub(super) fn contains(&self, Symbol(number): Symbol) -> bool {
        match &self.0 {
            Form::List(list) => list.binary_search(&number).is_ok(),
            Form::Bits(words) => {
                let (word, bit) = word_of(number);
                words.get(word).is_some_and(|word| word & bit != 0)
            }
        }
    }

    /// Whether the set has nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        match &self.0 {
            Form::List(list) => list.is_empty(),
            Form::Bits(words) => words.iter().all(|word| *word == 0),
        }
    }

    /// How many symbols are in the set.
    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Form::List(list) => list.len(),
            Form::Bits(words) => words
                .iter()
                .map(|word| usize::try_from(word.count_ones()).unwrap_or(0))
                .fold(0, usize::saturating_add),
        }
    }

    /// Whether the two sets have a symbol in common.
    pub(super) fn intersects(&self, other: &SymbolSet) -> bool {
        match (&self.0, &other.0) {
            (Form::Bits(mine), Form::Bits(theirs)) => {
                mine.iter().zip(theirs).any(|(word, other)| word & other != 0)
            }
            (Form::List(mine), Form::List(theirs)) if mine.len() > theirs.len() => other.intersects(self),
            (Form::List(mine), Form::List(_) | Form::Bits(_)) => {
                mine.iter().any(|number| other.contains(Symbol(*number)))
            }
            (Form::Bits(_), Form::List(_)) => other.intersects(self),
        }
    }

    /// Whether `test` says yes to one of the symbols, asked in their order.
    pub(super) fn any(&self, mut test: impl FnMut(Symbol) -> bool) -> bool {
        match &self.0 {
            Form::List(list) => list.iter().any(|number| test(Symbol(*number))),
            Form::Bits(words) => (0_u32..).zip(words).any(|(index, word)| {
                (0..u64::BITS).any(|bit| {
                    let number = index.saturating_mul(u64::BITS).saturating_add(bit);
                    word & (1 << bit) != 0 && test(Symbol(number))
                })
            }),
        }
    }
}

fn set(words: &mut Vec<u64>, number: u32) {
    let (word, bit) = word_of(number);
    if words.len() <= word {
        words.resize(word.saturating_add(1), 0);
    }
    if let Some(word) = words.get_mut(word) {
        *word |= bit;
    }
}

/// In which word a number has its bit, and the bit.
fn word_of(number: u32) -> (usize, u64) {
    (usize::try_from(number / u64::BITS).unwrap_or(usize::MAX), 1 << (number % u64::BITS))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn symbols(numbers: &[u32]) -> SymbolSet {
        numbers.iter().copied().map(Symbol).collect()
    }

    #[test]
    fn many_neighbours_are_bits_and_few_strangers_a_list() {
        assert!(matches!(symbols(&(0..1_000).collect::<Vec<_>>()).0, Form::Bits(_)));
        assert!(matches!(symbols(&[1, 1_000_000]).0, Form::List(_)));
        assert!(symbols(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn both_forms_are_the_same_set(
            first in prop::collection::vec(0_u32..400, 0..300),
            second in prop::collection::vec(0_u32..400, 0..8),
            one in 0_u32..400,
        ) {
            let (left, right) = (symbols(&first), symbols(&second));
            let (a, b): (BTreeSet<u32>, BTreeSet<u32>) = (first.into_iter().collect(), second.into_iter().collect());
            prop_assert_eq!(left.len(), a.len());
            prop_assert_eq!(left.contains(Symbol(one)), a.contains(&one));
            prop_assert_eq!(left.intersects(&right), !a.is_disjoint(&b));
            prop_assert_eq!(right.intersects(&left), !a.is_disjoint(&b));
            for (mut mine, theirs) in [(left.clone(), &right), (right.clone(), &left)] {
                mine.extend(theirs);
                mine.insert(Symbol(one));
                let mut seen = Vec::new();
                mine.any(|Symbol(number)| { seen.push(number); false });
                let expected: Vec<u32> = a.union(&b).copied().chain([one]).collect::<BTreeSet<_>>().into_iter().collect();
                prop_assert_eq!(seen, expected);
            }
        }
    }
}
