//! Putting and deleting, with what can be said about it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::io::{Cursor, Read};
use std::pin::Pin;
use std::time::{Duration, Instant};

use kv::{
    Batched, Change, ChunksReport, DEFAULT_TTL, Done, Expected, Key, Namespace, PutError,
    PutReport, PutRequest, Request, Version,
};
use node::Step;
use wire::{Signer, Target};

use crate::driver::Update;
use crate::node::Node;
use crate::upload::{OnProgress, Progress, Source, Upload, check_length};

/// A put or delete about to be done: await it.
#[must_use = "nothing is put until this is awaited"]
pub struct Put {
    node: Node,
    key: String,
    namespace: Namespace,
    change: Change,
    expected: Expected,
    /// Where the value comes from if not from `change`, and its length in bytes.
    source: Option<(u64, Source)>,
    progress: Option<OnProgress>,
    /// One of many, which share lookups and a window.
    batched: bool,
}

impl fmt::Debug for Put {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Put {
    pub(crate) fn value(node: Node, key: String, value: &[u8]) -> Self {
        let change =
            Change::Put { value: value.into(), content_type: None, ttl: DEFAULT_TTL, plain: false };
        Self::new(node, key, change)
    }

    pub(crate) fn from_source(node: Node, key: String, length: u64, source: Source) -> Self {
        Self { source: Some((length, source)), ..Self::value(node, key, &[]) }
    }

    pub(crate) fn deletion(node: Node, key: String) -> Self {
        Self::new(node, key, Change::Delete)
    }

    fn new(node: Node, key: String, change: Change) -> Self {
        let namespace = node.open_namespace();
        let expected = Expected::Anything;
        Self {
            node,
            key,
            namespace,
            change,
            expected,
            source: None,
            progress: None,
            batched: false,
        }
    }

    /// In this namespace instead of the open one named `default`.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// In the signed namespace of this signer.
    pub fn signer(self, signer: &Signer) -> Self {
        self.namespace(Namespace::signed(signer.clone()))
    }

    /// For so long, at most a year; 7 days if never said. A deletion is remembered as long as what
    /// it deletes would have lived.
    pub fn ttl(mut self, life: Duration) -> Self {
        if let Change::Put { ttl, .. } = &mut self.change {
            *ttl = life;
        }
        self
    }

    /// With this content type.
    pub fn content_type(mut self, text: impl Into<String>) -> Self {
        if let Change::Put { content_type, .. } = &mut self.change {
            *content_type = Some(text.into().into());
        }
        self
    }

    /// Without an envelope: just the bytes, held for two hours, as foreign programs write them.
    pub fn plain(mut self) -> Self {
        if let Change::Put { plain, .. } = &mut self.change {
            *plain = true;
        }
        self
    }

    /// Only if the key holds exactly this version: compare-and-swap.
    pub fn if_version(mut self, version: Version) -> Self {
        self.expected = Expected::Version(version);
        self
    }

    /// Only if the key holds no value.
    pub fn if_absent(mut self) -> Self {
        self.expected = Expected::Absent;
        self
    }

    /// Tells how far the transfer of a value has come that does not fit one item.
    pub fn on_progress(mut self, tell: impl FnMut(Progress) + Send + 'static) -> Self {
        self.progress = Some(Box::new(tell));
        self
    }

    /// Does it, telling each step of the lookup.
    ///
    /// # Errors
    /// As awaiting it does.
    pub async fn traced(self, each: impl FnMut(&Step) + Send) -> Result<PutReport, PutError> {
        self.run(true, each).await
    }

    /// As one of many of this node.
    pub(crate) fn batched(self, node: Node) -> Self {
        Self { node, batched: true, ..self }
    }

    /// The same put; `None` if its value comes from a source that can be read only once.
    pub(crate) fn again(&self) -> Option<Self> {
        let Self { node, key, namespace, change, expected, source, batched, .. } = self;
        source.is_none().then(|| Self {
            node: node.clone(),
            key: key.clone(),
            namespace: namespace.clone(),
            change: change.clone(),
            expected: *expected,
            source: None,
            progress: None,
            batched: *batched,
        })
    }

