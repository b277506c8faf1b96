//! Held items, each under a lease, and the markers that deleted and expired ones leave behind.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use hashbrown::HashMap;
use wire::{Item, ItemRef, Refusal, Seq, Target};

use crate::dice::Dice;
use crate::limits::{ITEM_BYTES, ITEMS, PLAIN_LEASE};
use crate::time::UnixMillis;

/// For how long an item is held, and what it leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// It is served until then.
    pub until: UnixMillis,
    /// Its version is remembered until then, so that no older copy comes back.
    pub marker_until: UnixMillis,
    /// It is kept to its end even when room runs out.
    pub kept: bool,
}

/// Why an item is not held: an error code of BEP 5 or 44, and the reason in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({code})")]
pub struct Refused {
    /// The error code.
    pub code: i64,
    /// The reason.
    pub text: &'static str,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let text = match refusal {
            Refusal::NotCanonical => "value is not canonical bencode",
            Refusal::ValueTooBig => "value too big",
            Refusal::SaltTooBig => "salt too big",
            Refusal::BadSignature => "invalid signature",
            Refusal::WrongTarget => "item belongs to another target",
        };
        Refused { code: refusal.code(), text }
    }
}

/// Decides whether a verified item may be held, and for how long.
pub trait Admission {
    /// Judges an item at this wall time; `wanted` is until when its writer asks for it to be held.
    ///
    /// # Errors
    /// Why it must not be held.
    fn judge(
        &self,
        item: &ItemRef<'_>,
        wanted: Option<UnixMillis>,
        wall: UnixMillis,
    ) -> Result<Lease, Refused>;
}

/// The rule of BEP 44 alone: everything, for two hours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mainline;

impl Admission for Mainline {
    fn judge(
        &self,
        _: &ItemRef<'_>,
        _: Option<UnixMillis>,
        wall: UnixMillis,
    ) -> Result<Lease, Refused> {
        Ok(Lease { until: wall + PLAIN_LEASE, marker_until: wall, kept: false })
    }
}

/// How much the shelf may hold.
#[derive(Clone, Copy, Debug)]
pub struct ShelfLimits {
    /// Items, markers included.
    pub items: usize,
    /// Bytes of values and keys.
    pub bytes: usize,
}

impl Default for ShelfLimits {
    fn default() -> Self {
        Self { items: ITEMS, bytes: ITEM_BYTES }
    }
}

/// What is known of a target. Boxed, so that the map's own slots stay small when it grows.
struct Entry {
    /// The item, or `None` if only its version is remembered.
    item: Option<Item>,
    /// The item's version, if it has one.
    seq: Option<Seq>,
    lease: Lease,
    /// The minute in [`Items::ends`] under which it will be looked at again.
    check: Minute,
}

/// Minutes since 1970.
type Minute = u64;

fn minute(time: UnixMillis) -> Minute {
    // Rounded up: once it has begun, the time is over.
    time.0.div_ceil(60_000)
}

/// Held items.
pub struct Items<A> {
    admission: A,
    limits: ShelfLimits,
    entries: HashMap<Target, Box<Entry>, foldhash::fast::FixedState>,
    /// Which entries to look at when a minute has begun. An entry that was renewed since is put
    /// under its new end then, so that renewing costs nothing here.
    ends: BTreeMap<Minute, Vec<Target>>,
    /// Targets in `ends`, those that no longer matter included.
    noted: usize,
    bytes: usize,
    held: usize,
}

