//! What a guest costs, in numbers that no busy machine changes.

use super::Call;
use std::collections::BTreeMap;

/// The cost of what a VM has done: since it was made, or since an earlier [`Cost`] of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// WebAssembly instructions executed, by the export that was called. What a hostcall runs in the guest, its allocator
    /// above all, is the cost of the export that made the hostcall. Copying memory is one instruction, however long.
    pub instructions: BTreeMap<&'static str, u64>,
    /// How often each hostcall was made.
    pub calls: BTreeMap<Call, u64>,
}

impl Cost {
    /// All instructions.
    pub fn total(&self) -> u64 {
        self.instructions.values().sum()
    }

    /// What came after `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            instructions: difference(&self.instructions, &earlier.instructions),
            calls: difference(&self.calls, &earlier.calls),
        }
    }
}

fn difference<K: Copy + Ord>(later: &BTreeMap<K, u64>, earlier: &BTreeMap<K, u64>) -> BTreeMap<K, u64> {
    let more = |(key, count): (&K, &u64)| (*key, count - earlier.get(key).copied().unwrap_or_default());
    later.iter().map(more).filter(|(_, count)| *count > 0).collect()
}
