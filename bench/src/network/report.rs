//! The table of the networks, and its marks.

use serde_json::{Value, json};

use super::{Measured, Row};
use crate::table::{Table, grouped, mark};

/// Times libtorrent's CPU that our operations may cost.
const LIMITS: [(&str, f64); 3] =
    [("mutable put", 0.35), ("mutable get", 0.5), ("immutable get", 0.5)];

/// Both networks side by side.
pub struct Report {
    nodes: usize,
    keys: usize,
    theirs: Measured,
    ours: Option<Measured>,
}

impl Report {
    /// A report; without ours it has no marks.
    pub fn new(nodes: usize, keys: usize, theirs: Measured, ours: Option<Measured>) -> Self {
        Self { nodes, keys, theirs, ours }
    }

    /// For people.
    pub fn text(&self) -> String {
        let headings = [
            "operation",
            "network",
            "at a time",
            "ops/s",
            "p50 ms",
            "p99 ms",
            "CPU ms/op",
            "× libtorrent",
            "mark",
        ];
        let mut table = Table::new(2, &headings);
        for theirs in &self.theirs.rows {
            table.gap();
            table.row(cells(theirs, &self.theirs.implementation, String::new(), String::new()));
            if let Some((ours, implementation)) = self.ours_beside(theirs) {
                let ratio = ours.cpu_ms / theirs.cpu_ms;
                let mark = limit(ours).map_or(String::new(), |limit| mark(ratio, limit));
                table.row(cells(ours, implementation, format!("{ratio:.2}"), mark));
            }
        }
        format!("{}\n{}", table.text(), self.footnote())
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let row = |row: &Row, theirs: &Row, implementation: &str| {
            let ratio = row.cpu_ms / theirs.cpu_ms;
            let is_ours = !std::ptr::eq(row, theirs);
            json!({
                "operation": row.operation,
                "implementation": implementation,
                "window": row.window,
                "per_second": row.per_second,
                "p50_ms": row.p50_ms,
                "p99_ms": row.p99_ms,
                "cpu_ms": row.cpu_ms,
                "times_libtorrent": ratio,
                "reached": limit(row).filter(|_| is_ours).map(|limit| ratio <= limit),
            })
        };
        let rows = self.theirs.rows.iter().flat_map(|theirs| {
            let ours = self.ours_beside(theirs).map(|(ours, name)| row(ours, theirs, name));
            [Some(row(theirs, theirs, &self.theirs.implementation)), ours]
        });
        let idle: Vec<Value> = self
            .networks()
            .map(|network| json!({"implementation": network.implementation, "cpu_ms_per_second": network.idle_cpu_ms_per_second}))
            .collect();
        json!({
            "nodes": self.nodes,
            "keys": self.keys,
            "rows": rows.flatten().collect::<Vec<_>>(),
            "idle": idle,
        })
    }

    fn footnote(&self) -> String {
        let (nodes, keys) = (self.nodes, self.keys);
        let mut text =
            format!("{keys} keys on {nodes} nodes in one process, each put stored by 8 of them.\n");
        for network in self.networks() {
            let (name, idle) = (&network.implementation, network.idle_cpu_ms_per_second);
            text += &format!("Idle, {nodes} nodes of {name} spend {idle:.1} ms CPU a second.\n");
        }
        text
    }

    fn networks(&self) -> impl Iterator<Item = &Measured> {
        [&self.theirs].into_iter().chain(&self.ours)
    }

    fn ours_beside(&self, theirs: &Row) -> Option<(&Row, &str)> {
        let ours = self.ours.as_ref()?;
        let mut rows = ours.rows.iter();
        let row =
            rows.find(|row| (&row.operation, row.window) == (&theirs.operation, theirs.window))?;
        Some((row, &ours.implementation))
    }
}

fn limit(row: &Row) -> Option<f64> {
    LIMITS.iter().find(|(operation, _)| *operation == row.operation).map(|&(_, limit)| limit)
}

fn cells(row: &Row, implementation: &str, ratio: String, mark: String) -> Vec<String> {
    vec![
        row.operation.clone(),
        implementation.to_owned(),
        row.window.to_string(),
        grouped(row.per_second),
        format!("{:.2}", row.p50_ms),
        format!("{:.2}", row.p99_ms),
        format!("{:.3}", row.cpu_ms),
        ratio,
        mark,
    ]
}

#[cfg(test)]
mod tests {
    use super::{Measured, Report, Row};

    fn network(name: &str, cpu_ms: f64) -> Measured {
        let row = |operation: &str| Row {
            operation: operation.into(),
            window: 32,
            p50_ms: 1.0,
            p99_ms: 2.0,
            cpu_ms,
            per_second: 1234.0,
        };
        Measured {
            implementation: name.into(),
            idle_cpu_ms_per_second: 12.0,
            rows: vec![row("immutable put"), row("mutable put"), row("mutable get")],
        }
    }

    #[test]
    fn marks_stand_beside_our_rows_only() {
        let report =
            Report::new(50, 1000, network("libtorrent", 1.0), Some(network("xorbit", 0.4)));
        let text = report.text();
        assert!(text.contains("≤ 0.35 missed") && text.contains("≤ 0.50 reached"), "{text}");
        let json = report.json();
        assert!(json["rows"][1]["reached"].is_null() && json["rows"][2]["reached"].is_null());
        assert_eq!(json["rows"][3]["reached"], false);
        assert_eq!(json["rows"][5]["times_libtorrent"], 0.4);
        assert_eq!(json["idle"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn without_our_network_the_table_shows_theirs() {
        let report = Report::new(50, 1000, network("libtorrent", 1.0), None);
        assert!(report.text().contains("libtorrent") && !report.text().contains("reached"));
        assert_eq!(report.json()["rows"].as_array().unwrap().len(), 3);
    }
}
