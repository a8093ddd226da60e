//! Lines that arrive over time, and waiting for one of them. Keeps every line: a test ends before that matters.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// An append-only list of lines shared between the task that writes them and those who wait for them.
#[derive(Clone, Debug)]
pub struct Journal {
    lines: Arc<Mutex<Vec<String>>>,
    written: watch::Sender<usize>,
}

impl Journal {
    /// An empty journal.
    pub fn new() -> Self {
        Self { lines: Arc::default(), written: watch::Sender::new(0) }
    }

    /// Appends one line and wakes all who wait.
    pub fn push(&self, line: impl Into<String>) {
        self.extend([line.into()]);
    }

    /// Appends lines so that no reader sees only some of them.
    pub fn extend(&self, new: impl IntoIterator<Item = String>) {
        let mut lines = self.lock();
        lines.extend(new);
        let written = lines.len();
        drop(lines);
        self.written.send_replace(written);
    }

    /// How many lines were written so far: a mark for [`Journal::wait_for_line_after`].
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// The last `count` lines as one text, for error messages.
    pub fn tail(&self, count: usize) -> String {
        let lines = self.lock();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    /// Waits until at least `count` lines are there; `None` when they are not within `patience`.
    pub async fn wait_for_count(&self, count: usize, patience: Duration) -> Option<Vec<String>> {
        self.wait_until(patience, |lines| (lines.len() >= count).then(|| lines.to_vec())).await
    }

    /// Waits for a line that contains `needle`, those already written included.
    pub async fn wait_for_line(&self, needle: &str, patience: Duration) -> Option<String> {
        self.wait_for_line_after(0, needle, patience).await
    }

    /// Waits for a line that contains `needle`, from line number `mark` on.
    pub async fn wait_for_line_after(&self, mark: usize, needle: &str, patience: Duration) -> Option<String> {
        self.wait_until(patience, |lines| {
            lines.get(mark..)?.iter().find(|line| line.contains(needle)).cloned()
        })
        .await
    }

    /// Waits until `look` finds something in the lines.
    pub async fn wait_until<T>(
        &self,
        patience: Duration,
        mut look: impl FnMut(&[String]) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + patience;
        let mut written = self.written.subscribe();
        loop {
            written.borrow_and_update();
            if let Some(found) = look(&self.lock()) {
                return Some(found);
            }
            timeout_at(deadline, written.changed()).await.ok()?.ok()?;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self::new()
    }
}
