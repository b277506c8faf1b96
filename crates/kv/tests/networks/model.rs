//! Random lives of a network against a plain model of what its keys hold.

use std::collections::HashMap;
use std::time::Duration;

use kv::{Absence, Config, GetError, PutError, Version};
use proptest::prelude::*;

use super::world::World;
use super::world::asking::{delete_request, put_request};

/// Fewer than there are replicas, so that every node is one, and any two majorities meet.
const NODES: usize = 7;

/// So many nodes may be down at a time.
const MINORITY: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Put { node: usize, key: u8 },
    Delete { node: usize, key: u8 },
    Get { node: usize, key: u8 },
    Down(usize),
    Up(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (node, key) = (0..NODES, 0..2_u8);
    prop_oneof![
        4 => (node.clone(), key.clone()).prop_map(|(node, key)| Step::Put { node, key }),
        1 => (node.clone(), key.clone()).prop_map(|(node, key)| Step::Delete { node, key }),
        4 => (node.clone(), key).prop_map(|(node, key)| Step::Get { node, key }),
        3 => node.clone().prop_map(Step::Down),
        2 => node.prop_map(Step::Up),
        2 => (1..120_u64).prop_map(Step::Wait),
    ]
}

/// What was written under a version; `None` for a tombstone.
type Written = Option<Vec<u8>>;

/// What is known of a key.
#[derive(Default)]
struct Known {
    /// The newest that a majority is known to hold.
    certain: Option<(Version, Written)>,
    /// Writes that too few replicas took: each may show or not.
    uncertain: HashMap<Version, Written>,
}

impl Known {
    fn settle(&mut self, version: Version, written: Written) {
        self.uncertain.retain(|other, _| *other > version);
        self.certain = Some((version, written));
    }

    /// Whether reading may give this.
    fn allows(&self, read: &Option<(Version, Written)>) -> bool {
        *read == self.certain
            || read.as_ref().is_some_and(|(version, written)| {
                let newer = self.certain.as_ref().is_none_or(|(certain, _)| version > certain);
                newer && self.uncertain.get(version) == Some(written)
            })
    }

    /// Whether nothing may be there.
    fn may_be_absent(&self) -> bool {
        let certain = self.certain.as_ref().and_then(|(_, written)| written.as_ref());
        certain.is_none() || self.uncertain.values().any(Option::is_none)
    }
}

struct Life {
    world: World,
    keys: HashMap<u8, Known>,
    writes: u32,
}

impl Life {
    fn new(seed: u64) -> Self {
        let world = World::joined_with(NODES, seed, &Config::default());
        Self { world, keys: HashMap::new(), writes: 0 }
    }

    fn live(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Put { node, key } => self.write(node, key, true),
            Step::Delete { node, key } => self.write(node, key, false),
            Step::Get { node, key } => self.read(node, key).map(|_| ()),
            Step::Down(node) => {
                let down = self.world.members.iter().filter(|member| member.down).count();
                if down < MINORITY {
                    self.world.down(&[node]);
                }
                Ok(())
            }
            Step::Up(node) => {
                self.world.up(&[node]);
                Ok(())
            }
            Step::Wait(seconds) => {
                self.world.run(Duration::from_secs(seconds));
                Ok(())
            }
        }
    }

    fn write(&mut self, node: usize, key: u8, keep: bool) -> Result<(), TestCaseError> {
        if self.world.members[node].down {
            return Ok(());
        }
        self.writes += 1;
        let value = format!("write {}", self.writes).into_bytes();
        let name = key.to_string();
        let request = if keep { put_request(&name, &value) } else { delete_request(&name) };
        let outcome = self.world.put(node, request);
        let known = self.keys.entry(key).or_default();
        let written = keep.then_some(value);
        match outcome {
            Ok(report) => {
                let version = report.version.expect("a put has a version");
                let before = known.certain.as_ref().map(|(before, _)| *before);
                prop_assert!(before.is_none_or(|before| version > before));
                known.settle(version, written);
            }
            // Nodes that were down are forgotten, and known again only after a while.
            Err(PutError::NotEnoughReplicas(report)) => {
                let version = report.version.expect("a put has a version");
                known.uncertain.insert(version, written);
            }
            Err(PutError::NotFound(_)) if !keep => {
                prop_assert!(known.may_be_absent(), "there was something to delete");
            }
            Err(other) => prop_assert!(false, "{:?}", other),
        }
        Ok(())
    }

    /// Reads and checks; `false` if too few replicas answered.
    fn read(&mut self, node: usize, key: u8) -> Result<bool, TestCaseError> {
        if self.world.members[node].down {
            return Ok(false);
        }
        let got = match self.world.get(node, &key.to_string()) {
            Ok(got) => Some((got.version, Some(got.value.to_vec()))),
            Err(GetError::NotFound { absence: Absence::Deleted(version), .. }) => {
                Some((version, None))
            }
            Err(GetError::NotFound { absence: Absence::NeverSeen, .. }) => None,
            Err(GetError::NotEnoughReplicas { .. }) => return Ok(false),
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        let known = self.keys.entry(key).or_default();
        prop_assert!(known.allows(&got), "read {:?}, knowing {:?}", got, known.certain);
        // A reader gives what it found to those that lack it, so no later reader finds less.
        if let Some((version, written)) = got {
            known.settle(version, written);
        }
        self.world.run(Duration::from_secs(2));
        Ok(true)
    }

    /// When all are back, every node reads every key.
    fn heal(&mut self) -> Result<(), TestCaseError> {
        self.world.up(&(0..NODES).collect::<Vec<_>>());
        self.world.run(Duration::from_secs(300));
        for node in 0..NODES {
            for key in 0..2 {
                prop_assert!(self.read(node, key)?, "all are up");
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_read_after_a_write_gives_it_or_a_newer_one_as_long_as_a_majority_is_up(
        seed: u64, steps in proptest::collection::vec(step(), 1..50),
    ) {
        let mut life = Life::new(seed);
        for step in &steps {
            life.live(step)?;
        }
        life.heal()?;
    }
}
