//! Members that show what does not belong: asked for an item, a well signed one of another target;
//! asked for the members of a set, one whose signature is not its writer's.
//!
//! They want readers to take one key's value for another's, and sets to have members that nobody
//! added. What meets them: the target follows from what is signed, and every signature is checked.

use wire::member::{MembersBuffer, Saying};
use wire::{Item, Member, NodeLists, Query, Reply, Seq, Signer, Target};

use super::{Asked, Gang, Hand, Says, Scheme, Shown};
use crate::chance::Chance;

/// Show what does not belong.
pub struct Liars;

impl Scheme for Liars {
    const NAME: &'static str = "liars";

    fn draw(_: &mut Chance) -> Self {
        Self
    }

    fn describe(&self) -> String {
        "show items of other targets and members that nobody signed".to_owned()
    }

    fn says(&mut self, gang: &mut Gang, hand: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        let mut says = gang.behave(asked);
        match asked.message.query {
            Query::Get { target, .. } | Query::WaitingGet { target, .. } => {
                if let Some(other) = newest_other(gang, &target) {
                    says.shown = Shown::Item(Box::new(other));
                }
                Some(says)
            }
            Query::Members { target, .. } => match forged(gang, hand, asked, &target) {
                Some(bytes) => {
                    gang.send(hand, asked.member.endpoint, asked.from, &bytes);
                    None
                }
                None => Some(says),
            },
            _ => Some(says),
        }
    }
}

/// Of the items of other targets the one of the highest version, so that it would win.
fn newest_other(gang: &Gang, target: &Target) -> Option<Item> {
    let others = gang.shelf.values().filter(|item| item.target() != *target);
    others.max_by_key(|item| item.seq()).cloned()
}

/// A reply that names a member under a signature that is none.
fn forged(gang: &mut Gang, hand: &Hand<'_>, asked: &Asked<'_>, target: &Target) -> Option<Vec<u8>> {
    let signer = Signer::from_seed(&gang.chance.bytes());
    let until_ms = crate::clock::START.0 + hand.now.as_micros() / 1000 + 24 * 3600 * 1000;
    let saying = Saying {
        item: b"forged",
        seq: Seq::new(1)?,
        expires_ms: until_ms,
        remembered_ms: until_ms,
        removed: false,
    };
    let member = Member::sign(&signer, target, saying).ok()?;
    let mut list = MembersBuffer::default();
    list.push(member.as_ref());
    let reply = Reply::Members {
        nodes: NodeLists { v4: None, v6: None },
        token: Some(b"a token!"),
        members: Some(list.as_list()),
        more: false,
        num: 1,
    };
    let (mut buffer, speaker) = ([0; 2048], gang.speaker(asked.member.id));
    let transaction = asked.message.transaction;
    let length = speaker.write_reply(transaction, &asked.from, &reply, &mut buffer)?;
    let mut bytes = buffer[..length].to_vec();
    let signature = member.as_ref().as_unverified().signature;
    let at = bytes.windows(signature.len()).position(|window| *window == signature)?;
    bytes[at] ^= 1;
    Some(bytes)
}
