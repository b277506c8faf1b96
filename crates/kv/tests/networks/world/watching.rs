//! Watching, and holders that do not know how to wait.

use std::borrow::Cow;

use kv::{
    Done, Event, Key, Namespace, Request, RequestId, Version, WatchContent, WatchRequest, Watched,
};
use node::{Instant, Method};

use super::World;

/// Watches a key of the default namespace.
pub fn watch_request(key: &str, after: Option<Version>) -> WatchRequest {
    let key = Key::new(key).expect("a short key");
    WatchRequest { namespace: Namespace::default(), key, after }
}

/// A datagram as the receiver understands it: a foreign node passes over the argument `wait`.
pub fn as_understood(datagram: &[u8], foreign: bool) -> Cow<'_, [u8]> {
    let wait = b"4:waiti25e";
    let place = datagram.windows(wait.len()).position(|part| part == wait).filter(|_| foreign);
    match place {
        Some(place) => [&datagram[..place], &datagram[place + wait.len()..]].concat().into(),
        None => datagram.into(),
    }
}

impl World {
    /// Starts a watch.
    pub fn watch(&mut self, node: usize, key: &str, after: Option<Version>) -> RequestId {
        self.request(node, Request::Watch(watch_request(key, after)))
    }

    /// Ends a watch.
    pub fn cancel(&mut self, node: usize, id: RequestId) {
        let now = self.now_at(node);
        self.members[node].kv.cancel(id, now);
        self.drain(node);
    }

    /// All that a watch has told.
    pub fn told(&self, node: usize, id: RequestId) -> Vec<&Watched> {
        let told = self.events(node).iter().filter_map(|event| match event {
            Event::Watched(of, watched) if *of == id => Some(&**watched),
            _ => None,
        });
        told.collect()
    }

    /// The values that a watch has told; `None` for a deletion.
    pub fn told_values(&self, node: usize, id: RequestId) -> Vec<Option<String>> {
        let told = self.told(node, id);
        let text = |told: &&Watched| match &told.content {
            WatchContent::Value(value) => Some(String::from_utf8_lossy(value).into_owned()),
            WatchContent::Deleted => None,
            WatchContent::Large(manifest) => Some(format!("({} bytes)", manifest.length)),
            WatchContent::Unopened => Some("(sealed)".into()),
        };
        told.iter().map(text).collect()
    }

    /// The versions that a watch has told; they must rise.
    pub fn told_versions(&self, node: usize, id: RequestId) -> Vec<Version> {
        let versions: Vec<Version> = self.told(node, id).iter().map(|told| told.version).collect();
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
        versions
    }

    /// Runs until a watch has told so much, for at most so many seconds; gives when.
    pub fn until_told(
        &mut self,
        node: usize,
        id: RequestId,
        count: usize,
        seconds: u64,
    ) -> Instant {
        let limit = self.now + std::time::Duration::from_secs(seconds);
        while self.told(node, id).len() < count {
            assert!(self.step(limit), "only {:?} after {seconds} s", self.told_values(node, id));
        }
        self.now
    }

    /// Runs until a put is acknowledged; gives when.
    pub fn until_put(&mut self, node: usize, id: RequestId) -> (Version, Instant) {
        match self.finish(node, id) {
            Done::Put(Ok(report)) => (report.version.expect("a put has a version"), self.now),
            other => panic!("{other:?}"),
        }
    }

    /// How many answers wait at a node.
    pub fn waits(&self, node: usize) -> usize {
        self.members[node].kv.node().waits()
    }

    /// How many gets all nodes have answered, or let wait.
    pub fn gets(&self) -> u64 {
        self.members.iter().map(|member| member.kv.node().counters().answered_to(Method::Get)).sum()
    }

    /// What time it is in this world.
    pub fn time(&self) -> Instant {
        self.now
    }
}
