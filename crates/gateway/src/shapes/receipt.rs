//! What a put or deletion came to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xorbit::{PutReport, Version};

use super::{Effort, Replicas, Step};

/// The receipt of a put, a deletion or an announcement.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Receipt {
    /// Where in the key space it lies, 40 hexadecimal digits.
    pub target: String,
    /// The version it has now; null for an announcement.
    pub version: Option<u64>,
    /// Until when it lives, in milliseconds since 1970.
    pub expires_ms: Option<u64>,
    /// Where it was stored.
    pub replicas: Replicas,
    /// What it cost.
    pub effort: Effort,
    /// The chunks of a value that does not fit one item.
    pub chunks: Option<Chunks>,
    /// The steps of the lookup, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Step>>,
}

/// The chunks of a value that does not fit one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Chunks {
    /// How many, each at a majority of its replicas.
    pub stored: usize,
    /// Copies that were sent.
    pub sent: usize,
    /// Copies that were there already.
    pub held: usize,
    /// Queries sent for them.
    pub asked: usize,
}

impl From<&xorbit::ChunksReport> for Chunks {
    fn from(report: &xorbit::ChunksReport) -> Self {
        let xorbit::ChunksReport { stored, sent, held, asked, .. } = *report;
        Self { stored, sent, held, asked }
    }
}

impl From<&PutReport> for Receipt {
    fn from(report: &PutReport) -> Self {
        Self {
            target: report.target.to_string(),
            version: report.version.map(Version::get),
            expires_ms: report.expires.map(|expires| expires.0),
            replicas: (&report.replicas).into(),
            effort: (&report.replicas.effort).into(),
            chunks: report.chunks.as_deref().map(Chunks::from),
            steps: None,
        }
    }
}
