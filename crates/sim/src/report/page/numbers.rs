//! Tables: those of an experiment, and the numbers behind each plot.

use super::super::distribution;
use super::super::markup::Markup;
use super::super::number;
use super::super::plot::{Form, Plot, Point};
use super::super::table::Table;

/// A table of a plot has at most so many rows; the JSON has them all.
const MOST_ROWS: usize = 100;
/// The shares, in percent, that the table of a distribution shows.
const LEVELS: [f64; 10] = [1.0, 5.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0];

/// Columns and rows of text.
struct Grid {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

pub(super) fn table(markup: &mut Markup, table: &Table) {
    let rows = table.rows.iter().map(|row| row.iter().map(|cell| cell.shown()).collect());
    let grid = Grid { columns: table.columns.clone(), rows: rows.collect() };
    write(markup, &table.title, Some(&table.title), &grid);
}

/// The numbers of a plot, folded away.
pub(super) fn of_plot(markup: &mut Markup, plot: &Plot) {
    let mut grid = match &plot.form {
        Form::Lines => of_lines(plot),
        Form::Cumulative => of_cumulative(plot),
        Form::Histogram { edges } => of_histogram(plot, edges),
        Form::Bars { groups } => of_bars(plot, groups),
    };
    let rows = grid.rows.len();
    let every = rows.div_ceil(MOST_ROWS).max(1);
    let mut at = 0;
    grid.rows.retain(|_| {
        at += 1;
        (at - 1) % every == 0 || at == rows
    });
    markup.element("details", &[], |markup| {
        markup.line("summary", &[], "Numbers");
        if every > 1 {
            let words =
                format!("One row in {every} of {rows}; the report as JSON has all of them.");
            markup.line("p", &[("class", &"left-out")], words);
        }
        write(markup, &format!("Numbers of: {}", plot.title()), None, &grid);
    });
}

fn names(first: String, plot: &Plot) -> Vec<String> {
    let unit = plot.y.unit();
    let named = plot.series.iter().map(|series| match (series.name.as_str(), unit) {
        ("", _) => plot.y.shown(),
        (name, "") => name.to_owned(),
        (name, unit) => format!("{name} ({unit})"),
    });
    std::iter::once(first).chain(named).collect()
}

fn of_lines(plot: &Plot) -> Grid {
    let mut places: Vec<f64> =
        plot.series.iter().flat_map(|series| &series.points).map(|point| point.x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let mut rests: Vec<&[Point]> =
        plot.series.iter().map(|series| series.points.as_slice()).collect();
    let rows = places.into_iter().map(|place| {
        let cells = rests.iter_mut().map(|rest| {
            // The points are in order, and so are the places: each series is walked once.
            let here = rest.iter().take_while(|point| point.x <= place).count();
            let (now, later) = rest.split_at(here);
            *rest = later;
            now.iter().map(shown).collect::<Vec<_>>().join(", ")
        });
        std::iter::once(number::told(place)).chain(cells.collect::<Vec<_>>()).collect()
    });
    Grid { rows: rows.collect(), columns: names(plot.x.shown(), plot) }
}

fn shown(point: &Point) -> String {
    let value = number::told(point.y);
    point.band.map_or(value.clone(), |(low, high)| {
        format!("{value} ({} to {})", number::told(low), number::told(high))
    })
}

fn of_cumulative(plot: &Plot) -> Grid {
    let unit = plot.x.unit();
    let rows = LEVELS.into_iter().map(|level| {
        let cells = plot.series.iter().map(|series| {
            let value = distribution::quantile(&series.points, level);
            value.map_or("–".to_owned(), |value| number::with_unit(&number::told(value), unit))
        });
        std::iter::once(number::told(level)).chain(cells).collect()
    });
    let names = plot.series.iter().map(|series| match series.name.is_empty() {
        true => plot.x.shown(),
        false => series.name.clone(),
    });
    let columns = std::iter::once("share at or below (%)".to_owned()).chain(names);
    Grid { rows: rows.collect(), columns: columns.collect() }
}

fn of_histogram(plot: &Plot, edges: &[f64]) -> Grid {
    let rows = edges.windows(2).enumerate().map(|(bin, edges)| {
        let range = format!("{} to below {}", number::told(edges[0]), number::told(edges[1]));
        let cells = plot.series.iter().map(|series| series.points.get(bin).map_or(0.0, |at| at.y));
        std::iter::once(range).chain(cells.map(number::told)).collect()
    });
    Grid { rows: rows.collect(), columns: names(plot.x.shown(), plot) }
}

fn of_bars(plot: &Plot, groups: &[String]) -> Grid {
    let rows = groups.iter().enumerate().map(|(group, name)| {
        let cells = plot.series.iter().map(|series| {
            let point = series.points.iter().find(|point| point.x == group as f64);
            point.map_or("–".to_owned(), shown)
        });
        std::iter::once(name.clone()).chain(cells).collect()
    });
    Grid { rows: rows.collect(), columns: names(String::new(), plot) }
}

/// A table that scrolls by itself where the page is too narrow, by keyboard too.
fn write(markup: &mut Markup, name: &str, caption: Option<&str>, grid: &Grid) {
    let region = [("class", &"scroll" as _), ("role", &"region" as _)];
    let region = [region[0], region[1], ("aria-label", &name as _), ("tabindex", &"0" as _)];
    markup.element("div", &region, |markup| {
        markup.element("table", &[("class", &"numbers")], |markup| {
            if let Some(caption) = caption {
                markup.line("caption", &[], caption);
            }
            markup.element("thead", &[], |markup| {
                markup.element("tr", &[], |markup| {
                    for column in &grid.columns {
                        markup.line("th", &[("scope", &"col")], column);
                    }
                });
            });
            markup.element("tbody", &[], |markup| {
                for row in &grid.rows {
                    markup.element("tr", &[], |markup| cells(markup, row));
                }
            });
        });
    });
}

fn cells(markup: &mut Markup, row: &[String]) {
    for (at, cell) in row.iter().enumerate() {
        match at {
            0 => markup.line("th", &[("scope", &"row")], cell),
            _ => markup.line("td", &[], cell),
        }
    }
}
