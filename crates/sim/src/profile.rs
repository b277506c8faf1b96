//! Kinds of worlds: how large, how long, and what goes wrong in them.

use core::time::Duration;

use crate::fault::Kind;

/// A kind of world.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    /// The share of worlds in which some machines are behind boxes that translate addresses.
    pub nat: f64,
    /// The share of worlds in which clocks run and are set as if nobody looked after them.
    pub wrong_clocks: f64,
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

impl Profile {
    /// All profiles.
    pub const ALL: [Profile; 10] = [
        Profile {
            name: "calm",
            about: "nothing goes wrong",
            nodes: (1, 100),
            span: (minutes(10), minutes(60)),
            faults: (0, 0),
            ..Self::FEW_FAULTS
        },
        Profile {
            name: "weather",
            about: "the network misbehaves",
            faults: (1, 12),
            groups: &["network", "partition"],
            ..Self::FEW_FAULTS
        },
        Profile {
            name: "partitions",
            about: "machines cannot hear each other",
            groups: &["partition"],
            ..Self::FEW_FAULTS
        },
        Profile {
            name: "processes",
            about: "nodes end, pause, leave and come back",
            groups: &["process"],
            ..Self::FEW_FAULTS
        },
        Profile {
            name: "churn",
            about: "machines come and go for good",
            nodes: (10, 100),
            groups: &["churn"],
            ..Self::FEW_FAULTS
        },
        Profile {
            name: "disks",
            about: "disks are full, slow, fail and rot, and nodes restart",
            groups: &["disk", "process"],
            ..Self::FEW_FAULTS
        },
        Profile {
            name: "clocks",
            about: "clocks are wrong and jump",
            groups: &["clock"],
            wrong_clocks: 0.8,
            ..Self::FEW_FAULTS
        },
        Profile {
            name: "nat",
            about: "machines behind boxes that translate addresses, and new addresses",
            groups: &["address"],
            nat: 1.0,
            ..Self::FEW_FAULTS
        },
        Profile {
            name: "attacks",
            about: "somebody means harm",
            nodes: (10, 100),
            groups: &["attack"],
            ..Self::FEW_FAULTS
        },
        Profile {
            name: "everything",
            about: "all kinds of faults at once",
            faults: (3, 20),
            groups: &[
                "network",
                "partition",
                "process",
                "churn",
                "disk",
                "clock",
                "address",
                "attack",
            ],
            nat: 0.2,
            wrong_clocks: 0.2,
            ..Self::FEW_FAULTS
        },
    ];

    /// What most profiles have.
    const FEW_FAULTS: Profile = Profile {
        name: "",
        about: "",
        nodes: (5, 100),
        span: (minutes(20), minutes(180)),
        faults: (1, 8),
        groups: &[],
        nat: 0.0,
        wrong_clocks: 0.0,
    };

    /// The profile of this name.
    pub fn named(name: &str) -> Option<&'static Profile> {
        Self::ALL.iter().find(|profile| profile.name == name)
    }

    /// Whether faults of this kind happen in it.
    pub fn has(&self, kind: &Kind) -> bool {
        self.groups.contains(&kind.group)
    }
}
