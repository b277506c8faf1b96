//! The queries, one variant for each remote procedure call (BEP 5, 32, 33, 44, 51).

use crate::bencode::{Malformed, Reader, Writer};
use crate::id::{InfoHash, NodeId, Point, Target};
use crate::item::{Seq, Signed, Unverified};
use crate::key::PublicKey;
use crate::limits::{TOKEN_BYTES, WAIT_S};
use crate::member::offer::{MemberOffers, SetOffers};
use crate::member::{Cursor, UnverifiedMember};
use crate::offer::Offers;

/// Which families of contacts the asker wants (BEP 32). Neither: that of the address it asks from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Want {
    /// `n4`: IPv4 contacts.
    pub v4: bool,
    /// `n6`: IPv6 contacts.
    pub v6: bool,
}

/// A query and its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query<'a> {
    /// Are you there? (BEP 5)
    Ping,
    /// Whom do you know near this place? (BEP 5)
    FindNode {
        /// The place.
        target: Point,
        /// Which contacts.
        want: Want,
    },
    /// Which peers announced themselves under this topic? (BEP 5)
    GetPeers {
        /// The topic.
        info_hash: InfoHash,
        /// Which contacts.
        want: Want,
        /// Rather peers that are not seeds (BEP 33).
        no_seed: bool,
        /// Also the Bloom filters of all peers (BEP 33).
        scrape: bool,
    },
    /// Count me among the peers of this topic (BEP 5).
    AnnouncePeer {
        /// The topic.
        info_hash: InfoHash,
        /// The peer's port.
        port: u16,
        /// Take the port that the datagram came from instead.
        implied_port: bool,
        /// The peer is a seed (BEP 33).
        seed: bool,
        /// The proof that the asker asked before, from the same address.
        token: &'a [u8],
    },
    /// Which item do you hold under this target? (BEP 44)
    Get {
        /// The item's name.
        target: Target,
        /// Leave the item out unless its version is higher.
        newer_than: Option<Seq>,
        /// Which contacts.
        want: Want,
    },
    /// A `get` that may be answered later, as soon as a newer item is held: an extension of ours,
    /// which other nodes answer at once like any `get`. A variant of its own, so that a `get` of
    /// BEP 44 stays just that.
    WaitingGet {
        /// The item's name.
        target: Target,
        /// Answer once the version is higher; `None`: once there is an item at all.
        newer_than: Option<Seq>,
        /// The proof that the asker asked before, from the same address: nobody's answers are
        /// parked in another's name.
        token: &'a [u8],
        /// Answer at the latest after so many seconds, 1 to [`WAIT_S`].
        wait_s: u8,
        /// Which contacts.
        want: Want,
    },
    /// Hold this item (BEP 44).
    Put {
        /// The item, to be verified before it is believed.
        item: Unverified<'a>,
        /// Only if the version held is this one.
        cas: Option<Seq>,
        /// An immutable item is wanted until then, in milliseconds since 1970. Ours alone; others
        /// ignore it.
        lease: Option<i64>,
        /// The proof that the asker asked before, from the same address.
        token: &'a [u8],
        /// The item's name. BEP 44 has no such argument, but one family of nodes wants it, so we
        /// always send it and never rely on it.
        target: Option<Target>,
    },
    /// Which topics do you hold peers of? (BEP 51)
    SampleInfohashes {
        /// The place near which contacts are wanted.
        target: Point,
        /// Which contacts.
        want: Want,
    },
    /// Which of these items do you lack? (see [`offer`](crate::offer))
    Offer {
        /// What the asker holds.
        offers: Offers<'a>,
    },
    /// Take this member into a set. Xorbit's own.
    Add {
        /// The member, to be verified before it is believed.
        member: UnverifiedMember<'a>,
        /// The proof that the asker asked before, from the same address.
        token: &'a [u8],
        /// Where the set lies.
        target: Target,
    },
    /// Which members has the set at this place? Xorbit's own.
    Members {
        /// Where the set lies.
        target: Target,
        /// Only those behind this place; `None`: from the first.
        after: Option<Cursor>,
        /// Which contacts.
        want: Want,
    },
    /// Of which of these sets do you hold something else? (see [`offer`](crate::member::offer))
    OfferSets {
        /// What the asker holds.
        sets: SetOffers<'a>,
    },
    /// Which of these members do you lack?
    OfferMembers {
        /// Where their set lies.
        target: Target,
        /// What the asker holds.
        members: MemberOffers<'a>,
    },
    /// Something that neither a BEP we serve nor Xorbit defines.
    Unknown,
}

