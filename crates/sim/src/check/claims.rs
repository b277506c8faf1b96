//! What a node said that it holds, and until when it owes that: items that it acknowledged or served.

use hashbrown::HashMap;
use node::{Shelved, UnixMillis};
use wire::{Found, Reply, Seq, Target};

use super::exchange::{Put, Seen, hash_of};
use super::lease::{self, Lease};
use super::walls::Walls;

/// Items that are remembered of a node; of more, those that end first are forgotten.
const REMEMBERED: usize = 1 << 16;

/// What a node owes under a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The version; `None` for an immutable item.
    pub seq: Option<Seq>,
    /// For how long.
    pub lease: Lease,
    /// Its value, by hash.
    pub value: u64,
}

impl Claim {
    fn ends(&self) -> UnixMillis {
        self.lease.until.max(self.lease.remembered)
    }

    /// Whether what lies on a shelf fulfils it, at any wall time up to this one.
    pub fn is_kept_by(&self, shelved: Option<&Shelved>, latest: UnixMillis) -> bool {
        let newer = shelved.is_some_and(|shelved| shelved.seq >= self.seq);
        let is_item = shelved.is_some_and(|shelved| shelved.is_item);
        if self.lease.until > latest {
            // A newer version may have ended before this one would have.
            return newer && (is_item || shelved.is_some_and(|shelved| shelved.seq > self.seq));
        }
        newer || self.lease.remembered <= latest
    }
}

/// What a node owes under a target by having served it.
pub fn served(target: &Target, reply: &Reply<'_>, walls: &Walls) -> Option<Put> {
    let Reply::Item { found: Found::Item(item), .. } = reply else { return None };
    let seq = Some(item.signed?.seq);
    let (until, remembered) = lease::times(item.value).unwrap_or_default();
    // A node holds nothing for longer than a year, whatever a record says.
    let longest = walls.earliest() + kv::MAX_TTL / 2;
    let lease = Lease { until: until.min(longest), remembered: remembered.min(longest) };
    let value = hash_of(item.value);
    Some(Put { target: *target, seq, lease, value, cas: None, sound: true })
}

/// What a node owes.
#[derive(Debug, Default)]
pub struct Claims {
    claims: HashMap<Target, Claim, foldhash::fast::FixedState>,
    /// The latest time that the node may have believed it was, since its clock was sure.
    high: UnixMillis,
}

impl Claims {
    /// Time passes: what may have ended by a time that the node believed is owed no more. A shelf that
    /// is nearly full may let go of what is not kept to its end.
    pub fn look(&mut self, seen: &Seen<'_>) {
        self.believe(seen.walls);
        let (items, bytes) = seen.kv.node().held_items();
        let limits = &seen.machine.config.node.shelf;
        if items * 10 > limits.items * 9 || bytes > limits.bytes / 10 * 9 {
            self.claims.clear();
        }
    }

    fn believe(&mut self, walls: &Walls) {
        let latest = walls.latest();
        self.high = self.high.max(latest);
        if !walls.are_many() && self.high > latest {
            let high = self.high;
            self.claims.retain(|_, claim| claim.ends() > high);
            // Of others the item may have ended, and only the version is remembered.
            for (_, claim) in &mut self.claims {
                if claim.lease.until <= high {
                    claim.lease.until = UnixMillis::default();
                }
            }
            self.high = latest;
        }
    }

    /// The latest time that the node may have believed it was.
    pub fn latest(&self) -> UnixMillis {
        self.high
    }

    /// A node owes this from now on.
    pub fn take(&mut self, put: &Put) {
        let new = Claim { seq: put.seq, lease: put.lease, value: put.value };
        let high = self.high;
        let claim = self.claims.entry(put.target).or_insert(new);
        if claim.ends() <= high {
            // Nothing of what was owed forbids an older version that lives on for longer.
            *claim = new;
        }
        let remembered = claim.lease.remembered.max(put.lease.remembered);
        if put.seq > claim.seq {
            *claim = new;
        } else if put.seq == claim.seq {
            claim.lease.until = claim.lease.until.max(put.lease.until);
        }
        claim.lease.remembered = remembered;
        if self.claims.len() > REMEMBERED {
            let mut ends: Vec<UnixMillis> = self.claims.values().map(Claim::ends).collect();
            let half = ends.len() / 2;
            let (_, middle, _) = ends.select_nth_unstable(half);
            let middle = *middle;
            self.claims.retain(|_, claim| claim.ends() > middle);
        }
    }

    /// What is owed under a target.
    pub fn of(&self, target: &Target) -> Option<&Claim> {
        self.claims.get(target)
    }

    /// All that is owed.
    pub fn iter(&self) -> impl Iterator<Item = (&Target, &Claim)> {
        self.claims.iter()
    }

    /// Nothing is owed any more under a target.
    pub fn forget(&mut self, target: &Target) {
        self.claims.remove(target);
    }

    /// A process ended, and perhaps its memory with it: what a disk keeps is owed still.
    pub fn restart(&mut self, keeps: bool, walls: &Walls) {
        if !keeps {
            self.claims.clear();
        }
        self.believe(walls);
    }
}
