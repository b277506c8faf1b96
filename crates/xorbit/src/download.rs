//! Getting a value that does not fit one item, chunk by chunk, in order and verified.

use std::collections::VecDeque;
use std::io::Write;

use kv::{ChunkSeal, Done, GetError, Manifest, ManifestReader, Request, Wanted};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::driver::Update;
use crate::node::Node;
use crate::upload::{OnProgress, Progress};

/// Chunks asked for together.
const BATCH: usize = 64;

/// Batches on their way at once, so that one slow chunk does not let the node's window run empty.
const BATCHES: usize = 8;

/// Writes the value of a manifest into `sink`, of one in a secret namespace with its seal. What it writes is the value only once this says so:
/// each piece is verified before it is written, and the whole when the last one has been. Gives the
/// number of queries that it took.
///
/// # Errors
/// [`GetError::Chunks`] if chunks are missing or make another value, [`GetError::Sink`] if the sink
/// fails.
pub(crate) async fn download(
    node: &Node,
    manifest: &Manifest,
    seal: Option<ChunkSeal>,
    sink: &mut (dyn Write + Send),
    mut progress: Option<OnProgress>,
) -> Result<usize, GetError> {
    let mut reader = ManifestReader::new(manifest, seal);
    let mut batches: VecDeque<(Vec<Wanted>, UnboundedReceiver<Update>)> = VecDeque::new();
    let (mut asked, mut done) = (0, 0);
    loop {
        while batches.len() < BATCHES {
            let wanted: Vec<Wanted> = std::iter::from_fn(|| reader.wanted()).take(BATCH).collect();
            if wanted.is_empty() {
                break;
            }
            let targets = wanted.iter().map(|wanted| wanted.target).collect();
            let updates =
                node.start(Request::ChunksGet(targets)).await.map_err(|_| GetError::Closed)?;
            batches.push_back((wanted, updates));
        }
        let Some((wanted, mut updates)) = batches.pop_front() else { break };
        let found = loop {
            match updates.recv().await {
                Some(Update::Done(Done::ChunksGot(result))) => break result?,
                Some(_) => {}
                None => return Err(GetError::Closed),
            }
        };
        asked += found.asked;
        for (wanted, item) in wanted.into_iter().zip(found.items) {
            match item {
                Some(item) => reader.found(wanted, item),
                None => reader.lost(wanted),
            }
        }
        let mut written = Ok(());
        reader.drain(|bytes| {
            done += bytes.len() as u64;
            if written.is_ok() {
                written = sink.write_all(bytes);
            }
        });
        written.map_err(|error| GetError::Sink(error.to_string().into()))?;
        if let Some(tell) = &mut progress {
            tell(Progress { done, of: manifest.length });
        }
    }
    reader.verdict()?;
    sink.flush().map_err(|error| GetError::Sink(error.to_string().into()))?;
    Ok(asked)
}