impl<A: Admission> Items<A> {
    /// An empty shelf under this admission.
    pub fn new(admission: A, limits: ShelfLimits, dice: &mut Dice) -> Self {
        Self {
            admission,
            limits,
            entries: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(dice.u64())),
            ends: BTreeMap::new(),
            noted: 0,
            bytes: 0,
            held: 0,
        }
    }

    /// The item under `target`, unless its lease has ended.
    #[inline]
    pub fn get(&self, target: &Target, wall: UnixMillis) -> Option<&Item> {
        let entry = self.entries.get(target)?;
        entry.item.as_ref().filter(|_| entry.lease.until > wall)
    }

    /// The version that is remembered under `target` of an item that has ended.
    pub fn marker(&self, target: &Target, wall: UnixMillis) -> Option<Seq> {
        let entry = self.entries.get(target)?;
        let ended = entry.lease.until <= wall || entry.item.is_none();
        entry.seq.filter(|_| ended && entry.lease.marker_until > wall)
    }

    /// Holds an item if admission, compare-and-swap and version order allow it (BEP 44).
    ///
    /// # Errors
    /// Why not; what was held stays.
    pub fn put(
        &mut self,
        item: ItemRef<'_>,
        wanted: Option<UnixMillis>,
        cas: Option<Seq>,
        wall: UnixMillis,
    ) -> Result<(), Refused> {
        let mut lease = self.admission.judge(&item, wanted, wall)?;
        let target = item.target();
        let Some(entry) = self.entries.get_mut(&target) else {
            return self.add(item, lease, wall);
        };
        let held = entry.item.as_ref().filter(|_| entry.lease.until > wall);
        let remembered = held.is_some() || entry.lease.marker_until > wall;
        let same = held.is_some_and(|held| held.value() == item.value());
        // The same once more, perhaps because our answer was lost: that must not become a conflict.
        let repeated = same && entry.seq == item.seq();
        if let (Some(old), Some(new)) = (entry.seq.filter(|_| remembered), item.seq()) {
            if held.is_some() && !repeated && cas.is_some_and(|cas| cas != old) {
                return Err(CAS_MISMATCH);
            }
            if new < old || (new == old && !same) {
                return Err(SEQ_TOO_LOW);
            }
        }
        // Copies of what goes may live on elsewhere, longer than what comes: its marker stays as long.
        if remembered {
            lease.marker_until = lease.marker_until.max(entry.lease.marker_until);
        }
        // What one writer was promised, another cannot take away: the same item stays the longer.
        if repeated {
            lease.until = lease.until.max(entry.lease.until);
            lease.kept |= entry.lease.kept;
        }
        entry.lease = lease;
        let sooner = minute(lease.until) < entry.check;
        if sooner {
            entry.check = minute(lease.until);
        }
        if !repeated {
            let item = item.to_item();
            self.held += usize::from(entry.item.is_none());
            self.bytes -= entry.item.as_ref().map_or(0, Item::heap_bytes);
            self.bytes += item.heap_bytes();
            entry.seq = item.seq();
            entry.item = Some(item);
        }
        if sooner {
            self.note(minute(lease.until), target);
        }
        Ok(())
    }

    fn add(&mut self, item: ItemRef<'_>, lease: Lease, wall: UnixMillis) -> Result<(), Refused> {
        let (target, item) = (item.target(), item.to_item());
        if !self.fits(item.heap_bytes()) {
            self.sweep(wall);
            if !self.fits(item.heap_bytes()) {
                return Err(FULL);
            }
        }
        self.bytes += item.heap_bytes();
        self.held += 1;
        let check = minute(lease.until);
        let entry = Entry { seq: item.seq(), item: Some(item), lease, check };
        self.entries.insert(target, Box::new(entry));
        self.note(check, target);
        Ok(())
    }

    fn note(&mut self, check: Minute, target: Target) {
        self.ends.entry(check).or_default().push(target);
        self.noted += 1;
        // Somebody who shortens a lease again and again leaves old notes behind: more of them than
        // entries are cleared away, which so many puts have paid for.
        if self.noted > 2 * self.entries.len() + 1024 {
            self.ends.clear();
            for (target, entry) in &self.entries {
                self.ends.entry(entry.check).or_default().push(*target);
            }
            self.noted = self.entries.len();
        }
    }

    fn fits(&self, bytes: usize) -> bool {
        self.entries.len() < self.limits.items && self.bytes + bytes <= self.limits.bytes
    }

    /// Lets go of what has ended; items that must not come back leave their version behind.
    pub fn sweep(&mut self, wall: UnixMillis) {
        let now = wall.0 / 60_000;
        while let Some(first) = self.ends.first_entry().filter(|first| *first.key() <= now) {
            let (minute_begun, targets) = first.remove_entry();
            self.noted -= targets.len();
            for target in targets {
                self.check(target, minute_begun, wall);
            }
        }
    }

    fn check(&mut self, target: Target, noted_under: Minute, wall: UnixMillis) {
        let Some(entry) = self.entries.get_mut(&target) else { return };
        if entry.check != noted_under {
            return;
        }
        if entry.lease.until <= wall
            && let Some(item) = entry.item.take()
        {
            self.bytes -= item.heap_bytes();
            self.held -= 1;
        }
        let remembered = entry.seq.is_some() && entry.lease.marker_until > wall;
        let next = match (&entry.item, remembered) {
            (Some(_), _) => entry.lease.until,
            (None, true) => entry.lease.marker_until,
            (None, false) => {
                self.entries.remove(&target);
                return;
            }
        };
        entry.check = minute(next);
        self.note(minute(next), target);
    }

    /// Items held.
    pub fn len(&self) -> usize {
        self.held
    }

    /// Whether nothing is held or remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of values and keys.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Checks what must always hold; called by tests after each step.
    ///
    /// # Panics
    /// If it does not.
    #[doc(hidden)]
    pub fn check_invariant(&self) {
        let held =
            self.entries.values().filter_map(|entry| Some(entry.item.as_ref()?.heap_bytes()));
        assert_eq!(self.held, held.clone().count());
        assert_eq!(self.bytes, held.sum::<usize>());
        assert_eq!(self.noted, self.ends.values().map(Vec::len).sum::<usize>());
        assert!(self.noted <= 2 * self.entries.len() + 1024);
        for (target, entry) in &self.entries {
            let noted = self.ends.get(&entry.check).is_some_and(|noted| noted.contains(target));
            assert!(noted, "{target} is never looked at again");
        }
        assert!(self.entries.len() <= self.limits.items);
    }
}