impl<'a> Query<'a> {
    /// The name of the method on the wire.
    pub fn method(&self) -> &'static str {
        match self {
            Query::Ping => "ping",
            Query::FindNode { .. } => "find_node",
            Query::GetPeers { .. } => "get_peers",
            Query::AnnouncePeer { .. } => "announce_peer",
            Query::Get { .. } | Query::WaitingGet { .. } => "get",
            Query::Put { .. } => "put",
            Query::SampleInfohashes { .. } => "sample_infohashes",
            Query::Offer { .. } => "offer",
            Query::Add { .. } => "add",
            Query::Members { .. } => "members",
            Query::OfferSets { .. } => "offer_sets",
            Query::OfferMembers { .. } => "offer_members",
            Query::Unknown => "unknown",
        }
    }

    /// Reads the arguments of `method`, with the id of the asker. A known
    /// argument of a wrong type makes the query malformed, whichever method it belongs to.
    pub(crate) fn read(method: &[u8], arguments: &'a [u8]) -> Result<(NodeId, Self), Malformed> {
        let arguments = Arguments::read(arguments)?;
        let id = arguments.id.and_then(NodeId::read).ok_or(Malformed)?;
        let query = match method {
            b"ping" => Query::Ping,
            b"find_node" => Query::FindNode { target: arguments.point()?, want: arguments.want },
            b"get_peers" => Query::GetPeers {
                info_hash: arguments.info_hash()?,
                want: arguments.want,
                no_seed: arguments.no_seed == Some(1),
                scrape: arguments.scrape == Some(1),
            },
            b"announce_peer" => arguments.announce_peer()?,
            b"get" => arguments.get()?,
            b"put" => arguments.put()?,
            b"sample_infohashes" => {
                Query::SampleInfohashes { target: arguments.point()?, want: arguments.want }
            }
            b"offer" => {
                Query::Offer { offers: arguments.offers.ok_or(Malformed).and_then(Offers::read)? }
            }
            b"add" => Query::Add {
                member: UnverifiedMember::decode(arguments.member.ok_or(Malformed)?)?,
                token: arguments.token()?,
                target: arguments.target.and_then(Target::read).ok_or(Malformed)?,
            },
            b"members" => Query::Members {
                target: arguments.target.and_then(Target::read).ok_or(Malformed)?,
                after: arguments.after()?,
                want: arguments.want,
            },
            b"offer_sets" => {
                Query::OfferSets { sets: string(arguments.sets).and_then(SetOffers::read)? }
            }
            b"offer_members" => Query::OfferMembers {
                target: arguments.target.and_then(Target::read).ok_or(Malformed)?,
                members: string(arguments.versions).and_then(MemberOffers::read)?,
            },
            _ => Query::Unknown,
        };
        Ok((id, query))
    }

    /// Writes the arguments' dictionary, keys in order.
    pub(crate) fn write_arguments(&self, id: &NodeId, writer: &mut Writer<'_>) {
        writer.raw(b"d");
        match self {
            Query::Ping | Query::Unknown => writer.entry(b"id", id.as_bytes()),
            Query::FindNode { target, want } | Query::SampleInfohashes { target, want } => {
                writer.entry(b"id", id.as_bytes());
                writer.entry(b"target", target.as_bytes());
                write_want(want, writer);
            }
            Query::GetPeers { info_hash, want, no_seed, scrape } => {
                writer.entry(b"id", id.as_bytes());
                writer.entry(b"info_hash", info_hash.as_bytes());
                write_flag(b"noseed", *no_seed, writer);
                write_flag(b"scrape", *scrape, writer);
                write_want(want, writer);
            }
            Query::AnnouncePeer { info_hash, port, implied_port, seed, token } => {
                writer.entry(b"id", id.as_bytes());
                writer.integer_entry(b"implied_port", i64::from(*implied_port));
                writer.entry(b"info_hash", info_hash.as_bytes());
                writer.integer_entry(b"port", i64::from(*port));
                write_flag(b"seed", *seed, writer);
                writer.entry(b"token", token);
            }
            Query::Get { target, newer_than, want } => {
                writer.entry(b"id", id.as_bytes());
                if let Some(seq) = newer_than {
                    writer.integer_entry(b"seq", seq.get());
                }
                writer.entry(b"target", target.as_bytes());
                write_want(want, writer);
            }
            Query::WaitingGet { target, newer_than, token, wait_s, want } => {
                writer.entry(b"id", id.as_bytes());
                if let Some(seq) = newer_than {
                    writer.integer_entry(b"seq", seq.get());
                }
                writer.entry(b"target", target.as_bytes());
                writer.entry(b"token", token);
                writer.integer_entry(b"wait", i64::from(*wait_s));
                write_want(want, writer);
            }
            Query::Put { .. } => self.write_put(id, writer),
            Query::Offer { offers } => {
                writer.entry(b"id", id.as_bytes());
                writer.entry(b"offers", offers.as_bytes());
            }
            Query::Add { member, token, target } => {
                writer.entry(b"id", id.as_bytes());
                writer.string(b"m");
                member.write(writer);
                writer.entry(b"target", target.as_bytes());
                writer.entry(b"token", token);
            }
            Query::Members { target, after, want } => {
                if let Some(after) = after {
                    writer.entry(b"after", after.as_bytes());
                }
                writer.entry(b"id", id.as_bytes());
                writer.entry(b"target", target.as_bytes());
                write_want(want, writer);
            }
            Query::OfferSets { sets } => {
                writer.entry(b"id", id.as_bytes());
                writer.entry(b"sets", sets.as_bytes());
            }
            Query::OfferMembers { target, members } => {
                writer.entry(b"id", id.as_bytes());
                writer.entry(b"target", target.as_bytes());
                writer.entry(b"versions", members.as_bytes());
            }
        }
        writer.raw(b"e");
    }

    fn write_put(&self, id: &NodeId, writer: &mut Writer<'_>) {
        let Query::Put { item, cas, lease, token, target } = self else { return };
        if let Some(cas) = cas {
            writer.integer_entry(b"cas", cas.get());
        }
        writer.entry(b"id", id.as_bytes());
        if let Some(signed) = &item.signed {
            writer.entry(b"k", signed.key.as_bytes());
        }
        if let Some(lease) = lease {
            writer.integer_entry(b"lease", *lease);
        }
        if let Some(signed) = &item.signed {
            if !signed.salt.is_empty() {
                writer.entry(b"salt", signed.salt);
            }
            writer.integer_entry(b"seq", signed.seq.get());
            writer.entry(b"sig", &signed.signature);
        }
        if let Some(target) = target {
            writer.entry(b"target", target.as_bytes());
        }
        writer.entry(b"token", token);
        writer.string(b"v");
        writer.raw(item.value);
    }
}

