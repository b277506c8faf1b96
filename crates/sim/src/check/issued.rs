//! The write tokens that a node gave out in this life, as its answers show them: to which address, for
//! which place, in which five minutes (docs/protocol.md, "Tokens").

use hashbrown::HashMap;
use node::{Method, Now};
use wire::{Endpoint, NodeId, Point, Query};

use super::exchange::{Heard, Said, What};

/// Seconds of an epoch; a token is good in the one in which it was given and in the next.
const EPOCH_S: u32 = 300;

/// Tokens that are remembered.
const REMEMBERED: usize = 1 << 17;

/// What a token that somebody shows is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Nobody shows one.
    #[default]
    Nothing,
    /// It was given to this address for this place, and is good still.
    Good,
    /// It was not.
    Bad,
    /// Too much was given out to tell.
    Unknown,
}

/// Tokens that were given out.
#[derive(Debug, Default)]
pub struct Issued {
    /// By hash of address, token and place: in which epoch it was given last.
    tokens: HashMap<u64, u32, foldhash::fast::FixedState>,
    /// Before this epoch nobody knows all that was given.
    blind_until: u32,
    swept: u32,
}

impl Issued {
    /// Judges the token that comes with a query.
    pub fn judge(&self, heard: &Heard<'_>, own: &NodeId, now: Now) -> Shown {
        let Heard::Query(from, message) = heard else { return Shown::Nothing };
        let (token, place, hands_off) = match message.query {
            Query::Put { item, token, .. } => (token, item.claim().target().point(), true),
            Query::Add { token, target, .. } => (token, target.point(), true),
            Query::AnnouncePeer { info_hash, token, .. } => (token, info_hash.point(), false),
            Query::WaitingGet { target, token, .. } => (token, target.point(), false),
            _ => return Shown::Nothing,
        };
        let epoch = epoch(now);
        let good = |place: &Point| {
            let given = self.tokens.get(&fingerprint(from, token, place));
            given.is_some_and(|given| epoch.saturating_sub(*given) <= 1)
        };
        if good(&place) || (hands_off && good(&own.point())) {
            Shown::Good
        } else if epoch < self.blind_until {
            Shown::Unknown
        } else {
            Shown::Bad
        }
    }

    /// Notes the tokens in what a node says.
    pub fn note(&mut self, said: &[Said<'_>], own: &NodeId, now: Now) {
        let epoch = epoch(now);
        for said in said {
            let What::Reply(owed, reply) = &said.what else { continue };
            let token = reply.and_then(|reply| reply.token());
            let Some(owed) = owed else {
                // The ledger has forgotten what was asked: it may be a token's place.
                self.blind_until = epoch + 2;
                continue;
            };
            let Some(token) = token else { continue };
            if owed.ambiguous && owed.at != now {
                self.blind_until = epoch + 2;
                continue;
            }
            let place = match owed.method {
                Method::Offer | Method::OfferSets | Method::OfferMembers => Some(own.point()),
                _ => owed.target,
            };
            if let Some(place) = place {
                self.tokens.insert(fingerprint(&said.to, token, &place), epoch);
            }
        }
        if self.swept != epoch {
            self.swept = epoch;
            self.tokens.retain(|_, given| epoch.saturating_sub(*given) <= 1);
        }
        if self.tokens.len() > REMEMBERED {
            self.tokens.clear();
            self.blind_until = epoch + 2;
        }
    }
}

fn epoch(now: Now) -> u32 {
    now.monotonic.as_secs() / EPOCH_S
}

fn fingerprint(to: &Endpoint, token: &[u8], place: &Point) -> u64 {
    let whom = xxhash_rust::xxh3::xxh3_64_with_seed(to.ip_bytes(), 1);
    let token = xxhash_rust::xxh3::xxh3_64_with_seed(token, whom);
    xxhash_rust::xxh3::xxh3_64_with_seed(place.as_bytes(), token)
}
