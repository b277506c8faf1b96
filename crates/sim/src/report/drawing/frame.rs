//! The frame of a drawing: where its parts lie, its axes and ticks.

use super::super::markup::{Markup, Px};
use super::super::scale::Scale;

/// The height of a line of text, and that of a row of a key.
pub(super) const LINE: f64 = 18.0;
/// From the axis to the middle of the labels below it, and further to the axis' title.
const TICK_LABEL: f64 = 18.0;
const AXIS_TITLE: f64 = 38.0;
/// What axis, labels and title take below.
pub(super) const BELOW: f64 = 46.0;

/// About how wide a text comes out in the drawings' face and size. There is no font to ask; most
/// faces are a little narrower.
pub(super) fn text_width(text: &str) -> f64 {
    6.5 * text.chars().count() as f64
}

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Area {
    pub(super) fn x(&self, scale: &Scale, value: f64) -> Option<f64> {
        scale.place(value).map(|place| self.left + place * (self.right - self.left))
    }

    pub(super) fn y(&self, scale: &Scale, value: f64) -> Option<f64> {
        scale.place(value).map(|place| self.bottom - place * (self.bottom - self.top))
    }

    pub(super) fn holds(&self, (x, y): (f64, f64)) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    pub(super) fn meets(&self, other: &Area) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// A straight line.
pub(super) fn line(markup: &mut Markup, class: &str, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(Px);
    markup.empty("line", &[("class", &class), ("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2)]);
}

/// A text whose base line begins, is centred or ends at a place.
pub(super) fn text(
    markup: &mut Markup,
    (class, anchor): (&str, &str),
    (x, y): (f64, f64),
    what: &str,
) {
    let (x, y) = (Px(x), Px(y));
    markup.line("text", &[("class", &class), ("text-anchor", &anchor), ("x", &x), ("y", &y)], what);
}

/// The axis below: its line, ticks, labels that do not run into one another, and title.
pub(super) fn axis_below(markup: &mut Markup, area: &Area, scale: &Scale, title: &str) {
    line(markup, "axis", (area.left, area.bottom), (area.right, area.bottom));
    // Labels run over the right end by half their width; so may they over the left one.
    let mut free_from = f64::NEG_INFINITY;
    for tick in &scale.ticks {
        let Some(x) = area.x(scale, tick.at) else { continue };
        let length = if tick.label.is_some() { 5.0 } else { 3.0 };
        line(markup, "axis", (x, area.bottom), (x, area.bottom + length));
        let Some(label) = &tick.label else { continue };
        let half = text_width(label) / 2.0;
        if x - half >= free_from {
            let place = (x, area.bottom + TICK_LABEL);
            text(markup, ("lesser", "middle"), place, label);
            free_from = x + half + 6.0;
        }
    }
    let place = (area.right, area.bottom + AXIS_TITLE);
    text(markup, ("lesser", "end"), place, title);
}

/// The axis beside: labels, a fine line across at each, and its title above, where it can be read
/// without turning the head.
pub(super) fn axis_beside(markup: &mut Markup, area: &Area, scale: &Scale, title: &str) {
    let mut free_below = f64::INFINITY;
    for tick in &scale.ticks {
        let (Some(y), Some(label)) = (area.y(scale, tick.at), &tick.label) else { continue };
        if y > free_below {
            continue;
        }
        free_below = y - 13.0;
        if y < area.bottom - 0.5 {
            line(markup, "grid", (area.left, y), (area.right, y));
        }
        text(markup, ("lesser", "end"), (area.left - 8.0, y + 4.0), label);
    }
    text(markup, ("lesser", "start"), (0.0, area.top - 12.0), title);
}

/// How far the labels of an axis beside reach to its left.
pub(super) fn room_beside(scale: &Scale) -> f64 {
    let labels = scale.ticks.iter().filter_map(|tick| tick.label.as_deref());
    labels.map(text_width).fold(14.0, f64::max) + 8.0
}

/// How far the last label of an axis below reaches over its end.
pub(super) fn room_after(scale: &Scale) -> f64 {
    let last = scale.ticks.iter().rev().find_map(|tick| tick.label.as_deref());
    last.map_or(0.0, text_width) / 2.0 + 2.0
}
