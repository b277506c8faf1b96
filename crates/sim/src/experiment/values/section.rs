//! What is told of values.

use super::{Look, Values};
use crate::report::{Axis, Bound, Cell, Mark, Plot, Section, Table};

impl Values {
    fn name(&self) -> String {
        match self.sizes.returning {
            0.0 => "all end for good".to_owned(),
            share => format!("{:.0} % come back", 100.0 * share),
        }
    }
}

/// Of networks in which fewer or more come back.
pub fn of(all: &[Values]) -> Section {
    let mut section = Section::new(
        "values",
        "Survival of values",
        "Do values survive while nodes come and go, and what does keeping them cost?",
    );
    if let Some(Values { sizes, .. }) = all.first() {
        section = section.definition(
            "conditions",
            format!(
                "{} nodes, {} records of 200 bytes on 8 nodes each, put once; Weibull sessions of shape 0.5 and a median of {} min for {} hours; who ends does so without a word; who comes back does so with its disk, after a Weibull absence of a median of {} min; delays as for lookups, 1 % loss",
                sizes.nodes,
                sizes.records,
                sizes.median_session.as_secs() / 60,
                sizes.span.as_secs() / 3600,
                sizes.median_absence.as_secs() / 60,
            ),
        );
    }
    section = section
        .definition("unheld", "no living node held it at some time: looked at whenever a holder ended; these are no losses, since nobody could have kept them")
        .definition("lost", "somebody always held it, and in the end nobody does, or a get does not find it")
        .definition("cost of repair", "bytes of all puts meanwhile, by those of somebody who knows which copies are gone for good and puts each once more: the bytes that an item takes on a shelf, times the copies gone");
    for values in all {
        let lost = f64::from(values.lost.max(values.unfound));
        let note =
            format!("of {} stored, {} of them unheld at some time", values.stored, values.unheld);
        let what = format!("records lost, {}", values.name());
        section = section.mark(Mark::new(what, Bound::Exactly(0.0), lost, "").note(note));
    }
    section.table(records(all)).table(repair(all)).plot(survival(all)).plot(holders(all))
}

fn records(all: &[Values]) -> Table {
    let columns = [
        "",
        "stored",
        "unheld",
        "lost",
        "not found",
        "ends for good",
        "ends for a while",
        "copies gone",
        "copies away",
    ];
    all.iter().fold(Table::new("Records", columns), |table, values| {
        let Values { stored, unheld, lost, unfound, ends, copies_gone, copies_away, .. } = values;
        let numbers =
            [*stored, *unheld, *lost, *unfound, ends.0, ends.1, *copies_gone, *copies_away];
        let numbers = numbers.map(|number| Cell::from(f64::from(number)));
        table.row([Cell::from(values.name())].into_iter().chain(numbers))
    })
}

fn repair(all: &[Values]) -> Table {
    let columns = [
        "",
        "puts for repair",
        "bytes",
        "item bytes",
        "cost of repair",
        "puts / copies gone",
        "offers",
        "bytes",
        "all B/s a node",
        "living holders mean",
        "p5",
        "fewest",
    ];
    all.iter().fold(Table::new("Repair", columns), |table, values| {
        let node_seconds = f64::from(values.sizes.nodes) * values.sizes.span.as_secs_f64();
        let mut holders = values.holders.clone();
        let numbers = [
            values.repairs.0 as f64,
            values.repairs.1 as f64,
            values.item_bytes,
            values.cost(),
            values.repairs.0 as f64 / f64::from(values.copies_gone),
            values.offers.0 as f64,
            values.offers.1 as f64,
            values.bytes as f64 / node_seconds,
            holders.mean(),
            holders.quantile(0.05),
            holders.quantile(0.0),
        ];
        table.row([Cell::from(values.name())].into_iter().chain(numbers.map(Cell::from)))
    })
}

/// Something that is seen at each look, by its name.
type Seen = (&'static str, fn(&Look) -> f64);

/// The points of one line, under its name.
type Line = (String, Vec<(f64, f64)>);

fn over_time(all: &[Values], shown: [Seen; 2]) -> Vec<Line> {
    let lines = all.iter().flat_map(|values| {
        shown.map(|(what, of)| {
            let points = values.course.iter().map(|look| (look.hours, of(look)));
            (format!("{what}, {}", values.name()), points.collect())
        })
    });
    lines.collect()
}

fn survival(all: &[Values]) -> Plot {
    let lines = over_time(all, [("held", |look| look.held), ("could be", |look| look.always_held)]);
    let axes = (Axis::new("time", "h"), Axis::new("records", "%").covering([0.0, 100.0]));
    Plot::lines("value-survival", "Records that are held", axes, lines).reading(
        "Held: by somebody who lives at that moment. Could be: somebody has always lived who held it. Looked at each ten minutes.",
    )
}

fn holders(all: &[Values]) -> Plot {
    let lines = over_time(all, [("mean", |look| look.mean), ("fewest", |look| look.fewest)]);
    let axes = (Axis::new("time", "h"), Axis::new("living holders", "").covering([0.0]));
    Plot::lines("value-holders", "Living holders of a record", axes, lines)
        .reading("Of all records, looked at each ten minutes.")
}
