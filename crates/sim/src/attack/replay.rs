//! Members that write with tokens which are not theirs: given to another member's address, given for
//! another target, or long ago.
//!
//! They want to fill shelves from addresses that are not their own, and to be counted as others. What
//! meets them: a token is a MAC over five minutes, the asker's IP address and the target, and is
//! checked before anything else. All of these writes must be refused.

use core::time::Duration;
use std::collections::VecDeque;

use node::Instant;
use wire::item::byte_string;
use wire::{Contact, Item, Query, Reply, Want};

use super::{Gang, Hand, Heard, Scheme};
use crate::chance::Chance;

/// Questions for tokens at a time.
const QUESTIONS: usize = 4;

/// Tokens that are kept until they are old.
const KEPT: usize = 2048;

/// Tokens are good for ten minutes at most, and an asker's time to get one.
const OLD: Duration = Duration::from_secs(11 * 60);

struct Token {
    given_at: Instant,
    to: Contact,
    by: Contact,
    bytes: Box<[u8]>,
    item: Item,
}

/// Write with others' tokens.
#[derive(Default)]
pub struct Replay {
    tokens: VecDeque<Token>,
    asked: VecDeque<(Contact, Contact, Item)>,
}

impl Scheme for Replay {
    const NAME: &'static str = "replay";

    fn draw(_: &mut Chance) -> Self {
        Self::default()
    }

    fn describe(&self) -> String {
        "write with tokens of others, for other targets, and old ones".to_owned()
    }

    fn tick(&mut self, gang: &mut Gang, hand: &mut Hand<'_>) {
        for _ in 0..QUESTIONS {
            let Some((member, to)) = gang.pair() else { return };
            let Ok(item) = Item::immutable(&byte_string(&gang.chance.bytes::<20>())) else {
                return;
            };
            let query =
                Query::Get { target: item.target(), newer_than: None, want: Want::default() };
            gang.ask(hand, member, to.endpoint, &query);
            self.asked.push_back((member, to, item));
        }
        while self.asked.len() > KEPT {
            self.asked.pop_front();
        }
        while self.tokens.front().is_some_and(|token| hand.now.since(token.given_at) > OLD) {
            let Some(token) = self.tokens.pop_front() else { return };
            gang.write(hand, token.to, token.by, &token.item, &token.bytes);
        }
    }

    fn heard(&mut self, gang: &mut Gang, hand: &mut Hand<'_>, heard: &Heard<'_>) {
        let Reply::Item { token: Some(bytes), .. } = heard.reply else { return };
        let asked = |(member, to, _): &(Contact, Contact, Item)| {
            *member == heard.member && to.endpoint == heard.from.endpoint
        };
        let Some(place) = self.asked.iter().position(asked) else { return };
        let Some((to, by, item)) = self.asked.remove(place) else { return };
        // Another member's address, and then another target.
        if let Some((other, _)) = gang.pair()
            && other.endpoint.ip() != to.endpoint.ip()
        {
            gang.write(hand, other, by, &item, bytes);
        }
        if let Ok(other) = Item::immutable(&byte_string(&gang.chance.bytes::<21>())) {
            gang.write(hand, to, by, &other, bytes);
        }
        if self.tokens.len() < KEPT {
            let bytes = bytes.into();
            self.tokens.push_back(Token { given_at: hand.now, to, by, bytes, item });
        }
    }
}

impl Gang {
    /// Any member, and any honest node.
    pub(super) fn pair(&mut self) -> Option<(Contact, Contact)> {
        let (member, honest) = (self.chance.u64(), self.chance.u64());
        let at = |all: &[Contact], number: u64| {
            all.get((number % all.len().max(1) as u64) as usize).copied()
        };
        Some((at(self.members(), member)?, at(self.known(), honest)?))
    }

    /// A member puts an item at a node, with a token that may be its own.
    pub(super) fn write(
        &mut self,
        hand: &mut Hand<'_>,
        member: Contact,
        to: Contact,
        item: &Item,
        token: &[u8],
    ) {
        let year_ms = 365 * 24 * 3600 * 1000;
        let now_ms = crate::clock::START.0 + hand.now.as_micros() / 1000;
        let query = Query::Put {
            item: item.as_ref().as_unverified(),
            cas: None,
            lease: i64::try_from(now_ms + year_ms).ok().filter(|_| item.seq().is_none()),
            token,
            target: Some(item.target()),
        };
        self.ask(hand, member, to.endpoint, &query);
    }
}
