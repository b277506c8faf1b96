//! What was sent and acknowledged, and what may therefore be found.

use std::collections::{BTreeMap, HashSet};

use xorbit::{Absence, GetError, GetReport, Version};

/// A value; `None` for a deletion.
pub type Content = Option<Vec<u8>>;

/// What was done to one key.
#[derive(Default)]
pub struct Known {
    /// The highest version that was acknowledged or seen after a restart.
    pub kept: Option<(Version, Content)>,
    /// All that was ever sent.
    sent: HashSet<Content>,
}

/// What was done to all keys.
#[derive(Default)]
pub struct Record {
    pub keys: BTreeMap<String, Known>,
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Versions over which a swap was acknowledged: once each.
    swapped: HashSet<(String, Version)>,
}

impl Record {
    pub fn send(&mut self, key: &str, content: Content) {
        self.sent += 1;
        self.keys.entry(key.to_owned()).or_default().sent.insert(content);
    }

    pub fn acknowledge(&mut self, key: &str, version: Version, content: Content) {
        self.acknowledged += 1;
        self.keys.entry(key.to_owned()).or_default().keep(version, content);
    }

    pub fn swap(&mut self, key: &str, over: Version) {
        let first = self.swapped.insert((key.to_owned(), over));
        assert!(first, "`{key}`: two swaps over version {over} were acknowledged");
    }

    /// Holds what was read to what may be there.
    pub fn check(&mut self, key: &str, read: Result<GetReport, GetError>) {
        let known = self.keys.entry(key.to_owned()).or_default();
        let (version, content) = match read {
            Ok(report) => (report.version, Some(report.value.into_vec())),
            Err(GetError::NotFound { absence: Absence::Deleted(version), .. }) => (version, None),
            Err(GetError::NotFound { absence: Absence::NeverSeen, .. }) => {
                return assert!(known.kept.is_none(), "`{key}` is lost: {:?}", known.kept);
            }
            Err(error) => panic!("`{key}`: {error}"),
        };
        assert!(known.sent.contains(&content), "`{key}`: nobody sent {content:?}");
        if let Some((kept, before)) = &known.kept {
            assert!(version >= *kept, "`{key}` went back from {kept} to {version}");
            assert!(version > *kept || content == *before, "`{key}`: {version} is another now");
        }
        known.keep(version, content);
    }
}

impl Known {
    fn keep(&mut self, version: Version, content: Content) {
        if self.kept.as_ref().is_none_or(|(before, _)| *before < version) {
            self.kept = Some((version, content));
        }
    }
}
