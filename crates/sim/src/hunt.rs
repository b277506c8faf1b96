//! A hunt: bugs are planted into the nodes of a world, and what counts is which of them a check finds.
//!
//! Worlds of a hunt are small and short, and take turns with the profiles: attacks come most often,
//! since many mistakes show only to those who look for them.

use core::any::Any;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};

use node::Instant;
use wire::planted::Bug;

use crate::chance::Chance;
use crate::plan::population::Kind;
use crate::plan::{Plan, Population, Wishes};
use crate::profile::Profile;
use crate::run::Run;

/// Faults that take more time than all else in a world, and show no more than others do.
const COSTLY: [&str; 2] = ["flood", "spam"];

/// What worlds are like, one after the other: those of one profile each, and between them those of few
/// attacks, each of which wants what some mistake would give it.
const TURNS: [Turn; 24] = [
    Turn { global: true, ..Turn::of("attacks") },
    Turn::under(&["replay"]),
    Turn::of("everything"),
    Turn::under(&["liars"]),
    Turn::of("churn"),
    Turn::under(&["forgers", "crosswise"]),
    Turn::of("partitions"),
    Turn { global: true, ..Turn::under(&["reflection"]) },
    Turn::of("attacks"),
    Turn::under(&["twins", "stale"]),
    Turn::of("disks"),
    Turn::under(&["doubles", "impostors"]),
    Turn::of("processes"),
    Turn::under(&["foreigners"]),
    Turn { sealed: true, ..Turn::of("weather") },
    Turn { nodes: (16, 24), ..Turn::under(&["endless"]) },
    Turn::of("weather"),
    Turn { global: true, ..Turn::under(&["desert", "ghosts"]) },
    Turn { global: true, ..Turn::of("attacks") },
    Turn { sealed: true, ..Turn::of("weather").with(&["duplication", "reordering"]) },
    Turn::of("clocks"),
    Turn::of("processes").with(&["mass-restart", "kill"]),
    Turn { nodes: (40, 60), ..Turn::of("churn") },
    Turn::of("weather").with(&["loss", "burst"]),
];

/// The shortest and the longest time with faults and work: so long that tokens get old.
const SPAN: (Duration, Duration) = (Duration::from_secs(15 * 60), Duration::from_secs(30 * 60));

/// What a world is like.
struct Turn {
    profile: &'static str,
    /// The fewest and the most machines.
    nodes: (u64, u64),
    /// The kinds of faults; if there are none here, those of the profile.
    kinds: &'static [&'static str],
    sealed: bool,
    global: bool,
}

impl Turn {
    /// A small one of this profile, at any addresses.
    const fn of(profile: &'static str) -> Self {
        Self { profile, nodes: (8, 16), kinds: &[], sealed: false, global: false }
    }

    /// A small one of these attacks alone.
    const fn under(kinds: &'static [&'static str]) -> Self {
        Self::of("attacks").with(kinds)
    }

    /// Of all faults of the profile these kinds alone.
    const fn with(self, kinds: &'static [&'static str]) -> Self {
        Self { kinds, ..self }
    }
}

/// What a node that panics was found by.
const PANIC: &str = "panic";

/// A bug that this build can plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Its name, as it is typed.
    pub name: &'static str,
    /// What it does, in one line.
    pub what: &'static str,
    bug: Bug,
}

/// All bugs that this build can plant: none without the feature `planted`.
#[cfg(feature = "planted")]
pub fn mistakes() -> Vec<Mistake> {
    let mistake = |bug: &Bug| Mistake { name: bug.name(), what: bug.what(), bug: *bug };
    Bug::ALL.iter().map(mistake).collect()
}

/// All bugs that this build can plant: none without the feature `planted`.
#[cfg(not(feature = "planted"))]
pub fn mistakes() -> Vec<Mistake> {
    Vec::new()
}

