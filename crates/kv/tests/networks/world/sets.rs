//! The requests that stories of sets make, and what single nodes hold of a set.

use std::time::Duration;

use kv::{
    DEFAULT_TTL, Done, Key, LISTING_MEMBERS, MembersReport, MembersRequest, Namespace, Request,
    SetChange, SetError, SetReport, SetRequest,
};
use wire::{
    Cursor, Member, Message, Query, Reply, ReplyKind, Saying, Seq, Signer, Target,
    UnverifiedMember, Want,
};

use super::asking::target;
use super::{START, World};

pub type SetOutcome = Result<Box<SetReport>, SetError>;
pub type MembersOutcome = Result<Box<MembersReport>, SetError>;

/// The set of all stories.
pub const KEY: &str = "set";

/// Whoever has this number among the writers.
pub fn writer(number: u8) -> Signer {
    Signer::from_seed(&[number; 32])
}

/// Adds an item for a week.
pub fn addition(writer: Option<Signer>, item: &[u8]) -> SetRequest {
    addition_for(writer, item, DEFAULT_TTL)
}

pub fn addition_for(writer: Option<Signer>, item: &[u8], ttl: Duration) -> SetRequest {
    let change = SetChange::Add { ttl };
    SetRequest {
        namespace: Namespace::default(),
        key: Key::new(KEY).expect("a short key"),
        writer,
        item: item.into(),
        change,
    }
}

pub fn removal(writer: Option<Signer>, item: &[u8]) -> SetRequest {
    SetRequest { change: SetChange::Remove, ..addition(writer, item) }
}

/// A member signed past the rules of requests.
pub fn member(writer: &Signer, item: &[u8], version: u64, expires_ms: u64) -> Member {
    let seq = i64::try_from(version).ok().and_then(Seq::new).expect("a small version");
    let saying = Saying { item, seq, expires_ms, remembered_ms: expires_ms, removed: false };
    Member::sign(writer, &target(KEY), saying).expect("a sound member")
}

/// A member of this day.
pub fn fresh(writer: &Signer, item: &[u8]) -> Member {
    member(writer, item, START.0 * 1000, START.0 + 86_400_000)
}

impl World {
    /// Adds or removes and waits for the end.
    pub fn change(&mut self, node: usize, request: SetRequest) -> SetOutcome {
        let id = self.request(node, Request::Set(request));
        match self.finish(node, id) {
            Done::Set(outcome) => outcome,
            other => panic!("a change of a set ended with {other:?}"),
        }
    }

    /// Adds an item as whoever knows the namespace's name, which must succeed.
    pub fn add_item(&mut self, node: usize, item: &[u8]) -> Box<SetReport> {
        self.change(node, addition(None, item)).expect("enough holders are up")
    }

    /// Lists a part of the set.
    pub fn list_part(
        &mut self,
        node: usize,
        after: Option<Cursor>,
        limit: usize,
    ) -> MembersOutcome {
        let key = Key::new(KEY).expect("a short key");
        let request = MembersRequest { namespace: Namespace::default(), key, after, limit };
        let id = self.request(node, Request::Members(request));
        match self.finish(node, id) {
            Done::Members(outcome) => outcome,
            other => panic!("a listing ended with {other:?}"),
        }
    }

    /// Lists the set.
    pub fn list(&mut self, node: usize) -> Box<MembersReport> {
        self.list_part(node, None, LISTING_MEMBERS).expect("a majority answers")
    }

    /// The items of the set as a majority gives them, sorted.
    pub fn items(&mut self, node: usize) -> Vec<Vec<u8>> {
        let mut items: Vec<Vec<u8>> =
            self.list(node).members.iter().map(|member| member.item.to_vec()).collect();
        items.sort();
        items
    }

    /// The living items of the first page that a node holds, sorted, as a stranger sees them.
    pub fn items_held(&mut self, node: usize) -> Vec<Vec<u8>> {
        let now = self.now_at(node).wall.0;
        let (members, ..) = self.page_held(node, target(KEY), None);
        let living = members.iter().filter(|member| member.saying().lives(now));
        let mut items: Vec<Vec<u8>> = living.map(|member| member.item().to_vec()).collect();
        items.sort();
        items
    }

    /// Gives a node a member as a stranger would; the error's code if it refuses.
    pub fn give_member(&mut self, node: usize, member: &Member) -> Result<(), i64> {
        self.give_encoded(node, &member.encode(), member.target())
    }

    /// Gives a node whatever has the form of a member.
    pub fn give_encoded(&mut self, node: usize, bytes: &[u8], target: Target) -> Result<(), i64> {
        let (_, _, token) = self.page_held(node, target, None);
        let member = UnverifiedMember::decode(bytes).expect("the form of a member");
        let answer = self.ask(node, &Query::Add { member, token: &token, target });
        match Message::read(&answer) {
            Ok(Message::Reply(_)) => Ok(()),
            Ok(Message::Error(error)) => Err(error.code),
            other => panic!("an add was answered by {other:?}"),
        }
    }

    /// All members of a set that a node tells, page by page, as a stranger sees them.
    pub fn all_held(&mut self, node: usize, key: &str) -> Vec<Member> {
        let mut all: Vec<Member> = Vec::new();
        loop {
            let after = all.last().map(Member::cursor);
            let (members, more, _) = self.page_held(node, target(key), after);
            all.extend(members);
            if !more {
                return all;
            }
        }
    }

    /// A page that a node holds of a set, whether there are more, and a token.
    pub fn page_held(
        &mut self,
        node: usize,
        target: Target,
        after: Option<Cursor>,
    ) -> (Vec<Member>, bool, Vec<u8>) {
        let query = Query::Members { target, after, want: Want::default() };
        let answer = self.ask(node, &query);
        assert!(answer.len() <= wire::limits::VALUE_REPLY_BYTES);
        let Ok(Message::Reply(reply)) = Message::read(&answer) else {
            panic!("a question for members was not answered")
        };
        let (_, reply) = reply.read_as(ReplyKind::Members).expect("an answer");
        let Reply::Members { token, members: Some(members), more, .. } = reply else {
            panic!("an answer with members")
        };
        let verify = |member: UnverifiedMember<'_>| {
            let mut keys = wire::KnownKeys::default();
            member.verify(&target, &mut keys).expect("holders hold what is sound").to_member()
        };
        (members.iter().map(verify).collect(), more, token.expect("a token").to_vec())
    }
}
