//! What a get came to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xorbit::{GetReport, UnixMillis, Version};

use super::{Effort, Replica, Step};
use crate::hex;

/// Versions of other programs are just numbers; one that is a time lies after 2020-01-01.
const FIRST_TIME: UnixMillis = UnixMillis(1_577_836_800_000);

/// Where a value came from, and how many replicas agree on it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Report {
    /// Where in the key space the key lies, 40 hexadecimal digits.
    pub target: String,
    /// What kind of value it is, as its writer said.
    pub content_type: Option<String>,
    /// Its version.
    pub version: u64,
    /// When it was written, in milliseconds since 1970, if its version tells.
    pub written_ms: Option<u64>,
    /// Until when it lives, in milliseconds since 1970; null: it is plain, and lives two hours from its
    /// last put.
    pub expires_ms: Option<u64>,
    /// The node that it came from; null: the one that was asked.
    pub source: Option<Replica>,
    /// Replicas that hold this version.
    pub agreed: usize,
    /// Replicas that hold an older one.
    pub stale: usize,
    /// Replicas that hold none.
    pub missing: usize,
    /// Replicas that did not answer.
    pub silent: usize,
    /// How many replicas are known.
    pub known: usize,
    /// Replicas that are being given this version now.
    pub repairing: usize,
    /// What it cost.
    pub effort: Effort,
    /// How many chunks it has, if it does not fit one item.
    pub chunks: Option<u64>,
    /// The steps of the lookup, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Step>>,
    /// The value, where it is told with the report.
    #[serde(flatten)]
    pub content: Content,
}

/// A value: as text if it is one, else as digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Content {
    /// The value, if it is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The value as hexadecimal digits, if it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_hex: Option<String>,
}

impl Content {
    /// The bytes; `None`: none are told, or what is told is none.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        match (self.value, self.value_hex) {
            (Some(text), None) => Some(text.into_bytes()),
            (None, Some(digits)) => hex::decode_all(&digits),
            _ => None,
        }
    }
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { value: Some(text.to_owned()), value_hex: None },
            Err(_) => Self { value: None, value_hex: Some(hex::encode(bytes)) },
        }
    }
}

fn is_past(moment_ms: &u64) -> bool {
    *moment_ms <= xorbit::wall_clock().0
}

impl Report {
    /// Without the value.
    pub fn without_value(report: &GetReport) -> Self {
        Self {
            target: report.target.to_string(),
            content_type: report.content_type.as_deref().map(str::to_owned),
            version: report.version.get(),
            written_ms: written_at(report.version).map(|written| written.0).filter(is_past),
            expires_ms: report.expires.map(|expires| expires.0),
            source: report.source.endpoint.map(|_| (&report.source).into()),
            agreed: report.agreed,
            stale: report.stale,
            missing: report.missing,
            silent: report.silent,
            known: report.known,
            repairing: report.repairing,
            effort: (&report.effort).into(),
            chunks: report.manifest.as_ref().map(|manifest| manifest.chunks()),
            steps: None,
            content: Content::default(),
        }
    }

    /// With these bytes as the value.
    pub fn with_value(report: &GetReport, value: &[u8]) -> Self {
        Self { content: value.into(), ..Self::without_value(report) }
    }
}

/// When a version was written, by its writer's clock, if it tells.
pub fn written_at(version: Version) -> Option<UnixMillis> {
    Some(version.written_at()).filter(|moment| *moment >= FIRST_TIME)
}
