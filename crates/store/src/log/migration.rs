//! Formats of earlier versions of the program.
//!
//! A store is brought to the present version when it is opened: segment by segment, the oldest first,
//! what lives in it is rewritten into new ones. So a power cut in the middle leaves entries of both
//! versions, told apart by the header of their segment, and the next start goes on from there.

use crate::batch::{Batch, Change, TooLong};

/// Turns one entry of a version into those of the next, which are put into the batch.
///
/// A version whose frames or headers differ also needs its own reader beside [`format`](super::format).
pub(crate) type Step = fn(&[u8], &[u8], &mut Batch) -> Result<(), TooLong>;

/// The step from version 1, that from version 2, and so on.
pub(crate) const STEPS: &[Step] = &[];

/// The version that these steps end with.
pub(super) fn version(steps: &[Step]) -> u32 {
    steps.len() as u32 + 1
}

/// What becomes of an entry: in place of its key, the entries that the batch puts.
pub(super) fn upgrade(steps: &[Step], key: &[u8], value: &[u8]) -> Result<Batch, TooLong> {
    let mut now = Batch::new();
    now.put(key, value)?;
    for step in steps {
        let mut next = Batch::new();
        for change in now.changes() {
            if let Change::Put { key, value } = change {
                step(key, value, &mut next)?;
            }
        }
        now = next;
    }
    Ok(now)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Log;
    use super::*;
    use crate::{Disk, SimulatedDisk, Store, StoreError};

    /// Key by key what an invented version 2 does: `a…` goes, `b…` is split in two, the rest stays.
    fn to_version_2(key: &[u8], value: &[u8], batch: &mut Batch) -> Result<(), TooLong> {
        match key.first() {
            Some(b'a') => Ok(()),
            Some(b'b') => {
                batch.put(&[b"left ", key].concat(), &value[..value.len() / 2])?;
                batch.put(&[b"right ", key].concat(), &value[value.len() / 2..])
            }
            _ => batch.put(key, value),
        }
    }

    /// And version 3: all values get a byte in front.
    fn to_version_3(key: &[u8], value: &[u8], batch: &mut Batch) -> Result<(), TooLong> {
        batch.put(key, &[b">", value].concat())
    }

    const ALL_STEPS: [Step; 2] = [to_version_2, to_version_3];

    /// Several segments, two of which the newer has room, and one.
    const SEGMENT_BYTES: [u64; 3] = [1_000, 5_000, 100_000];

    fn disk_of_version_1(segment_bytes: u64) -> SimulatedDisk {
        let disk = SimulatedDisk::new(1).with_segment_bytes(segment_bytes);
        let mut store = Log::open_with(disk, 7, &[]).unwrap().store;
        let mut batch = Batch::new();
        for kind in ["a", "b", "c"] {
            for n in 0..40 {
                batch.clear();
                batch.put(format!("{kind}{n}").as_bytes(), format!("value{n}").as_bytes()).unwrap();
                store.commit(&batch).unwrap();
            }
        }
        store.into_disk()
    }

    fn contents(store: &mut impl Store) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::new();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let scanned = store.scan(b"", &mut |key, value| drop(shown.insert(text(key), text(value))));
        assert_eq!(scanned.unwrap().damaged, 0);
        shown
    }

    fn of_version_3() -> BTreeMap<String, String> {
        let left_right = (0..40).flat_map(|n| {
            let value = format!("value{n}");
            let (left, right) = value.split_at(value.len() / 2);
            [
                (format!("left b{n}"), format!(">{left}")),
                (format!("right b{n}"), format!(">{right}")),
            ]
        });
        left_right.chain((0..40).map(|n| (format!("c{n}"), format!(">value{n}")))).collect()
    }

    #[test]
    fn an_older_store_is_brought_to_the_present_version_once() {
        for disk in SEGMENT_BYTES.map(disk_of_version_1) {
            let mut opened = Log::open_with(disk, 8, &ALL_STEPS).unwrap();
            assert_eq!((opened.migrated_from, opened.damaged_bytes), (Some(1), 0));
            assert_eq!(contents(&mut opened.store), of_version_3());
            let mut opened = Log::open_with(opened.store.into_disk(), 8, &ALL_STEPS).unwrap();
            assert_eq!(opened.migrated_from, None);
            assert_eq!(contents(&mut opened.store), of_version_3());
        }
    }

    #[test]
    fn versions_are_gone_through_one_by_one() {
        for disk in SEGMENT_BYTES.map(disk_of_version_1) {
            let opened = Log::open_with(disk, 8, &ALL_STEPS[..1]).unwrap();
            let mut opened = Log::open_with(opened.store.into_disk(), 8, &ALL_STEPS).unwrap();
            assert_eq!(opened.migrated_from, Some(2));
            assert_eq!(contents(&mut opened.store), of_version_3());
        }
    }

    #[test]
    fn a_segment_with_a_damaged_header_is_brought_over_from_the_version_beside_it() {
        for damaged in ["00000001.log", "00000002.log", "00000007.log"] {
            let mut disk = disk_of_version_1(1_000);
            disk.file_mut(damaged).unwrap()[3] ^= 1;
            let mut opened = Log::open_with(disk, 8, &ALL_STEPS).unwrap();
            assert_eq!(opened.set_aside, [format!("{damaged}.damaged-1")]);
            assert_eq!(contents(&mut opened.store), of_version_3(), "{damaged}");
        }
    }

    #[test]
    fn a_migration_that_the_disk_interrupts_anywhere_goes_on_at_the_next_start() {
        let rooms = |bytes| (0..8_000).step_by(100).map(move |room| (bytes, room));
        for (segment_bytes, room) in SEGMENT_BYTES.into_iter().flat_map(rooms) {
            let mut disk = disk_of_version_1(segment_bytes);
            let full = disk.bytes() + room;
            disk.set_capacity(Some(full));
            // The disk is lent, so that it is still there after a failure.
            let first = Log::open_with(&mut disk, 8, &ALL_STEPS).map(drop);
            assert!(matches!(first, Ok(()) | Err(StoreError::Full(_))));
            disk.set_capacity(None);
            disk.restart();
            let mut opened = Log::open_with(disk, 8, &ALL_STEPS).unwrap();
            assert_eq!(opened.damaged_bytes + opened.missing_commits, 0);
            assert_eq!(contents(&mut opened.store), of_version_3(), "{room} bytes of room");
        }
    }

    #[test]
    fn a_later_version_is_refused_by_name_and_left_as_it_is() {
        let opened = Log::open_with(disk_of_version_1(1_000), 8, &ALL_STEPS).unwrap();
        let mut disk = opened.store.into_disk();
        let before = disk.names().unwrap();
        let Err(error) = Log::open_with(&mut disk, 8, &ALL_STEPS[..1]) else { panic!("opened") };
        assert!(matches!(error, StoreError::TooNew { found: 3, known: 2 }));
        let text = "the store has the format `3`, and this program knows formats up to `2`";
        assert_eq!(error.to_string(), text);
        assert_eq!(disk.names().unwrap(), before);
        let mut opened = Log::open_with(disk, 8, &ALL_STEPS).unwrap();
        assert_eq!(contents(&mut opened.store), of_version_3());
    }
}
