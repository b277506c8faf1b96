//! The page: marks on top, then a section for each experiment.

use super::markup::Markup;
use super::plot::Plot;
use super::{Report, Section, drawing, palette};

mod marks;
mod numbers;

/// Nothing is loaded and nothing runs, whatever a report's text contains.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

pub(super) fn html(report: &Report) -> String {
    let mut markup = Markup::beginning("<!DOCTYPE html>");
    markup.element("html", &[("lang", &"en")], |markup| {
        markup.element("head", &[], |markup| head(markup, report));
        markup.element("body", &[], |markup| {
            markup.element("main", &[], |markup| {
                markup.line("h1", &[], &report.title);
                facts(markup, report);
                marks::overview(markup, report);
                contents(markup, report);
                report.sections.iter().for_each(|one| section(markup, one));
            });
        });
    });
    markup.finish()
}

fn head(markup: &mut Markup, report: &Report) {
    markup.empty("meta", &[("charset", &"utf-8")]);
    let policy = [("http-equiv", &"Content-Security-Policy" as _), ("content", &POLICY as _)];
    markup.empty("meta", &policy);
    let viewport = [("name", &"viewport" as _), ("content", &"width=device-width" as _)];
    markup.empty("meta", &viewport);
    markup.empty("meta", &[("name", &"color-scheme"), ("content", &"light dark")]);
    markup.line("title", &[], &report.title);
    let face = format!("body{{font-family:{}}}\n", palette::FACE);
    let rules = include_str!("page.css");
    markup.style(&[&palette::variables(), &palette::sheet(), &face, rules].concat());
}

fn facts(markup: &mut Markup, report: &Report) {
    if report.facts.is_empty() {
        return;
    }
    markup.element("dl", &[("class", &"facts")], |markup| {
        for fact in &report.facts {
            markup.element("div", &[], |markup| {
                markup.line("dt", &[], &fact.what);
                markup.line("dd", &[], &fact.value);
            });
        }
    });
}

/// Links to the sections, unless the overview of marks leads to each of them.
fn contents(markup: &mut Markup, report: &Report) {
    let is_listed = |section: &Section| !section.marks.is_empty();
    if report.sections.len() < 2 || report.sections.iter().all(is_listed) {
        return;
    }
    markup.element("nav", &[("aria-label", &"Sections")], |markup| {
        markup.element("ol", &[], |markup| {
            for section in &report.sections {
                let link = format!("#{}", section.name);
                markup.element("li", &[], |markup| {
                    markup.line("a", &[("href", &link)], &section.title);
                });
            }
        });
    });
}

fn section(markup: &mut Markup, section: &Section) {
    let heading = format!("{}-heading", section.name);
    let attributes = [("id", &section.name as _), ("aria-labelledby", &heading as _)];
    markup.element("section", &attributes, |markup| {
        markup.line("h2", &[("id", &heading)], &section.title);
        markup.line("p", &[("class", &"asks")], &section.asks);
        if let Some(command) = &section.command {
            markup.element("p", &[], |markup| {
                markup.element("code", &[], |code| words(code, command))
            });
        }
        marks::of_section(markup, section);
        section.plots.iter().for_each(|plot| figure(markup, plot));
        section.tables.iter().for_each(|table| numbers::table(markup, table));
        definitions(markup, section);
    });
}

/// Each word in an element of its own: a line must not break within `--seed`.
fn words(markup: &mut Markup, command: &str) {
    command.split_whitespace().for_each(|word| markup.line("span", &[], word));
}

fn definitions(markup: &mut Markup, section: &Section) {
    if section.definitions.is_empty() {
        return;
    }
    markup.element("dl", &[("class", &"definitions")], |markup| {
        for definition in &section.definitions {
            markup.element("div", &[], |markup| {
                markup.line("dt", &[], &definition.term);
                markup.line("dd", &[], &definition.meaning);
            });
        }
    });
}

/// A plot in both layouts, of which the reader's width shows one; how to read it; its numbers.
fn figure(markup: &mut Markup, plot: &Plot) {
    let id = format!("plot-{}", plot.name());
    markup.element("figure", &[("id", &id)], |markup| {
        markup.line("h3", &[], plot.title());
        drawing::inline(markup, plot, drawing::Size::Wide);
        drawing::inline(markup, plot, drawing::Size::Narrow);
        markup.element("figcaption", &[], |markup| {
            if let Some(reading) = &plot.reading {
                markup.line("p", &[], reading);
            }
            if let Some(left_out) = left_out(plot) {
                markup.line("p", &[("class", &"left-out")], left_out);
            }
        });
        numbers::of_plot(markup, plot);
    });
}

/// What a drawing does not show of what was measured.
fn left_out(plot: &Plot) -> Option<String> {
    let (no_numbers, homeless) = plot.left_out();
    let points =
        |count: usize| if count == 1 { "1 point".into() } else { format!("{count} points") };
    let no_numbers = (no_numbers > 0).then(|| format!("{} without a number", points(no_numbers)));
    let homeless =
        (homeless > 0).then(|| format!("{} at or below 0 on a logarithmic axis", points(homeless)));
    let all: Vec<String> = no_numbers.into_iter().chain(homeless).collect();
    (!all.is_empty()).then(|| format!("Not drawn: {}.", all.join(", ")))
}
