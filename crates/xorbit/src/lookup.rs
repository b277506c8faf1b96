//! A lookup, step by step.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use kv::{Done, LookupReport};
use node::Step;
use tokio::sync::mpsc;

use crate::driver::Update;
use crate::error::Closed;

/// What a lookup tells.
#[derive(Clone, Debug)]
pub enum LookupStep {
    /// One node was asked, and this is how it ended.
    Asked(Step),
    /// The lookup has ended.
    Ended(LookupReport),
}

/// A lookup on its way: a stream of steps that closes with [`LookupStep::Ended`].
/// [`Lookup::next`] needs no further crate.
#[derive(Debug)]
pub struct Lookup {
    updates: mpsc::UnboundedReceiver<Update>,
}

impl Lookup {
    pub(crate) fn new(updates: mpsc::UnboundedReceiver<Update>) -> Self {
        Self { updates }
    }

    /// The next step; `None` after the end.
    pub async fn next(&mut self) -> Option<LookupStep> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// Lets the lookup end and gives what it came to.
    ///
    /// # Errors
    /// [`Closed`] if the node was closed before.
    pub async fn finish(mut self) -> Result<LookupReport, Closed> {
        while let Some(step) = self.next().await {
            if let LookupStep::Ended(report) = step {
                return Ok(report);
            }
        }
        Err(Closed)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<LookupStep>> {
        loop {
            match self.updates.poll_recv(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Update::Step(step))) => {
                    return Poll::Ready(Some(LookupStep::Asked(step)));
                }
                Poll::Ready(Some(Update::Done(Done::Lookup(report)))) => {
                    return Poll::Ready(Some(LookupStep::Ended(*report)));
                }
                Poll::Ready(Some(_)) => {}
            }
        }
    }
}

impl Stream for Lookup {
    type Item = LookupStep;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<LookupStep>> {
        self.get_mut().poll(context)
    }
}
