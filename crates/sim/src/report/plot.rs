//! Plots: what is drawn against what, and how to read it.

use serde::{Deserialize, Serialize};

use super::{distribution, drawing, name_of};

/// One axis: what it shows, in which unit, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    title: String,
    unit: String,
    logarithmic: bool,
    covered: Vec<f64>,
    ticks: Vec<f64>,
}

impl Axis {
    /// A linear axis of this title; the unit may be empty. Shares are told in `%`, 0 to 100.
    pub fn new(title: &str, unit: &str) -> Self {
        let (covered, ticks) = (Vec::new(), Vec::new());
        Self { title: title.to_owned(), unit: unit.to_owned(), logarithmic: false, covered, ticks }
    }

    /// Equal factors lie equally far apart; values at or below 0 have no place then, and the page
    /// tells how many these are.
    #[must_use]
    pub fn logarithmic(mut self) -> Self {
        self.logarithmic = true;
        self
    }

    /// Shows these values even if nothing was measured there: 0, or 0 and 100.
    #[must_use]
    pub fn covering(mut self, values: impl IntoIterator<Item = f64>) -> Self {
        self.covered.extend(values.into_iter().filter(|value| value.is_finite()));
        self
    }

    /// Puts ticks at these places instead of at round numbers: at the sizes that were tried, or at
    /// 0, 6, 12, 18 and 24 hours.
    #[must_use]
    pub fn ticks_at(mut self, places: impl IntoIterator<Item = f64>) -> Self {
        self.ticks.extend(places.into_iter().filter(|place| place.is_finite()));
        self
    }

    pub(super) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    pub(super) fn covered(&self) -> &[f64] {
        &self.covered
    }

    pub(super) fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    pub(super) fn unit(&self) -> &str {
        &self.unit
    }

    /// `latency (ms)`.
    pub(super) fn shown(&self) -> String {
        match self.unit.is_empty() {
            true => self.title.clone(),
            false => format!("{} ({})", self.title, self.unit),
        }
    }

    /// Whether a value has a place on it.
    pub(super) fn holds(&self, value: f64) -> bool {
        !self.logarithmic || value > 0.0
    }
}

/// What was measured at one place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The place, in the unit of the axis below.
    pub x: f64,
    /// The value, in the unit of the axis beside.
    pub y: f64,
    /// What most of the values lie between, 5th to 95th percentile for instance: the plot's reading
    /// says what it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub band: Option<(f64, f64)>,
}

impl Point {
    /// A value at a place.
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, band: None }
    }

    /// The same with the band around it.
    #[must_use]
    pub fn between(self, low: f64, high: f64) -> Self {
        Self { band: Some((low, high)), ..self }
    }

    fn is_finite(&self) -> bool {
        let (low, high) = self.band.unwrap_or_default();
        [self.x, self.y, low, high].iter().all(|number| number.is_finite())
    }
}

impl From<(f64, f64)> for Point {
    fn from((x, y): (f64, f64)) -> Self {
        Self::new(x, y)
    }
}

/// Points that belong together, under a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub(super) name: String,
    pub(super) points: Vec<Point>,
    /// What was measured and is no number.
    pub(super) left_out: usize,
}

/// A value that the drawing shows beside what was measured: a mark asked for, a bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    pub(super) across: Across,
    pub(super) at: f64,
    pub(super) label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Across {
    /// A vertical line.
    X,
    /// A horizontal line.
    Y,
}

/// How the points of a plot are to be understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Values at places, joined by lines.
    Lines,
    /// The share, in percent, of samples at or below each value.
    Cumulative,
    /// Counts in bins; a point stands at the lower edge of its bin.
    Histogram {
        /// The edges of all bins, one more than there are bins.
        edges: Vec<f64>,
    },
    /// Values of groups; a point's place is the number of its group.
    Bars {
        /// The groups' names, from the top.
        groups: Vec<String>,
    },
}

/// One plot: series over two axes, with a sentence that says how to read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    name: String,
    title: String,
    pub(super) reading: Option<String>,
    pub(super) form: Form,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
    pub(super) references: Vec<Reference>,
}

impl Plot {
    /// Values at places, a line for each series: hops against nodes, success under churn, bytes
    /// over time. The name becomes that of a file and of a link; the points may come in any order.
    pub fn lines<S: Into<String>, P: Into<Point>>(
        name: &str,
        title: &str,
        (x, y): (Axis, Axis),
        series: impl IntoIterator<Item = (S, impl IntoIterator<Item = P>)>,
    ) -> Self {
        let series = series.into_iter().map(|(name, points)| {
            let points: Vec<Point> = points.into_iter().map(Into::into).collect();
            let measured = points.len();
            let mut points: Vec<_> = points.into_iter().filter(Point::is_finite).collect();
            points.sort_by(|one, other| one.x.total_cmp(&other.x));
            let left_out = measured - points.len();
            Series { name: name.into(), points, left_out }
        });
        Self::new(name, title, Form::Lines, (x, y), series.collect())
    }

