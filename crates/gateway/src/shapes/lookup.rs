//! A lookup: each step, and where it ended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xorbit::{LookupReport, Point};

use super::{Effort, millis};

/// One question of a lookup, and how it ended.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Step {
    /// Who was asked, 40 hexadecimal digits; null for an address that was only joined through.
    pub id: Option<String>,
    /// Where.
    pub address: String,
    /// How long after the lookup's start, in milliseconds.
    pub asked_after_ms: f64,
    /// How long until the end of this question, in milliseconds.
    pub took_ms: f64,
    /// Through how many nodes the lookup came to it, itself included.
    pub hop: u8,
    /// What came back.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It answered.
    Answered {
        /// Contacts it gave.
        contacts: usize,
        /// Of these, so many that were not known.
        new: usize,
        /// Peers it gave.
        peers: usize,
        /// What it holds of the item; null: nothing.
        holds: Option<Holds>,
    },
    /// It refused.
    Refused {
        /// The error code (BEP 5, BEP 44).
        code: i64,
    },
    /// It answered as another node, of another network, or with an item that does not verify.
    Distrusted,
    /// It did not answer in time.
    Silent,
}

/// What a node holds of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// This version.
    Version(i64),
    /// An item that has no version.
    Item,
}

impl From<&xorbit::Step> for Step {
    fn from(step: &xorbit::Step) -> Self {
        Self {
            id: step.id.map(|id| id.to_string()),
            address: step.endpoint.to_string(),
            asked_after_ms: millis(step.asked_after),
            took_ms: millis(step.took),
            hop: step.hop,
            outcome: (&step.outcome).into(),
        }
    }
}

impl From<&xorbit::StepOutcome> for Outcome {
    fn from(outcome: &xorbit::StepOutcome) -> Self {
        match *outcome {
            xorbit::StepOutcome::Answered { nodes, new, peers, holds } => {
                let holds = match holds {
                    xorbit::Holds::Nothing => None,
                    xorbit::Holds::Version(seq) => Some(Holds::Version(seq.get())),
                    xorbit::Holds::Item(_) => Some(Holds::Item),
                };
                Self::Answered { contacts: nodes, new, peers, holds }
            }
            xorbit::StepOutcome::Refused(code) => Self::Refused { code },
            xorbit::StepOutcome::Distrusted => Self::Distrusted,
            xorbit::StepOutcome::Silent => Self::Silent,
        }
    }
}

/// Where a lookup ended.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Lookup {
    /// The place in question, 40 hexadecimal digits.
    pub target: String,
    /// The closest nodes that answered, closest first.
    pub closest: Vec<Closest>,
    /// Of the closest known, those that did not answer.
    pub silent: Vec<Contact>,
    /// Why it ended.
    pub ended: Ended,
    /// What it cost.
    pub effort: Effort,
}

/// A node at an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Contact {
    /// Its id, 40 hexadecimal digits.
    pub id: String,
    /// Its address.
    pub address: String,
}

/// One of the closest nodes.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Closest {
    /// Which.
    #[serde(flatten)]
    pub contact: Contact,
    /// How many bits its id has in common with the place, from the first on.
    pub shared_bits: u32,
    /// The round trip to it, in milliseconds.
    pub round_trip_ms: f64,
}

/// Why a lookup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The closest known have all answered.
    Converged,
    /// What was looked for was found and proved.
    Proved,
    /// Nobody answered.
    Unreachable,
    /// After as many messages as a lookup may send.
    OutOfMessages,
    /// After as long as a lookup may take.
    OutOfTime,
    /// It was ended early.
    Cancelled,
}

impl From<xorbit::Ended> for Ended {
    fn from(ended: xorbit::Ended) -> Self {
        match ended {
            xorbit::Ended::Converged => Self::Converged,
            xorbit::Ended::Proved => Self::Proved,
            xorbit::Ended::Unreachable => Self::Unreachable,
            xorbit::Ended::OutOfMessages => Self::OutOfMessages,
            xorbit::Ended::OutOfTime => Self::OutOfTime,
            xorbit::Ended::Cancelled => Self::Cancelled,
        }
    }
}

impl From<&xorbit::Contact> for Contact {
    fn from(contact: &xorbit::Contact) -> Self {
        Self { id: contact.id.to_string(), address: contact.endpoint.to_string() }
    }
}

impl Lookup {
    /// Of a lookup of `place`.
    pub fn new(place: &Point, report: &LookupReport) -> Self {
        let closest = report.closest.iter().map(|node| Closest {
            contact: (&node.contact).into(),
            shared_bits: place.shared_bits(&node.contact.id.point()),
            round_trip_ms: millis(node.round_trip),
        });
        Self {
            target: place.to_string(),
            closest: closest.collect(),
            silent: report.silent.iter().map(Contact::from).collect(),
            ended: report.ended.into(),
            effort: (&report.effort).into(),
        }
    }
}
