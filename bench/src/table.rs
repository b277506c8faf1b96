//! Aligned tables for people.

/// A table whose first columns and last column are words, and whose other columns are numbers.
pub struct Table {
    rows: Vec<Row>,
    words: usize,
}

enum Row {
    Cells(Vec<String>),
    Gap,
}

impl Table {
    /// A table with its headings; the first `words` columns and the last are aligned left, the others right.
    pub fn new(words: usize, headings: &[&str]) -> Self {
        let headings = headings.iter().map(|&heading| heading.to_owned()).collect();
        Self { rows: vec![Row::Cells(headings)], words }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(Row::Cells(cells));
    }

    /// Sets the following rows apart.
    pub fn gap(&mut self) {
        self.rows.push(Row::Gap);
    }

    /// The text, a line a row.
    pub fn text(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in &self.rows {
            if let Row::Cells(cells) = row {
                let mut line = String::new();
                for (column, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
                    let padding = " ".repeat(width - cell.chars().count());
                    let (before, behind) = if column < self.words || column + 1 == cells.len() {
                        ("", padding.as_str())
                    } else {
                        (padding.as_str(), "")
                    };
                    line.push_str(&format!("{before}{cell}{behind}  "));
                }
                text.push_str(line.trim_end());
            }
            text.push('\n');
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in &self.rows {
            if let Row::Cells(cells) = row {
                widths.resize(widths.len().max(cells.len()), 0);
                for (width, cell) in widths.iter_mut().zip(cells) {
                    *width = cell.chars().count().max(*width);
                }
            }
        }
        widths
    }
}

/// A mark with its verdict.
pub fn mark(value: f64, limit: f64) -> String {
    let verdict = if value <= limit { "reached" } else { "missed" };
    format!("≤ {limit:.2} {verdict}")
}

/// A whole number in groups of three digits.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Table, grouped, mark};

    #[test]
    fn words_stand_left_and_numbers_right() {
        let mut table = Table::new(1, &["kind", "µs", "mark"]);
        table.row(vec!["ping".into(), "3.80".into(), "reached".into()]);
        table.gap();
        table.row(vec!["find_node".into(), "11.04".into(), String::new()]);
        assert_eq!(
            table.text(),
            "kind          µs  mark\nping        3.80  reached\n\nfind_node  11.04\n"
        );
    }

    #[test]
    fn marks_and_numbers_read_well() {
        assert_eq!(mark(1.35, 1.35), "≤ 1.35 reached");
        assert_eq!(mark(f64::NAN, 1.35), "≤ 1.35 missed");
        assert_eq!(grouped(1234567.4), "1,234,567");
        assert_eq!(grouped(123.0), "123");
    }
}
