//! What was compared, for people: the counts first, then what changed and why, then what cannot be known.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::comparison::{Change, Comparison, Examples, Group};
use crate::visible::visible;

impl Comparison {
    /// Writes it as text.
    pub(crate) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let counts = Change::ALL.map(|change| format!("{} {}", self.count(change), change.in_words()));
        writeln!(
            out,
            "{} requests asked: {} unchanged, {}",
            self.asked(),
            self.unchanged,
            counts.join(", ")
        )?;
        if !self.left_out.is_empty() {
            let all = self.left_out.values().copied().fold(0, u64::saturating_add);
            let reasons: Vec<String> =
                self.left_out.iter().map(|(reason, count)| format!("{count} {}", visible(reason))).collect();
            writeln!(out, "{all} left out, no policy was asked about them: {}", reasons.join(", "))?;
        }
        let (open, changed): (Vec<_>, Vec<_>) =
            self.groups.iter().partition(|(group, _)| group.change == Change::Open);
        let titles = ["requests", "change", "was", "now", "by", "for example"];
        write_table(out, &titles, changed, |group| {
            vec![group.change.in_words(), group.was.clone(), group.now.clone(), or_none(&group.by)]
        })?;
        let titles = ["requests", "cannot be known without", "for example"];
        write_table(out, &titles, open, |group| vec![group.by.join(", ")])?;
        for (change, count) in &self.ungrouped {
            writeln!(out, "and {count} more {}", change.in_words())?;
        }
        Ok(())
    }
}

/// A request that no rule is about is denied by that.
fn or_none(rules: &[String]) -> String {
    if rules.is_empty() { "no rule".to_owned() } else { rules.join(", ") }
}

fn write_table(
    out: &mut impl Write,
    titles: &[&str],
    mut groups: Vec<(&Group, &Examples)>,
    row: impl Fn(&Group) -> Vec<String>,
) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    groups.sort_by_key(|(group, examples)| (group.change, std::cmp::Reverse(examples.count)));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(titles.iter().copied());
    for (group, examples) in groups {
        let line = examples.lines.first().copied().unwrap_or_default();
        let mut cells = vec![examples.count.to_string()];
        cells.extend(row(group).iter().map(|cell| visible(cell)));
        cells.push(format!("line {line}: {}", visible(&examples.first)));
        table.add_row(cells);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "\n{table}")
}
