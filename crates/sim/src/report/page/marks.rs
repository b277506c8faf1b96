//! Marks: asked, measured, reached or missed.

use std::fmt::Display;

use super::super::mark::Mark;
use super::super::markup::Markup;
use super::super::{Report, Section};

/// All marks of a report, under the names of their sections.
pub(super) fn overview(markup: &mut Markup, report: &Report) {
    let (all, missed) = (report.marks(), report.marks_missed());
    if all == 0 {
        return;
    }
    markup.element("section", &[("id", &"marks"), ("aria-label", &"Marks")], |markup| {
        let sum = match missed {
            0 => format!("All {all} marks reached."),
            _ => format!("{} of {all} marks reached, {missed} missed.", all - missed),
        };
        markup.line("p", &[("class", &"sum")], sum);
        markup.element("table", &[("class", &"marks")], |markup| {
            head(markup);
            for section in report.sections.iter().filter(|section| !section.marks.is_empty()) {
                markup.element("tbody", &[], |markup| {
                    let link = format!("#{}", section.name);
                    markup.element("tr", &[("class", &"group")], |markup| {
                        let spans = [("colspan", &4 as &dyn Display), ("scope", &"rowgroup")];
                        markup.element("th", &spans, |markup| {
                            markup.line("a", &[("href", &link)], &section.title);
                        });
                    });
                    section.marks.iter().for_each(|mark| row(markup, mark, false));
                });
            }
        });
    });
}

/// The marks of one section, with their notes.
pub(super) fn of_section(markup: &mut Markup, section: &Section) {
    if section.marks.is_empty() {
        return;
    }
    markup.element("table", &[("class", &"marks")], |markup| {
        head(markup);
        markup.element("tbody", &[], |markup| {
            section.marks.iter().for_each(|mark| row(markup, mark, true));
        });
    });
}

fn head(markup: &mut Markup) {
    markup.element("thead", &[], |markup| {
        markup.element("tr", &[], |markup| {
            for column in ["mark", "asked", "measured", "reached"] {
                markup.line("th", &[("scope", &"col")], column);
            }
        });
    });
}

fn row(markup: &mut Markup, mark: &Mark, with_note: bool) {
    markup.element("tr", &[], |markup| {
        markup.element("th", &[("scope", &"row")], |markup| {
            markup.text(mark.what());
            if let Some(note) = mark.noted().filter(|_| with_note) {
                markup.line("p", &[("class", &"note")], note);
            }
        });
        markup.line("td", &[], mark.asked());
        markup.line("td", &[], mark.measured());
        // A sign and a word: neither colour nor shape alone tells one from the other.
        let (class, word) = match mark.reached() {
            true => ("reached", "✓\u{a0}reached"),
            false => ("missed", "✕\u{a0}missed"),
        };
        markup.line("td", &[("class", &class)], word);
    });
}
