//! Bars of groups: lying, so that names of any length can be read, each with its number behind it.

use super::super::markup::{Markup, Px};
use super::super::number;
use super::super::palette::SERIES;
use super::super::plot::Plot;
use super::super::scale::Scale;
use super::frame::{self, Area, LINE, text_width};
use super::{Size, labels};

/// So many colours there are before they come round again.
pub(super) const COLOURS: usize = SERIES.len();
/// What stands between groups.
const BETWEEN: f64 = 8.0;

pub(super) fn draw(plot: &Plot, groups: &[String], size: Size) -> (Markup, f64) {
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let values = points().map(|point| point.y).chain(plot.references.iter().map(|line| line.at));
    let scale = Scale::of(&plot.y, values, if size == Size::Wide { 8 } else { 4 });
    let shown = |value: f64| number::with_unit(&number::told(value), plot.y.unit());
    let room = points().map(|point| text_width(&shown(point.y))).fold(0.0, f64::max) + 6.0;
    let many = plot.series.len() > 1;
    let top = if many { labels::key_height(plot, size.width()) } else { 0.0 } + 4.0;
    // The labels of reference lines have the first line to themselves.
    let top = top + if plot.references.is_empty() { 0.0 } else { LINE + 2.0 };
    let group_height = LINE * (1 + plot.series.len()) as f64 + BETWEEN;
    let bottom = top + (group_height * groups.len() as f64).max(LINE);
    let right = size.width() - room.max(frame::room_after(&scale));
    let area = Area { left: 8.0, right, top, bottom };

    let mut markup = Markup::default();
    if many {
        labels::key(&mut markup, plot, size.width());
    }
    frame::axis_below(&mut markup, &area, &scale, &plot.y.shown());
    let zero = area.x(&scale, 0.0).unwrap_or(area.left);
    frame::line(&mut markup, "axis", (zero, area.top), (zero, area.bottom));
    references(&mut markup, plot, &area, &scale);
    for (group, name) in groups.iter().enumerate() {
        let top = top + group_height * group as f64;
        frame::text(&mut markup, ("over", "start"), (area.left + 4.0, top + 13.0), name);
        for (number, series) in plot.series.iter().enumerate() {
            let top = top + LINE * (1 + number) as f64;
            let point = series.points.iter().find(|point| point.x == group as f64);
            let place = point.and_then(|point| Some((point.y, area.x(&scale, point.y)?)));
            let Some((value, end)) = place else {
                frame::text(&mut markup, ("lesser", "start"), (zero + 5.0, top + 12.0), "–");
                continue;
            };
            bar(&mut markup, number, (zero, end), top);
            let place = (zero.max(end) + 5.0, top + 12.0);
            frame::text(&mut markup, ("over", "start"), place, &shown(value));
        }
    }
    (markup, bottom + frame::BELOW)
}

fn bar(markup: &mut Markup, number: usize, (zero, end): (f64, f64), top: f64) {
    let class = format!("bar f{}", number % COLOURS);
    let (left, width) = (Px(zero.min(end)), Px((end - zero).abs()));
    let (top, height) = (Px(top + 1.0), Px(LINE - 4.0));
    let attributes: [(&str, &dyn std::fmt::Display); 5] =
        [("class", &class), ("x", &left), ("y", &top), ("width", &width), ("height", &height)];
    markup.empty("rect", &attributes);
}

/// Lines across the bars, their labels above them.
fn references(markup: &mut Markup, plot: &Plot, area: &Area, scale: &Scale) {
    for reference in &plot.references {
        let Some(at) = area.x(scale, reference.at) else { continue };
        frame::line(markup, "reference", (at, area.top - 4.0), (at, area.bottom));
        let width = text_width(&reference.label);
        let left = (at - width / 2.0).clamp(0.0, (area.right - width).max(0.0));
        frame::text(markup, ("over", "start"), (left, area.top - 8.0), &reference.label);
    }
}
