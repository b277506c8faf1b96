//! Which items a holder takes, and for how long: the rules of records, on top of BEP 44's.

use node::limits::PLAIN_LEASE;
use node::{Admission, Lease, Refused, UnixMillis};
use wire::ItemRef;

use crate::limits::{MAX_TTL, VERSION_AHEAD};
use crate::record::Record;
use crate::version::Version;

/// Reads envelopes: a record is held until it expires, its version is remembered as long as any copy
/// that it replaced could come back; an immutable item as long as its writer asks; everything else is
/// held for two hours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Records;

const EXPIRED: Refused = Refused { code: 203, text: "record has expired" };
const TOO_FAR_AHEAD: Refused = Refused { code: 203, text: "version is ahead of the clock" };

impl Admission for Records {
    fn judge(
        &self,
        item: &ItemRef<'_>,
        wanted: Option<UnixMillis>,
        wall: UnixMillis,
    ) -> Result<Lease, Refused> {
        let latest = wall + MAX_TTL;
        let plain = Lease { until: wall + PLAIN_LEASE, marker_until: wall, kept: false };
        if item.seq().is_none() {
            // Part of a value that lives so long.
            let wanted = wanted.filter(|until| *until > plain.until);
            let leased =
                |until: UnixMillis| Lease { until: until.min(latest), kept: true, ..plain };
            return Ok(wanted.map_or(plain, leased));
        }
        let record = Record::decode(item.value());
        let (Some(expires), Some(remembered)) = (record.expires, record.remembered_until()) else {
            return Ok(plain);
        };
        if expires <= wall {
            return Err(EXPIRED);
        }
        self.may_follow(item, wall)?;
        let (until, marker_until) = (expires.min(latest), remembered.min(latest));
        Ok(Lease { until, marker_until, kept: true })
    }

    /// A plain item obeys the clock, too, where a record is: its version would be remembered as long
    /// as the record's, and no writer could go above it.
    fn may_follow(&self, item: &ItemRef<'_>, wall: UnixMillis) -> Result<(), Refused> {
        let ahead = |seq| Version::of(seq).written_at() > wall + VERSION_AHEAD;
        if item.seq().is_some_and(ahead) { Err(TOO_FAR_AHEAD) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use wire::{Item, Signer};

    const WALL: UnixMillis = UnixMillis(1_700_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn judge(record: &Record, version: u64) -> Result<Lease, Refused> {
        let seq = Version::new(version).unwrap().seq();
        let signer = Signer::from_seed(&[1; 32]);
        let item = Item::mutable(&signer, b"k", seq, &record.encode()).unwrap();
        Records.judge(&item.as_ref(), None, WALL)
    }

    fn lasting(span: Duration, replaced: Duration) -> Record {
        Record {
            value: Some(Box::from(*b"v")),
            content_type: None,
            expires: Some(WALL + span),
            replaced_until: Some(WALL + replaced),
            sealed: false,
            manifest: None,
        }
    }

    use alloc::boxed::Box;

    #[test]
    fn a_record_is_held_until_it_expires_and_remembered_as_long_as_what_it_replaced() {
        let lease = judge(&lasting(HOUR, HOUR * 9), WALL.0 * 1000).unwrap();
        let expected = Lease { until: WALL + HOUR, marker_until: WALL + HOUR * 9, kept: true };
        assert_eq!(lease, expected);
        let lease = judge(&lasting(MAX_TTL * 3, HOUR), WALL.0 * 1000).unwrap();
        assert_eq!(lease.until, WALL + MAX_TTL);
    }

    #[test]
    fn plain_items_live_two_hours() {
        assert_eq!(judge(&Record::plain(b"v"), 5).unwrap().until, WALL + PLAIN_LEASE);
    }

    #[test]
    fn immutable_items_live_as_long_as_asked_for_within_a_year() {
        let item = Item::immutable(b"1:v").unwrap();
        let judge = |wanted| Records.judge(&item.as_ref(), wanted, WALL).unwrap();
        assert_eq!((judge(None).until, judge(None).kept), (WALL + PLAIN_LEASE, false));
        assert_eq!((judge(Some(WALL)).until, judge(Some(WALL)).kept), (WALL + PLAIN_LEASE, false));
        let day = WALL + HOUR * 24;
        assert_eq!((judge(Some(day)).until, judge(Some(day)).kept), (day, true));
        assert_eq!(judge(Some(UnixMillis(u64::MAX))).until, WALL + MAX_TTL);
    }

    #[test]
    fn expired_records_and_versions_from_the_future_are_refused() {
        assert_eq!(judge(&lasting(Duration::ZERO, HOUR), WALL.0 * 1000), Err(EXPIRED));
        let ahead = |span| (WALL + span).0 * 1000;
        assert!(judge(&lasting(HOUR, HOUR), ahead(HOUR)).is_ok());
        let far = ahead(HOUR + Duration::from_millis(1));
        assert_eq!(judge(&lasting(HOUR, HOUR), far), Err(TOO_FAR_AHEAD));
    }

    #[test]
    fn plain_items_obey_the_clock_where_a_record_is() {
        let signer = Signer::from_seed(&[1; 32]);
        let plain = |version: u64| {
            let seq = Version::new(version).unwrap().seq();
            Item::mutable(&signer, b"k", seq, b"1:v").unwrap()
        };
        let last = plain(i64::MAX as u64);
        assert!(Records.judge(&last.as_ref(), None, WALL).is_ok(), "by itself it is BEP 44's");
        assert_eq!(Records.may_follow(&last.as_ref(), WALL), Err(TOO_FAR_AHEAD));
        assert_eq!(Records.may_follow(&plain(5).as_ref(), WALL), Ok(()));
    }
}
