//! The table of HTTP, and its marks.

use serde_json::{Value, json};

use super::{Operation, Sample};
use crate::quantiles::median;
use crate::table::{Table, grouped, mark};

/// Requests a second with `consistency=first`, at least.
const FIRST_PER_SECOND: f64 = 25_000.0;

/// CPU that the gateway may add to the library's, µs for each request.
const ADDED_US: f64 = 40.0;

/// All that was measured.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

/// One operation.
struct Row {
    operation: Operation,
    http: Vec<Sample>,
    library_us: Vec<f64>,
}

impl Report {
    /// Adds a pass over HTTP.
    pub fn http(&mut self, operation: Operation, sample: Sample) {
        self.row(operation).http.push(sample);
    }

    /// Adds a pass of the library: its CPU for each operation, in µs.
    pub fn library(&mut self, operation: Operation, cpu_us: f64) {
        self.row(operation).library_us.push(cpu_us);
    }

    fn row(&mut self, operation: Operation) -> &mut Row {
        let at = self.rows.iter().position(|row| row.operation == operation).unwrap_or_else(|| {
            self.rows.push(Row { operation, http: Vec::new(), library_us: Vec::new() });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }

    /// For people.
    pub fn text(&self) -> String {
        let headings = [
            "operation",
            "requests/s",
            "mark",
            "p50 µs",
            "p99 µs",
            "CPU µs/request",
            "library µs",
            "gateway µs",
            "mark",
        ];
        let mut table = Table::new(1, &headings);
        for row in &self.rows {
            let per_second = row.of(|sample| sample.per_second);
            let speed = match row.operation {
                Operation::First => at_least(per_second, FIRST_PER_SECOND),
                Operation::Quorum | Operation::Put => String::new(),
            };
            table.row(vec![
                row.operation.to_string(),
                grouped(per_second),
                speed,
                grouped(row.of(|sample| sample.p50_us)),
                grouped(row.of(|sample| sample.p99_us)),
                format!("{:.1}", row.of(|sample| sample.cpu_us)),
                format!("{:.1}", row.library()),
                format!("{:.1}", row.added()),
                mark(row.added(), ADDED_US),
            ]);
        }
        table.text()
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "operation": row.operation.to_string(),
                "requests_per_second": row.of(|sample| sample.per_second),
                "p50_us": row.of(|sample| sample.p50_us),
                "p99_us": row.of(|sample| sample.p99_us),
                "cpu_us": row.of(|sample| sample.cpu_us),
                "library_cpu_us": row.library(),
                "gateway_cpu_us": row.added(),
            })
        });
        json!({ "rows": rows.collect::<Vec<_>>() })
    }
}

impl Row {
    fn of(&self, what: impl Fn(&Sample) -> f64) -> f64 {
        median(self.http.iter().map(what))
    }

    fn library(&self) -> f64 {
        median(self.library_us.iter().copied())
    }

    /// What the gateway costs beside the library.
    fn added(&self) -> f64 {
        self.of(|sample| sample.cpu_us) - self.library()
    }
}

/// A mark that is to be reached from below, with its verdict.
fn at_least(value: f64, limit: f64) -> String {
    let verdict = if value >= limit { "reached" } else { "missed" };
    format!("≥ {} {verdict}", grouped(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_costs_what_the_library_alone_does_not() {
        let mut report = Report::default();
        for cpu_us in [20.0, 30.0, 90.0] {
            let sample = Sample { per_second: 30_000.0, p50_us: 1.0, p99_us: 2.0, cpu_us };
            report.http(Operation::First, sample);
        }
        report.library(Operation::First, 12.0);
        assert_eq!(report.json()["rows"][0]["gateway_cpu_us"], 18.0);
        let text = report.text();
        assert!(text.contains("≥ 25,000 reached"), "{text}");
        assert!(text.contains("≤ 40.00 reached"), "{text}");
        assert_eq!(at_least(24_999.0, 25_000.0), "≥ 25,000 missed");
    }
}
