//! A drawing in words, for those who listen to it.

use std::fmt::Write;

use super::super::distribution;
use super::super::number;
use super::super::plot::{Axis, Form, Plot, Point, Series};

/// What a plot shows, in a few sentences: its axes, and of each series what a glance would tell.
pub(in super::super) fn description(plot: &Plot) -> String {
    let mut words = match &plot.form {
        Form::Bars { .. } => format!("Bars of {}.", plot.y.shown()),
        Form::Cumulative => format!("Share of samples at or below each {}.", plot.x.shown()),
        Form::Histogram { .. } => format!("Histogram over {}.", plot.x.shown()),
        Form::Lines => format!("{} against {}.", plot.y.shown(), plot.x.shown()),
    };
    for axis in [&plot.x, &plot.y].into_iter().filter(|axis| axis.is_logarithmic()) {
        say(&mut words, &format!(" The axis of {} is logarithmic.", axis.shown()));
    }
    for series in &plot.series {
        say(&mut words, &format!(" {}: {}.", named(series), one(plot, series)));
    }
    for reference in &plot.references {
        let at = number::told(reference.at);
        say(&mut words, &format!(" A line at {at} marks: {}.", reference.label));
    }
    words
}

fn say(words: &mut String, more: &str) {
    words.write_str(more).expect("a string takes all that is written to it");
}

fn named(series: &Series) -> &str {
    if series.name.is_empty() { "Measured" } else { &series.name }
}

fn one(plot: &Plot, series: &Series) -> String {
    let points = &series.points;
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return "nothing was measured".to_owned();
    };
    let told = |value: f64, axis: &Axis| number::with_unit(&number::told(value), axis.unit());
    let by_value = |one: &&Point, other: &&Point| one.y.total_cmp(&other.y);
    match &plot.form {
        Form::Cumulative => {
            let at = |percent| distribution::quantile(points, percent).unwrap_or(last.x);
            let [half, most, all] = [50.0, 95.0, 100.0].map(|percent| told(at(percent), &plot.x));
            format!("half at or below {half}, 95 % at or below {most}, all at or below {all}")
        }
        Form::Histogram { edges } => {
            let all: f64 = points.iter().map(|bin| bin.y).sum();
            let fullest = points.iter().zip(edges.windows(2)).max_by(|a, b| by_value(&a.0, &b.0));
            let fullest = fullest.map_or(String::new(), |(bin, edges)| {
                let (from, to) = (number::told(edges[0]), told(edges[1], &plot.x));
                format!(", most of them, {}, from {from} to {to}", number::told(bin.y))
            });
            format!("{} samples in {} bins{fullest}", number::told(all), points.len())
        }
        Form::Bars { groups } => {
            let values = groups.iter().enumerate().map(|(group, name)| {
                let point = points.iter().find(|point| point.x == group as f64);
                let value = point.map_or("none".to_owned(), |point| told(point.y, &plot.y));
                format!("{name} {value}")
            });
            values.collect::<Vec<_>>().join(", ")
        }
        Form::Lines => {
            let lowest = points.iter().min_by(by_value).unwrap_or(first);
            let highest = points.iter().max_by(by_value).unwrap_or(last);
            let point =
                |point: &Point| format!("{} at {}", told(point.y, &plot.y), told(point.x, &plot.x));
            format!(
                "{} points, from {} to {}; lowest {}, highest {}",
                points.len(),
                point(first),
                point(last),
                point(lowest),
                point(highest)
            )
        }
    }
}
