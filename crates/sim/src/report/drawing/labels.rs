//! Which line is which: names at the lines' ends where there is room, else a key above; and the
//! labels of reference lines, where they hide least.

use super::super::markup::{Markup, Px};
use super::super::plot::{Across, Plot};
use super::super::scale::Scale;
use super::bars;
use super::curves::stroke;
use super::frame::{self, Area, LINE, text_width};

/// More names than this, or longer ones, do not stand at the ends of lines.
const MOST_ENDS: usize = 7;
const LONGEST_END: usize = 24;
/// Lines that stop earlier than this share of the width have their names above.
const LATE: f64 = 0.97;
/// From a line's end to its name.
const GAP: f64 = 10.0;
/// Names stand at least so far below one another.
const APART: f64 = 15.0;

/// Names at the ends of lines.
pub(super) struct Ends<'a>(Vec<End<'a>>);

struct End<'a> {
    number: usize,
    name: &'a str,
    x: f64,
    y: f64,
}

impl<'a> Ends<'a> {
    /// The ends of all lines; `None` if names do not fit there.
    pub(super) fn of(plot: &'a Plot, x: &Scale) -> Option<Self> {
        let named: Vec<_> =
            plot.series.iter().enumerate().filter(|(_, series)| !series.name.is_empty()).collect();
        if named.len() > MOST_ENDS {
            return None;
        }
        let ends = named.into_iter().map(|(number, series)| {
            let drawn = |at: &&super::super::plot::Point| plot.x.holds(at.x) && plot.y.holds(at.y);
            let last = series.points.iter().rfind(drawn)?;
            let is_late = x.place(last.x)? >= LATE;
            let is_short = series.name.chars().count() <= LONGEST_END;
            let end = End { number, name: &series.name, x: last.x, y: last.y };
            (is_late && is_short).then_some(end)
        });
        ends.collect::<Option<Vec<_>>>().map(Self)
    }

    /// How much room they take at the right.
    pub(super) fn room(&self) -> f64 {
        let widest = self.0.iter().map(|end| text_width(end.name)).fold(0.0, f64::max);
        if widest > 0.0 { widest + GAP + 2.0 } else { 0.0 }
    }

    pub(super) fn draw(&self, markup: &mut Markup, area: &Area, (x, y): (&Scale, &Scale)) {
        let placed =
            self.0.iter().filter_map(|end| Some((end, area.x(x, end.x)?, area.y(y, end.y)?)));
        let mut placed: Vec<_> = placed.collect();
        placed.sort_by(|one, other| one.2.total_cmp(&other.2));
        let heights: Vec<f64> = placed.iter().map(|(_, _, height)| *height).collect();
        let heights = spread(&heights, area.top, area.bottom);
        for ((end, end_x, end_y), height) in placed.into_iter().zip(heights) {
            if (height - end_y).abs() > 3.0 {
                frame::line(
                    markup,
                    "leader",
                    (end_x + 4.0, end_y),
                    (area.right + GAP - 2.0, height),
                );
            }
            let class = format!("t{}", end.number % bars::COLOURS);
            let place = (area.right + GAP, height + 4.0);
            frame::text(markup, (&class, "start"), place, end.name);
        }
    }
}

/// Moves heights, in order from the top, as little as it takes to set them apart.
fn spread(heights: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    // Runs of names that touch hang together, around the middle of where they want to be.
    let mut runs: Vec<(f64, Vec<f64>)> = Vec::new();
    for height in heights {
        runs.push((*height, vec![*height]));
        while let [.., (above, first), (below, second)] = &mut runs[..] {
            let reach = APART * (first.len() + second.len()) as f64 / 2.0;
            if *below - *above >= reach {
                break;
            }
            first.append(second);
            let half = APART * (first.len() - 1) as f64 / 2.0;
            let middle = first.iter().sum::<f64>() / first.len() as f64;
            *above = middle.min(bottom - half).max(top + half);
            runs.pop();
        }
    }
    let places = runs.into_iter().flat_map(|(middle, wanted)| {
        let first = middle - APART * (wanted.len() - 1) as f64 / 2.0;
        (0..wanted.len()).map(move |at| first + APART * at as f64)
    });
    places.collect()
}

/// Where each entry of a key stands, as its row and its distance from the left.
fn key_places(plot: &Plot, width: f64) -> Vec<(usize, usize, f64)> {
    let (mut row, mut left) = (0, 0.0);
    let mut places = Vec::new();
    for (number, series) in plot.series.iter().enumerate() {
        if series.name.is_empty() {
            continue;
        }
        let entry = 30.0 + text_width(&series.name);
        if left > 0.0 && left + entry > width {
            (row, left) = (row + 1, 0.0);
        }
        places.push((number, row, left));
        left += entry + 16.0;
    }
    places
}

pub(super) fn key_height(plot: &Plot, width: f64) -> f64 {
    key_places(plot, width).last().map_or(0.0, |(_, row, _)| (row + 1) as f64 * LINE + 4.0)
}

