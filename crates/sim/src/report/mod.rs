//! What experiments measured, told to people and to programs: one page of HTML that needs nothing
//! beside itself, each plot as an SVG of its own, and all numbers as JSON.
//!
//! An experiment fills a [`Section`]; a [`Report`] holds the sections and says what made them. The
//! same report gives the same bytes: nothing here looks at a clock.
//!
//! ```
//! use sim::report::{Axis, Bound, Mark, Plot, Report, Section};
//!
//! let hops = Plot::lines(
//!     "hops",
//!     "Hops of a lookup",
//!     (Axis::new("nodes", "").logarithmic(), Axis::new("hops", "").covering([0.0])),
//!     [("median", [(100.0, 2.1), (1_000.0, 2.9), (10_000.0, 3.8)])],
//! )
//! .reading("Ten times the nodes cost about one hop more.");
//!
//! let section = Section::new("hops", "Hops", "How many hops does a lookup take as a network grows?")
//!     .command("xorbit sim run hops --seed 7")
//!     .definition("hop", "a query whose answer named a closer node than any known before")
//!     .mark(Mark::new("hops at 10,000 nodes, median", Bound::AtMost(5.0), 3.8, "hops"))
//!     .plot(hops);
//! let report = Report::new("Xorbit under virtual time").fact("seed", 7).section(section);
//!
//! assert!(report.marks_missed() == 0);
//! for (path, contents) in report.files() {
//!     assert!(["report.html", "report.json", "plots/hops.svg"].contains(&path.as_str()));
//!     assert!(!contents.is_empty());
//! }
//! ```

use std::fmt::Display;

use serde::{Deserialize, Serialize};

mod distribution;
mod drawing;
mod mark;
mod markup;
mod number;
mod page;
mod palette;
mod plot;
mod scale;
mod table;
mod text;

pub use mark::{Bound, Mark};
pub use plot::{Axis, Form, Plot, Point, Reference, Series};
pub use table::{Cell, Table};

/// Everything that some experiments found, and what made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    title: String,
    facts: Vec<Fact>,
    sections: Vec<Section>,
}

/// One thing to know of a whole report: its seed, the build, the machine, the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fact {
    what: String,
    value: String,
}

/// What one experiment asked and found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    name: String,
    title: String,
    asks: String,
    command: Option<String>,
    definitions: Vec<Definition>,
    marks: Vec<Mark>,
    plots: Vec<Plot>,
    tables: Vec<Table>,
}

/// What a word means in a section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Definition {
    term: String,
    meaning: String,
}

impl Report {
    /// A report without sections yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), facts: Vec::new(), sections: Vec::new() }
    }

    /// Adds something to know of the whole: the seed, the build, the machine, the command.
    #[must_use]
    pub fn fact(mut self, what: impl Into<String>, value: impl Display) -> Self {
        self.facts.push(Fact { what: what.into(), value: value.to_string() });
        self
    }

    /// Adds what an experiment found. If its name, or that of one of its plots, is taken, a number
    /// is put behind it: files and links go by these names.
    #[must_use]
    pub fn section(mut self, mut section: Section) -> Self {
        let taken = |name: &str| self.sections.iter().any(|other| other.name == name);
        section.name = free_name(&section.name, taken);
        for at in 0..section.plots.len() {
            let (before, from) = section.plots.split_at_mut(at);
            let others = || self.sections.iter().flat_map(|other| &other.plots).chain(&*before);
            let name = free_name(from[0].name(), |name| others().any(|plot| plot.name() == name));
            from[0].rename(name);
        }
        self.sections.push(section);
        self
    }

    /// How many marks were asked for.
    pub fn marks(&self) -> usize {
        self.sections.iter().map(|section| section.marks.len()).sum()
    }

    /// How many of them were missed.
    pub fn marks_missed(&self) -> usize {
        let marks = self.sections.iter().flat_map(|section| &section.marks);
        marks.filter(|mark| !mark.reached()).count()
    }

    /// The page: HTML that loads nothing, runs nothing and follows the reader's light or dark.
    pub fn html(&self) -> String {
        page::html(self)
    }

    /// All numbers, as JSON on one line.
    pub fn json(&self) -> String {
        let json = serde_json::to_string(self);
        json.expect("a report has string keys and finite numbers alone") + "\n"
    }

    /// Reads what [`Report::json`] wrote.
    ///
    /// # Errors
    /// What is no such report, and where.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// All files of the report as their path and contents: `report.html`, `report.json`, and
    /// `plots/NAME.svg` for each plot.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files =
            vec![("report.html".to_owned(), self.html()), ("report.json".to_owned(), self.json())];
        let plots = self.sections.iter().flat_map(|section| &section.plots);
        files.extend(plots.map(|plot| (format!("plots/{}.svg", plot.name()), plot.svg())));
        files
    }
}

impl Section {
    /// A section that has found nothing yet: its name for links, its heading, and what it asks, in
    /// a sentence.
    pub fn new(name: &str, title: impl Into<String>, asks: impl Into<String>) -> Self {
        Self {
            name: name_of(name),
            title: title.into(),
            asks: asks.into(),
            command: None,
            definitions: Vec::new(),
            marks: Vec::new(),
            plots: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// The command that makes these numbers again.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// What a word means here.
    #[must_use]
    pub fn definition(mut self, term: impl Into<String>, meaning: impl Into<String>) -> Self {
        self.definitions.push(Definition { term: term.into(), meaning: meaning.into() });
        self
    }

    /// Adds a mark.
    #[must_use]
    pub fn mark(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }

    /// Adds a plot.
    #[must_use]
    pub fn plot(mut self, plot: Plot) -> Self {
        self.plots.push(plot);
        self
    }

    /// Adds a table.
    #[must_use]
    pub fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }
}

/// A name that can stand in a file's name and in a link: lower-case letters, digits and dashes.
fn name_of(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
    let words: String = name.chars().map(plain).collect();
    let name = words.split_whitespace().collect::<Vec<_>>().join("-");
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_owned();
    }
    let numbered = (2_usize..).map(|number| format!("{name}-{number}"));
    numbered.into_iter().find(|name| !taken(name)).expect("there are more numbers than names")
}
