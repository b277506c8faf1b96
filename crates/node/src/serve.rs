//! Answering queries: from the table and the shelf, into the outbox, without allocating.

use wire::compact::{NodesBuffer, contact_bytes};
use wire::limits::{PLAIN_REPLY_BYTES, VALUE_REPLY_BYTES};
use wire::member::MembersBuffer;
use wire::planted::{self, Bug};
use wire::{
    CompactPeers, Cursor, Endpoint, Family, Found, InfoHash, NodeLists, Point, Query, QueryMessage,
    Reply, Seq, Target, Unverified, Want,
};

use crate::budget::Withheld;
use crate::counters::{Drop, Method};
use crate::limits::{K, NAMED};
use crate::outbox::Outbox;
use crate::shelf::{Admission, Offered, Refused, Taken, Way};
use crate::state::Node;
use crate::time::{Instant, Now, UnixMillis};

/// Bytes of a reply around its variable parts: the outer dictionary with address, tag and version,
/// our id, a token, and the names of two node lists; without the transaction id.
const AROUND_BYTES: usize = 148;

/// Bytes of a mutable item's key, signature and version in a reply, with their names.
const SIGNED_BYTES: usize = 132;

/// Bytes of two Bloom filters with their names.
const FILTERS_BYTES: usize = 2 * (6 + 4 + 256);

/// Bytes of a peer of each family in a `values` list.
const PEER_BYTES: [usize; 2] = [8, 21];

/// Bytes around the members of a reply, with how many there are and whether there are more.
const MEMBERS_NAMES_BYTES: usize = 40;

/// What a node says that hands off what it holds: whoever has something for it shall give it to others.
pub(crate) const LEAVING: Refused = Refused { code: 202, text: "leaving" };

pub(crate) const BAD_TOKEN: Refused = Refused { code: 203, text: "invalid token" };
const UNKNOWN_METHOD: Refused = Refused { code: 204, text: "method unknown" };

/// A query with all that its answer depends on.
pub(crate) struct Asked<'m> {
    pub now: Now,
    pub from: Endpoint,
    /// Whether it shows our network's tag.
    pub ours: bool,
    pub transaction: &'m [u8],
    /// Bytes that a seal adds to the answer.
    pub sealing: usize,
}

impl Asked<'_> {
    /// What is left for the variable parts of an answer that may have `bytes` in all.
    fn room(&self, bytes: usize) -> usize {
        bytes - AROUND_BYTES - self.sealing - self.transaction.len()
    }
}