const CAS_MISMATCH: Refused = Refused { code: 301, text: "CAS mismatch, re-read and try again" };
const SEQ_TOO_LOW: Refused = Refused { code: 302, text: "sequence number less than current" };
const FULL: Refused = Refused { code: 202, text: "full" };

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use proptest::prelude::*;
    use std::collections::HashMap as Model;
    use std::format;
    use wire::Signer;
    use wire::item::byte_string;

    /// Leases written into the value: `minutes held` `,` `minutes remembered`.
    struct Told;

    impl Admission for Told {
        fn judge(
            &self,
            item: &ItemRef<'_>,
            _: Option<UnixMillis>,
            wall: UnixMillis,
        ) -> Result<Lease, Refused> {
            let text = core::str::from_utf8(item.value()).unwrap();
            let (_, text) = text.split_once(':').unwrap();
            let (held, marker) = text.split_once(',').unwrap();
            let at = |s: &str| wall + Duration::from_secs(60) * s.parse().unwrap();
            Ok(Lease { until: at(held), marker_until: at(marker), kept: true })
        }
    }

    fn shelf(items: usize) -> Items<Told> {
        let limits = ShelfLimits { items, bytes: 1 << 20 };
        Items::new(Told, limits, &mut Dice::new([1; 32]))
    }

    fn item(salt: u8, seq: i64, value: &str) -> Item {
        let signer = Signer::from_seed(&[7; 32]);
        let value = byte_string(value.as_bytes());
        Item::mutable(&signer, &[salt], Seq::new(seq).unwrap(), &value).unwrap()
    }

    fn at(minutes: u64) -> UnixMillis {
        UnixMillis(minutes * 60_000)
    }

    #[test]
    fn versions_only_rise_and_equal_ones_only_renew() {
        let mut shelf = shelf(10);
        let put = |shelf: &mut Items<Told>, seq, value, cas: Option<i64>, time| {
            let cas = cas.map(|n| Seq::new(n).unwrap());
            shelf
                .put(item(1, seq, value).as_ref(), None, cas, at(time))
                .map_err(|refused| refused.code)
        };
        assert_eq!(put(&mut shelf, 5, "9,9", Some(77), 0), Ok(()), "no value: cas is ignored");
        assert_eq!(put(&mut shelf, 4, "9,9", None, 0), Err(302));
        assert_eq!(put(&mut shelf, 5, "8,8", None, 0), Err(302));
        assert_eq!(put(&mut shelf, 5, "9,9", None, 5), Ok(()));
        let target = item(1, 5, "9,9").target();
        assert!(shelf.get(&target, at(13)).is_some(), "renewed");
        assert!(shelf.get(&target, at(14)).is_none());
        assert_eq!(put(&mut shelf, 6, "9,9", Some(4), 6), Err(301));
        assert_eq!(put(&mut shelf, 6, "9,9", Some(5), 6), Ok(()));
        shelf.check_invariant();
    }

    #[test]
    fn an_ended_item_leaves_a_marker_that_keeps_old_copies_out() {
        let mut shelf = shelf(10);
        shelf.put(item(1, 5, "1,100").as_ref(), None, None, at(0)).unwrap();
        let old = item(1, 4, "500,500");
        assert_eq!(
            shelf.put(old.as_ref(), None, None, at(2)).unwrap_err().code,
            302,
            "before the sweep"
        );
        shelf.sweep(at(2));
        shelf.check_invariant();
        assert_eq!(shelf.len(), 0);
        assert_eq!(
            shelf.put(old.as_ref(), None, None, at(3)).unwrap_err().code,
            302,
            "after the sweep"
        );
        shelf.sweep(at(101));
        assert!(shelf.is_empty());
        assert_eq!(shelf.put(old.as_ref(), None, None, at(102)), Ok(()));
    }

    #[test]
    fn a_full_shelf_refuses_new_keys_and_takes_updates() {
        let mut shelf = shelf(2);
        shelf.put(item(1, 1, "9,9").as_ref(), None, None, at(0)).unwrap();
        shelf.put(item(2, 1, "90,90").as_ref(), None, None, at(0)).unwrap();
        assert_eq!(shelf.put(item(3, 1, "9,9").as_ref(), None, None, at(0)).unwrap_err().code, 202);
        assert_eq!(shelf.put(item(2, 2, "90,90").as_ref(), None, None, at(0)), Ok(()));
        assert_eq!(
            shelf.put(item(3, 1, "9,9").as_ref(), None, None, at(10)),
            Ok(()),
            "one has ended"
        );
    }

    proptest! {
        #[test]
        fn it_serves_what_a_plain_model_serves(
            steps in proptest::collection::vec((0u8..3, 0i64..6, 1u64..9, 0u64..9, 0u64..3), 1..60)
        ) {
            let mut shelf = shelf(100);
            let mut model: Model<u8, (i64, u64, u64)> = Model::new();
            let mut time = 0;
            for (salt, seq, held, more, pass) in steps {
                time += pass;
                let new = item(salt, seq, &format!("{held},{}", held + more));
                let known = model.get(&salt).copied().filter(|(_, until, marker)| *until.max(marker) > time);
                let refused = known.is_some_and(|(old, until, _)| {
                    let same = shelf.get(&new.target(), at(time)).is_some_and(|i| i.value() == new.value());
                    seq < old || (seq == old && !(until > time && same))
                });
                prop_assert_eq!(shelf.put(new.as_ref(), None, None, at(time)).is_err(), refused);
                if !refused {
                    let before = known.map_or(0, |(_, _, marker)| marker);
                    model.insert(salt, (seq, time + held, before.max(time + held + more)));
                }
                if pass == 0 {
                    shelf.sweep(at(time));
                }
                shelf.check_invariant();
                for (salt, (seq, until, _)) in &model {
                    let target = item(*salt, 0, "1,1").target();
                    let served = shelf.get(&target, at(time)).and_then(|item| item.seq());
                    prop_assert_eq!(served.map(Seq::get), (*until > time).then_some(*seq));
                }
            }
        }
    }
}
