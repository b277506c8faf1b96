//! Lines, cumulative curves and histograms: all that has two axes with numbers.

use std::fmt::Write;

use super::super::markup::{Markup, Px};
use super::super::number;
use super::super::palette::DASHES;
use super::super::plot::{Across, Form, Plot, Series};
use super::super::scale::Scale;
use super::frame::{self, Area};
use super::labels::{self, Ends};
use super::{Size, bars};

/// Up to so many points of a line are marked by dots.
const DOTTED: usize = 24;
/// A path of more points than this is thinned to what its pixels can show.
const THINNED_FROM: usize = 1_500;

/// A place in pixels.
type Place = (f64, f64);

pub(super) fn draw(plot: &Plot, size: Size) -> (Markup, f64) {
    let (x, y) = scales(plot, size);
    let ends = match (&plot.form, size) {
        (Form::Lines, Size::Wide) => Ends::of(plot, &x),
        _ => None,
    };
    let key = if ends.is_some() { 0.0 } else { labels::key_height(plot, size.width()) };
    let right = ends.as_ref().map_or(frame::room_after(&x), Ends::room);
    let top = key + 24.0;
    let area = Area {
        left: frame::room_beside(&y),
        right: size.width() - right.max(frame::room_after(&x)),
        top,
        bottom: top + size.plot_height(),
    };
    let mut markup = Markup::default();
    if ends.is_none() {
        labels::key(&mut markup, plot, size.width());
    }
    frame::axis_beside(&mut markup, &area, &y, &plot.y.shown());
    frame::axis_below(&mut markup, &area, &x, &plot.x.shown());
    let mut drawn = Vec::new();
    for (number, series) in plot.series.iter().enumerate() {
        drawn.extend(one(&mut markup, (plot, number, series), &area, (&x, &y)));
    }
    if plot.series.iter().all(|series| series.points.is_empty()) {
        let middle = ((area.left + area.right) / 2.0, (area.top + area.bottom) / 2.0);
        frame::text(&mut markup, ("lesser", "middle"), middle, "nothing was measured");
    }
    labels::references(&mut markup, plot, &area, (&x, &y), &drawn);
    if let Some(ends) = ends {
        ends.draw(&mut markup, &area, (&x, &y));
    }
    (markup, area.bottom + frame::BELOW)
}

/// The two scales, over all that is drawn.
fn scales(plot: &Plot, size: Size) -> (Scale, Scale) {
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let referred = |across| {
        let references = plot.references.iter().filter(move |line| line.across == across);
        references.map(|line| line.at)
    };
    let edges = match &plot.form {
        Form::Histogram { edges } => edges.as_slice(),
        _ => &[],
    };
    let ends = edges.first().into_iter().chain(edges.last()).copied();
    let across = points().map(|point| point.x).chain(referred(Across::X)).chain(ends);
    let bands = points().filter_map(|point| point.band).flat_map(|(low, high)| [low, high]);
    let up = points().map(|point| point.y).chain(bands).chain(referred(Across::Y));
    let labels = if size == Size::Wide { 8 } else { 4 };
    (Scale::of(&plot.x, across, labels), Scale::of(&plot.y, up, 5))
}

/// Draws one series and gives the places that it covers.
fn one(
    markup: &mut Markup,
    (plot, number, series): (&Plot, usize, &Series),
    area: &Area,
    (x, y): (&Scale, &Scale),
) -> Vec<Place> {
    let place = |at: (f64, f64)| Some((area.x(x, at.0)?, area.y(y, at.1)?));
    match &plot.form {
        Form::Histogram { edges } if plot.series.len() == 1 => {
            bins(markup, (plot, series, edges), area, (x, y))
        }
        Form::Histogram { edges } => {
            let floor = area.y(y, 0.0).unwrap_or(area.bottom);
            let mut outline = Vec::new();
            for (bin, edges) in series.points.iter().zip(edges.windows(2)) {
                let top = area.y(y, bin.y).unwrap_or(floor);
                let sides = [area.x(x, edges[0]), area.x(x, edges[1])];
                outline.extend(sides.into_iter().flatten().map(|side| (side, top)));
            }
            if let (Some(first), Some(last)) = (outline.first().copied(), outline.last().copied()) {
                outline.insert(0, (first.0, floor));
                outline.push((last.0, floor));
            }
            curve(markup, number, &outline);
            outline
        }
        Form::Cumulative => {
            let mut steps: Vec<Place> = Vec::new();
            for (left, up) in series.points.iter().filter_map(|point| place((point.x, point.y))) {
                let from = steps.last().map_or(area.bottom, |last| last.1);
                steps.extend([(left, from), (left, up)]);
            }
            curve(markup, number, &steps);
            steps
        }
        _ => {
            band(markup, number, series, place);
            let places: Vec<Place> =
                series.points.iter().filter_map(|point| place((point.x, point.y))).collect();
            curve(markup, number, &places);
            if series.points.len() <= DOTTED {
                dots(markup, (plot, number, series), place);
            }
            places
        }
    }
}

/// Which class and which dashes a series has.
pub(super) fn stroke(number: usize) -> (String, &'static str) {
    let colour = number % bars::COLOURS;
    // A colour that comes round again comes with other dashes.
    (format!("curve s{colour}"), DASHES[(number + number / bars::COLOURS) % DASHES.len()])
}

