//! Many puts or gets at once: read ahead a little, put in the order of their targets so that
//! neighbours come one after the other, and no more of them on their way than the node can pace.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::future::Future;
use std::ops::Bound;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use kv::{GetError, GetReport, PutError, PutReport};
use tokio::task::{JoinError, JoinSet};
use wire::Target;

use crate::get::Get;
use crate::node::Node;
use crate::put::Put;

/// How many are handed to the node at once: twice what its window can take, so that it never runs
/// empty.
const ON_THEIR_WAY: usize = 64;

/// How many are read ahead to be put in order. Of 10,000 nodes, a thousand keys make neighbours that
/// share most of their replicas.
const READ_AHEAD: usize = 1024;

/// Whether any of a batch was answered.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct Others(Arc<AtomicBool>);

impl Others {
    fn were_answered(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::put::Put {}
    impl Sealed for crate::get::Get {}
}

/// One of a batch on its way.
#[doc(hidden)]
pub type Running<O> = Pin<Box<dyn Future<Output = O> + Send>>;

/// A [`Put`] or a [`Get`].
pub trait OneOfMany: sealed::Sealed + Send + Sized + 'static {
    /// What it comes to.
    type Outcome: Send + 'static;

    #[doc(hidden)]
    fn is_answered(outcome: &Self::Outcome) -> bool;

    #[doc(hidden)]
    fn place(&self) -> Option<Target>;

    #[doc(hidden)]
    fn run(self, node: Node, others: Others) -> Running<Self::Outcome>;
}

impl OneOfMany for Put {
    type Outcome = Result<PutReport, PutError>;

    fn is_answered(outcome: &Self::Outcome) -> bool {
        matches!(outcome, Ok(_) | Err(PutError::Conflict { .. } | PutError::NotFound(_)))
    }

    fn place(&self) -> Option<Target> {
        self.target()
    }

    fn run(self, node: Node, others: Others) -> Running<Self::Outcome> {
        Box::pin(async move {
            let put = self.batched(node);
            // Nobody answered its lookup, so nothing was written.
            match put.again() {
                Some(again) => match put.await {
                    Err(PutError::Unreachable(_)) if others.were_answered() => again.await,
                    outcome => outcome,
                },
                None => put.await,
            }
        })
    }
}

impl OneOfMany for Get {
    type Outcome = Result<GetReport, GetError>;

    fn is_answered(outcome: &Self::Outcome) -> bool {
        matches!(outcome, Ok(_) | Err(GetError::NotFound { .. }))
    }

    fn place(&self) -> Option<Target> {
        self.target()
    }

    fn run(self, node: Node, others: Others) -> Running<Self::Outcome> {
        Box::pin(async move {
            let get = self.batched(node);
            match get.again().record().await {
                Err(GetError::Unreachable(_)) if others.were_answered() => get.record().await,
                outcome => outcome,
            }
        })
    }
}

/// Many puts or gets on their way: a stream of what each came to, with its number in the order in
/// which they were given, from 0, as they end. [`Batch::next`] needs no further crate.
///
/// The source is read up to 1,024 ahead, on the task that asks for the next outcome, and at most 64
/// are on their way. Those of one key follow each other in the order given. A value must fit one item:
/// a put that does not is refused ([`PutError::TooLarge`]), a get gives its manifest. What nobody
/// answers, though others were answered, is tried once more: at first all go through the same door, and
/// a datagram there may be lost.
/// Dropping it
/// starts no more; those on their way go on unheard.
pub struct Batch<I: Iterator<Item: OneOfMany>> {
    node: Node,
    source: Option<I>,
    /// How many were read.
    read: usize,
    /// Read and not started, by place.
    ahead: BTreeMap<(Option<Target>, usize), I::Item>,
    /// Where the last one started.
    at: (Option<Target>, usize),
    /// Keys on their way.
    busy: HashSet<Target>,
    running: JoinSet<Ended<<I::Item as OneOfMany>::Outcome>>,
    others: Others,
}

/// Its number, where its key lies, and what it came to.
type Ended<O> = (usize, Option<Target>, O);

impl<I: Iterator<Item: OneOfMany>> Batch<I> {
    pub(crate) fn new(node: Node, source: I) -> Self {
        Self {
            node,
            source: Some(source),
            read: 0,
            ahead: BTreeMap::new(),
            at: (None, 0),
            busy: HashSet::new(),
            running: JoinSet::new(),
            others: Others::default(),
        }
    }

    /// The next that ended, with its number; `None` when all have. May be cancelled without losing
    /// any.
    pub async fn next(&mut self) -> Option<(usize, <I::Item as OneOfMany>::Outcome)> {
        self.fill();
        let ended = self.running.join_next().await?;
        self.ended(ended)
    }

    /// Reads and starts no more; what is on its way is still told. Gives how many were read and not
    /// started.
    pub fn stop(&mut self) -> usize {
        self.source = None;
        let left = self.ahead.len();
        self.ahead.clear();
        left
    }

    /// Reads ahead, and starts as many as may be on their way.
    fn fill(&mut self) {
        loop {
            while self.ahead.len() < READ_AHEAD
                && let Some(source) = &mut self.source
            {
                let Some(one) = source.next() else {
                    self.source = None;
                    break;
                };
                self.ahead.insert((one.place(), self.read), one);
                self.read += 1;
            }
            if self.running.len() >= ON_THEIR_WAY {
                return;
            }
            let Some(place) = self.following() else { return };
            let Some(one) = self.ahead.remove(&place) else { return };
            self.at = place;
            let (target, number) = place;
            self.busy.extend(target);
            let outcome = one.run(self.node.clone(), self.others.clone());
            self.running.spawn(async move { (number, target, outcome.await) });
        }
    }

    /// The next in order of those whose key is not on its way; behind the last comes the first.
    fn following(&self) -> Option<(Option<Target>, usize)> {
        let behind = self.ahead.range((Bound::Excluded(self.at), Bound::Unbounded));
        let all = behind.chain(&self.ahead).map(|(place, _)| *place);
        let free = |(target, _): &(Option<Target>, usize)| {
            target.is_none_or(|target| !self.busy.contains(&target))
        };
        all.into_iter().find(free)
    }

    fn ended(
        &mut self,
        ended: Result<Ended<<I::Item as OneOfMany>::Outcome>, JoinError>,
    ) -> Option<(usize, <I::Item as OneOfMany>::Outcome)> {
        match ended {
            Ok((number, target, outcome)) => {
                if let Some(target) = target {
                    self.busy.remove(&target);
                }
                if I::Item::is_answered(&outcome) {
                    self.others.0.store(true, Ordering::Relaxed);
                }
                Some((number, outcome))
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime shuts down.
                Err(_) => None,
            },
        }
    }
}

impl<I: Iterator<Item: OneOfMany> + Unpin> Stream for Batch<I> {
    type Item = (usize, <I::Item as OneOfMany>::Outcome);

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let batch = self.get_mut();
        batch.fill();
        match ready!(batch.running.poll_join_next(context)) {
            Some(ended) => Poll::Ready(batch.ended(ended)),
            None => Poll::Ready(None),
        }
    }
}

impl<I: Iterator<Item: OneOfMany>> fmt::Debug for Batch<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("read", &self.read)
            .field("ahead", &self.ahead.len())
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}
