//! Members that fill the shelves with what is properly signed and asked for by nobody: items, each
//! under a key of its own, for as long as holders keep them; peers; and members of sets; each at the
//! nodes where it belongs, from as many addresses as there are members.
//!
//! They want the room of those who hold for others, and their time for checking signatures. What
//! meets them: a token for each, and parts of the room for an address and for its /24; room that
//! runs out is refused with 202, and pushes nothing out that was promised.

use std::collections::VecDeque;

use wire::item::byte_string;
use wire::member::Saying;
use wire::{Contact, Endpoint, InfoHash, Item, Member, Query, Reply, Seq, Signer, Target, Want};

use super::{Gang, Hand, Heard, Scheme};
use crate::chance::Chance;

/// Copies of each thing.
const COPIES: usize = 8;

/// Questions that are remembered until they are answered.
const ASKED: usize = 8192;

/// Bytes of each value.
const VALUE: usize = 800;

enum Thing {
    Item(Box<Item>),
    Member(Box<Member>),
    Peer(InfoHash),
}

/// Fill shelves.
pub struct Spam {
    /// Things at a time.
    things: usize,
    asked: VecDeque<(Endpoint, Endpoint, usize)>,
    made: Vec<Thing>,
}

impl Spam {
    /// So many things each quarter of a second, each to eight holders.
    pub fn of(things: usize) -> Self {
        Self { things, asked: VecDeque::new(), made: Vec::new() }
    }

    fn make(&mut self, gang: &mut Gang, now_ms: u64) -> Option<Thing> {
        let signer = Signer::from_seed(&gang.chance.bytes());
        let noise: [u8; 20] = gang.chance.bytes();
        let value = byte_string(&[0x55; VALUE]);
        Some(match gang.chance.below(4) {
            0 => Thing::Item(Box::new(
                Item::immutable(&byte_string(&[&noise[..], &[7; VALUE]].concat())).ok()?,
            )),
            1 => Thing::Peer(InfoHash::new(noise)),
            2 => {
                let until_ms = now_ms + 300 * 24 * 3600 * 1000;
                let saying = Saying {
                    item: &noise,
                    seq: Seq::new(1)?,
                    expires_ms: until_ms,
                    remembered_ms: until_ms,
                    removed: false,
                };
                Thing::Member(Box::new(Member::sign(&signer, &Target::new(noise), saying).ok()?))
            }
            _ => Thing::Item(Box::new(Item::mutable(&signer, b"", Seq::new(1)?, &value).ok()?)),
        })
    }
}

impl Scheme for Spam {
    const NAME: &'static str = "spam";

    fn draw(chance: &mut Chance) -> Self {
        Self::of(*chance.pick(&[1, 4, 16]).unwrap_or(&1))
    }

    fn describe(&self) -> String {
        format!("put {} signed things/s", self.things * 4)
    }

    fn tick(&mut self, gang: &mut Gang, hand: &mut Hand<'_>) {
        for _ in 0..self.things {
            let now_ms = crate::clock::START.0 + hand.now.as_micros() / 1000;
            let Some(thing) = self.make(gang, now_ms) else { return };
            let number = self.made.len();
            let (want, place) = (Want::default(), thing.place());
            let query = match &thing {
                Thing::Item(item) => Query::Get { target: item.target(), newer_than: None, want },
                Thing::Member(member) => {
                    Query::Members { target: member.target(), after: None, want }
                }
                Thing::Peer(info_hash) => {
                    Query::GetPeers { info_hash: *info_hash, want, no_seed: false, scrape: false }
                }
            };
            for holder in gang.closest_known(&place, COPIES) {
                let Some((member, _)) = gang.pair() else { return };
                gang.ask(hand, member, holder.endpoint, &query);
                self.asked.push_back((member.endpoint, holder.endpoint, number));
            }
            self.made.push(thing);
        }
        while self.asked.len() > ASKED {
            self.asked.pop_front();
        }
    }

    fn heard(&mut self, gang: &mut Gang, hand: &mut Hand<'_>, heard: &Heard<'_>) {
        let Some(token) = heard.reply.token() else { return };
        let (at, from) = (heard.member.endpoint, heard.from.endpoint);
        let fits = |(asker, holder, number): &(Endpoint, Endpoint, usize)| {
            *asker == at && *holder == from && self.made[*number].fits(&heard.reply)
        };
        let Some(place) = self.asked.iter().position(fits) else { return };
        let Some((_, _, number)) = self.asked.remove(place) else { return };
        let (member, to): (Contact, Contact) = (heard.member, heard.from);
        match &self.made[number] {
            Thing::Item(item) => gang.write(hand, member, to, item, token),
            Thing::Member(new) => {
                let query = Query::Add {
                    member: Member::as_ref(new).as_unverified(),
                    token,
                    target: new.target(),
                };
                gang.ask(hand, member, to.endpoint, &query);
            }
            Thing::Peer(info_hash) => {
                let (info_hash, port) = (*info_hash, 1 + number as u16 % 60_000);
                let query = Query::AnnouncePeer {
                    info_hash,
                    port,
                    implied_port: false,
                    seed: false,
                    token,
                };
                gang.ask(hand, member, to.endpoint, &query);
            }
        }
    }
}

impl Thing {
    fn place(&self) -> wire::Point {
        match self {
            Thing::Item(item) => item.target().point(),
            Thing::Member(member) => member.target().point(),
            Thing::Peer(info_hash) => info_hash.point(),
        }
    }

    fn fits(&self, reply: &Reply<'_>) -> bool {
        matches!(
            (self, reply),
            (Thing::Item(_), Reply::Item { .. })
                | (Thing::Member(_), Reply::Members { .. })
                | (Thing::Peer(_), Reply::Peers { .. })
        )
    }
}
