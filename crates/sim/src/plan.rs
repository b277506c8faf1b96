//! All that a run is to be, drawn from its seed before it begins.

use core::fmt;
use core::time::Duration;

pub mod population;
mod timetable;

pub use population::Population;

use crate::chance::Chance;
use crate::fault::Fault;
use crate::network::Latency;
use crate::profile::Profile;

/// What a user asks of a run; what is left open the seed decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    /// How many machines.
    pub nodes: Option<u32>,
    /// How long faults and work go on.
    pub span: Option<Duration>,
    /// The kind of world; `None`: any.
    pub profile: Option<&'static Profile>,
    /// The kinds of faults, by name; if none is, those of the profile.
    pub kinds: Vec<&'static str>,
    /// Faults that are left out, by their numbers; all else stays as it is.
    pub without: Vec<u32>,
    /// As many faults as else in a day of the profile's begin soon in the time that is asked for, and each
    /// lasts for most of what is left of it.
    pub dense: bool,
}

/// What all faults may build on.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// How many machines.
    pub nodes: u32,
    /// How long faults and work go on.
    pub span: Duration,
    /// The time in which as many faults begin as the profile has; a longer run has as many again in each.
    pub day: Duration,
    /// Whether each fault lasts for most of what is left.
    pub dense: bool,
}

/// A fault with its time.
pub struct Planned {
    /// Its number in the plan.
    pub number: u32,
    /// Its kind.
    pub kind: &'static str,
    /// When it begins, after the network has gathered.
    pub from: Duration,
    /// When it ends.
    pub until: Duration,
    /// What it is.
    pub fault: Box<dyn Fault>,
}

/// All that a run is to be.
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// The profile's name.
    pub profile: &'static Profile,
    /// Machines and time.
    pub setting: Setting,
    /// How long datagrams take.
    pub latency: Latency,
    /// Who lives in the world.
    pub population: Population,
    /// How many nodes shall hold each record.
    pub replicas: usize,
    /// How many requests users make, on all machines together, per second.
    pub requests_per_s: f64,
    /// How many keys there are.
    pub keys: u32,
    /// What goes wrong.
    pub faults: Vec<Planned>,
    /// What was asked for.
    pub wishes: Wishes,
}

impl Plan {
    /// Draws a plan.
    pub fn draw(seed: u64, wishes: &Wishes) -> Self {
        let mut chance = Chance::of(seed, "plan");
        let drawn = chance.below(Profile::ALL.len());
        let profile = wishes.profile.unwrap_or(&Profile::ALL[drawn]);
        let nodes = chance.between(profile.nodes.0.into(), profile.nodes.1.into()) as u32;
        let day = chance.span(profile.span.0, profile.span.1);
        let (nodes, span) = (wishes.nodes.unwrap_or(nodes), wishes.span.unwrap_or(day));
        let dense = wishes.dense;
        let setting = Setting { nodes, span, day: if dense { span } else { day }, dense };
        let latency = match chance.below(5) {
            0 => {
                Latency::Constant(chance.span(Duration::from_millis(1), Duration::from_millis(80)))
            }
            1..=2 => Latency::heavy_tail(seed),
            _ => Latency::geographic(seed),
        };
        let population = Population::draw(seed, profile);
        Self {
            seed,
            profile,
            setting,
            latency,
            replicas: population.replicas,
            population,
            requests_per_s: 0.2 + 2.0 * chance.share(),
            keys: chance.between(3, 60) as u32,
            faults: timetable::faults(seed, profile, &setting, wishes),
            wishes: wishes.clone(),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, profile, setting, .. } = self;
        writeln!(f, "seed {seed}, profile {}: {}", profile.name, profile.about)?;
        writeln!(f, "  {} machines for {}", setting.nodes, span(setting.span))?;
        writeln!(f, "  latency {}", self.latency)?;
        write!(f, "{}", self.population)?;
        writeln!(f, "  {:.2} requests/s to {} keys", self.requests_per_s, self.keys)?;
        for Planned { number, kind, from, until, fault } in &self.faults {
            let what = fault.describe();
            writeln!(f, "  fault {number} {kind} {} to {}: {what}", span(*from), span(*until))?;
        }
        Ok(())
    }
}

/// A span of the world's time, for people.
pub fn span(span: Duration) -> String {
    let s = span.as_secs();
    format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}
