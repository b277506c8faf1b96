//! A section for people at a terminal: its marks and its tables, without plots.

use std::fmt::Write;

use super::{Section, Table};

impl Section {
    /// What was asked and found, as lines of text.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.title, self.asks);
        for definition in &self.definitions {
            let _ = writeln!(text, "  {}: {}", definition.term, definition.meaning);
        }
        for mark in &self.marks {
            let reached = if mark.reached() { "reached" } else { "missed " };
            let (what, asked, measured) = (mark.what(), mark.asked(), mark.measured());
            let _ = writeln!(text, "  {reached} {what}: {measured}, asked {asked}");
            if let Some(note) = mark.noted() {
                let _ = writeln!(text, "          {note}");
            }
        }
        self.tables.iter().for_each(|table| add(table, &mut text));
        // What must not part on a page need not stay together in a terminal, where it is searched for.
        text.replace('\u{a0}', " ")
    }
}

/// Adds a table, its first column to the left and all others to the right.
fn add(table: &Table, text: &mut String) {
    let rows = table.rows.iter().map(|row| row.iter().map(super::Cell::shown).collect());
    let rows: Vec<Vec<String>> = std::iter::once(table.columns.clone()).chain(rows).collect();
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..table.columns.len()).map(|it| wide(it).unwrap_or(0)).collect();
    let _ = writeln!(text, "\n{}", table.title);
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match column {
                0 => write!(line, "  {cell:width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use crate::report::{Bound, Mark, Section, Table};

    #[test]
    fn marks_and_tables_stand_in_lines() {
        let table = Table::new("Sizes", ["what", "nodes"])
            .row(["small".into(), 10.0.into()])
            .row(["very large".into(), 100_000.0.into()]);
        let section = Section::new("sizes", "Sizes", "How large?")
            .mark(Mark::new("nodes", Bound::AtLeast(5.0), 3.0, "").note("too few machines"))
            .table(table);
        let expected = "\
Sizes: How large?
  missed  nodes: 3, asked ≥ 5
          too few machines

Sizes
  what          nodes
  small            10
  very large  100,000
";
        assert_eq!(section.text(), expected);
    }
}
