//! Plots as SVG.
//!
//! By hand, since what a plotting library is for is the lesser part here. `plotters`, the one that is
//! well kept, writes colours as literals into each shape and rounds places to whole pixels: a drawing
//! of it cannot follow a reader's light or dark, has no title or description for those who listen,
//! no labels at the lines' ends and none of the second layout that a narrow screen needs. Scales,
//! paths and text are some hundred lines; ticks and bins are [`super::scale`] and
//! [`super::distribution`].

use super::markup::Markup;
use super::palette;
use super::plot::{Form, Plot};

mod bars;
mod curves;
mod description;
mod frame;
mod labels;

pub(super) use description::description;

/// For which width a drawing is laid out: text has the same size in both.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// A page of text.
    Wide,
    /// A telephone.
    Narrow,
}

impl Size {
    fn width(self) -> f64 {
        match self {
            Self::Wide => 704.0,
            Self::Narrow => 328.0,
        }
    }

    /// The height between the axes.
    fn plot_height(self) -> f64 {
        match self {
            Self::Wide => 280.0,
            Self::Narrow => 210.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

/// How far a drawing that stands alone keeps from the edge of its ground.
const PADDING: f64 = 16.0;
/// What the title of such a drawing takes.
const TITLE_HEIGHT: f64 = 28.0;

/// A drawing for a page that holds the rules of [`palette::sheet`].
pub(super) fn inline(markup: &mut Markup, plot: &Plot, size: Size) {
    let (drawn, height) = draw(plot, size);
    let view = format!("0 0 {} {height}", size.width());
    let class = format!("plot {}", size.name());
    document(markup, plot, size, &[("class", &class), ("viewBox", &view)], |markup| {
        markup.append(drawn);
    });
}

/// A drawing that stands alone.
pub(super) fn alone(plot: &Plot) -> String {
    let size = Size::Wide;
    let (drawn, height) = draw(plot, size);
    let (width, height) = (size.width() + 2.0 * PADDING, height + TITLE_HEIGHT + 2.0 * PADDING);
    let view = format!("0 0 {width} {height}");
    let attributes: [(&str, &dyn std::fmt::Display); 5] = [
        ("xmlns", &"http://www.w3.org/2000/svg"),
        ("class", &"plot"),
        ("viewBox", &view),
        ("width", &width),
        ("height", &height),
    ];
    let mut markup = Markup::beginning("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    document(&mut markup, plot, size, &attributes, |markup| {
        markup.style(&palette::sheet());
        let (width, height) = (width - 1.0, height - 1.0);
        markup.empty(
            "rect",
            &[
                ("class", &"ground"),
                ("x", &0.5),
                ("y", &0.5),
                ("width", &width),
                ("height", &height),
                ("rx", &6),
            ],
        );
        let title = [("class", &"strong" as &dyn std::fmt::Display), ("x", &PADDING), ("y", &30)];
        markup.line("text", &title, plot.title());
        let move_by = format!("translate({PADDING} {})", PADDING + TITLE_HEIGHT);
        markup.element("g", &[("transform", &move_by)], |markup| markup.append(drawn));
    });
    markup.finish()
}

/// The element `svg`, named and described for those who do not see it.
fn document(
    markup: &mut Markup,
    plot: &Plot,
    size: Size,
    attributes: super::markup::Attributes<'_>,
    inside: impl FnOnce(&mut Markup),
) {
    let title = format!("{}-{}-title", plot.name(), size.name());
    let described = format!("{}-{}-description", plot.name(), size.name());
    let labelled = format!("{title} {described}");
    let mut attributes = attributes.to_vec();
    attributes.push(("role", &"img"));
    attributes.push(("aria-labelledby", &labelled));
    markup.element("svg", &attributes, |markup| {
        markup.line("title", &[("id", &title)], plot.title());
        markup.line("desc", &[("id", &described)], description(plot));
        inside(markup);
    });
}

/// What is in a drawing, and how high it came out.
fn draw(plot: &Plot, size: Size) -> (Markup, f64) {
    match &plot.form {
        Form::Bars { groups } => bars::draw(plot, groups, size),
        _ => curves::draw(plot, size),
    }
}
