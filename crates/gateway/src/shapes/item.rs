//! A raw item that was put or found.

use serde::Serialize;
use utoipa::ToSchema;
use xorbit::{ItemReport, Seq, inside_byte_string};

use super::{Content, Effort, Replicas};
use crate::hex;

/// A raw item (BEP 44), where it was stored or who holds it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Item {
    /// Its name, 40 hexadecimal digits.
    pub target: String,
    /// The version of a mutable one.
    pub seq: Option<i64>,
    /// Where it was stored, or who holds it.
    pub replicas: Replicas,
    /// What it cost.
    pub effort: Effort,
    /// What is in a value that is a byte string.
    #[serde(flatten)]
    pub content: Content,
    /// A value that is none, as it is bencoded, if that is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bencoded: Option<String>,
    /// The same as hexadecimal digits, if it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bencoded_hex: Option<String>,
}

impl Item {
    /// Without the value.
    pub fn without_value(report: &ItemReport) -> Self {
        Self {
            target: report.item.target().to_string(),
            seq: report.item.seq().map(Seq::get),
            replicas: (&report.replicas).into(),
            effort: (&report.replicas.effort).into(),
            content: Content::default(),
            bencoded: None,
            bencoded_hex: None,
        }
    }

    /// With the value.
    pub fn with_value(report: &ItemReport) -> Self {
        let (item, value) = (Self::without_value(report), report.item.value());
        match (inside_byte_string(value), std::str::from_utf8(value)) {
            (Some(bytes), _) => Self { content: bytes.into(), ..item },
            (None, Ok(text)) => Self { bencoded: Some(text.to_owned()), ..item },
            (None, Err(_)) => Self { bencoded_hex: Some(hex::encode(value)), ..item },
        }
    }
}
