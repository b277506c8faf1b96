//! A UDP socket that receives and sends in batches.
//!
//! On Linux one system call moves up to [`BATCH`] datagrams (`recvmmsg`, `sendmmsg`); elsewhere each
//! datagram is a call of its own. Memory for a batch is scratch of the thread: it holds nothing
//! between calls, so nodes on one thread share no state through it.

#[cfg_attr(target_os = "linux", path = "batched.rs")]
#[cfg_attr(not(target_os = "linux"), path = "portable.rs")]
mod calls;

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use node::Outbox;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use wire::{Endpoint, Family};

/// Datagrams moved by one system call at most.
pub const BATCH: usize = 64;

/// Datagrams asked for while few arrive: laying out room for [`BATCH`] costs as much as a datagram.
const SMALL_BATCH: usize = 8;

/// What the kernel may keep for us while we are busy: bursts of a thousand full datagrams.
const KERNEL_BUFFER_BYTES: usize = 4 << 20;

/// A bound socket of one family.
pub struct Port {
    socket: UdpSocket,
    family: Family,
    /// The last batch was full: more are likely to wait.
    busy: bool,
}

impl Port {
    /// Binds `address`.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        if domain == Domain::IPV6 {
            // Each family has its own socket and its own table (BEP 32).
            socket.set_only_v6(true)?;
        }
        // The kernel may grant less: bursts are then lost as on any network.
        let _ = socket.set_recv_buffer_size(KERNEL_BUFFER_BYTES);
        let _ = socket.set_send_buffer_size(KERNEL_BUFFER_BYTES);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
        Ok(Self { socket, family, busy: false })
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Its family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Wakes the task when there may be something to receive.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        // An error shows, and is passed over, at the next receive.
        self.socket.poll_recv_ready(context).map(|_| ())
    }

    /// Receives one batch and hands out each datagram. `true` if there may be more.
    pub fn receive(&mut self, mut each: impl FnMut(Endpoint, &[u8])) -> bool {
        let asked = if self.busy { BATCH } else { SMALL_BATCH };
        let result = self.socket.try_io(Interest::READABLE, || {
            let received = match asked {
                BATCH => calls::receive::<BATCH>(&self.socket, self.family, &mut each)?,
                _ => calls::receive::<SMALL_BATCH>(&self.socket, self.family, &mut each)?,
            };
            // A batch that is not full has emptied the socket; saying so spares the call that would
            // only find out the same.
            if received < asked { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        // An error other than having emptied the socket is that of an earlier send, reported late
        // (ICMP): the socket itself is fine.
        self.busy = !matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.busy
    }

    /// Sends all datagrams of this family in the outbox. What the kernel refuses is lost, as on any
    /// network; while its buffers are full, waits.
    pub async fn send(&self, outbox: &Outbox) {
        let mut datagrams = outbox.datagrams().filter(|(to, _)| to.family() == self.family);
        if outbox.len() == 1 {
            // Most of the time there is one: no room is laid out for more.
            if let Some(one) = datagrams.next() {
                self.send_batch(&[one]).await;
            }
            return;
        }
        let mut room = [(Endpoint::v4([0; 4], 0), &[][..]); BATCH];
        loop {
            let mut count = 0;
            for (place, datagram) in room.iter_mut().zip(datagrams.by_ref()) {
                *place = datagram;
                count += 1;
            }
            if count == 0 {
                return;
            }
            self.send_batch(&room[..count]).await;
        }
    }

    async fn send_batch(&self, batch: &[(Endpoint, &[u8])]) {
        let mut sent = 0;
        while sent < batch.len() {
            let rest = &batch[sent..];
            let result = self.socket.try_io(Interest::WRITABLE, || match rest {
                [one] => calls::send_one(&self.socket, self.family, *one),
                _ if rest.len() <= SMALL_BATCH => {
                    calls::send::<SMALL_BATCH>(&self.socket, self.family, rest)
                }
                _ => calls::send::<BATCH>(&self.socket, self.family, rest),
            });
            match result {
                Ok(count) => sent += count.max(1),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.socket.writable().await.is_err() {
                        return;
                    }
                }
                // The first one cannot be sent to where it should go.
                Err(_) => sent += 1,
            }
        }
    }
}
