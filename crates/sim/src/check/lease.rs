//! For how long a holder owes an item, by docs/records.md ("What a holder takes"), worked out anew.

use core::time::Duration;

use kv::Record;
use node::UnixMillis;
use wire::Unverified;

/// The life of what says nothing of its own.
const PLAIN: Duration = Duration::from_secs(2 * 3600);

/// The longest life.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// For how long an item is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// It is served until then.
    pub until: UnixMillis,
    /// Its version is remembered until then.
    pub remembered: UnixMillis,
}

/// What a holder grants an item that comes at this wall time.
pub fn of(item: &Unverified<'_>, wanted: Option<i64>, wall: UnixMillis) -> Lease {
    let (plain, longest) = (wall + PLAIN, wall + LONGEST);
    if item.signed.is_none() {
        let wanted = wanted.and_then(|until| u64::try_from(until).ok()).map(UnixMillis);
        let until = wanted.filter(|until| *until > plain).unwrap_or(plain).min(longest);
        return Lease { until, remembered: wall };
    }
    let Some((expires, remembered)) = times(item.value) else {
        return Lease { until: plain, remembered: wall };
    };
    Lease { until: expires.min(longest), remembered: remembered.min(longest) }
}

/// When a record ends, and until when its version matters; `None` for what is no envelope.
pub fn times(value: &[u8]) -> Option<(UnixMillis, UnixMillis)> {
    let record = Record::decode(value);
    let expires = record.expires?;
    Some((expires, record.replaced_until.map_or(expires, |until| until.max(expires))))
}
