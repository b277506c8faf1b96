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
use crate::plan::{Plan, Wishes};
use crate::profile::Profile;
use crate::run::Run;

/// Profiles of the worlds, one after the other.
const TURNS: [&str; 10] = [
    "attacks",
    "everything",
    "churn",
    "partitions",
    "attacks",
    "disks",
    "processes",
    "weather",
    "clocks",
    "calm",
];

/// The fewest and the most machines of a world.
const NODES: (u64, u64) = (8, 20);

/// The shortest and the longest time with faults and work.
const SPAN: (Duration, Duration) = (Duration::from_secs(10 * 60), Duration::from_secs(30 * 60));

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
    let nodes = chance.between(NODES.0, NODES.1) as u32;
    let span = Duration::from_secs(chance.span(SPAN.0, SPAN.1).as_secs());
    let turn = TURNS[(seed % TURNS.len() as u64) as usize];
    Wishes {
        nodes: wishes.nodes.or(Some(nodes)),
        span: wishes.span.or(Some(span)),
        profile: wishes.profile.or_else(|| Profile::named(turn)),
        without: wishes.without.clone(),
    }
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

    #[test]
    fn a_hunt_goes_through_profiles_that_there_are_and_keeps_what_a_user_asks_for() {
        assert!(TURNS.iter().all(|name| Profile::named(name).is_some()));
        let any = world(7, &Wishes::default());
        assert_eq!(any, world(7, &Wishes::default()));
        let nodes = any.nodes.map(u64::from).unwrap_or_default();
        assert!((NODES.0..=NODES.1).contains(&nodes), "{nodes}");
        let asked = Wishes { nodes: Some(3), profile: Profile::named("calm"), ..any.clone() };
        assert_eq!(world(7, &asked), asked);
    }
}
