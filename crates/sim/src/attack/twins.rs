//! Members that write one version twice: they put an item, wait until its holder shows it, and then put
//! another value under the same version and a lower version above it; and so with members of sets.
//!
//! They want holders to differ in what they show, and what is newest to be undone. What meets them: a
//! holder takes no lower version than it has, and no other value under the version that it has.

use std::collections::VecDeque;

use wire::item::{byte_string, mutable_target};
use wire::member::Saying;
use wire::{Contact, Found, Item, Member, Query, Reply, Seq, Signer, Target, Want};

use super::{Gang, Hand, Heard, Scheme};
use crate::chance::Chance;

/// Questions that are remembered until they are answered, and things that are asked after once more.
const ASKED: usize = 512;

/// Who is asked about what.
struct Asked {
    member: Contact,
    to: Contact,
    what: What,
}

/// What is written in two ways.
#[derive(Clone)]
enum What {
    Item(Box<[u8; 32]>),
    Member(Box<[u8; 32]>),
}

/// Write one version twice.
#[derive(Default)]
pub struct Twins {
    asked: VecDeque<Asked>,
    /// What was written, and is looked at again when its turn comes: asking at once, and again at each
    /// answer, would be a flood, which is another attack.
    again: VecDeque<Asked>,
}

impl Scheme for Twins {
    const NAME: &'static str = "twins";

    fn draw(_: &mut Chance) -> Self {
        Self::default()
    }

    fn describe(&self) -> String {
        "put two values under one version, and lower versions".to_owned()
    }

    fn tick(&mut self, gang: &mut Gang, hand: &mut Hand<'_>) {
        let Some((member, to)) = gang.pair() else { return };
        let seed = Box::new(gang.chance.bytes());
        let what = if gang.chance.happens(0.5) { What::Item(seed) } else { What::Member(seed) };
        self.ask(gang, hand, Asked { member, to, what });
        if let Some(asked) = self.again.pop_front() {
            self.ask(gang, hand, asked);
        }
    }

    fn heard(&mut self, gang: &mut Gang, hand: &mut Hand<'_>, heard: &Heard<'_>) {
        let is_item = matches!(heard.reply, Reply::Item { .. });
        let Some(token) = heard.reply.token() else { return };
        let fits = |asked: &Asked| {
            let of_kind = matches!(asked.what, What::Item(_)) == is_item;
            of_kind && asked.member == heard.member && asked.to.endpoint == heard.from.endpoint
        };
        let Some(place) = self.asked.iter().position(fits) else { return };
        let Some(asked) = self.asked.remove(place) else { return };
        let now_ms = crate::clock::START.0 + hand.now.as_micros() / 1000;
        let is_there = match &heard.reply {
            Reply::Item { found, .. } => !matches!(found, Found::Nothing),
            Reply::Members { members, .. } => {
                members.is_some_and(|members| members.iter().next().is_some())
            }
            _ => return,
        };
        // First one value; when that is there, the other, and the lower version.
        let versions: &[(i64, u8)] = if is_there { &[(2, b'b'), (1, b'a')] } else { &[(2, b'a')] };
        for (seq, value) in versions {
            asked.what.write(gang, hand, &asked, (*seq, *value), now_ms, token);
        }
        remember(&mut self.again, asked);
    }
}

impl Twins {
    fn ask(&mut self, gang: &mut Gang, hand: &mut Hand<'_>, asked: Asked) {
        let (target, want) = (asked.what.target(), Want::default());
        let query = match asked.what {
            What::Item(_) => Query::Get { target, newer_than: None, want },
            What::Member(_) => Query::Members { target, after: None, want },
        };
        gang.ask(hand, asked.member, asked.to.endpoint, &query);
        remember(&mut self.asked, asked);
    }
}

/// Remembers one more, and the oldest no longer if there are too many.
fn remember(all: &mut VecDeque<Asked>, asked: Asked) {
    all.push_back(asked);
    if all.len() > ASKED {
        all.pop_front();
    }
}

impl What {
    fn target(&self) -> Target {
        match self {
            What::Item(seed) => mutable_target(&Signer::from_seed(seed).public_key(), b""),
            What::Member(seed) => {
                let mut target = [0; 20];
                target.copy_from_slice(&seed[..20]);
                Target::new(target)
            }
        }
    }

    fn write(
        &self,
        gang: &mut Gang,
        hand: &mut Hand<'_>,
        asked: &Asked,
        (seq, value): (i64, u8),
        now_ms: u64,
        token: &[u8],
    ) {
        let Some(seq) = Seq::new(seq) else { return };
        match self {
            What::Item(seed) => {
                let value = byte_string(&[value]);
                let item = Item::mutable(&Signer::from_seed(seed), b"", seq, &value);
                if let Ok(item) = item {
                    gang.write(hand, asked.member, asked.to, &item, token);
                }
            }
            What::Member(seed) => {
                let until_ms = now_ms + 24 * 3600 * 1000;
                let saying = Saying {
                    item: b"twin",
                    seq,
                    expires_ms: until_ms,
                    remembered_ms: until_ms,
                    removed: false,
                };
                let target = self.target();
                let Ok(new) = Member::sign(&Signer::from_seed(seed), &target, saying) else {
                    return;
                };
                let member = new.as_ref().as_unverified();
                let query = Query::Add { member, token, target };
                gang.ask(hand, asked.member, asked.to.endpoint, &query);
            }
        }
    }
}
