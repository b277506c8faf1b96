//! Whom the node joins through: the addresses and names it was given, and contacts of before.

use std::net::SocketAddr;
use std::time::Duration;

use kv::{Event, Request};
use wire::{Endpoint, Family};

use super::{Driver, Message};
use crate::resolve::resolve;
use crate::socket::Port;

/// First wait before names to join through, none of which resolved, are tried again; doubles up to
/// [`RESOLVE_AFTER_MAX`].
pub(super) const RESOLVE_AFTER_MIN: Duration = Duration::from_secs(1);

/// Longest wait before names to join through are tried again.
const RESOLVE_AFTER_MAX: Duration = Duration::from_secs(60);

impl Driver {
    /// Joins through all that needs no resolving, and has the rest resolved. A client's first request
    /// then finds its door at once.
    pub(super) async fn begin_to_join(&mut self) {
        let remembered = self.restored.contacts.iter().map(|contact| contact.endpoint);
        let doors: Vec<Endpoint> = self.given_addresses().chain(remembered).collect();
        if !doors.is_empty() {
            self.join_through(doors).await;
        }
        self.resolve_later(Duration::ZERO);
    }

    /// What we were told to join through, names left out.
    fn given_addresses(&self) -> impl Iterator<Item = Endpoint> + '_ {
        self.join.iter().filter_map(|name| name.parse::<SocketAddr>().ok()).map(Endpoint::from)
    }

    async fn join_through(&mut self, endpoints: Vec<Endpoint>) {
        let bound =
            |endpoint: &Endpoint| self.ports.iter().any(|port| port.family() == endpoint.family());
        let endpoints: Vec<Endpoint> = endpoints.into_iter().filter(bound).collect();
        self.kv.request(self.clock.now(), Request::Join(endpoints), &mut self.outbox);
        self.settle().await;
    }

    /// Names to join through have been resolved, or none of them could be.
    pub(super) async fn resolved(&mut self, endpoints: Vec<Endpoint>) {
        self.resolving = false;
        if !endpoints.is_empty() {
            self.resolve_after = RESOLVE_AFTER_MIN;
            // The given ones once more: a name of ever other addresses must not push them out.
            let doors = endpoints.into_iter().chain(self.given_addresses()).collect();
            return self.join_through(doors).await;
        }
        let node = self.kv.node();
        if Family::ALL.iter().all(|family| node.table(*family).is_empty()) {
            let retry_in = self.resolve_after;
            self.resolve_after = (retry_in * 2).min(RESOLVE_AFTER_MAX);
            // Nobody need listen.
            let _ = self.events.send(Event::JoinFailed { retry_in });
            self.resolve_later(retry_in);
        }
    }

    /// Resolves the names to join through, without holding anything up.
    pub(super) fn resolve_later(&mut self, wait: Duration) {
        let names: Vec<String> =
            self.join.iter().filter(|name| name.parse::<SocketAddr>().is_err()).cloned().collect();
        if names.is_empty() || std::mem::replace(&mut self.resolving, true) {
            return;
        }
        let families: Vec<Family> = self.ports.iter().map(Port::family).collect();
        let inbox = self.own_inbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let endpoints = resolve(&names, &families).await;
            if let Some(inbox) = inbox.upgrade() {
                let _ = inbox.send(Message::Resolved(endpoints)).await;
            }
        });
    }
}
