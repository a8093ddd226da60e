//! Tables for people: on a terminal with even columns, in the page as Markdown.

use comfy_table::CellAlignment;
use comfy_table::presets::ASCII_MARKDOWN;

/// A table whose first columns are text and whose others are figures.
pub(crate) struct Table {
    header: Vec<String>,
    texts: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with so many columns of text in front.
    pub(crate) fn new<S: Into<String>>(texts: usize, header: impl IntoIterator<Item = S>) -> Self {
        Self { header: header.into_iter().map(Into::into).collect(), texts, rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// For a terminal.
    pub(crate) fn console(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(ASCII_MARKDOWN).set_header(&self.header);
        for column in table.column_iter_mut().skip(self.texts) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.add_rows(&self.rows);
        table.to_string()
    }

    /// For the page.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = (0..self.header.len()).map(|at| if at < self.texts { "---" } else { "---:" }.to_owned());
        let mut text = line(&self.header);
        text.push_str(&line(&rule.collect::<Vec<_>>()));
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_to_the_right() {
        let mut table = Table::new(1, ["what", "µs"]);
        table.add(vec!["warm".to_owned(), "2.5".to_owned()]);
        assert_eq!(table.markdown(), "| what | µs |\n| --- | ---: |\n| warm | 2.5 |\n");
        assert!(table.console().contains("| warm | 2.5 |"), "{}", table.console());
    }
}