fn write_flag(key: &[u8], flag: bool, writer: &mut Writer<'_>) {
    if flag {
        writer.integer_entry(key, 1);
    }
}

fn write_want(want: &Want, writer: &mut Writer<'_>) {
    if want.v4 || want.v6 {
        writer.string(b"want");
        writer.raw(b"l");
        if want.v4 {
            writer.string(b"n4");
        }
        if want.v6 {
            writer.string(b"n6");
        }
        writer.raw(b"e");
    }
}

/// All arguments of all methods, between one pass over the dictionary and the typed query.
#[derive(Default)]
struct Arguments<'a> {
    after: Option<&'a [u8]>,
    cas: Option<i64>,
    id: Option<&'a [u8]>,
    implied_port: Option<i64>,
    info_hash: Option<&'a [u8]>,
    key: Option<&'a [u8]>,
    lease: Option<i64>,
    member: Option<&'a [u8]>,
    no_seed: Option<i64>,
    offers: Option<&'a [u8]>,
    port: Option<i64>,
    salt: Option<&'a [u8]>,
    scrape: Option<i64>,
    seed: Option<i64>,
    seq: Option<i64>,
    sets: Option<&'a [u8]>,
    signature: Option<&'a [u8]>,
    target: Option<&'a [u8]>,
    token: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    versions: Option<&'a [u8]>,
    wait_s: Option<i64>,
    want: Want,
}