impl<A: Admission> Node<A> {
    fn asked<'m>(&self, now: Now, from: Endpoint, message: &QueryMessage<'m>) -> Asked<'m> {
        let ours = message.network.is_some() && message.network == self.config.network.tag();
        let (transaction, sealing) = (message.transaction, self.sealing_bytes());
        Asked { now, from, ours, transaction, sealing }
    }

    /// Answers a query.
    pub(crate) fn serve(
        &mut self,
        now: Now,
        from: Endpoint,
        message: &QueryMessage<'_>,
        outbox: &mut Outbox,
    ) {
        let asked = self.asked(now, from, message);
        self.counters.answer(Method::of(&message.query));
        if self.leaving && wants_to_be_held(&message.query) {
            return self.refuse(&asked, LEAVING, outbox);
        }
        match message.query {
            Query::Ping => self.reply(&asked, &Reply::Ack, outbox),
            Query::FindNode { target, want } => {
                let room = asked.room(PLAIN_REPLY_BYTES);
                let lists = self.nodes_near(&target, want, &asked, room, asked.ours);
                self.reply(&asked, &Reply::Nodes(lists.as_lists()), outbox);
            }
            Query::GetPeers { info_hash, want, no_seed, scrape } => {
                self.serve_get_peers(&asked, info_hash, want, no_seed, scrape, outbox)
            }
            Query::AnnouncePeer { info_hash, port, implied_port, seed, token } => {
                let port = if implied_port { from.port() } else { port };
                self.serve_announce(&asked, info_hash, port, seed, token, outbox);
            }
            Query::Get { target, newer_than, want } => {
                self.serve_get(&asked, target, newer_than, want, outbox)
            }
            Query::WaitingGet { target, newer_than, token, wait_s, want } => {
                if !self.wait(&asked, target, newer_than, token, wait_s, want) {
                    self.serve_get(&asked, target, newer_than, want, outbox);
                }
            }
            Query::Put { item, cas, lease, token, .. } => {
                let lease = lease.and_then(|until| u64::try_from(until).ok()).map(UnixMillis);
                let stored = self.serve_put(&asked, item, lease, cas, token);
                let changed = stored.ok().filter(|(_, taken)| *taken == Taken::Held);
                self.acknowledge(&asked, stored.map(|(_, taken)| taken), outbox);
                if let Some((target, _)) = changed {
                    self.shelf_changed(&target, now, outbox);
                }
            }
            Query::SampleInfohashes { target, want } => {
                self.serve_sample(&asked, &target, want, outbox)
            }
            Query::Offer { offers } => self.serve_offer(&asked, offers, &message.id, outbox),
            Query::OfferSets { sets } => self.serve_offer_sets(&asked, sets, &message.id, outbox),
            Query::OfferMembers { target, members } => {
                self.serve_offer_members(&asked, &target, members, outbox)
            }
            Query::Add { member, token, target } => {
                self.serve_add(&asked, member, token, &target, outbox)
            }
            Query::Members { target, after, want } => {
                self.serve_members(&asked, target, after, want, outbox)
            }
            Query::Unknown => self.refuse(&asked, UNKNOWN_METHOD, outbox),
        }
    }

    /// Answers a query that could not be read, so that an honest implementer learns of it.
    pub(crate) fn refuse_malformed(
        &mut self,
        now: Instant,
        from: Endpoint,
        transaction: &[u8],
        outbox: &mut Outbox,
    ) {
        if self.read_only {
            return self.counters.drop(Drop::ReadOnly);
        }
        let now = Now { monotonic: now, ..Now::default() };
        let asked = Asked { now, from, ours: false, transaction, sealing: self.sealing_bytes() };
        self.counters.answer(Method::Unknown);
        self.refuse(&asked, Refused { code: 203, text: "malformed query" }, outbox);
    }

    fn serve_get_peers(
        &mut self,
        asked: &Asked<'_>,
        info_hash: InfoHash,
        want: Want,
        no_seed: bool,
        scrape: bool,
        outbox: &mut Outbox,
    ) {
        let (now, family) = (asked.now.monotonic, asked.from.family());
        let mut room = asked.room(PLAIN_REPLY_BYTES);
        let filters = if scrape { self.peers.filters(&info_hash, now) } else { None };
        if filters.is_some() {
            room -= FILTERS_BYTES;
        }
        let lists = self.nodes_near(&info_hash.point(), want, asked, room, false);
        room -= lists.len();
        let most = room / PEER_BYTES[family as usize];
        let values = self.peers.answer(&info_hash, family, no_seed, most, now, &mut self.dice);
        let token = self.tokens.issue(&asked.from, &info_hash.point(), now);
        let token = self.peers.has_room(&info_hash, family).then_some(&token[..]);
        let reply = Reply::Peers {
            nodes: lists.as_lists(),
            token,
            values: CompactPeers::new(values.entries()),
            filters: filters.as_ref().map(|(seeds, peers)| (seeds.as_bytes(), peers.as_bytes())),
        };
        self.reply(asked, &reply, outbox);
    }

    fn serve_announce(
        &mut self,
        asked: &Asked<'_>,
        info_hash: InfoHash,
        port: u16,
        seed: bool,
        token: &[u8],
        outbox: &mut Outbox,
    ) {
        let now = asked.now.monotonic;
        if !self.tokens.accepts(token, &asked.from, &info_hash.point(), now) {
            return self.refuse(asked, BAD_TOKEN, outbox);
        }
        self.budget.prove(&asked.from, asked.now.monotonic);
        let peer = asked.from.with_port(port);
        match self.peers.announce(info_hash, peer, seed, now) {
            Ok(()) => {
                self.keep_peer(info_hash, peer, seed, asked.now);
                self.reply(asked, &Reply::Ack, outbox);
            }
            Err(refused) => self.refuse(asked, refused, outbox),
        }
    }

    pub(crate) fn serve_get(
        &mut self,
        asked: &Asked<'_>,
        target: Target,
        newer_than: Option<Seq>,
        want: Want,
        outbox: &mut Outbox,
    ) {
        let wall = self.lease_wall(asked.now);
        let token = self.tokens.issue(&asked.from, &target.point(), asked.now.monotonic);
        let found = match self.items.get(&target, wall).map(|item| item.as_ref()) {
            // A version that is remembered is shown, so that a writer can go above it.
            None => self.items.marker(&target, wall).map_or(Found::Nothing, Found::Version),
            Some(item) => match (item.seq(), newer_than) {
                (Some(seq), Some(newer_than)) if seq <= newer_than => Found::Version(seq),
                // Whoever asks for an immutable one that is kept beyond a time is told until when, and
                // spared the bytes.
                (None, Some(beyond)) => match self.kept_beyond(&target, beyond) {
                    Some(until) => Found::Version(until),
                    None => Found::from(item),
                },
                _ => Found::from(item),
            },
        };
        let room = match &found {
            Found::Item(item) => {
                let signed = if item.signed.is_some() { SIGNED_BYTES } else { 0 };
                asked.room(VALUE_REPLY_BYTES) - item.value.len() - signed
            }
            Found::Nothing | Found::Version(_) => asked.room(PLAIN_REPLY_BYTES) - 32,
        };
        let lists = nodes_near(&self.tables, &target.point(), want, asked, room, asked.ours);
        let reply = Reply::Item { nodes: lists.as_lists(), token: Some(&token), found };
        // The reply borrows the shelf, so the speaker and the budget are used by hand here.
        let speaker = self.speaker();
        let (budget, counters) = (&mut self.budget, &mut self.counters);
        let sent = outbox.send(asked.from, |buffer| {
            let length = speaker.write_reply(asked.transaction, &asked.from, &reply, buffer)?;
            admitted(budget, counters, asked, length)
        });
        self.count_sent(sent);
    }

    /// Until when an immutable item is kept, if that is not before `time`, both in milliseconds since
    /// 1970.
    fn kept_beyond(&self, target: &Target, time: Seq) -> Option<Seq> {
        let until = self.items.kept_until(target)?;
        i64::try_from(until.0).ok().and_then(Seq::new).filter(|until| *until >= time)
    }

    /// Takes an item: a token first, since that costs least to check, then what it is.
    fn serve_put(
        &mut self,
        asked: &Asked<'_>,
        item: Unverified<'_>,
        lease: Option<UnixMillis>,
        cas: Option<Seq>,
        token: &[u8],
    ) -> Result<(Target, Taken), Refused> {
        let claim = item.claim();
        let target = claim.target();
        let accepts = |place| self.tokens.accepts(token, &asked.from, &place, asked.now.monotonic);
        let way = if accepts(target.point()) {
            Way::Put
        } else if accepts(self.id().point()) {
            // Whoever hands off much at once need not ask about each item.
            Way::HandOff
        } else {
            return Err(BAD_TOKEN);
        };
        self.budget.prove(&asked.from, asked.now.monotonic);
        let item = claim.verify(&mut self.known_keys)?;
        let source = self.items.source(&asked.from, way);
        let second = asked.now.monotonic.as_secs();
        let offered = Offered { item, wanted: lease, cas, source, second };
        Ok((target, self.shelve(&offered, asked.now)?))
    }

    fn serve_sample(&mut self, asked: &Asked<'_>, target: &Point, want: Want, outbox: &mut Outbox) {
        let now = asked.now.monotonic;
        let room = asked.room(PLAIN_REPLY_BYTES) - crate::limits::SAMPLE * 20 - 60;
        let lists = nodes_near(&self.tables, target, want, asked, room, false);
        let (samples, num, interval) = self.peers.sample(now, &mut self.dice);
        let mut copy = [0; crate::limits::SAMPLE * 20];
        copy[..samples.len()].copy_from_slice(samples);
        let length = samples.len();
        let reply = Reply::Samples {
            nodes: lists.as_lists(),
            interval_s: interval.as_secs() as i64,
            num: num as i64,
            samples: Some(&copy[..length]),
        };
        self.reply(asked, &reply, outbox);
    }

    fn serve_members(
        &mut self,
        asked: &Asked<'_>,
        target: Target,
        after: Option<Cursor>,
        want: Want,
        outbox: &mut Outbox,
    ) {
        let token = self.tokens.issue(&asked.from, &target.point(), asked.now.monotonic);
        let wall = self.lease_wall(asked.now);
        let mut buffer = MembersBuffer::default();
        let page = self.members.page(&target, after, wall);
        let more = !page.members().all(|member| buffer.push(member));
        let num = page.num as i64;
        let members = buffer.as_list();
        let most = match members.as_bytes() {
            [] => PLAIN_REPLY_BYTES,
            _ => VALUE_REPLY_BYTES,
        };
        let room = asked.room(most) - MEMBERS_NAMES_BYTES - members.as_bytes().len();
        let lists = self.nodes_near(&target.point(), want, asked, room, false);
        let reply = Reply::Members {
            nodes: lists.as_lists(),
            token: Some(&token),
            members: Some(members),
            more,
            num,
        };
        self.reply(asked, &reply, outbox);
    }

    fn nodes_near(
        &self,
        target: &Point,
        want: Want,
        asked: &Asked<'_>,
        room: usize,
        more: bool,
    ) -> Lists {
        nodes_near(&self.tables, target, want, asked, room, more)
    }

    /// Answers a put or an addition, or lets its sender wait for the disk.
    pub(crate) fn acknowledge(
        &mut self,
        asked: &Asked<'_>,
        taken: Result<Taken, Refused>,
        outbox: &mut Outbox,
    ) {
        match taken {
            Ok(Taken::Held) => self.reply(asked, &Reply::Ack, outbox),
            Ok(Taken::Staged(_)) if planted::is(Bug::AckBeforeDurable) => {
                self.reply(asked, &Reply::Ack, outbox);
            }
            Ok(Taken::Staged(batch)) => self.asker_waits(batch, asked),
            Err(refused) => self.refuse(asked, refused, outbox),
        }
    }

    pub(crate) fn reply(&mut self, asked: &Asked<'_>, reply: &Reply<'_>, outbox: &mut Outbox) {
        let speaker = self.speaker();
        let (budget, counters) = (&mut self.budget, &mut self.counters);
        let sent = outbox.send(asked.from, |buffer| {
            let length = speaker.write_reply(asked.transaction, &asked.from, reply, buffer);
            if length.is_none() {
                counters.drop(Drop::Oversized);
            }
            admitted(budget, counters, asked, length?)
        });
        self.count_sent(sent);
    }

    pub(crate) fn refuse(&mut self, asked: &Asked<'_>, refused: Refused, outbox: &mut Outbox) {
        self.counters.refused += 1;
        let speaker = self.speaker();
        let (budget, counters) = (&mut self.budget, &mut self.counters);
        let sent = outbox.send(asked.from, |buffer| {
            let Refused { code, text } = refused;
            let length = speaker.write_error(asked.transaction, &asked.from, code, text, buffer)?;
            admitted(budget, counters, asked, length)
        });
        self.count_sent(sent);
    }
}

