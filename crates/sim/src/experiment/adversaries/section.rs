//! What is told of adversaries.

use super::{Adversaries, Fared, GROUNDS, Ground, MARKED};
use crate::attack::Scheme;
use crate::attack::mirage::Mirage;
use crate::report::{Axis, Bound, Cell, Mark, Plot, Section, Table};

/// Per cent of lookups that must be right where a fifth of all nodes are hostile.
const RIGHT: f64 = 99.0;

impl Ground {
    fn name(self) -> &'static str {
        match self {
            Ground::Public => "public rules",
            Ground::Private => "own network",
        }
    }
}

/// Of all networks.
pub fn of(found: &Adversaries) -> Section {
    let honest = found.sizes.honest;
    let section = Section::new(
        "adversaries",
        "Adversaries",
        "What do lookups and gets come to among hostile nodes?",
    )
    .definition(
        "conditions",
        format!("{honest} honest nodes, half of which come after the gang; it behaves for twelve minutes, while values are put, and is measured from five minutes after it strikes; delays as for lookups, no loss"),
    )
    .definition(
        "public rules",
        "ids follow from addresses (BEP 42), and tables take few of each network",
    )
    .definition(
        "own network",
        "without these defences: who knows the network's tag takes any id. A network key keeps attackers out, which this one has not",
    )
    .definition(
        "right",
        "the lookup found the closest honest node, and all but one of the honest ones among the 8 closest of all that stand where their ids say",
    )
    .definition("sybils", "members at random ids that name nobody but each other")
    .definition("several ids", "members that answer each query under the closest of the eight ids that BEP 42 allows their address, and name each other so (mirage): more than one id each, which no mark is about")
    .definition("siege", "members with ids as close to one key as they can have; lookups and gets are for that key")
    .definition("ghosts, desert, forgetful, impostors, stuffing", "members that name made-up ids near the target at addresses where nobody is; that behaved and fall silent; that take values and keep nothing; that name honest nodes wrongly; that call at everybody to fill tables")
    .definition("late", "told of as one of the closest, but not waited for until it answered")
    .definition("walled in", "it found members alone");
    let section = marked(found).fold(section, |section, fared| section.mark(mark(fared)));
    section
        .table(table("Hostile nodes at random ids", &found.random))
        .table(table("Other attacks, where a fifth of all nodes are hostile", &found.others))
        .table(table("Hostile nodes around one key", &found.around))
        .plot(random(found, "adversaries-lookups", "Right lookups among hostile nodes", |fared| {
            fared.score.right_percent()
        }))
        .plot(random(
            found,
            "adversaries-gets",
            "Gets that give the value among hostile nodes",
            |fared| fared.score.got_percent(),
        ))
        .plot(around(found))
}

/// The networks that the mark is about: all attacks in the public one whose members have one id each.
fn marked(found: &Adversaries) -> impl Iterator<Item = &Fared> {
    let all = found.random.iter().chain(&found.others);
    all.filter(|fared| {
        fared.ground == Ground::Public && fared.share == MARKED && fared.scheme != Mirage::NAME
    })
}

/// What an attack is called, with what sets it apart.
fn named(scheme: &'static str) -> &'static str {
    if scheme == Mirage::NAME { "several ids" } else { scheme }
}

fn mark(fared: &Fared) -> Mark {
    let what = format!("right lookups, a fifth of all nodes hostile, {}", fared.scheme);
    let score = &fared.score;
    Mark::new(what, Bound::AtLeast(RIGHT), score.right_percent(), "%").note(format!(
        "of {} lookups; the closest late in {}, others late in {}",
        score.lookups, score.late, score.few_late,
    ))
}

fn table(title: &str, all: &[Fared]) -> Table {
    let columns = [
        "attack",
        "network",
        "hostile",
        "of all %",
        "lookups",
        "right %",
        "closest unknown %",
        "closest late %",
        "walled in %",
        "others unknown %",
        "others late %",
        "queries",
        "mean ms",
        "gets",
        "give the value %",
    ];
    all.iter().fold(Table::new(title, columns), |table, fared| {
        let score = &fared.score;
        let names = [named(fared.scheme), fared.ground.name()].map(Cell::from);
        let late = fared.of_lookups(score.late);
        let numbers = [
            fared.members as f64,
            100.0 * fared.share,
            score.lookups as f64,
            score.right_percent(),
            fared.of_lookups(score.lookups - score.first) - late,
            late,
            fared.of_lookups(score.walled_in),
            fared.of_lookups(score.few_unknown),
            fared.of_lookups(score.few_late),
            score.asked as f64 / score.lookups as f64,
            fared.took().as_secs_f64() * 1e3,
            score.gets as f64,
            score.got_percent(),
        ];
        table.row(names.into_iter().chain(numbers.map(Cell::from)))
    })
}

fn random(found: &Adversaries, name: &str, title: &str, of: fn(&Fared) -> f64) -> Plot {
    let mut schemes: Vec<&'static str> = found.random.iter().map(|fared| fared.scheme).collect();
    schemes.sort_unstable();
    schemes.dedup();
    let lines = schemes.into_iter().flat_map(|scheme| {
        GROUNDS.map(|ground| {
            let these = found.random.iter().filter(|it| it.scheme == scheme && it.ground == ground);
            let points = these.map(|fared| (100.0 * fared.share, of(fared)));
            (format!("{}, {}", named(scheme), ground.name()), points.collect::<Vec<_>>())
        })
    });
    let axes =
        (Axis::new("hostile, of all nodes", "%"), Axis::new("share", "%").covering([0.0, 100.0]));
    Plot::lines(name, title, axes, lines)
}

fn around(found: &Adversaries) -> Plot {
    let lines = GROUNDS.map(|ground| {
        let these = found.around.iter().filter(|fared| fared.ground == ground);
        let points = these.map(|fared| (fared.members as f64, fared.score.got_percent()));
        (ground.name(), points.collect::<Vec<_>>())
    });
    let axes = (
        Axis::new("hostile nodes around the key", "").logarithmic(),
        Axis::new("gets that give the value", "%").covering([0.0, 100.0]),
    );
    Plot::lines("adversaries-siege", "Gets of a key under siege", axes, lines)
}
