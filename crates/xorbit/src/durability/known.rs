//! What may be found under a key, by what was sent and acknowledged.

use std::collections::BTreeSet;
use std::time::Duration;

use kv::{Absence, GetError, GetReport, Version};
use node::UnixMillis;

/// A value; `None` for a deletion.
pub type Content = Option<Vec<u8>>;

/// What was done to one key.
#[derive(Default)]
pub struct Known {
    /// The highest version of which somebody was told that it is kept, or that a reader saw.
    pub acknowledged: Option<(Version, Content)>,
    /// Until when that lives at least.
    end: UnixMillis,
    /// All that was ever sent.
    sent: BTreeSet<Content>,
    /// When writes that may have taken the place of that one were sent, and their ends.
    open: Vec<(UnixMillis, UnixMillis)>,
}

impl Known {
    /// Somebody sends a write.
    pub fn send(&mut self, content: Content, wall: UnixMillis, ttl: Duration) {
        // A deletion too: it ends no sooner than what it deletes, but who sends it may not see yet what
        // waits for the disk.
        self.open.push((wall, wall + ttl));
        self.sent.insert(content);
    }

    /// Whether nothing needs to be found any more: what was acknowledged has ended, or what may have
    /// taken its place.
    fn may_have_ended(&self, wall: UnixMillis) -> bool {
        self.end <= wall || self.open.iter().any(|(_, end)| *end <= wall)
    }

    /// Somebody was told that a version is kept.
    pub fn acknowledge(&mut self, version: Version, content: Content, end: Option<UnixMillis>) {
        if self.acknowledged.as_ref().is_none_or(|(before, _)| *before < version) {
            self.acknowledged = Some((version, content));
            self.end = end.unwrap_or_default();
            // What was sent before has a lower version.
            let written = UnixMillis(version.get() / 1000);
            self.open.retain(|(sent, _)| *sent > written);
        }
    }

    /// Holds what was read to what may be there.
    pub fn check(&mut self, key: &str, read: Result<&GetReport, &GetError>, wall: UnixMillis) {
        let (version, content, end) = match read {
            Ok(report) => (report.version, Some(report.value.to_vec()), report.expires),
            Err(GetError::NotFound { absence: Absence::Deleted(version), .. }) => {
                (*version, None, None)
            }
            Err(GetError::NotFound { absence: Absence::Expired(version), .. }) => {
                let before = self.acknowledged.as_ref().map(|(before, _)| before);
                assert!(before.is_none_or(|before| before <= version), "{key} went back");
                let too_early = !self.may_have_ended(wall) && before == Some(version);
                return assert!(!too_early, "{key} ended before its time");
            }
            Err(GetError::NotFound { absence: Absence::NeverSeen, .. }) => {
                let gone = self.acknowledged.is_some() && !self.may_have_ended(wall);
                let version = self.acknowledged.as_ref().map(|(version, _)| version);
                let left = self.end.since(wall);
                return assert!(
                    !gone,
                    "{key} is lost in version {version:?}, with {left:?} to live"
                );
            }
            Err(error) => panic!("{key}: {error}"),
        };
        assert!(self.sent.contains(&content), "{key}: nobody sent {content:?}");
        if let Some((before, acknowledged)) = &self.acknowledged {
            assert!(version >= *before, "{key} went back from {before} to {version}");
            assert!(version > *before || content == *acknowledged, "{key}: {version} is another");
        }
        self.acknowledge(version, content, end);
    }
}
