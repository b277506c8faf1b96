//! Tables of what was measured.

use serde::{Deserialize, Serialize};

use super::number;

/// Rows of text and numbers under named columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub(super) title: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// What stands in one place of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number, as measured.
    Number(f64),
    /// Words, or nothing.
    Text(String),
}

impl Cell {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Number(number) => number::told(*number),
            Self::Text(text) => text.clone(),
        }
    }
}

impl From<f64> for Cell {
    /// A number that is none is shown as a dash.
    fn from(number: f64) -> Self {
        match number.is_finite() {
            true => Self::Number(number),
            false => Self::Text("–".to_owned()),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Table {
    /// A table without rows; units belong into the columns' names.
    pub fn new<S: Into<String>>(
        title: impl Into<String>,
        columns: impl IntoIterator<Item = S>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        Self { title: title.into(), columns, rows: Vec::new() }
    }

    /// Adds a row. What lies beyond the last column is left out; what is missing stays empty.
    #[must_use]
    pub fn row(mut self, cells: impl IntoIterator<Item = Cell>) -> Self {
        let mut cells: Vec<_> = cells.into_iter().take(self.columns.len()).collect();
        cells.resize(self.columns.len(), Cell::Text(String::new()));
        self.rows.push(cells);
        self
    }
}
