//! What a running node says when it cannot: as the library's own error where it is one, so that it is
//! told as ever.

use gateway::shapes;
use serde::Deserialize;
use serde_json::Value;
use xorbit::{Absence, GetError, GetReport, PutError, PutReport, ReadError, Version};

use super::Running;
use crate::failure::Failure;

/// An answer that is no yes.
pub struct Problem {
    /// Its status.
    pub status: u16,
    /// The document (RFC 9457).
    pub told: Value,
}

impl Problem {
    fn kind(&self) -> &str {
        self.told["kind"].as_str().unwrap_or_default()
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Option<T> {
        T::deserialize(&self.told[name]).ok()
    }

    fn version(&self, name: &str) -> Option<Version> {
        self.told[name].as_u64().and_then(Version::new)
    }

    fn effort(&self) -> Option<xorbit::Effort> {
        self.read::<shapes::Effort>("effort").map(Into::into)
    }

    /// The steps of the lookup, if they were asked for.
    pub fn steps(&self) -> Vec<shapes::Step> {
        self.read("steps").unwrap_or_default()
    }

    /// Why a put or deletion failed.
    pub fn of_put(&self, node: &Running) -> Result<PutError, Failure> {
        self.put_error().ok_or_else(|| node.refused(self))
    }

    fn put_error(&self) -> Option<PutError> {
        Some(match self.kind() {
            "conflict" => PutError::Conflict { current: self.version("current") },
            "undetermined" => PutError::Undetermined { version: self.version("version")? },
            "unreachable" => PutError::Unreachable(self.effort()?),
            "not_found" => PutError::NotFound(self.effort()?),
            "too_large" => {
                PutError::AboveLimit { length: self.read("length")?, limit: self.read("limit")? }
            }
            "not_enough_replicas" => match self.read::<shapes::Receipt>("receipt") {
                Some(receipt) => {
                    PutError::NotEnoughReplicas(Box::new(PutReport::try_from(receipt).ok()?))
                }
                None => PutError::ChunksNotStored {
                    short: self.read("short")?,
                    of: self.read("of")?,
                    refusal: match self.read::<Option<shapes::Refusal>>("refused")? {
                        Some(refusal) => Some(Box::new(refusal.try_into().ok()?)),
                        None => None,
                    },
                },
            },
            _ => return None,
        })
    }

    /// Why a get failed.
    pub fn of_get(&self, node: &Running) -> Result<GetError, Failure> {
        self.get_error().ok_or_else(|| node.refused(self))
    }

    fn get_error(&self) -> Option<GetError> {
        Some(match self.kind() {
            "not_found" => {
                let absence = match self.told["reason"].as_str()? {
                    "never_seen" => Absence::NeverSeen,
                    "deleted" => Absence::Deleted(self.version("version")?),
                    "expired" => Absence::Expired(self.version("version")?),
                    _ => return None,
                };
                GetError::NotFound { absence, effort: self.effort()? }
            }
            "unopened" => GetError::Unopened { version: self.version("version")?, older: None },
            "unreachable" => GetError::Unreachable(self.effort()?),
            "too_large" => {
                GetError::AboveLimit { length: self.read("length")?, limit: self.read("limit")? }
            }
            "not_enough_replicas" => match self.read("missing") {
                Some(missing) => {
                    GetError::Chunks(ReadError::Missing { missing, of: self.read("of")? })
                }
                None => GetError::NotEnoughReplicas {
                    answered: self.read("answered")?,
                    known: self.read("known")?,
                    needed: self.read("needed")?,
                    found: match self.read::<Option<shapes::Report>>("found")? {
                        Some(found) => Some(Box::new(GetReport::try_from(found).ok()?)),
                        None => None,
                    },
                },
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(error: impl Into<gateway::Problem>) -> Problem {
        Problem { status: 500, told: serde_json::to_value(error.into()).unwrap() }
    }

    fn version() -> Version {
        Version::new(7).unwrap()
    }

    #[test]
    fn why_a_put_failed_is_read_as_it_was_told() {
        let effort = xorbit::Effort { asked: 3, answered: 1, ..Default::default() };
        let refusal = xorbit::Refusal {
            replica: xorbit::Replica { id: "ab".repeat(20).parse().unwrap(), endpoint: None },
            code: 202,
            text: "full".into(),
        };
        let report = PutReport {
            target: "cd".repeat(20).parse().unwrap(),
            version: Some(version()),
            expires: None,
            replicas: xorbit::WriteReport { known: 3, needed: 2, ..Default::default() },
            chunks: None,
        };
        for error in [
            PutError::Conflict { current: Some(version()) },
            PutError::Conflict { current: None },
            PutError::Undetermined { version: version() },
            PutError::Unreachable(effort),
            PutError::NotFound(effort),
            PutError::AboveLimit { length: 9, limit: 8 },
            PutError::NotEnoughReplicas(Box::new(report)),
            PutError::ChunksNotStored { short: 1, of: 9, refusal: Some(Box::new(refusal)) },
            PutError::ChunksNotStored { short: 1, of: 9, refusal: None },
        ] {
            assert_eq!(said(error.clone()).put_error(), Some(error));
        }
        assert_eq!(said(PutError::Busy).put_error(), None);
    }

    #[test]
    fn why_a_get_failed_is_read_as_it_was_told() {
        let effort = xorbit::Effort { asked: 3, answered: 1, ..Default::default() };
        let none = GetError::NotEnoughReplicas { answered: 1, known: 8, needed: 5, found: None };
        for error in [
            GetError::NotFound { absence: Absence::NeverSeen, effort },
            GetError::NotFound { absence: Absence::Deleted(version()), effort },
            GetError::NotFound { absence: Absence::Expired(version()), effort },
            GetError::Unopened { version: version(), older: None },
            GetError::Unreachable(effort),
            GetError::AboveLimit { length: 9, limit: 8 },
            GetError::Chunks(ReadError::Missing { missing: 2, of: 9 }),
            none,
        ] {
            assert_eq!(said(error.clone()).get_error(), Some(error));
        }
        let odd = Problem { status: 404, told: json!({ "kind": "not_found" }) };
        assert_eq!(odd.get_error(), None);
    }
}
