//! What a request cost, and where it went.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::millis;

/// What a lookup cost.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Effort {
    /// Queries sent.
    pub asked: usize,
    /// Replies received.
    pub answered: usize,
    /// How many nodes stand between the asker and the closest one, it included.
    pub hops: u8,
    /// From the request to its end, in milliseconds.
    pub took_ms: f64,
}

impl From<&xorbit::Effort> for Effort {
    fn from(effort: &xorbit::Effort) -> Self {
        let xorbit::Effort { asked, answered, hops, took } = *effort;
        Self { asked, answered, hops, took_ms: millis(took) }
    }
}

/// One of the nodes that a key is kept on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Replica {
    /// Its id, 40 hexadecimal digits.
    pub id: String,
    /// Its address; null: the node that was asked itself.
    pub address: Option<String>,
}

impl From<&xorbit::Replica> for Replica {
    fn from(replica: &xorbit::Replica) -> Self {
        let address = replica.endpoint.map(|endpoint| endpoint.to_string());
        Self { id: replica.id.to_string(), address }
    }
}

/// A node that would not store, and why.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Refusal {
    /// Which node.
    #[serde(flatten)]
    pub replica: Replica,
    /// The error code (BEP 5, BEP 44); 0: it gave no token to write with.
    pub code: i64,
    /// What it said.
    pub text: String,
}

impl From<&xorbit::Refusal> for Refusal {
    fn from(refusal: &xorbit::Refusal) -> Self {
        let text = refusal.text.as_ref().to_owned();
        Self { replica: (&refusal.replica).into(), code: refusal.code, text }
    }
}

/// What became of a write at each replica.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Replicas {
    /// How many replicas are known.
    pub known: usize,
    /// How many of them must store: a majority.
    pub needed: usize,
    /// Those that said they stored, closest first.
    pub stored: Vec<Replica>,
    /// Those that would not.
    pub refused: Vec<Refusal>,
    /// Those that did not answer.
    pub silent: Vec<Replica>,
}

impl From<&xorbit::WriteReport> for Replicas {
    fn from(report: &xorbit::WriteReport) -> Self {
        Self {
            known: report.known,
            needed: report.needed,
            stored: report.stored.iter().map(Replica::from).collect(),
            refused: report.refused.iter().map(Refusal::from).collect(),
            silent: report.silent.iter().map(Replica::from).collect(),
        }
    }
}
