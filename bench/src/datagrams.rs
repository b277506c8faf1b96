//! Many datagrams with one system call.

use std::array;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::RawFd;

use nix::Result;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg};

/// Room for one datagram: more than any answer that stays within an Ethernet frame.
const ROOM: usize = 2048;

/// Receives up to `N` datagrams at once.
pub struct Receiver<const N: usize> {
    buffers: Box<[[u8; ROOM]; N]>,
    headers: MultiHeaders<SockaddrIn>,
}

impl<const N: usize> Receiver<N> {
    /// A receiver with its buffers.
    pub fn new() -> Self {
        Self { buffers: Box::new([[0; ROOM]; N]), headers: MultiHeaders::preallocate(N, None) }
    }

    /// Receives what is there and hands out each datagram with its sender.
    pub fn receive(
        &mut self,
        socket: RawFd,
        flags: MsgFlags,
        mut each: impl FnMut(&[u8], Option<SockaddrIn>),
    ) -> Result<()> {
        let mut slices = self.buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
        for message in recvmmsg(socket, &mut self.headers, slices.iter_mut(), flags, None)? {
            each(message.iovs().next().unwrap_or_default(), message.address);
        }
        Ok(())
    }
}

/// Sends up to `N` datagrams at once.
pub struct Sender<const N: usize> {
    datagrams: [Vec<u8>; N],
    to: [Option<SockaddrIn>; N],
    used: usize,
    headers: MultiHeaders<SockaddrIn>,
}

impl<const N: usize> Sender<N> {
    /// A sender; each of its datagrams holds `text` at first.
    pub fn new(text: &[u8]) -> Self {
        Self {
            datagrams: array::from_fn(|_| text.to_vec()),
            to: [None; N],
            used: 0,
            headers: MultiHeaders::preallocate(N, None),
        }
    }

    /// The next datagram, still with its last contents; it goes to `to`, or to the peer of a connected socket.
    pub fn next(&mut self, to: Option<SockaddrIn>) -> &mut Vec<u8> {
        let at = self.used;
        self.used += 1;
        self.to[at] = to;
        &mut self.datagrams[at]
    }

    /// Takes the last datagram back.
    pub fn take_back(&mut self) {
        self.used -= 1;
    }

    /// Sends what was filled. A datagram that the kernel does not take is lost, as on any network.
    pub fn send(&mut self, socket: RawFd) -> Result<()> {
        let used = std::mem::take(&mut self.used);
        if used == 0 {
            return Ok(());
        }
        let slices: [[IoSlice<'_>; 1]; N] =
            array::from_fn(|at| [IoSlice::new(&self.datagrams[at])]);
        let flags = MsgFlags::empty();
        sendmmsg(socket, &mut self.headers, &slices[..used], &self.to[..used], [], flags).map(drop)
    }
}
