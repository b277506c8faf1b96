//! Reading back what was told: the library's own reports, from the objects that tell them.

use std::time::Duration;

use xorbit::{
    ChunksReport, Endpoint, GetReport, NodeId, PutReport, Target, UnixMillis, Version, WriteReport,
};

use super::{Chunks, Effort, Receipt, Refusal, Replica, Replicas, Report};

/// What no node of ours tells: an id that is none, an address or a version that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no {1}")]
pub struct Untrue(String, &'static str);

fn read<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, Untrue> {
    text.parse().map_err(|_| Untrue(text.escape_debug().to_string(), what))
}

fn version(number: u64) -> Result<Version, Untrue> {
    Version::new(number).ok_or_else(|| Untrue(number.to_string(), "version"))
}

fn all<T: TryInto<U, Error = Untrue>, U>(told: Vec<T>) -> Result<Vec<U>, Untrue> {
    told.into_iter().map(TryInto::try_into).collect()
}

impl From<Effort> for xorbit::Effort {
    fn from(told: Effort) -> Self {
        let Effort { asked, answered, hops, took_ms } = told;
        // Not a number, or more than there is time: as good as none.
        let took = Duration::try_from_secs_f64(took_ms / 1000.0).unwrap_or_default();
        Self { asked, answered, hops, took }
    }
}

impl TryFrom<Replica> for xorbit::Replica {
    type Error = Untrue;

    fn try_from(told: Replica) -> Result<Self, Untrue> {
        let id: NodeId = read(&told.id, "node's id")?;
        let address = told.address.map(|address| read::<std::net::SocketAddr>(&address, "address"));
        Ok(Self { id, endpoint: address.transpose()?.map(Endpoint::from) })
    }
}

impl TryFrom<Refusal> for xorbit::Refusal {
    type Error = Untrue;

    fn try_from(told: Refusal) -> Result<Self, Untrue> {
        let Refusal { replica, code, text } = told;
        Ok(Self { replica: replica.try_into()?, code, text: text.into() })
    }
}

fn replicas(told: Replicas, effort: Effort) -> Result<WriteReport, Untrue> {
    let Replicas { known, needed, stored, refused, silent } = told;
    Ok(WriteReport {
        known,
        needed,
        stored: all(stored)?,
        refused: all(refused)?,
        silent: all(silent)?,
        effort: effort.into(),
    })
}

impl From<Chunks> for ChunksReport {
    fn from(told: Chunks) -> Self {
        let Chunks { stored, sent, held, asked } = told;
        Self { stored, sent, held, asked, ..Self::default() }
    }
}

/// Its steps are told beside it.
impl TryFrom<Receipt> for PutReport {
    type Error = Untrue;

    fn try_from(told: Receipt) -> Result<Self, Untrue> {
        Ok(Self {
            target: read::<Target>(&told.target, "target")?,
            version: told.version.map(version).transpose()?,
            expires: told.expires_ms.map(UnixMillis),
            replicas: replicas(told.replicas, told.effort)?,
            chunks: told.chunks.map(|chunks| Box::new(chunks.into())),
        })
    }
}

/// Without the value, and without the manifest of one of many chunks, which is not told.
impl TryFrom<Report> for GetReport {
    type Error = Untrue;

    fn try_from(told: Report) -> Result<Self, Untrue> {
        // Who is asked holds it itself, and its id is not told again.
        let own = Replica { id: "0".repeat(40), address: None };
        Ok(Self {
            target: read::<Target>(&told.target, "target")?,
            value: Box::default(),
            manifest: None,
            content_type: told.content_type.map(Into::into),
            version: version(told.version)?,
            expires: told.expires_ms.map(UnixMillis),
            source: told.source.unwrap_or(own).try_into()?,
            agreed: told.agreed,
            stale: told.stale,
            missing: told.missing,
            silent: told.silent,
            known: told.known,
            repairing: told.repairing,
            effort: told.effort.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(last: u8) -> xorbit::Replica {
        let address: std::net::SocketAddr = ([127, 0, 0, 1], 8000 + u16::from(last)).into();
        let id = format!("{:0>40}", last);
        xorbit::Replica { id: id.parse().unwrap(), endpoint: Some(address.into()) }
    }

    fn effort() -> xorbit::Effort {
        let took = Duration::from_micros(1_234);
        xorbit::Effort { asked: 9, answered: 7, hops: 3, took }
    }

    fn put_report() -> PutReport {
        let refused = xorbit::Refusal { replica: replica(3), code: 202, text: "full".into() };
        let own = xorbit::Replica { endpoint: None, ..replica(4) };
        PutReport {
            target: "ab".repeat(20).parse().unwrap(),
            version: Version::new(7),
            expires: Some(UnixMillis(1_800_000_000_000)),
            replicas: WriteReport {
                known: 4,
                needed: 3,
                stored: vec![replica(1), own],
                refused: vec![refused],
                silent: vec![replica(2)],
                effort: effort(),
            },
            chunks: Some(Box::new(ChunksReport { stored: 5, sent: 40, ..Default::default() })),
        }
    }

    #[test]
    fn a_receipt_is_read_back_as_it_was() {
        let report = put_report();
        let told = serde_json::to_string(&Receipt::from(&report)).unwrap();
        let read: Receipt = serde_json::from_str(&told).unwrap();
        assert_eq!(PutReport::try_from(read).unwrap(), report);
    }

    #[test]
    fn a_report_is_read_back_as_it_was_but_for_the_value() {
        let report = GetReport {
            target: "cd".repeat(20).parse().unwrap(),
            value: b"v".as_slice().into(),
            manifest: None,
            content_type: Some("text/plain".into()),
            version: Version::new(1_700_000_000_000_000).unwrap(),
            expires: None,
            source: replica(1),
            agreed: 5,
            stale: 1,
            missing: 1,
            silent: 1,
            known: 8,
            repairing: 2,
            effort: effort(),
        };
        let told = serde_json::to_string(&Report::with_value(&report, b"v")).unwrap();
        let read: Report = serde_json::from_str(&told).unwrap();
        assert_eq!(read.content.value.as_deref(), Some("v"));
        assert_eq!(
            GetReport::try_from(read).unwrap(),
            GetReport { value: Box::default(), ..report }
        );
    }

    #[test]
    fn what_cannot_be_is_not_read() {
        let receipt = Receipt::from(&put_report());
        let bad = Receipt { target: "here".into(), ..receipt.clone() };
        let told = PutReport::try_from(bad).unwrap_err().to_string();
        assert_eq!(told, "`here` is no target");
        let bad = Receipt { version: Some(u64::MAX), ..receipt };
        assert!(PutReport::try_from(bad).is_err());
    }
}
