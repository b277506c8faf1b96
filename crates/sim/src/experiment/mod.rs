//! Experiments: what a network is asked, under virtual time, and how it fares. One experiment, one file:
//! a function from its sizes and a seed to numbers, and a section of the report that shows them.

pub mod adversaries;
pub mod churn;
pub mod load;
pub mod lookups;
mod samples;
pub mod scale;
mod sessions;
mod settled;
mod testbed;
mod traffic;
pub mod values;

use core::time::Duration;

use crate::report::Section;

pub use samples::Samples;
pub use sessions::Sessions;
pub use testbed::{Occurrence, Setup, Testbed};
pub use traffic::{HEADER_BYTES, Sent, Traffic};

/// The machine on which an experiment runs, and who looks on. A world knows neither; how long it takes and
/// how much memory is measured from outside.
pub trait Host {
    /// What is being done has come so far, from 0 to 1.
    fn progress(&mut self, done: f64);

    /// Now this is being done.
    fn doing(&mut self, what: &str);

    /// How long the process has been running on a processor, or if that is not known, time since some
    /// moment.
    fn worked(&self) -> Duration;

    /// Memory that the process has in use, in bytes, if that is known.
    fn resident_bytes(&self) -> Option<u64>;
}

/// What a user asks of experiments; what is left open each decides.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// All chance follows from it.
    pub seed: u64,
    /// Only as large and as long as shows what comes of a change: a minute or so each.
    pub quick: bool,
    /// How many nodes, where that is not what is varied.
    pub nodes: Option<u32>,
}

/// An experiment.
pub struct Experiment {
    /// Its name, as users write it.
    pub name: &'static str,
    /// What it asks.
    pub about: &'static str,
    /// Does it.
    pub run: fn(&Wishes, &mut dyn Host) -> Section,
}

impl Experiment {
    /// All experiments.
    pub const ALL: [Experiment; 6] = [
        Experiment {
            name: "lookups",
            about: "how long lookups and gets take, and through how many hops they go",
            run: lookups::experiment,
        },
        Experiment {
            name: "churn",
            about: "whether lookups stay right while nodes come and go, and what that costs",
            run: churn::experiment,
        },
        Experiment {
            name: "values",
            about: "whether values survive while nodes come and go, and what keeping them costs",
            run: values::experiment,
        },
        Experiment {
            name: "adversaries",
            about: "what lookups and gets come to among hostile nodes",
            run: adversaries::experiment,
        },
        Experiment { name: "load", about: "how evenly work falls on nodes", run: load::experiment },
        Experiment {
            name: "scale",
            about: "how large and how busy a network one process can simulate",
            run: scale::experiment,
        },
    ];

    /// The experiment of this name.
    pub fn named(name: &str) -> Option<&'static Experiment> {
        const { &Self::ALL }.iter().find(|experiment| experiment.name == name)
    }
}
