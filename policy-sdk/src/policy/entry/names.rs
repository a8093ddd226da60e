//! What rules and lists are called in reasons: by the names that they were given, or by their places.

use crate::decision::RuleId;

/// The names of rules and lists: given ones, and otherwise places.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// What each name begins with: nothing, or the name of a policy and a slash.
    pub(super) prefix: String,
    /// How many numbers are rules; lists have those after.
    pub(super) rules: u32,
    pub(super) given: Vec<(u32, RuleId)>,
    /// The first number of each list.
    pub(super) lists: Vec<u32>,
}

impl Names {
    /// The name of a number.
    pub(super) fn id(&self, number: u32) -> RuleId {
        let given = self.given.binary_search_by_key(&number, |(number, _)| *number).ok();
        if let Some((_, name)) = given.and_then(|place| self.given.get(place)) {
            return name.clone();
        }
        let prefix = &self.prefix;
        if number < self.rules {
            return RuleId::of_parts(&[prefix, "rules/", itoa::Buffer::new().format(number)]);
        }
        let list = self.lists.partition_point(|first| *first <= number).saturating_sub(1);
        let first = self.lists.get(list).copied().unwrap_or_default();
        RuleId::new(None, &format!("{prefix}acl/{list}/entries/{}", number.saturating_sub(first)))
    }
}