/// Plants a bug into all nodes of this process, in place of the one before: no world may live meanwhile.
pub fn plant(mistake: Option<&Mistake>) {
    let bug = mistake.map(|mistake| mistake.bug);
    #[cfg(feature = "planted")]
    wire::planted::plant(bug);
    #[cfg(not(feature = "planted"))]
    let _: Option<Bug> = bug;
}

/// The world of a seed, as hunts have it, where a user leaves it open.
pub fn world(seed: u64, wishes: &Wishes) -> Wishes {
    let mut chance = Chance::of(seed, "hunt");
    let turn = &TURNS[(seed % TURNS.len() as u64) as usize];
    let (least, most) = turn.nodes;
    let nodes = chance.between(least, most) as u32;
    let span = Duration::from_secs(chance.span(SPAN.0, SPAN.1).as_secs());
    let mut world = Wishes {
        nodes: wishes.nodes.or(Some(nodes)),
        span: wishes.span.or(Some(span)),
        profile: wishes.profile.or_else(|| Profile::named(turn.profile)),
        kinds: wishes.kinds.clone(),
        without: wishes.without.clone(),
        dense: true,
    };
    if wishes.profile.is_none() && world.kinds.is_empty() {
        world.kinds = turn.kinds.to_vec();
    }
    let faults = Plan::draw(seed, &world).faults;
    let costly = faults.iter().filter(|planned| COSTLY.contains(&planned.kind));
    world.without.extend(costly.map(|planned| planned.number));
    world
}

/// Whether the world of a seed is worth its time in a hunt: checks that read what nodes say see nothing in
/// sealed networks, and many attacks are nothing at private addresses.
pub fn suits(seed: u64, wishes: &Wishes) -> bool {
    let turn = &TURNS[(seed % TURNS.len() as u64) as usize];
    let Some(profile) = world(seed, wishes).profile else { return true };
    let population = Population::draw(seed, profile);
    population.sealed == turn.sealed && !(turn.global && population.kind == Kind::Private)
}

/// What a check found in a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catch {
    /// The world's seed.
    pub seed: u64,
    /// Its profile.
    pub profile: &'static str,
    /// Which check; `panic` if a node panicked.
    pub check: &'static str,
    /// What it saw.
    pub what: String,
    /// How long the world had lived.
    pub simulated: Duration,
}

/// Lets a world live, with the bug that is planted, until a check finds something or all is over.
pub fn live(seed: u64, wishes: &Wishes) -> Option<Catch> {
    let plan = Plan::draw(seed, wishes);
    let profile = plan.profile.name;
    let mut run = Run::new(plan);
    // A planted bug may break what the code relies on: that is as good as a check.
    let ended = catch_unwind(AssertUnwindSafe(|| run.go(&mut |_| {})));
    let (check, what) = match ended {
        Ok(verdict) => {
            let first = verdict.violations.into_iter().next()?;
            (first.check, first.what)
        }
        Err(panicked) => (PANIC, panic_text(&*panicked)),
    };
    let simulated = run.world.now().since(Instant::default());
    Some(Catch { seed, profile, check, what, simulated })
}

fn panic_text(panicked: &(dyn Any + Send)) -> String {
    let text = panicked.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panicked.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::KINDS;

    #[test]
    fn a_hunt_goes_through_profiles_that_there_are_and_keeps_what_a_user_asks_for() {
        assert!(TURNS.iter().all(|turn| Profile::named(turn.profile).is_some()));
        let known = |name: &&str| KINDS.iter().any(|kind| kind.name == *name);
        assert!(TURNS.iter().flat_map(|turn| turn.kinds).all(known));
        let any = world(7, &Wishes::default());
        assert_eq!(any, world(7, &Wishes::default()));
        assert!((1..100).any(|seed| suits(seed, &any)) && !(1..100).all(|seed| suits(seed, &any)));
        let asked = Wishes { nodes: Some(3), profile: Profile::named("calm"), ..any.clone() };
        assert_eq!(world(7, &asked), asked);
    }
}
