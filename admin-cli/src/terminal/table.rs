//! Tables without lines: columns that line up, and fit the terminal where there is one.

use comfy_table::{ContentArrangement, Table, presets};

use super::View;

/// A table with a header. Cells are cleaned by who makes them.
pub(crate) fn table<const N: usize>(
    view: &View,
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if view.terminal {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.force_no_tty();
    }
    table.set_header(header.map(str::to_uppercase));
    for row in rows {
        table.add_row(row);
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}
