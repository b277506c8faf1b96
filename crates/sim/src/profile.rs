//! Kinds of worlds: how large, how long, and what goes wrong in them.

use core::time::Duration;

use crate::fault::Kind;

/// A kind of world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name, as users write it.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The fewest and the most machines.
    pub nodes: (u32, u32),
    /// The shortest and the longest time with faults and work.
    pub span: (Duration, Duration),
    /// The fewest and the most faults.
    pub faults: (u32, u32),
    /// Groups of faults that happen in it.
    pub groups: &'static [&'static str],
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

impl Profile {
    /// All profiles.
    pub const ALL: [Profile; 3] = [
        Profile {
            name: "calm",
            about: "nothing goes wrong",
            nodes: (1, 100),
            span: (minutes(10), minutes(60)),
            faults: (0, 0),
            groups: &[],
        },
        Profile {
            name: "weather",
            about: "the network misbehaves",
            nodes: (5, 100),
            span: (minutes(20), minutes(180)),
            faults: (1, 12),
            groups: &["network"],
        },
        Profile {
            name: "everything",
            about: "all kinds of faults at once",
            nodes: (5, 100),
            span: (minutes(20), minutes(180)),
            faults: (3, 20),
            groups: &["network", "process", "churn", "disk", "clock", "attack"],
        },
    ];

    /// The profile of this name.
    pub fn named(name: &str) -> Option<&'static Profile> {
        Self::ALL.iter().find(|profile| profile.name == name)
    }

    /// Whether faults of this kind happen in it.
    pub fn has(&self, kind: &Kind) -> bool {
        self.groups.contains(&kind.group)
    }
}
