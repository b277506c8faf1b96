//! A client that loads a node with writes from many sides at once, and reads.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{JoinSet, LocalSet};
use xorbit::{GetError, Node, PutReport};

use super::Chance;
use super::record::{Content, Record};

/// Writers at a time.
const WRITERS: u64 = 16;

/// Keys of its own that each writer overwrites and deletes.
const OWN_KEYS: u64 = 6;

/// Keys that all writers swap.
const SHARED_KEYS: u64 = 3;

/// Keys of before that are read after each start; at the end all are.
const SAMPLE: usize = 100;

/// A client of one life of the node.
#[derive(Clone)]
pub struct Client {
    node: Node,
    record: Rc<RefCell<Record>>,
}

/// A runtime with a client in it. All of its sockets and requests are gone when this returns, so that
/// nothing of them reaches the node's next life.
pub struct Session {
    address: String,
}

impl Client {
    pub fn run(address: &str, work: impl FnOnce(Session)) {
        work(Session { address: address.to_owned() });
    }

    async fn start(address: &str, record: Record) -> Self {
        let builder = Node::builder().listen("127.0.0.1:0".parse().unwrap());
        let node = builder.ephemeral(true).join(address).start().await.unwrap();
        Self { node, record: Rc::new(RefCell::new(record)) }
    }

    /// Reads keys, some at a time, and holds them to the record.
    async fn check(&self, keys: Vec<String>) {
        let mut readers = JoinSet::new();
        let keys = Rc::new(RefCell::new(keys));
        for _ in 0..WRITERS {
            let (client, keys) = (self.clone(), Rc::clone(&keys));
            readers.spawn_local(async move {
                loop {
                    let Some(key) = keys.borrow_mut().pop() else { return };
                    let read = client.node.get(key.clone()).await;
                    client.record.borrow_mut().check(&key, read);
                }
            });
        }
        while let Some(done) = readers.join_next().await {
            done.unwrap();
        }
    }

    /// Writes without end.
    async fn write(self, life: u32, writer: u64) {
        let mut chance = Chance((u64::from(life) << 16 | writer) * 0x9e37_79b9 + 1);
        for count in 0.. {
            let unique = format!("{life}.{writer}.{count}");
            let padding = ".".repeat(chance.below(600) as usize);
            let content = Some(format!("{unique}{padding}").into_bytes());
            let own = format!("own-{writer}-{}", chance.below(OWN_KEYS));
            match chance.below(10) {
                0..4 => self.put(&format!("new-{unique}"), content).await,
                4..7 => self.put(&own, content).await,
                7 => self.put(&own, None).await,
                _ => {
                    let key = format!("shared-{}", chance.below(SHARED_KEYS));
                    self.swap(&key, content).await;
                }
            }
        }
    }

    async fn put(&self, key: &str, content: Content) {
        self.record.borrow_mut().send(key, content.clone());
        let done = match &content {
            Some(value) => self.node.put(key, value).await,
            None => self.node.delete(key).await,
        };
        self.told(key, content, done.ok());
    }

    async fn swap(&self, key: &str, content: Content) {
        let value = content.clone().unwrap_or_default();
        let put = self.node.put(key, value);
        let (put, over) = match self.node.get(key).await {
            Ok(report) => (put.if_version(report.version), Some(report.version)),
            Err(GetError::NotFound { .. }) => (put.if_absent(), None),
            Err(_) => return,
        };
        self.record.borrow_mut().send(key, content.clone());
        let done = put.await.ok();
        if let (Some(over), Some(_)) = (over, &done) {
            self.record.borrow_mut().swap(key, over);
        }
        self.told(key, content, done);
    }

    fn told(&self, key: &str, content: Content, done: Option<PutReport>) {
        let mut record = self.record.borrow_mut();
        match done.and_then(|report| report.version) {
            Some(version) => record.acknowledge(key, version, content),
            None => record.refused += 1,
        }
    }
}

impl Session {
    /// Reads what this life should have, then writes for so long.
    pub fn check_then_load(&self, record: &mut Record, life: u32, span: Duration) {
        self.with(record, async |client| {
            let keys = {
                let record = client.record.borrow();
                let new = record.keys.keys().filter(|key| key.starts_with("new-"));
                // The life before may have ended while it started.
                let recent = [1, 2].map(|before| format!("new-{}.", life.saturating_sub(before)));
                let others = record.keys.keys().filter(|key| !key.starts_with("new-"));
                let last =
                    new.clone().filter(|key| recent.iter().any(|life| key.starts_with(life)));
                let step = (new.clone().count() / SAMPLE).max(1);
                let sample = new.clone().step_by(step);
                others.chain(last).chain(sample).cloned().collect()
            };
            client.check(keys).await;
            let mut writers = JoinSet::new();
            (0..WRITERS).for_each(|w| drop(writers.spawn_local(client.clone().write(life, w))));
            // waits: the load itself lasts so long
            tokio::time::sleep(span).await;
        });
    }

    /// Reads all that should be there.
    pub fn check_all(&self, record: &mut Record) {
        self.with(record, async |client| {
            let keys = client.record.borrow().keys.keys().cloned().collect();
            client.check(keys).await;
        });
    }

    fn with(&self, record: &mut Record, work: impl AsyncFnOnce(Client)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let tasks = LocalSet::new();
        let kept = tasks.block_on(&runtime, async {
            let client = Client::start(&self.address, std::mem::take(record)).await;
            let kept = Rc::clone(&client.record);
            work(client).await;
            kept
        });
        // What is still on its way ends here, unanswered.
        drop(tasks);
        drop(runtime);
        *record = Rc::into_inner(kept).expect("all writers are gone").into_inner();
    }
}
