//! What the driver turns to next.
//!
//! Datagrams and all else take turns, so that a flood of datagrams holds up neither the disk's word
//! nor a handle nor the timer, and no handle keeps datagrams waiting.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Sleep;

use super::{Driver, Message};
use crate::persistence::Committed;

/// Batches from one socket before others get their turn.
const BATCHES_IN_A_ROW: usize = 4;

/// Inputs other than datagrams that are taken in a row while datagrams may be waiting.
const OTHERS_IN_A_ROW: u8 = 32;

/// What woke the driver.
pub(super) enum Woken {
    Readable,
    Message(Message),
    Timer,
    /// The disk is done with a batch.
    Committed(Committed),
    /// The last handle is gone.
    Abandoned,
}

impl Driver {
    /// Waits for the next input.
    pub(super) fn wake<'d>(
        &'d mut self,
        timer: &'d mut Pin<Box<Sleep>>,
        armed: bool,
    ) -> impl Future<Output = Woken> + 'd {
        std::future::poll_fn(move |context| {
            let others_first = self.others_in_a_row > 0;
            if others_first && let Poll::Ready(other) = self.poll_others(timer, armed, context) {
                self.others_in_a_row -= 1;
                return Poll::Ready(other);
            }
            if self.poll_readable(context) {
                self.others_in_a_row = OTHERS_IN_A_ROW;
                return Poll::Ready(Woken::Readable);
            }
            if others_first { Poll::Pending } else { self.poll_others(timer, armed, context) }
        })
    }

    /// Whether datagrams wait.
    fn poll_readable(&self, context: &mut Context<'_>) -> bool {
        // All sockets are polled, since each must know whom to wake.
        let polled = self.ports.iter().map(|port| port.poll_readable(context).is_ready());
        polled.fold(false, |readable, ready| readable | ready)
    }

    /// Looks for an input other than datagrams.
    fn poll_others(
        &mut self,
        timer: &mut Pin<Box<Sleep>>,
        armed: bool,
        context: &mut Context<'_>,
    ) -> Poll<Woken> {
        if let Some(persistence) = &mut self.persistence
            && let Poll::Ready(committed) = persistence.poll_committed(context)
        {
            return Poll::Ready(Woken::Committed(committed));
        }
        if let Poll::Ready(message) = self.inbox.poll_recv(context) {
            return Poll::Ready(message.map_or(Woken::Abandoned, Woken::Message));
        }
        if armed && timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(Woken::Timer);
        }
        Poll::Pending
    }

    /// Takes what has arrived, a few batches from each socket, answering after each.
    pub(super) async fn receive(&mut self) {
        for index in 0..self.ports.len() {
            for _ in 0..BATCHES_IN_A_ROW {
                let now = self.clock.now();
                let (kv, outbox) = (&mut self.kv, &mut self.outbox);
                let more =
                    self.ports[index].receive(|from, bytes| kv.datagram(now, from, bytes, outbox));
                self.settle().await;
                if !more {
                    break;
                }
            }
        }
        // The runtime's timer moves on only while it is idle: a flood must not hold ours up.
        let now = self.clock.now();
        if self.kv.deadline().is_some_and(|at| at <= now.monotonic) {
            self.kv.tick(now, &mut self.outbox);
            self.settle().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::clock::Clock;
    use crate::data_dir::DataDir;
    use crate::persistence::Persistence;
    use crate::restore::Restored;
    use crate::socket::Port;

    /// A directory that ends with its test.
    struct Directory(std::path::PathBuf);

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test]
    async fn a_flood_of_datagrams_holds_up_neither_the_disk_nor_a_handle() {
        let name = format!("xorbit-waking-{}", std::process::id());
        let directory = Directory(std::env::temp_dir().join(name));
        let clock = Clock::start();
        let mut config = kv::Config::default();
        config.node.durable = true;
        let kv = kv::Kv::new(config, [1; 32], clock.now());
        let data_dir = DataDir::take(&directory.0).unwrap();
        let disk = Some(Persistence::start(Box::new(store::Memory::new()), data_dir).unwrap());
        let port = Port::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let (flooded, flood) =
            (port.local_addr().unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let (mut driver, handles) =
            Driver::new(kv, vec![port], clock, disk, Vec::new(), Restored::default());
        driver.kv.changes().put(b"some", |value| value.push(1));
        driver.settle().await;
        handles.try_send(Message::Unwatched).unwrap_or_else(|_| panic!("a place in the inbox"));

        // waits: for nothing, the timer is not armed
        let mut timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        let (mut heard, mut committed) = (false, false);
        let (mut datagrams, end) = (0, Instant::now() + Duration::from_secs(10));
        while !(heard && committed) {
            // More than one turn takes, so that the socket is never found empty.
            (0..500).for_each(|_| drop(flood.send_to(b"noise", flooded)));
            std::future::poll_fn(|context| driver.ports[0].poll_readable(context)).await;
            match driver.wake(&mut timer, false).await {
                Woken::Readable => driver.receive().await,
                Woken::Message(_) => heard = true,
                Woken::Committed(_) => committed = true,
                Woken::Timer | Woken::Abandoned => panic!("neither can be"),
            }
            datagrams = driver.kv.node().counters().received;
            assert!(Instant::now() < end, "heard {heard}, committed {committed} by {datagrams}");
        }
        assert!(datagrams > 0, "the flood had its turn as well");
    }
}
