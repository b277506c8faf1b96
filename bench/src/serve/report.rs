//! The table of the answering path, and its marks.

use serde_json::{Value, json};

use super::{Kind, Verification};
use crate::quantiles::median;
use crate::sample::Sample;
use crate::table::{Table, grouped, mark};

/// Times the floor that a reply may cost if no signature is checked.
const UNSIGNED_LIMIT: f64 = 1.35;
/// Times a bare verification that a mutable put may cost.
const SIGNED_LIMIT: f64 = 1.25;
/// The server whose marks count.
const OURS: &str = "xorbit";

/// All that was measured.
#[derive(Default)]
pub struct Report {
    /// For each kind a row for each server, the floor first.
    rows: Vec<Vec<Row>>,
    /// One for each round.
    pub verifications: Vec<Verification>,
}

/// One server's samples of one kind, a round each.
struct Row {
    kind: Kind,
    server: &'static str,
    samples: Vec<Sample>,
}

impl Report {
    /// Adds a sample; the floor's is the first of its kind.
    pub fn add(&mut self, kind: Kind, server: &'static str, sample: Sample) {
        let at = self.rows.iter().position(|rows| rows[0].kind == kind).unwrap_or_else(|| {
            self.rows.push(Vec::new());
            self.rows.len() - 1
        });
        let rows = &mut self.rows[at];
        match rows.iter_mut().find(|row| row.server == server) {
            Some(row) => row.samples.push(sample),
            None => rows.push(Row { kind, server, samples: vec![sample] }),
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let headings = [
            "query",
            "server",
            "replies/s",
            "p50 µs",
            "p99 µs",
            "CPU µs/reply",
            "× floor",
            "× verify",
            "mark",
        ];
        let mut table = Table::new(2, &headings);
        for rows in &self.rows {
            table.gap();
            for row in rows {
                table.row(self.cells(row, &rows[0]));
            }
        }
        format!("{}\n{}", table.text(), self.footnote())
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let row = |row: &Row, floor: &Row| {
            let times_verification = row.is_signed().then(|| row.cpu() / self.verification());
            json!({
                "kind": row.kind.to_string(),
                "server": row.server,
                "replies_per_second": row.median(|sample| sample.replies_per_second),
                "p50_us": row.median(|sample| sample.p50_us),
                "p99_us": row.median(|sample| sample.p99_us),
                "cpu_us_per_reply": row.cpu(),
                "cpu_us_per_reply_by_round": row.samples.iter().map(|sample| sample.cpu_us).collect::<Vec<_>>(),
                "lost": row.lost(),
                "times_floor": row.cpu() / floor.cpu(),
                "times_verification": times_verification,
                "reached": self.mark(row, floor).map(|(value, limit)| value <= limit),
            })
        };
        let rows =
            self.rows.iter().flat_map(|rows| rows.iter().map(move |each| row(each, &rows[0])));
        json!({
            "rows": rows.collect::<Vec<_>>(),
            "verify_us": self.verification(),
            "verify_strict_us": self.strict_verification(),
            "unsigned_limit": UNSIGNED_LIMIT,
            "signed_limit": SIGNED_LIMIT,
        })
    }

    fn cells(&self, row: &Row, floor: &Row) -> Vec<String> {
        let is_floor = std::ptr::eq(row, floor);
        let times = |applies: bool, of: f64| {
            if applies { format!("{:.2}", row.cpu() / of) } else { String::new() }
        };
        vec![
            if is_floor { row.kind.to_string() } else { String::new() },
            row.server.to_owned(),
            grouped(row.median(|sample| sample.replies_per_second)),
            format!("{:.0}", row.median(|sample| sample.p50_us)),
            format!("{:.0}", row.median(|sample| sample.p99_us)),
            format!("{:.2}", row.cpu()),
            times(!is_floor, floor.cpu()),
            times(!is_floor && row.is_signed(), self.verification()),
            self.mark(row, floor).map_or(String::new(), |(value, limit)| mark(value, limit)),
        ]
    }

    /// What a row is judged by, and the limit.
    fn mark(&self, row: &Row, floor: &Row) -> Option<(f64, f64)> {
        match (row.server, row.is_signed()) {
            (OURS, true) => Some((row.cpu() / self.verification(), SIGNED_LIMIT)),
            (OURS, false) => Some((row.cpu() / floor.cpu(), UNSIGNED_LIMIT)),
            _ => None,
        }
    }

    fn footnote(&self) -> String {
        let marks: Vec<_> = self
            .rows
            .iter()
            .flat_map(|rows| rows.iter().filter_map(|row| self.mark(row, &rows[0])))
            .collect();
        let reached = marks.iter().filter(|(value, limit)| value <= limit).count();
        let lost: u64 = self.rows.iter().flatten().map(Row::lost).sum();
        let rounds = self.verifications.len();
        let (plain, strict) = (self.verification(), self.strict_verification());
        let mut text = format!(
            "Medians of {rounds} rounds, 64 queries in flight. One bare Ed25519 `verify`: {plain:.1} µs \
             (`verify_strict`: {strict:.1} µs).\n"
        );
        if lost > 0 {
            text += &format!("{lost} replies were lost.\n");
        }
        if !marks.is_empty() {
            text += &format!("{reached} of {} marks reached.\n", marks.len());
        }
        text
    }

    fn verification(&self) -> f64 {
        median(self.verifications.iter().map(|verification| verification.plain))
    }

    fn strict_verification(&self) -> f64 {
        median(self.verifications.iter().map(|verification| verification.strict))
    }
}

impl Row {
    fn cpu(&self) -> f64 {
        self.median(|sample| sample.cpu_us)
    }

    fn median(&self, field: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(field))
    }

    fn lost(&self) -> u64 {
        self.samples.iter().map(|sample| sample.lost).sum()
    }

    fn is_signed(&self) -> bool {
        self.kind == Kind::PutMutable
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Report, Sample, Verification};

    fn sample(cpu_us: f64) -> Sample {
        Sample { replies_per_second: 123_456.0, p50_us: 300.0, p99_us: 900.0, cpu_us, lost: 1 }
    }

    #[test]
    fn unsigned_replies_are_judged_by_the_floor_and_signed_ones_by_a_verification() {
        let mut report = Report::default();
        for (kind, costs) in [(Kind::Ping, [4.0, 5.0, 8.0]), (Kind::PutMutable, [4.0, 60.0, 154.0])]
        {
            for (server, cost) in ["floor", "xorbit", "libtorrent"].into_iter().zip(costs) {
                report.add(kind, server, sample(cost));
            }
        }
        let (plain, strict) = (40.0, 44.0);
        report.verifications.push(Verification { plain, strict });
        let text = report.text();
        assert!(text.contains("≤ 1.35 reached") && text.contains("≤ 1.25 missed"), "{text}");
        assert!(text.contains("1 of 2 marks reached") && text.contains("123,456"), "{text}");
        let json = report.json();
        assert_eq!(json["rows"][1]["times_floor"], 1.25);
        assert_eq!(json["rows"][4]["times_verification"], 1.5);
        assert_eq!(json["rows"][4]["reached"], false);
        assert!(json["rows"][5]["reached"].is_null());
    }
}
