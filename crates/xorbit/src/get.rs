//! Getting, with what can be said about it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::io::Write;
use std::pin::Pin;
use std::time::Instant;

use kv::{Batched, Consistency, Done, GetError, GetReport, GetRequest, Key, Namespace, Request};
use node::Step;
use wire::{PublicKey, Target};

use crate::driver::Update;
use crate::node::Node;
use crate::pieces::Pieces;
use crate::upload::{OnProgress, Progress};

/// A get about to be done: await it.
#[must_use = "nothing is got until this is awaited"]
pub struct Get {
    node: Node,
    key: String,
    namespace: Namespace,
    consistency: Consistency,
    progress: Option<OnProgress>,
    /// One of many, which share lookups and a window.
    batched: bool,
}

impl fmt::Debug for Get {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Get {
    pub(crate) fn new(node: Node, key: String) -> Self {
        let (namespace, consistency) = (node.open_namespace(), Consistency::default());
        Self { node, key, namespace, consistency, progress: None, batched: false }
    }

    /// From this namespace instead of the open one named `default`.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// From somebody's signed namespace.
    pub fn from(self, owner: PublicKey) -> Self {
        self.namespace(Namespace::of(owner))
    }

    /// Waits for so many replicas; a majority if never said.
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
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
    pub async fn traced(self, each: impl FnMut(&Step) + Send) -> Result<GetReport, GetError> {
        let mut value = Vec::new();
        let report = self.traced_to(&mut value, each).await?;
        Ok(GetReport { value: value.into(), ..report })
    }

    /// Writes the value into `sink` instead of giving it in the report. Each piece of a large value
    /// is verified before it is written, the whole after the last piece: what was written is the
    /// value only if this succeeds.
    ///
    /// # Errors
    /// As awaiting it does, and [`GetError::Sink`].
    pub async fn write_to(self, sink: &mut (dyn Write + Send)) -> Result<GetReport, GetError> {
        self.write(false, sink, |_| {}).await
    }

    /// Gives the report as soon as the value is found, and the value piece by piece, as fast as the
    /// pieces are taken. What a large one costs is not in the report, which comes before it.
    ///
    /// # Errors
    /// As awaiting it does; what fails later is told by [`Pieces::next`].
    pub async fn pieces(self) -> Result<(GetReport, Pieces), GetError> {
        self.open(false, |_| {}).await
    }

    /// Like [`Get::pieces`], telling each step of the lookup.
    ///
    /// # Errors
    /// As [`Get::pieces`].
    pub async fn traced_pieces(
        self,
        each: impl FnMut(&Step) + Send,
    ) -> Result<(GetReport, Pieces), GetError> {
        self.open(true, each).await
    }

    /// Like [`Get::write_to`], telling each step of the lookup.
    ///
    /// # Errors
    /// As [`Get::write_to`].
    pub async fn traced_to(
        self,
        sink: &mut (dyn Write + Send),
        each: impl FnMut(&Step) + Send,
    ) -> Result<GetReport, GetError> {
        self.write(true, sink, each).await
    }

    async fn write(
        mut self,
        trace: bool,
        sink: &mut (dyn Write + Send),
        each: impl FnMut(&Step) + Send,
    ) -> Result<GetReport, GetError> {
        let mut progress = self.progress.take();
        let (mut report, mut pieces) = self.open(trace, each).await?;
        let (started, mut done) = (Instant::now(), 0);
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            sink.write_all(&piece).map_err(unwritten)?;
            done += piece.len() as u64;
            if let (Some(tell), Some(manifest)) = (&mut progress, &report.manifest) {
                tell(Progress { done, of: manifest.length });
            }
        }
        sink.flush().map_err(unwritten)?;
        if report.manifest.is_some() {
            report.effort.asked += pieces.asked();
            report.effort.took += started.elapsed();
        }
        Ok(report)
    }

    /// Finds the value, and gives it piece by piece beside the report.
    async fn open(
        self,
        trace: bool,
        each: impl FnMut(&Step) + Send,
    ) -> Result<(GetReport, Pieces), GetError> {
        let (node, namespace) = (self.node.clone(), self.namespace.clone());
        let key = Key::new(self.key.as_str())?;
        let mut report = self.run(trace, each).await?;
        let pieces = match &report.manifest {
            None => Pieces::whole(std::mem::take(&mut report.value)),
            Some(manifest) => {
                let (length, limit) = (manifest.length, node.max_value());
                if length > limit {
                    return Err(GetError::AboveLimit { length, limit });
                }
                let seal = namespace.chunk_seal(&key, &manifest.hash);
                Pieces::of(node, manifest, seal)
            }
        };
        Ok((report, pieces))
    }

    /// As one of many of this node.
    pub(crate) fn batched(self, node: Node) -> Self {
        Self { node, batched: true, ..self }
    }

    /// The same get.
    pub(crate) fn again(&self) -> Self {
        let Self { node, key, namespace, consistency, batched, .. } = self;
        Self {
            node: node.clone(),
            key: key.clone(),
            namespace: namespace.clone(),
            consistency: *consistency,
            progress: None,
            batched: *batched,
        }
    }

    /// Where its key lies, if it is one.
    pub(crate) fn target(&self) -> Option<Target> {
        Some(self.namespace.target(&Key::new(self.key.as_str()).ok()?))
    }

    /// What the record alone tells: of a value that does not fit one item, its manifest.
    pub(crate) async fn record(self) -> Result<GetReport, GetError> {
        self.run(false, |_| {}).await
    }

    async fn run(
        self,
        trace: bool,
        mut each: impl FnMut(&Step) + Send,
    ) -> Result<GetReport, GetError> {
        let request = GetRequest {
            namespace: self.namespace,
            key: Key::new(self.key)?,
            consistency: self.consistency,
            trace,
        };
        let request = match self.batched {
            true => Request::Batched(Batched::Get(request)),
            false => Request::Get(request),
        };
        let mut updates = self.node.start(request).await.map_err(|_| GetError::Closed)?;
        while let Some(update) = updates.recv().await {
            match update {
                Update::Step(step) => each(&step),
                Update::Done(Done::Got(result)) => return result.map(|report| *report),
                Update::Done(_) | Update::Peers(_) => {}
            }
        }
        Err(GetError::Closed)
    }
}

fn unwritten(error: std::io::Error) -> GetError {
    GetError::Sink(error.to_string().into())
}

impl IntoFuture for Get {
    type Output = Result<GetReport, GetError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut value = Vec::new();
            let report = self.write(false, &mut value, |_| {}).await?;
            Ok(GetReport { value: value.into(), ..report })
        })
    }
}
