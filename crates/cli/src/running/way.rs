//! Which way a verb goes: through a running node on this machine, or through a node of its own.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::{Running, RunningArgs};
use crate::connection::ConnectionArgs;

/// How long a look for a running node may take: it is on this machine, or a verb does without it.
const LOOKING: Duration = Duration::from_millis(500);

/// Which way a verb goes.
pub enum Way {
    /// Through the HTTP of this node.
    Running(Running),
    /// Through a node of its own.
    Own(Reason),
}

/// Why a verb takes a node of its own.
pub enum Reason {
    /// An option asks for what only an own node can do.
    Option(&'static str),
    /// No node that could do it serves HTTP at this place.
    NoNode { url: String, why: String },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(option) => write!(f, "{option}"),
            Self::NoNode { url, why } => write!(f, "at `{url}` {why}"),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running(node) => write!(f, "through the running node at {}", node.url()),
            Self::Own(reason) => write!(f, "through a node of its own: {reason}"),
        }
    }
}

impl Way {
    /// The URL of the running node; `None`: a node of its own.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Running(node) => Some(node.url()),
            Self::Own(_) => None,
        }
    }

    /// Finds the way of a verb whose value has up to `bytes`. `own` says what among its options a
    /// running node cannot do.
    pub async fn find(
        running: &RunningArgs,
        connection: &ConnectionArgs,
        own: Option<&'static str>,
        bytes: u64,
    ) -> Self {
        if let Some(option) = own.or_else(|| connection.wants_own_node()) {
            return Self::Own(Reason::Option(option));
        }
        let unfit = |why: String| {
            let url = running.url();
            Self::Own(Reason::NoNode { url, why })
        };
        let node = match running.node() {
            Ok(node) => node,
            Err(_) => return unfit("the token to show cannot be read".into()),
        };
        let told = match tokio::time::timeout(LOOKING, node.ask("/v1/node")).await {
            Ok(Ok((200, told))) => told,
            Ok(Ok((status, _))) => return unfit(format!("something answers {status}")),
            Ok(Err(_)) => return unfit("no node answers".into()),
            Err(_) => return unfit(format!("no node answers within {LOOKING:?}")),
        };
        match misfit(&told, connection, bytes) {
            Some(why) => unfit(why.into()),
            None => Self::Running(node),
        }
    }
}

/// Why a node that tells this of itself cannot do it.
fn misfit(told: &Value, connection: &ConnectionArgs, bytes: u64) -> Option<&'static str> {
    if told["public"].as_bool() != Some(connection.is_public()) {
        return Some("a node of another network answers");
    }
    if !connection.is_public() && told["network"].as_str() != Some(connection.network_name()) {
        return Some("a node of another network answers");
    }
    if told["sealed"] != false {
        return Some("a node of a sealed network answers");
    }
    if told["max_value_bytes"].as_u64().is_none_or(|most| bytes > most) {
        return Some("a node answers that takes no value of this size");
    }
    None
}