    /// The distribution of samples, a curve for each series: how large a share is at or below each
    /// value. Of many samples some 400 quantiles are kept, and the tail.
    pub fn cumulative<S: Into<String>>(
        name: &str,
        title: &str,
        x: Axis,
        series: impl IntoIterator<Item = (S, impl IntoIterator<Item = f64>)>,
    ) -> Self {
        let y = Axis::new("at or below", "%").covering([0.0, 100.0]);
        let series = series.into_iter().map(|(name, samples)| {
            let (points, left_out) = distribution::cumulative(samples);
            Series { name: name.into(), points, left_out }
        });
        Self::new(name, title, Form::Cumulative, (x, y), series.collect())
    }

    /// How many samples lie where, in about 30 bins that all series share.
    pub fn histogram<S: Into<String>>(
        name: &str,
        title: &str,
        (x, y): (Axis, Axis),
        series: impl IntoIterator<Item = (S, Vec<f64>)>,
    ) -> Self {
        let series: Vec<(S, Vec<f64>)> = series.into_iter().collect();
        let all: Vec<f64> = series.iter().flat_map(|(_, samples)| samples).copied().collect();
        let edges = distribution::edges(&all, x.logarithmic);
        let series = series.into_iter().map(|(name, samples)| {
            let (points, left_out) = distribution::counts(samples, &edges);
            Series { name: name.into(), points, left_out }
        });
        let series = series.collect();
        let y = y.covering([0.0]);
        Self::new(name, title, Form::Histogram { edges }, (x, y), series)
    }

    /// A bar for each group and series; `values` are in the order of the groups.
    pub fn bars<S: Into<String>, G: Into<String>>(
        name: &str,
        title: &str,
        value: Axis,
        groups: impl IntoIterator<Item = G>,
        series: impl IntoIterator<Item = (S, Vec<f64>)>,
    ) -> Self {
        let groups: Vec<String> = groups.into_iter().map(Into::into).collect();
        let series = series.into_iter().map(|(name, values)| {
            let points = values.iter().take(groups.len()).enumerate();
            let points = points.map(|(group, value)| Point::new(group as f64, *value));
            let points: Vec<_> = points.filter(Point::is_finite).collect();
            let left_out = groups.len() - points.len();
            Series { name: name.into(), points, left_out }
        });
        let series = series.collect();
        let value = if value.logarithmic { value } else { value.covering([0.0]) };
        Self::new(name, title, Form::Bars { groups }, (Axis::new("", ""), value), series)
    }

    fn new(name: &str, title: &str, form: Form, axes: (Axis, Axis), series: Vec<Series>) -> Self {
        let (x, y) = axes;
        let (reading, references) = (None, Vec::new());
        let (name, title) = (name_of(name), title.to_owned());
        Self { name, title, reading, form, x, y, series, references }
    }

    /// The sentence that says how to read it, and what a band is.
    #[must_use]
    pub fn reading(mut self, reading: impl Into<String>) -> Self {
        self.reading = Some(reading.into());
        self
    }

    /// A vertical line at this place, with its label.
    #[must_use]
    pub fn reference_x(self, at: f64, label: &str) -> Self {
        self.reference(Across::X, at, label)
    }

    /// A horizontal line at this value, with its label; of bars, a line across them.
    #[must_use]
    pub fn reference_y(self, at: f64, label: &str) -> Self {
        self.reference(Across::Y, at, label)
    }

    fn reference(mut self, across: Across, at: f64, label: &str) -> Self {
        if at.is_finite() {
            self.references.push(Reference { across, at, label: label.to_owned() });
        }
        self
    }

    /// The name of its file, without an ending, and of its place in the page.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// A drawing that stands alone: it brings its own colours, a ground that sets it off from
    /// whatever lies behind, and its title.
    pub fn svg(&self) -> String {
        drawing::alone(self)
    }

    /// How many points a reader does not see: no numbers, or without a place on their axis.
    pub(super) fn left_out(&self) -> (usize, usize) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let (x, y) = (&self.x, &self.y);
        let homeless = points().filter(|point| !x.holds(point.x) || !y.holds(point.y)).count();
        let homeless = if self.is_counted() { 0 } else { homeless };
        (self.series.iter().map(|series| series.left_out).sum(), homeless)
    }

    /// Whether its series are areas rather than lines.
    pub(super) fn is_filled(&self) -> bool {
        match self.form {
            Form::Bars { .. } => true,
            Form::Histogram { .. } => self.series.len() == 1,
            Form::Lines | Form::Cumulative => false,
        }
    }

    /// Bins and groups have a place whatever their number is.
    fn is_counted(&self) -> bool {
        matches!(self.form, Form::Histogram { .. } | Form::Bars { .. })
    }
}