impl<'a> Arguments<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut found = Self::default();
        let mut entries = Reader::new(bytes).dictionary()?;
        while let Some(key) = entries.next_key()? {
            let value = &mut entries.reader;
            match key {
                b"after" => found.after = Some(value.raw()?),
                b"cas" => found.cas = Some(value.integer()?),
                b"id" => found.id = Some(value.string()?),
                b"implied_port" => found.implied_port = Some(value.integer()?),
                b"info_hash" => found.info_hash = Some(value.string()?),
                b"k" => found.key = Some(value.string()?),
                b"lease" => found.lease = Some(value.integer()?),
                b"m" => found.member = Some(value.raw()?),
                b"noseed" => found.no_seed = Some(value.integer()?),
                b"offers" => found.offers = Some(value.string()?),
                b"port" => found.port = Some(value.integer()?),
                b"salt" => found.salt = Some(value.string()?),
                b"scrape" => found.scrape = Some(value.integer()?),
                b"seed" => found.seed = Some(value.integer()?),
                b"seq" => found.seq = Some(value.integer()?),
                b"sets" => found.sets = Some(value.raw()?),
                b"sig" => found.signature = Some(value.string()?),
                b"target" => found.target = Some(value.string()?),
                b"token" => found.token = Some(value.string()?),
                b"v" => found.value = Some(value.raw()?),
                b"versions" => found.versions = Some(value.raw()?),
                b"wait" => found.wait_s = Some(value.integer()?),
                b"want" => found.want = read_want(value)?,
                _ => {
                    value.raw()?;
                }
            }
        }
        Ok(found)
    }

    fn point(&self) -> Result<Point, Malformed> {
        self.target.and_then(Point::read).ok_or(Malformed)
    }

    fn info_hash(&self) -> Result<InfoHash, Malformed> {
        self.info_hash.and_then(InfoHash::read).ok_or(Malformed)
    }

    fn token(&self) -> Result<&'a [u8], Malformed> {
        self.token.filter(|token| token.len() <= TOKEN_BYTES).ok_or(Malformed)
    }

    /// Without a token, or with a wait that nobody grants, it is a `get` like any other.
    fn get(&self) -> Result<Query<'a>, Malformed> {
        let target = self.target.and_then(Target::read).ok_or(Malformed)?;
        let (newer_than, want) = (self.seq.and_then(Seq::new), self.want);
        let wait_s = self.wait_s.and_then(|wait| u8::try_from(wait).ok());
        Ok(match (wait_s.filter(|wait| (1..=WAIT_S).contains(wait)), self.token()) {
            (Some(wait_s), Ok(token)) => {
                Query::WaitingGet { target, newer_than, token, wait_s, want }
            }
            _ => Query::Get { target, newer_than, want },
        })
    }

    fn after(&self) -> Result<Option<Cursor>, Malformed> {
        let Some(raw) = self.after else { return Ok(None) };
        Cursor::read(string(Some(raw))?).map(Some).ok_or(Malformed)
    }

    fn announce_peer(&self) -> Result<Query<'a>, Malformed> {
        let implied_port = self.implied_port.is_some_and(|flag| flag != 0);
        let port = match self.port.map(u16::try_from) {
            Some(Ok(port)) if port > 0 || implied_port => port,
            _ if implied_port => 0,
            _ => return Err(Malformed),
        };
        Ok(Query::AnnouncePeer {
            info_hash: self.info_hash()?,
            port,
            implied_port,
            seed: self.seed == Some(1),
            token: self.token()?,
        })
    }

    fn put(&self) -> Result<Query<'a>, Malformed> {
        let signed = match self.key {
            None => None,
            Some(key) => Some(Signed {
                key: PublicKey::new(key.try_into().map_err(|_| Malformed)?),
                salt: self.salt.unwrap_or_default(),
                seq: self.seq.and_then(Seq::new).ok_or(Malformed)?,
                signature: self.signature.and_then(|s| s.try_into().ok()).ok_or(Malformed)?,
            }),
        };
        let cas = match self.cas {
            Some(number) => Some(Seq::new(number).ok_or(Malformed)?),
            None => None,
        };
        Ok(Query::Put {
            item: Unverified { value: self.value.ok_or(Malformed)?, signed },
            cas,
            lease: self.lease,
            token: self.token()?,
            target: self.target.and_then(Target::read),
        })
    }
}

/// An argument that must be there and be a string; elsewhere it may mean anything.
fn string(raw: Option<&[u8]>) -> Result<&[u8], Malformed> {
    Reader::new(raw.ok_or(Malformed)?).string()
}

fn read_want(reader: &mut Reader<'_>) -> Result<Want, Malformed> {
    let mut want = Want::default();
    reader.list()?;
    while !reader.end() {
        match reader.raw()? {
            b"2:n4" => want.v4 = true,
            b"2:n6" => want.v6 = true,
            _ => {}
        }
    }
    Ok(want)
}
