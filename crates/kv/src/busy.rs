//! How requests end that cannot even start: too many are on their way.

use alloc::boxed::Box;
use alloc::vec::Vec;

use node::{Answer, Ended};

use crate::promises::KeepError;
use crate::report::{Effort, GetError, LookupReport, PeersReport, PutError};
use crate::request::{Done, Request};
use crate::set::SetError;
use crate::watch::WatchError;

/// How a request ends that cannot even start.
pub(crate) fn busy(request: &Request) -> Option<Done> {
    Some(match request {
        Request::Join(_) | Request::Leave { .. } | Request::Unkeep(_) | Request::Promises => {
            return None;
        }
        Request::Keep(_) => Done::Kept(Err(KeepError::Busy)),
        Request::Put(_) => Done::Put(Err(PutError::Busy)),
        Request::Get(_) => Done::Got(Err(GetError::Busy)),
        Request::Batched(batched) => batched.busy(),
        Request::Watch(_) => Done::Watched(WatchError::Busy),
        Request::Set(_) => Done::Set(Err(SetError::Busy)),
        Request::Members(_) => Done::Members(Err(SetError::Busy)),
        Request::ItemPut(_) | Request::SignedItemPut(..) => Done::ItemPut(Err(PutError::Busy)),
        Request::ItemGet { .. } => Done::ItemGot(Err(GetError::Busy)),
        Request::ChunksPut(_) => Done::ChunksPut(Err(PutError::Busy)),
        Request::ChunksGet(_) => Done::ChunksGot(Err(GetError::Busy)),
        Request::Announce { .. } => Done::Announced(Err(PutError::Busy)),
        Request::Peers { .. } => Done::Peers(Box::new(PeersReport {
            peers: 0,
            filters: None,
            ended: Ended::Cancelled,
            effort: Effort::default(),
        })),
        Request::Lookup(_) => Done::Lookup(Box::new(LookupReport {
            closest: Vec::new(),
            silent: Vec::new(),
            ended: Ended::Cancelled,
            effort: Effort::default(),
        })),
        Request::Ping(_) | Request::Sample { .. } => Done::Answered(Answer::Silent),
    })
}