fn curve(markup: &mut Markup, number: usize, places: &[Place]) {
    if places.len() < 2 {
        return;
    }
    let (class, dashes) = stroke(number);
    let path = path(&thinned(places));
    match dashes.is_empty() {
        true => markup.empty("path", &[("class", &class), ("d", &path)]),
        false => {
            markup.empty("path", &[("class", &class), ("stroke-dasharray", &dashes), ("d", &path)]);
        }
    }
}

fn path(places: &[Place]) -> String {
    let mut path = String::with_capacity(places.len() * 12);
    for (at, (x, y)) in places.iter().enumerate() {
        let command = if at == 0 { 'M' } else { 'L' };
        write!(path, "{command}{} {}", Px(*x), Px(*y)).expect("a string takes all that is written");
    }
    path
}

/// Of the places in one column of pixels the first, the lowest, the highest and the last.
fn thinned(places: &[Place]) -> Vec<Place> {
    if places.len() <= THINNED_FROM {
        return places.to_vec();
    }
    let mut kept = Vec::new();
    for column in places.chunk_by(|one, other| one.0.floor() == other.0.floor()) {
        let by_height = |one: &&Place, other: &&Place| one.1.total_cmp(&other.1);
        let lowest = column.iter().min_by(by_height);
        let highest = column.iter().max_by(by_height);
        let mut column: Vec<&Place> =
            [column.first(), lowest, highest, column.last()].into_iter().flatten().collect();
        column.sort_by(|one, other| one.0.total_cmp(&other.0));
        column.dedup();
        kept.extend(column.into_iter().copied());
    }
    kept
}

/// The band around a line, where it has one.
fn band(
    markup: &mut Markup,
    number: usize,
    series: &Series,
    place: impl Fn(Place) -> Option<Place>,
) {
    let with_band = |run: &&[super::super::plot::Point]| run[0].band.is_some();
    let runs = series.points.chunk_by(|one, other| one.band.is_some() == other.band.is_some());
    for run in runs.filter(with_band) {
        let edge = |high: bool| {
            run.iter().filter_map(move |point| {
                point.band.map(|(low, up)| (point.x, if high { up } else { low }))
            })
        };
        let side = |high| thinned(&edge(high).filter_map(&place).collect::<Vec<Place>>());
        let outline: Vec<Place> =
            side(true).into_iter().chain(side(false).into_iter().rev()).collect();
        let class = format!("band f{}", number % bars::COLOURS);
        let path = path(&outline) + "Z";
        if outline.len() > 2 {
            markup.empty("path", &[("class", &class), ("d", &path)]);
        }
    }
}

/// A dot at each point, which tells its numbers where a pointer rests on it.
fn dots(
    markup: &mut Markup,
    (plot, number, series): (&Plot, usize, &Series),
    place: impl Fn(Place) -> Option<Place>,
) {
    let class = format!("dot f{}", number % bars::COLOURS);
    for point in &series.points {
        let Some((x, y)) = place((point.x, point.y)) else { continue };
        let (x, y) = (Px(x), Px(y));
        let attributes: [(&str, &dyn std::fmt::Display); 4] =
            [("class", &class), ("cx", &x), ("cy", &y), ("r", &3.5)];
        markup.element("circle", &attributes, |markup| {
            let below = number::with_unit(&number::told(point.x), plot.x.unit());
            let value = number::with_unit(&number::told(point.y), plot.y.unit());
            markup.line("title", &[], format!("{}: {value} at {below}", series.name));
        });
    }
}

/// The bins of a lone series, filled.
fn bins(
    markup: &mut Markup,
    (plot, series, edges): (&Plot, &Series, &[f64]),
    area: &Area,
    (x, y): (&Scale, &Scale),
) -> Vec<Place> {
    let floor = area.y(y, 0.0).unwrap_or(area.bottom);
    let mut covered = Vec::new();
    for (bin, edges) in series.points.iter().zip(edges.windows(2)) {
        let places = (area.x(x, edges[0]), area.x(x, edges[1]), area.y(y, bin.y));
        let (Some(left), Some(right), Some(top)) = places else { continue };
        covered.extend([(left, floor), (left, top), (right, top), (right, floor)]);
        // A gap of a pixel sets bins apart; narrow ones keep what they have.
        let width = Px((right - left - 1.0).max((right - left) / 2.0));
        let (left, top, height) = (Px(left + 0.5), Px(top), Px(floor - top));
        let attributes: [(&str, &dyn std::fmt::Display); 5] = [
            ("class", &"bar f0"),
            ("x", &left),
            ("y", &top),
            ("width", &width),
            ("height", &height),
        ];
        markup.element("rect", &attributes, |markup| {
            let range = format!("{} to {}", number::told(edges[0]), number::told(edges[1]));
            let range = number::with_unit(&range, plot.x.unit());
            markup.line("title", &[], format!("{range}: {}", number::told(bin.y)));
        });
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_thinned_and_keeps_its_peaks() {
        let mut places: Vec<Place> =
            (0..100_000).map(|at| (f64::from(at) / 200.0, 100.0)).collect();
        places[54_321].1 = 3.0;
        places[77_777].1 = 250.0;
        let kept = thinned(&places);
        assert!(kept.len() <= 4 * 501, "{}", kept.len());
        assert!(kept.contains(&places[54_321]) && kept.contains(&places[77_777]));
        assert!(kept.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert_eq!((kept.first(), kept.last()), (places.first(), places.last()));
    }
}
