//! A gang with a scheme, as the world lets it act.

use core::time::Duration;

use node::Instant;
use wire::{Contact, Endpoint, Message, NodeId, Point, QueryMessage, Reply};

use super::gang::awaited;
use super::puppet::{self, Says};
use super::{Attack, Gang, Hand, Tally};
use crate::chance::Chance;

/// How often a gang looks about.
const TICK: Duration = Duration::from_millis(250);

/// A question that reached a member.
pub struct Asked<'m> {
    /// When.
    pub now: Instant,
    /// The member.
    pub member: Contact,
    /// Who asks.
    pub from: Endpoint,
    /// What.
    pub message: QueryMessage<'m>,
}

/// A reply that reached a member.
pub struct Heard<'m> {
    /// The member.
    pub member: Contact,
    /// Who replies.
    pub from: Contact,
    /// What.
    pub reply: Reply<'m>,
}

/// What a gang is up to.
pub trait Scheme {
    /// Its name, as users write it.
    const NAME: &'static str;

    /// Whether it needs an address of somebody who is no node.
    const HAS_VICTIM: bool = false;

    /// How many honest nodes anywhere each member greets, beside those near it. So many make it no
    /// better known than honest ones are.
    const GREETED: usize = 16;

    /// Draws one.
    fn draw(chance: &mut Chance) -> Self
    where
        Self: Sized;

    /// What it is, with its measure, for people.
    fn describe(&self) -> String;

    /// How many members it needs; `None`: a share of the nodes.
    fn members(&self) -> Option<usize> {
        None
    }

    /// The id of the member at this address.
    fn id(&mut self, gang: &mut Gang, place: &Endpoint) -> NodeId {
        gang.any_id(place)
    }

    /// What a member says to a question once the gang has struck; `None`: nothing. Until then, and
    /// unless the scheme says otherwise, it behaves.
    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        Some(gang.behave(asked))
    }

    /// A member heard a reply.
    fn heard(&mut self, _: &mut Gang, _: &mut Hand<'_>, _: &Heard<'_>) {}

    /// Some time has passed since the gang struck.
    fn tick(&mut self, _: &mut Gang, _: &mut Hand<'_>) {}
}

/// A gang with a scheme.
pub struct Hostile<S> {
    gang: Gang,
    scheme: S,
}

impl<S: Scheme> Hostile<S> {
    /// Lets a gang follow a scheme.
    pub fn new(gang: Gang, scheme: S) -> Self {
        Self { gang, scheme }
    }

    /// Takes members in, one at each place that was found.
    pub fn enlisted(mut self) -> Self {
        for endpoint in self.gang.grounds.places.clone() {
            let id = self.scheme.id(&mut self.gang, &endpoint);
            self.gang.enlist(Contact { id, endpoint });
        }
        self
    }

    /// The gang.
    pub fn gang(&self) -> &Gang {
        &self.gang
    }

    fn asked(&mut self, hand: &mut Hand<'_>, asked: &Asked<'_>) {
        let says = match hand.now >= self.gang.strikes_at {
            true => self.scheme.says(&mut self.gang, hand, asked),
            false => Some(self.gang.behave(asked)),
        };
        let Some(says) = says else { return };
        if let Some(bytes) = puppet::write(&self.gang, asked, &says) {
            self.gang.send(hand, asked.member.endpoint, asked.from, &bytes);
        }
    }
}

impl<S: Scheme> Attack for Hostile<S> {
    fn begin(&mut self, hand: &mut Hand<'_>) {
        self.wake(hand);
    }

    fn datagram(&mut self, hand: &mut Hand<'_>, at: Endpoint, from: Endpoint, bytes: &[u8]) {
        self.gang.tally.heard += 1;
        self.gang.tally.heard_bytes += bytes.len() as u64;
        let Some(member) = self.gang.member_at(at) else { return };
        match Message::read(bytes) {
            Ok(Message::Query(message)) => {
                if !message.read_only {
                    self.gang.learn(Contact { id: message.id, endpoint: from });
                }
                self.asked(hand, &Asked { now: hand.now, member, from, message });
            }
            Ok(Message::Reply(message)) => {
                let (kind, writes) = awaited(message.transaction);
                let Ok((id, reply)) = message.read_as(kind) else { return };
                self.gang.tally.taken += u64::from(writes);
                let from = Contact { id, endpoint: from };
                self.gang.learn(from);
                self.scheme.heard(&mut self.gang, hand, &Heard { member, from, reply });
            }
            Ok(Message::Error(error)) => {
                self.gang.tally.refused += u64::from(awaited(error.transaction).1);
            }
            Ok(Message::BadQuery { .. }) | Err(_) => {}
        }
    }

    fn wake(&mut self, hand: &mut Hand<'_>) {
        self.gang.greet(hand, S::GREETED);
        if hand.now >= self.gang.strikes_at {
            self.scheme.tick(&mut self.gang, hand);
        }
        hand.wake_at(hand.now + TICK);
    }

    fn tally(&self) -> Tally {
        self.gang.tally
    }
}

impl Asked<'_> {
    /// The place that is asked about, if it is about one.
    pub fn target(&self) -> Option<Point> {
        puppet::target(&self.message.query)
    }
}
