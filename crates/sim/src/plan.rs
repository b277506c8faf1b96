//! All that a run is to be, drawn from its seed before it begins.

use core::fmt;
use core::time::Duration;

use crate::chance::Chance;
use crate::fault::{Fault, KINDS};
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
    /// Faults that are left out, by their numbers; all else stays as it is.
    pub without: Vec<u32>,
}

/// What all faults may build on.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// How many machines.
    pub nodes: u32,
    /// How long faults and work go on.
    pub span: Duration,
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
    /// The share of machines that have disks.
    pub disks: f64,
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
        let span = chance.span(profile.span.0, profile.span.1);
        let setting =
            Setting { nodes: wishes.nodes.unwrap_or(nodes), span: wishes.span.unwrap_or(span) };
        let latency = match chance.below(3) {
            0 => {
                Latency::Constant(chance.span(Duration::from_millis(1), Duration::from_millis(80)))
            }
            _ => Latency::heavy_tail(seed),
        };
        let disks = *chance.pick(&[0.0, 0.5, 1.0]).unwrap_or(&1.0);
        let replicas = chance.between(3, 8) as usize;
        let requests_per_s = 0.2 + 2.0 * chance.share();
        let keys = chance.between(3, 60) as u32;
        let faults = faults(seed, profile, &setting, &wishes.without);
        let wishes = wishes.clone();
        Self {
            seed,
            profile,
            setting,
            latency,
            disks,
            replicas,
            requests_per_s,
            keys,
            faults,
            wishes,
        }
    }
}

/// Faults of the kinds that a profile has. Each is drawn from a stream of its own, so that those that
/// are left out change nothing of the others.
fn faults(seed: u64, profile: &Profile, setting: &Setting, without: &[u32]) -> Vec<Planned> {
    let kinds: Vec<_> = KINDS.iter().filter(|kind| profile.has(kind)).collect();
    let mut chance = Chance::of(seed, "faults");
    let count = chance.between(profile.faults.0.into(), profile.faults.1.into()) as u32;
    let mut all = Vec::new();
    for number in 0..count {
        let mut chance = Chance::of_one(seed, "fault", number.into());
        let Some(kind) = chance.pick(&kinds).copied() else { break };
        let from = setting.span.mul_f64(0.9 * chance.share());
        let lasts = setting.span.mul_f64(0.02 + 0.3 * chance.share() * chance.share());
        let fault = (kind.draw)(&mut chance, setting);
        if !without.contains(&number) {
            let until = (from + lasts).min(setting.span);
            all.push(Planned { number, kind: kind.name, from, until, fault });
        }
    }
    all.sort_by_key(|planned| (planned.from, planned.number));
    all
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, profile, setting, .. } = self;
        writeln!(f, "seed {seed}, profile {}: {}", profile.name, profile.about)?;
        writeln!(f, "  {} machines for {}", setting.nodes, span(setting.span))?;
        writeln!(f, "  latency {}", self.latency)?;
        writeln!(f, "  {:.0} % of machines with disks", self.disks * 100.0)?;
        writeln!(f, "  {} replicas of each record", self.replicas)?;
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
