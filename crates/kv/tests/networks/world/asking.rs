//! The requests that stories make, each with the least that it needs.

use std::time::Duration;

use kv::{
    Change, Consistency, DEFAULT_TTL, Done, Expected, GetError, GetReport, GetRequest,
    ItemPutRequest, ItemReport, ItemSigning, Key, Namespace, PutError, PutReport, PutRequest,
    Request, RequestId,
};
use wire::Target;

use super::World;

pub type PutOutcome = Result<Box<PutReport>, PutError>;
pub type GetOutcome = Result<Box<GetReport>, GetError>;

/// Puts a value under a key of the default namespace, for a week.
pub fn put_request(key: &str, value: &[u8]) -> PutRequest {
    put_for(key, value, DEFAULT_TTL)
}

/// Puts a value for so long.
pub fn put_for(key: &str, value: &[u8], ttl: Duration) -> PutRequest {
    PutRequest {
        namespace: Namespace::default(),
        key: Key::new(key).expect("a short key"),
        change: Change::Put { value: value.into(), content_type: None, ttl, plain: false },
        expected: Expected::Anything,
        trace: false,
    }
}

/// Puts a value under a condition.
pub fn put_if(key: &str, value: &[u8], expected: Expected) -> PutRequest {
    PutRequest { expected, ..put_request(key, value) }
}

/// Puts the bytes as they are, without an envelope.
pub fn put_plain(key: &str, value: &[u8]) -> PutRequest {
    let value = value.into();
    let change = Change::Put { value, content_type: None, ttl: DEFAULT_TTL, plain: true };
    PutRequest { change, ..put_request(key, b"") }
}

/// Deletes a key of the default namespace.
pub fn delete_request(key: &str) -> PutRequest {
    PutRequest { change: Change::Delete, ..put_request(key, b"") }
}

/// Reads a key of the default namespace.
pub fn get_request(key: &str, consistency: Consistency) -> GetRequest {
    GetRequest {
        namespace: Namespace::default(),
        key: Key::new(key).expect("a short key"),
        consistency,
        trace: false,
    }
}

/// Where a key of the default namespace lies.
pub fn target(key: &str) -> Target {
    Namespace::default().target(&Key::new(key).expect("a short key"))
}

impl World {
    /// Puts and waits for the end.
    pub fn put(&mut self, node: usize, request: PutRequest) -> PutOutcome {
        let id = self.request(node, Request::Put(request));
        self.finish_put(node, id)
    }

    /// Waits for the end of a put.
    pub fn finish_put(&mut self, node: usize, id: RequestId) -> PutOutcome {
        match self.finish(node, id) {
            Done::Put(outcome) => outcome,
            other => panic!("a put ended with {other:?}"),
        }
    }

    /// Puts a value that must be stored by enough.
    pub fn store(&mut self, node: usize, key: &str, value: &[u8]) -> Box<PutReport> {
        self.put(node, put_request(key, value)).expect("enough holders are up")
    }

    /// Deletes, which must succeed.
    pub fn delete(&mut self, node: usize, key: &str) -> Box<PutReport> {
        self.put(node, delete_request(key)).expect("there is something to delete")
    }

    /// Reads from a majority.
    pub fn get(&mut self, node: usize, key: &str) -> GetOutcome {
        self.get_as(node, key, Consistency::Quorum)
    }

    /// Reads with this consistency.
    pub fn get_as(&mut self, node: usize, key: &str, consistency: Consistency) -> GetOutcome {
        let id = self.request(node, Request::Get(get_request(key, consistency)));
        match self.finish(node, id) {
            Done::Got(outcome) => outcome,
            other => panic!("a get ended with {other:?}"),
        }
    }

    /// The value that a majority gives.
    pub fn read(&mut self, node: usize, key: &str) -> Box<[u8]> {
        self.get(node, key).expect("a majority holds the key").value
    }

    /// Puts a raw item.
    pub fn put_item(
        &mut self,
        node: usize,
        value: &[u8],
        signed: Option<ItemSigning>,
    ) -> Result<Box<ItemReport>, PutError> {
        let request = ItemPutRequest { value: value.into(), signed };
        let id = self.request(node, Request::ItemPut(request));
        match self.finish(node, id) {
            Done::ItemPut(outcome) => outcome,
            other => panic!("a put of an item ended with {other:?}"),
        }
    }

    /// Gets a raw item.
    pub fn get_item(
        &mut self,
        node: usize,
        target: Target,
        salt: &[u8],
    ) -> Result<Box<ItemReport>, GetError> {
        let id = self.request(node, Request::ItemGet { target, salt: salt.into() });
        match self.finish(node, id) {
            Done::ItemGot(outcome) => outcome,
            other => panic!("a get of an item ended with {other:?}"),
        }
    }
}