    /// Where its key lies, if it is one.
    pub(crate) fn target(&self) -> Option<Target> {
        Some(self.namespace.target(&Key::new(self.key.as_str()).ok()?))
    }

    async fn run(
        mut self,
        trace: bool,
        mut each: impl FnMut(&Step) + Send,
    ) -> Result<PutReport, PutError> {
        let key = Key::new(std::mem::take(&mut self.key))?;
        let started = Instant::now();
        let chunks = self.put_chunks(&key).await?;
        let took = started.elapsed();
        let request = PutRequest {
            namespace: self.namespace,
            key,
            change: self.change,
            expected: self.expected,
            trace,
        };
        let request = match self.batched {
            true => Request::Batched(Batched::Put(request)),
            false => Request::Put(request),
        };
        let mut updates = self.node.start(request).await.map_err(|_| PutError::Closed)?;
        while let Some(update) = updates.recv().await {
            match update {
                Update::Step(step) => each(&step),
                Update::Done(Done::Put(result)) => {
                    return result.map(|report| with_chunks(*report, chunks, took));
                }
                Update::Done(_) | Update::Peers(_) => {}
            }
        }
        Err(PutError::Closed)
    }

    /// Puts the chunks of a value that does not fit one item, whose place in the change its manifest
    /// takes.
    async fn put_chunks(&mut self, key: &Key) -> Result<Option<Box<ChunksReport>>, PutError> {
        let Change::Put { value, content_type, ttl, plain } = &mut self.change else {
            return Ok(None);
        };
        let length = self.source.as_ref().map_or(value.len() as u64, |(length, _)| *length);
        let one_item = self.namespace.largest_value(content_type.as_deref(), *plain);
        let fits = length <= one_item as u64;
        let limit = self.node.max_value();
        if !fits && length > limit && !self.batched {
            return Err(PutError::AboveLimit { length, limit });
        }
        if !fits && (*plain || self.batched) {
            // Plain is one item. And many at once stay bounded only if each is small.
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            return Err(PutError::TooLarge { length, limit: one_item });
        }
        if fits {
            if let Some((length, mut source)) = self.source.take() {
                *value = read_whole(source.reader(), length)?;
            }
            return Ok(None);
        }
        let value = std::mem::take(value);
        let (content_type, ttl) = (content_type.take(), *ttl);
        let trial = PutRequest {
            namespace: self.namespace.clone(),
            key: key.clone(),
            change: Change::Put {
                value: Box::default(),
                content_type: content_type.clone(),
                ttl,
                plain: false,
            },
            expected: self.expected,
            trace: false,
        };
        trial.check()?;
        let mut source = match self.source.take() {
            Some((_, source)) => source,
            None => Source::Again(Box::new(Cursor::new(value))),
        };
        let sealed = match self.namespace.is_secret() {
            true => {
                // The keys of its chunks follow from the whole, so it is read twice.
                let hash = source.hash(length).await?;
                self.namespace.chunk_seal(key, &hash).map(|seal| (hash, seal))
            }
            false => None,
        };
        let upload = Upload::new(&self.node, length, ttl, self.progress.take());
        let expires = upload.expires();
        let (manifest, report) = upload.run(source.reader(), sealed).await?;
        self.change = Change::PutManifest { manifest, content_type, expires };
        Ok(Some(Box::new(report)))
    }
}

/// Reads a value of so many bytes, and not more, however much there is.
fn read_whole(source: impl Read, length: u64) -> Result<Box<[u8]>, PutError> {
    let mut bytes = Vec::new();
    let read = source.take(length.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| PutError::Source(error.to_string().into()))?;
    check_length(bytes.len() as u64, length, true)?;
    Ok(bytes.into())
}

/// The receipt of a record, with the chunks that were put before it and the time that they took.
fn with_chunks(
    mut report: PutReport,
    chunks: Option<Box<ChunksReport>>,
    took: Duration,
) -> PutReport {
    if let Some(chunks) = &chunks {
        report.replicas.effort.asked += chunks.asked;
        report.replicas.effort.took += took;
    }
    PutReport { chunks, ..report }
}

impl IntoFuture for Put {
    type Output = Result<PutReport, PutError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run(false, |_| {}))
    }
}