/// The names of all series beside a piece of their lines.
pub(super) fn key(markup: &mut Markup, plot: &Plot, width: f64) {
    for (number, row, left) in key_places(plot, width) {
        let middle = row as f64 * LINE + LINE / 2.0;
        if plot.is_filled() {
            let class = format!("bar f{}", number % bars::COLOURS);
            let (x, y) = (Px(left), Px(middle - 5.0));
            let attributes: [(&str, &dyn std::fmt::Display); 5] =
                [("class", &class), ("x", &x), ("y", &y), ("width", &22), ("height", &10)];
            markup.empty("rect", &attributes);
        } else {
            let (class, dashes) = stroke(number);
            let path = format!("M{} {}h22", Px(left), Px(middle));
            let dashes = if dashes.is_empty() { "none" } else { dashes };
            markup.empty("path", &[("class", &class), ("stroke-dasharray", &dashes), ("d", &path)]);
        }
        let place = (left + 28.0, middle + 4.0);
        frame::text(markup, ("", "start"), place, &plot.series[number].name);
    }
}

/// The reference lines and their labels.
pub(super) fn references(
    markup: &mut Markup,
    plot: &Plot,
    area: &Area,
    (x, y): (&Scale, &Scale),
    drawn: &[(f64, f64)],
) {
    let obstacles = along(drawn);
    let mut taken: Vec<Area> = Vec::new();
    for reference in &plot.references {
        let width = text_width(&reference.label);
        let boxes = match reference.across {
            Across::Y => {
                let Some(at) = area.y(y, reference.at) else { continue };
                frame::line(markup, "reference", (area.left, at), (area.right, at));
                beside_horizontal(area, at, width)
            }
            Across::X => {
                let Some(at) = area.x(x, reference.at) else { continue };
                frame::line(markup, "reference", (at, area.top), (at, area.bottom));
                beside_vertical(area, at, width)
            }
        };
        let cost = |label: &Area| {
            let hidden = obstacles.iter().filter(|place| label.holds(**place)).count();
            let meets = taken.iter().filter(|other| label.meets(other)).count();
            let outside = label.left < area.left - 1.0
                || label.right > area.right + 1.0
                || label.top < area.top - 1.0
                || label.bottom > area.bottom + 1.0;
            hidden + 1_000 * meets + 10_000 * usize::from(outside)
        };
        let Some(label) = boxes.into_iter().min_by_key(cost) else { continue };
        // Its true width is not known: it is held at the side that must touch the line.
        let is_left = reference.across == Across::X
            && area.x(x, reference.at).is_some_and(|at| label.right <= at);
        let (anchor, edge) = if is_left { ("end", label.right) } else { ("start", label.left) };
        frame::text(markup, ("over", anchor), (edge, label.bottom - 4.0), &reference.label);
        taken.push(label);
    }
}

/// Places along the lines between these, close enough for no label to slip between.
fn along(places: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let pairs = places.windows(2).flat_map(|pair| {
        let (from, to) = (pair[0], pair[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let pieces = (length / 5.0).ceil().max(1.0);
        (0..pieces as usize).map(move |piece| {
            let share = piece as f64 / pieces;
            (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
        })
    });
    pairs.chain(places.last().copied()).collect()
}

/// Where the label of a horizontal line may stand: right, left or in the middle, above or below.
fn beside_horizontal(area: &Area, at: f64, width: f64) -> Vec<Area> {
    let middle = (area.left + area.right - width) / 2.0;
    let lefts = [area.right - width, area.left + 4.0, middle];
    let tops = [at - 18.0, at + 2.0];
    lefts.into_iter().flat_map(|left| tops.map(|top| boxed(left, top, width))).collect()
}

/// Where the label of a vertical line may stand: from the foot upwards, on either side.
fn beside_vertical(area: &Area, at: f64, width: f64) -> Vec<Area> {
    let steps = ((area.bottom - area.top) / 20.0) as usize;
    let tops = (1..steps).map(|step| area.bottom - 20.0 * step as f64);
    let lefts = [at + 5.0, at - 5.0 - width];
    tops.flat_map(|top| lefts.map(|left| boxed(left, top, width))).collect()
}

fn boxed(left: f64, top: f64, width: f64) -> Area {
    Area { left, right: left + width, top, bottom: top + 16.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_touch_are_set_apart_and_others_stay() {
        assert_eq!(spread(&[20.0, 100.0], 0.0, 200.0), [20.0, 100.0]);
        assert_eq!(spread(&[100.0, 100.0], 0.0, 200.0), [92.5, 107.5]);
        let crowded = spread(&[0.0, 0.0, 0.0, 1.0, 199.0, 200.0], 0.0, 200.0);
        assert!(crowded.windows(2).all(|pair| pair[1] - pair[0] >= APART - 1e-9), "{crowded:?}");
        assert!(crowded[0] >= 0.0 && crowded[5] <= 200.0, "{crowded:?}");
    }

    #[test]
    fn a_label_finds_a_line_between_two_points() {
        let places = along(&[(0.0, 0.0), (100.0, 0.0)]);
        assert!(places.len() >= 20);
        assert!(places.iter().any(|place| boxed(48.0, -8.0, 6.0).holds(*place)));
    }
}
