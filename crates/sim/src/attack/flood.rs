//! Members that send more than anybody can use: questions of each kind, replies that nobody asked for,
//! and noise, from all their addresses to all honest nodes.
//!
//! They want nodes too busy to answer others, their memory, and their replies to fill lines. What
//! meets them: nothing of a stranger's allocates without a bound, replies to unproven addresses have a
//! budget, and whoever asks more than five times at once and twice a second from a foreign address is
//! left waiting.

use wire::offer::Offer;
use wire::{
    InfoHash, NodeLists, Point, Query, Reply, Target, Want, item::byte_string, offer::Offers,
};

use super::{Gang, Hand, Scheme};
use crate::chance::Chance;

/// Send too much.
pub struct Flood {
    /// Datagrams at a time.
    datagrams: usize,
}

impl Flood {
    /// So many datagrams each quarter of a second.
    pub fn of(datagrams: usize) -> Self {
        Self { datagrams }
    }

    fn question(gang: &mut Gang, hand: &mut Hand<'_>) {
        let Some((member, to)) = gang.pair() else { return };
        let place: [u8; 20] = gang.chance.bytes();
        let (target, want) = (Target::new(place), Want { v4: true, v6: true });
        let offers = Offers::encode(&[Offer { target, number: 1 }; 20]);
        let value = byte_string(&[0x5a; 900]);
        let query = match gang.chance.below(9) {
            0 => Query::Ping,
            1 => Query::FindNode { target: Point::new(place), want },
            2 => Query::GetPeers {
                info_hash: InfoHash::new(place),
                want,
                no_seed: false,
                scrape: true,
            },
            3 => Query::Get { target, newer_than: None, want },
            4 => Query::SampleInfohashes { target: Point::new(place), want },
            5 => Query::Members { target, after: None, want },
            6 => match Offers::read(&offers) {
                Ok(offers) => Query::Offer { offers },
                Err(_) => Query::Ping,
            },
            7 => {
                Query::WaitingGet { target, newer_than: None, token: &place[..8], wait_s: 30, want }
            }
            _ => Query::Put {
                item: wire::Unverified { value: &value, signed: None },
                cas: None,
                lease: None,
                token: &place[..8],
                target: None,
            },
        };
        gang.ask(hand, member, to.endpoint, &query);
    }

    /// A reply, or noise.
    fn rubbish(gang: &mut Gang, hand: &mut Hand<'_>) {
        let Some((member, to)) = gang.pair() else { return };
        let transaction = gang.chance.bytes::<4>();
        let mut buffer = [0; 600];
        let (speaker, reply) = (gang.speaker(member.id), Reply::Nodes(NodeLists::default()));
        let length = speaker.write_reply(&transaction, &to.endpoint, &reply, &mut buffer);
        let mut bytes = buffer[..length.unwrap_or(0)].to_vec();
        if gang.chance.happens(0.5) {
            let cut = gang.chance.below(bytes.len() + 1);
            bytes.truncate(cut);
            bytes.extend(gang.chance.bytes::<64>());
        }
        gang.send(hand, member.endpoint, to.endpoint, &bytes);
    }
}

impl Scheme for Flood {
    const NAME: &'static str = "flood";

    fn draw(chance: &mut Chance) -> Self {
        Self::of(*chance.pick(&[20, 100, 500]).unwrap_or(&20))
    }

    fn describe(&self) -> String {
        format!("send {} datagrams/s of all kinds", self.datagrams * 4)
    }

    fn tick(&mut self, gang: &mut Gang, hand: &mut Hand<'_>) {
        for _ in 0..self.datagrams {
            match gang.chance.below(3) {
                0 => Self::rubbish(gang, hand),
                _ => Self::question(gang, hand),
            }
        }
    }
}
