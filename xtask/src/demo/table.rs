//! The story as a table.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{ContentArrangement, Table};

use super::story::Row;

/// The width when the terminal does not say: pipes and build servers.
const WIDTH: u16 = 150;

pub(super) fn render(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        table.set_width(WIDTH);
    }
    table.set_header(["", "what", "request", "status", "code", "why"]);
    for row in rows {
        let mark = if row.as_expected() { "ok" } else { "BAD" };
        table.add_row([mark, row.what, &row.how, &row.got.0, &row.got.1, &row.reason]);
    }
    table
}
