//! From the tree of an expression to states, and from states to an answer: Thompson's construction, simulated with all
//! states at once, so that no text makes it go back.

use super::syntax::{Class, Expression};
use crate::limits::{MAX_PATTERN_RANGES, MAX_PATTERN_STATES};

/// The states of an expression. The end of the text must be met in the state after the last one.
pub(super) struct Program {
    states: Vec<State>,
    /// How many ranges of characters are in all classes.
    ranges: usize,
}

enum State {
    /// One character of these leads to the next state.
    Take(Class),
    /// Both this state and the next are met.
    Fork(usize),
    /// This state is met in place of the next.
    Jump(usize),
}

impl Program {
    /// `None` when there are more than [`MAX_PATTERN_STATES`], or than [`MAX_PATTERN_RANGES`].
    pub(super) fn of(expression: &Expression) -> Option<Program> {
        let mut program = Program { states: Vec::new(), ranges: 0 };
        program.add(expression)?;
        Some(program)
    }

    const fn states(&self) -> usize {
        self.states.len()
    }

    /// The most comparisons that one character takes: with each range, and one for each state.
    pub(super) const fn comparisons(&self) -> usize {
        self.states.len().saturating_add(self.ranges)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let mut here = Met::new(self.states());
        let mut next = Met::new(self.states());
        self.meet(0, &mut here);
        for character in text.chars() {
            next.clear();
            for state in &here.list {
                if let Some(State::Take(class)) = self.states.get(*state)
                    && class.contains(character)
                {
                    self.meet(state.saturating_add(1), &mut next);
                }
            }
            std::mem::swap(&mut here, &mut next);
        }
        here.list.contains(&self.states())
    }

    /// Adds a state, and all that are met with it.
    fn meet(&self, state: usize, met: &mut Met) {
        let mut pending = vec![state];
        while let Some(state) = pending.pop() {
            if !met.add(state) {
                continue;
            }
            match self.states.get(state) {
                Some(State::Fork(other)) => pending.extend([*other, state.saturating_add(1)]),
                Some(State::Jump(other)) => pending.push(*other),
                Some(State::Take(_)) | None => {}
            }
        }
    }

    fn add(&mut self, expression: &Expression) -> Option<()> {
        match expression {
            Expression::Character(class) => {
                self.ranges = self.ranges.saturating_add(class.ranges());
                (self.ranges <= MAX_PATTERN_RANGES).then_some(())?;
                self.push(State::Take(class.clone())).map(|_| ())
            }
            Expression::Sequence(parts) => parts.iter().try_for_each(|part| self.add(part)),
            Expression::Choice(branches) => self.choice(branches),
            Expression::Repeat(inner, least, most) => {
                (0..*least).try_for_each(|_| self.add(inner))?;
                match most {
                    None => {
                        let fork = self.push(State::Fork(0))?;
                        self.add(inner)?;
                        self.push(State::Jump(fork))?;
                        self.lead(fork, State::Fork(self.states()))
                    }
                    Some(most) => (*least..*most).try_for_each(|_| {
                        let fork = self.push(State::Fork(0))?;
                        self.add(inner)?;
                        self.lead(fork, State::Fork(self.states()))
                    }),
                }
            }
        }
    }

    fn choice(&mut self, branches: &[Expression]) -> Option<()> {
        let mut ends = Vec::new();
        let last = branches.len().saturating_sub(1);
        for (number, branch) in branches.iter().enumerate() {
            if number == last {
                self.add(branch)?;
            } else {
                let fork = self.push(State::Fork(0))?;
                self.add(branch)?;
                ends.push(self.push(State::Jump(0))?);
                self.lead(fork, State::Fork(self.states()))?;
            }
        }
        ends.into_iter().try_for_each(|end| self.lead(end, State::Jump(self.states())))
    }

    fn push(&mut self, state: State) -> Option<usize> {
        let index = self.states();
        (index < MAX_PATTERN_STATES).then(|| self.states.push(state))?;
        Some(index)
    }

    fn lead(&mut self, index: usize, state: State) -> Option<()> {
        *self.states.get_mut(index)? = state;
        Some(())
    }
}

/// States that are met, each once.
struct Met {
    list: Vec<usize>,
    has: Vec<bool>,
}

impl Met {
    /// Room for `states` and the one after the last.
    fn new(states: usize) -> Met {
        Met { list: Vec::new(), has: vec![false; states.saturating_add(1)] }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.has.fill(false);
    }

    fn add(&mut self, state: usize) -> bool {
        let new = self.has.get_mut(state).is_some_and(|has| !std::mem::replace(has, true));
        if new {
            self.list.push(state);
        }
        new
    }
}