/// Whether somebody has something that we should hold.
fn wants_to_be_held(query: &Query<'_>) -> bool {
    matches!(
        query,
        Query::Put { .. }
            | Query::AnnouncePeer { .. }
            | Query::Add { .. }
            | Query::Offer { .. }
            | Query::OfferSets { .. }
            | Query::OfferMembers { .. }
    )
}

/// The length of a reply that the budget lets through.
fn admitted(
    budget: &mut crate::budget::Budget,
    counters: &mut crate::counters::Counters,
    asked: &Asked<'_>,
    length: usize,
) -> Option<usize> {
    let sealed = length + asked.sealing;
    match budget.reply(&asked.from, asked.ours, sealed, asked.now.monotonic) {
        Ok(()) => return Some(length),
        Err(Withheld::Unproven) => counters.drop(Drop::Unproven),
        Err(Withheld::Paced) => counters.drop(Drop::Paced),
        Err(Withheld::Capped) => counters.drop(Drop::Capped),
    }
    None
}

/// The node lists of one reply.
struct Lists([Option<NodesBuffer>; 2]);

impl Lists {
    fn as_lists(&self) -> NodeLists<'_> {
        let [v4, v6] = &self.0;
        NodeLists {
            v4: v4.as_ref().map(NodesBuffer::as_nodes),
            v6: v6.as_ref().map(NodesBuffer::as_nodes),
        }
    }

    fn len(&self) -> usize {
        let buffers = self.0.iter().flatten();
        buffers.map(|buffer| buffer.as_nodes().as_bytes().len()).sum()
    }
}

/// The contacts nearest to `target` of the families wanted, as many as fit `room` bytes: [`K`], or
/// [`NAMED`] if `more`.
fn nodes_near(
    tables: &[crate::table::Table; 2],
    target: &Point,
    want: Want,
    asked: &Asked<'_>,
    room: usize,
    more: bool,
) -> Lists {
    let own = asked.from.family();
    let unsaid = !want.v4 && !want.v6;
    let wanted =
        [want.v4 || (unsaid && own == Family::V4), want.v6 || (unsaid && own == Family::V6)];
    let share = room / if wanted == [true, true] { 2 } else { 1 };
    Lists(Family::ALL.map(|family| {
        wanted[family as usize].then(|| {
            let mut buffer = NodesBuffer::new(family);
            let most = share / contact_bytes(family);
            let (table, push) = (&tables[family as usize], |it| buffer.push_compact(it));
            match more {
                true => table.closest::<NAMED>(target).compact().take(most).for_each(push),
                false => table.closest::<K>(target).compact().take(most).for_each(push),
            }
            buffer
        })
    }))
}
