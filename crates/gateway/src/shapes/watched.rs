//! A version of a watched key.

use serde::Serialize;
use utoipa::ToSchema;
use xorbit::WatchContent;

use super::{Content, Replica, written_at};

/// A version of a watched key.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Watched {
    /// Where in the key space the key lies, 40 hexadecimal digits.
    pub target: String,
    /// The version.
    pub version: u64,
    /// When it was written, in milliseconds since 1970, if its version tells.
    pub written_ms: Option<u64>,
    /// The key was deleted in this version.
    pub deleted: bool,
    /// It can be read with what the watcher knows.
    pub opens: bool,
    /// What kind of value it is, as its writer said.
    pub content_type: Option<String>,
    /// Until when it lives, in milliseconds since 1970.
    pub expires_ms: Option<u64>,
    /// Who told of it first.
    pub source: Replica,
    /// The value of one item.
    #[serde(flatten)]
    pub content: Content,
    /// The bytes of a value of many chunks, which is to be got by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

impl From<&xorbit::Watched> for Watched {
    fn from(watched: &xorbit::Watched) -> Self {
        let (content, bytes) = match &watched.content {
            WatchContent::Value(value) => (value.as_ref().into(), None),
            WatchContent::Large(manifest) => (Content::default(), Some(manifest.length)),
            WatchContent::Deleted | WatchContent::Unopened => (Content::default(), None),
        };
        Self {
            target: watched.target.to_string(),
            version: watched.version.get(),
            written_ms: written_at(watched.version).map(|written| written.0),
            deleted: watched.content == WatchContent::Deleted,
            opens: watched.content != WatchContent::Unopened,
            content_type: watched.content_type.as_deref().map(str::to_owned),
            expires_ms: watched.expires.map(|expires| expires.0),
            source: (&watched.source).into(),
            content,
            bytes,
        }
    }
}
