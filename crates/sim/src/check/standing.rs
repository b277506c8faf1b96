//! What must be there: the newest of which a user was told that it is stored, unless its time is over or
//! all who stored it have lost it since.

use core::time::Duration;

use kv::Version;
use node::{Instant, UnixMillis};

use crate::clock::START;
use crate::history::{Asked, History, Operation, Told};
use crate::world::{MachineId, World};

/// The newest of a key of which a user was told that it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'h> {
    /// Its version.
    pub version: Version,
    /// Who wrote it.
    pub operation: &'h Operation,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It must be there.
    Stands,
    /// Its time is over, or almost.
    Ended,
    /// All machines that stored it may have lost it since: they ended without a disk, their disks were
    /// damaged, their clocks were set, or they are away.
    Lost,
}

impl<'h> Standing<'h> {
    /// That of a key, if any was stored.
    pub fn of(history: &'h History, key: u32) -> Option<Self> {
        let stored = history
            .of_key(key)
            .filter_map(|operation| Some(Self { version: operation.stored()?, operation }));
        stored.max_by_key(|standing| standing.version)
    }

    /// What has become of it.
    pub fn fate(&self, world: &World) -> Fate {
        let Some((_, Told::Stored(_, expires))) = self.operation.ended else { return Fate::Ended };
        let soon = true_wall(world) + clock_slack(world) + ALMOST;
        if expires.is_some_and(|expires| expires <= soon) {
            return Fate::Ended;
        }
        let kept = self.kept(world).count();
        if kept > 0 { Fate::Stands } else { Fate::Lost }
    }

    /// The machines that stored it and have kept everything since.
    pub fn kept(&self, world: &World) -> impl Iterator<Item = MachineId> {
        let begun = self.operation.begun;
        let holders = self.operation.holders.iter().copied();
        holders.filter(move |id| world.machines[id.index()].kept_all_since(begun))
    }

    /// Whether it gives the key a value.
    pub fn has_value(&self) -> bool {
        matches!(self.operation.asked, Asked::Put { .. })
    }
}

/// What ends so soon need not be there any more.
const ALMOST: Duration = Duration::from_secs(120);

/// Whether a key may have no value at a time though one of this version was stored there: a later write,
/// whether anybody was told of it or not, deleted it, or replaced it by what has ended since.
pub fn may_be_gone(
    history: &History,
    key: u32,
    version: Version,
    at: Instant,
    slack: Duration,
) -> bool {
    history.of_key(key).any(|operation| {
        let later = match operation.ended {
            Some((_, Told::Stored(other, _))) => other > version,
            _ => operation.may_have_written(),
        };
        let ended = operation.ends().is_none_or(|ends| ends <= at + slack);
        later && ended && operation.begun <= at
    })
}

/// What a clock that is right shows.
pub fn true_wall(world: &World) -> UnixMillis {
    START + world.now().since(Instant::default())
}

/// How far the clocks of machines are from the right time at most, and a second.
pub fn clock_slack(world: &World) -> Duration {
    let right = true_wall(world).0;
    let off = world.living().map(|id| world.now_at(id).wall.0.abs_diff(right)).max();
    Duration::from_millis(off.unwrap_or(0) + 1000)
}
