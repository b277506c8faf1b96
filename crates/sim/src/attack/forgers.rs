//! Members that answer in the names of honest nodes, before these do: asked for a place, a member
//! knows that its neighbours are being asked, too, and sends replies from their addresses under the
//! transaction id that it has seen, those next to it, and guessed ones.
//!
//! They want honest nodes' words replaced by theirs. What meets them: a reply counts only from the
//! address that was asked and under the transaction id of just that question, 32 bits drawn anew for
//! each. Who sees the datagrams on their way can forge in a network without a key; these cannot.

use wire::compact::NodesBuffer;
use wire::{Contact, Endpoint, Family, NodeLists, Point, Reply};

use super::{Asked, Gang, Hand, Says, Scheme};
use crate::chance::Chance;

/// Honest nodes in whose names is answered.
const NAMES: usize = 8;

/// Transaction ids that are tried for each.
const TRIES: u32 = 4;

/// Answer in others' names.
pub struct Forgers;

impl Scheme for Forgers {
    const NAME: &'static str = "forgers";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "send replies in the names of honest nodes".to_owned()
    }

    fn says(&mut self, gang: &mut Gang, hand: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        if let Some(target) = asked.target()
            && let Ok(seen) = <[u8; 4]>::try_from(asked.message.transaction)
        {
            let seen = u32::from_be_bytes(seen);
            for name in gang.closest_known(&target, NAMES) {
                for step in 0..TRIES {
                    let guess = match step {
                        0 | 1 => seen.wrapping_add(step),
                        2 => seen.wrapping_sub(1),
                        _ => gang.chance.u64() as u32,
                    };
                    forge(gang, hand, name, asked.from, &target, guess);
                }
            }
        }
        Some(gang.behave(asked))
    }
}

/// Sends a reply in this name that leads into the gang.
fn forge(
    gang: &mut Gang,
    hand: &mut Hand<'_>,
    name: Contact,
    to: Endpoint,
    target: &Point,
    transaction: u32,
) {
    let mut list = NodesBuffer::new(Family::V4);
    for member in gang.closest_members(target, 8) {
        list.push(&member.id, &member.endpoint);
    }
    let reply = Reply::Nodes(NodeLists { v4: Some(list.as_nodes()), v6: None });
    let (mut buffer, speaker) = ([0; 1024], gang.speaker(name.id));
    let length = speaker.write_reply(&transaction.to_be_bytes(), &to, &reply, &mut buffer);
    gang.send(hand, name.endpoint, to, &buffer[..length.unwrap_or(0)]);
}
