//! Putting a value that does not fit one item: its chunks first, batch after batch.

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use kv::{
    ChunkSeal, ChunksPutRequest, ChunksReport, Done, Manifest, ManifestBuilder, PutError, Request,
    ValueHasher,
};
use node::UnixMillis;
use tokio::sync::mpsc::UnboundedReceiver;
use wire::Item;

use crate::clock::wall_clock;
use crate::driver::Update;
use crate::node::Node;

/// Bytes read at once: 65 or 66 chunks.
const READ_BYTES: usize = 64 << 10;

/// Batches of chunks on their way at once, so that the node's window never runs empty.
const BATCHES: usize = 4;

/// A batch of which too few copies were stored is put again so often: only what is missing goes out.
const RETRIES: u8 = 2;

/// How far a transfer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the value that were transferred.
    pub done: u64,
    /// Bytes of the value.
    pub of: u64,
}

/// What hears how far a transfer has come.
pub(crate) type OnProgress = Box<dyn FnMut(Progress) + Send>;

/// Where a value comes from.
pub(crate) enum Source {
    /// What can be read but once.
    Once(Box<dyn Read + Send>),
    /// What can be read again from where it stands.
    Again(Box<dyn ReadSeek + Send>),
}

/// Reads, and goes back.
pub(crate) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

impl Source {
    /// What gives the bytes.
    pub fn reader(&mut self) -> &mut (dyn Read + Send) {
        match self {
            Source::Once(source) => source,
            Source::Again(source) => source,
        }
    }

    /// Reads all `length` bytes, and goes back to where it stood: the BLAKE3 of the value.
    ///
    /// # Errors
    /// [`PutError::ReadOnce`] if it cannot be read again; [`PutError::Source`] if it fails, or ends too
    /// soon or too late.
    pub async fn hash(&mut self, length: u64) -> Result<[u8; 32], PutError> {
        let Source::Again(source) = self else { return Err(PutError::ReadOnce) };
        let start = source.stream_position().map_err(failed)?;
        let (mut hasher, mut buffer, mut read) = (ValueHasher::default(), vec![0; READ_BYTES], 0);
        loop {
            let more = fill(source, &mut buffer)?;
            read += more as u64;
            check_length(read, length, more == 0)?;
            if more == 0 {
                source.seek(SeekFrom::Start(start)).map_err(failed)?;
                return Ok(hasher.finish());
            }
            hasher.feed(&buffer[..more]);
            tokio::task::yield_now().await;
        }
    }
}

fn failed(error: std::io::Error) -> PutError {
    PutError::Source(error.to_string().into())
}

/// A source that gave so many bytes, and perhaps ended, gave as many as it was said to.
pub(crate) fn check_length(read: u64, said: u64, ended: bool) -> Result<(), PutError> {
    match read {
        read if read > said => Err(PutError::Source("it is longer than it was said to be".into())),
        read if ended && read < said => {
            Err(PutError::Source("it is shorter than it was said to be".into()))
        }
        _ => Ok(()),
    }
}

/// Chunks on their way to their holders.
pub(crate) struct Upload<'n> {
    node: &'n Node,
    length: u64,
    expires: UnixMillis,
    lease: UnixMillis,
    batches: VecDeque<Batch>,
    report: ChunksReport,
    progress: Option<OnProgress>,
}

struct Batch {
    items: Vec<Item>,
    updates: UnboundedReceiver<Update>,
    tries: u8,
    /// Bytes of the value up to the end of this batch.
    end: u64,
}

impl<'n> Upload<'n> {
    /// Of a value of `length` bytes that shall live for `ttl` from now on.
    pub fn new(node: &'n Node, length: u64, ttl: Duration, progress: Option<OnProgress>) -> Self {
        let wall = wall_clock();
        Self {
            node,
            length,
            expires: wall + ttl,
            // A put that is repeated soon finds the chunks kept long enough.
            lease: wall + ttl + ttl / 8,
            batches: VecDeque::new(),
            report: ChunksReport::default(),
            progress,
        }
    }

    /// Until when the value lives.
    pub fn expires(&self) -> UnixMillis {
        self.expires
    }

    /// Puts all chunks, sealed if the value is for a secret namespace.
    ///
    /// # Errors
    /// [`PutError::Source`] if the source fails, ends too soon or too late, or has other bytes than those
    /// whose hash is in the seal; [`PutError::ChunksNotStored`] if a majority of some chunk's replicas did not store it.
    pub async fn run(
        mut self,
        source: &mut (dyn Read + Send),
        sealed: Option<([u8; 32], ChunkSeal)>,
    ) -> Result<(Manifest, ChunksReport), PutError> {
        let (hash, seal) = sealed.unzip();
        let mut builder = ManifestBuilder::new(seal);
        let mut buffer = vec![0; READ_BYTES];
        let mut read = 0;
        loop {
            let length = fill(source, &mut buffer)?;
            read += length as u64;
            check_length(read, self.length, length == 0)?;
            let mut items = Vec::with_capacity(READ_BYTES / kv::PIECE_BYTES + 4);
            if length == 0 {
                let manifest = builder.finish(|item| items.push(item));
                if hash.is_some_and(|hash| hash != manifest.hash) {
                    return Err(PutError::Source("it changed while it was read".into()));
                }
                self.start(items, read).await?;
                while !self.batches.is_empty() {
                    self.finish_first().await?;
                }
                return Ok((manifest, self.report));
            }
            builder.feed(&buffer[..length], |item| items.push(item));
            while self.batches.len() >= BATCHES {
                self.finish_first().await?;
            }
            self.start(items, read).await?;
        }
    }

    async fn start(&mut self, items: Vec<Item>, end: u64) -> Result<(), PutError> {
        let updates = self.send(items.clone()).await?;
        self.batches.push_back(Batch { items, updates, tries: 0, end });
        Ok(())
    }

    async fn send(&mut self, items: Vec<Item>) -> Result<UnboundedReceiver<Update>, PutError> {
        let (expires, lease) = (self.expires, self.lease);
        let request = Request::ChunksPut(ChunksPutRequest { items, expires, lease });
        self.node.start(request).await.map_err(|_| PutError::Closed)
    }

    /// Waits for the batch that was started first.
    async fn finish_first(&mut self) -> Result<(), PutError> {
        let Some(mut batch) = self.batches.pop_front() else { return Ok(()) };
        loop {
            let report = match batch.updates.recv().await {
                Some(Update::Done(Done::ChunksPut(result))) => *result?,
                Some(_) => continue,
                None => return Err(PutError::Closed),
            };
            self.report.sent += report.sent;
            self.report.held += report.held;
            self.report.asked += report.asked;
            // Where nobody was reached at all, nobody will be a moment later.
            let again = report.failed.is_none() && batch.tries < RETRIES;
            if report.short > 0 && again {
                batch.tries += 1;
                batch.updates = self.send(batch.items.clone()).await?;
                continue;
            }
            self.report.stored += report.stored;
            if report.short > 0 {
                return Err(report.failed.unwrap_or(PutError::ChunksNotStored {
                    short: report.short,
                    of: self.report.stored + report.short,
                    refusal: report.refusal,
                }));
            }
            break;
        }
        if let Some(tell) = &mut self.progress {
            tell(Progress { done: batch.end, of: self.length });
        }
        Ok(())
    }
}

/// Reads until the buffer is full or the source ends.
fn fill(source: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> Result<usize, PutError> {
    let mut length = 0;
    while length < buffer.len() {
        match source.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(length)
}
