//! A value on its way, piece by piece: of a large one chunk after chunk, in order and verified.

use std::collections::VecDeque;
use std::fmt;

use kv::{ChunkSeal, Done, GetError, Manifest, ManifestReader, Request, Wanted};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::driver::Update;
use crate::node::Node;

/// Chunks asked for together.
const BATCH: usize = 64;

/// Batches on their way at once, so that one slow chunk does not let the node's window run empty.
const BATCHES: usize = 8;

/// A value on its way ([`Get::pieces`](crate::Get::pieces)), in pieces of up to some tens of kilobytes
/// and in order. Each piece is verified before it is given, the whole after the last one: what was
/// given is the value only if no error follows. No more is fetched than a little ahead of what is
/// taken.
pub struct Pieces {
    rest: Rest,
    asked: usize,
}

/// What is still to be given.
enum Rest {
    /// The whole value.
    Whole(Vec<u8>),
    /// What comes of these chunks.
    Chunks(Box<Chunks>),
    Nothing,
}

struct Chunks {
    node: Node,
    reader: ManifestReader,
    /// On their way, in order.
    batches: VecDeque<(Vec<Wanted>, UnboundedReceiver<Update>)>,
}

impl Pieces {
    /// Of a value that is here.
    pub(crate) fn whole(value: Box<[u8]>) -> Self {
        Self { rest: Rest::Whole(value.into()), asked: 0 }
    }

    /// Of what a manifest names, of one in a secret namespace with its seal.
    pub(crate) fn of(node: Node, manifest: &Manifest, seal: Option<ChunkSeal>) -> Self {
        let reader = ManifestReader::new(manifest, seal);
        let chunks = Chunks { node, reader, batches: VecDeque::new() };
        Self { rest: Rest::Chunks(Box::new(chunks)), asked: 0 }
    }

    /// The next piece; `None` when the whole was given and is verified, and after an error. Whoever
    /// cancels this ends the whole: dropping it is all that may follow.
    ///
    /// # Errors
    /// [`GetError::Chunks`] if chunks are missing or make another value, and what a request may fail
    /// with.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, GetError>> {
        let chunks = match &mut self.rest {
            Rest::Whole(value) if value.is_empty() => return None,
            Rest::Whole(value) => return Some(Ok(std::mem::take(value))),
            Rest::Chunks(chunks) => chunks,
            Rest::Nothing => return None,
        };
        let next = chunks.next(&mut self.asked).await;
        if !matches!(next, Some(Ok(_))) {
            self.rest = Rest::Nothing;
        }
        next
    }

    /// How many queries it took so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked
    }
}

impl Chunks {
    async fn next(&mut self, asked: &mut usize) -> Option<Result<Vec<u8>, GetError>> {
        loop {
            if let Err(error) = self.ask().await {
                return Some(Err(error));
            }
            let Some((_, updates)) = self.batches.front_mut() else {
                return self.reader.verdict().err().map(|error| Err(error.into()));
            };
            let found = loop {
                match updates.recv().await {
                    Some(Update::Done(Done::ChunksGot(Ok(found)))) => break found,
                    Some(Update::Done(Done::ChunksGot(Err(error)))) => return Some(Err(error)),
                    Some(_) => {}
                    None => return Some(Err(GetError::Closed)),
                }
            };
            *asked += found.asked;
            let wanted = self.batches.pop_front().map(|(wanted, _)| wanted).unwrap_or_default();
            for (wanted, item) in wanted.into_iter().zip(found.items) {
                match item {
                    Some(item) => self.reader.found(wanted, item),
                    None => self.reader.lost(wanted),
                }
            }
            let mut piece = Vec::new();
            self.reader.drain(|bytes| piece.extend_from_slice(bytes));
            if !piece.is_empty() {
                return Some(Ok(piece));
            }
        }
    }

    /// Asks for more while few batches are on their way.
    async fn ask(&mut self) -> Result<(), GetError> {
        while self.batches.len() < BATCHES {
            let wanted: Vec<Wanted> =
                std::iter::from_fn(|| self.reader.wanted()).take(BATCH).collect();
            if wanted.is_empty() {
                break;
            }
            let targets = wanted.iter().map(|wanted| wanted.target).collect();
            let started = self.node.start(Request::ChunksGet(targets)).await;
            self.batches.push_back((wanted, started.map_err(|_| GetError::Closed)?));
        }
        Ok(())
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces").field("asked", &self.asked).finish_non_exhaustive()
    }
}
