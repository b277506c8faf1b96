//! Many datagrams with one system call, through `nix`, without any unsafe code here.

use std::array;
use std::cell::RefCell;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::thread::LocalKey;

use nix::sys::socket::{
    MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, recvmmsg, sendmmsg, sendto,
};
use tokio::net::UdpSocket;
use wire::limits::DATAGRAM_BYTES;
use wire::{Endpoint, Family};

use super::BATCH;

/// Memory for one batch of a family's datagrams.
struct Scratch<A> {
    buffers: Box<[[u8; DATAGRAM_BYTES]]>,
    incoming: MultiHeaders<A>,
    outgoing: MultiHeaders<A>,
}

impl<A: SockaddrLike + Copy> Scratch<A> {
    fn new() -> RefCell<Self> {
        RefCell::new(Self {
            buffers: vec![[0; DATAGRAM_BYTES]; BATCH].into(),
            incoming: MultiHeaders::preallocate(BATCH, None),
            outgoing: MultiHeaders::preallocate(BATCH, None),
        })
    }
}

thread_local! {
    static V4: RefCell<Scratch<SockaddrIn>> = Scratch::new();
    static V6: RefCell<Scratch<SockaddrIn6>> = Scratch::new();
}

/// An address as the kernel has it.
trait RawAddress: SockaddrLike + Copy + 'static {
    fn scratch() -> &'static LocalKey<RefCell<Scratch<Self>>>;
    fn endpoint(self) -> Endpoint;
    fn of(endpoint: &Endpoint) -> Self;
}

impl RawAddress for SockaddrIn {
    fn scratch() -> &'static LocalKey<RefCell<Scratch<Self>>> {
        &V4
    }

    fn endpoint(self) -> Endpoint {
        Endpoint::v4(self.ip().octets(), self.port())
    }

    fn of(endpoint: &Endpoint) -> Self {
        match SocketAddr::from(*endpoint) {
            SocketAddr::V4(address) => address.into(),
            // Never: the caller sorts by family. An unroutable address would be dropped.
            SocketAddr::V6(_) => SocketAddrV4::new([0; 4].into(), 0).into(),
        }
    }
}

impl RawAddress for SockaddrIn6 {
    fn scratch() -> &'static LocalKey<RefCell<Scratch<Self>>> {
        &V6
    }

    fn endpoint(self) -> Endpoint {
        Endpoint::v6(self.ip().octets(), self.port())
    }

    fn of(endpoint: &Endpoint) -> Self {
        match SocketAddr::from(*endpoint) {
            SocketAddr::V6(address) => address.into(),
            SocketAddr::V4(_) => SocketAddrV6::new([0; 16].into(), 0, 0, 0).into(),
        }
    }
}

/// Receives up to `N` datagrams without waiting; tells how many came.
pub fn receive<const N: usize>(
    socket: &UdpSocket,
    family: Family,
    each: &mut impl FnMut(Endpoint, &[u8]),
) -> io::Result<usize> {
    match family {
        Family::V4 => receive_from::<SockaddrIn, N>(socket, each),
        Family::V6 => receive_from::<SockaddrIn6, N>(socket, each),
    }
}

fn receive_from<A: RawAddress, const N: usize>(
    socket: &UdpSocket,
    each: &mut impl FnMut(Endpoint, &[u8]),
) -> io::Result<usize> {
    A::scratch().with_borrow_mut(|scratch| {
        let mut buffers = scratch.buffers.iter_mut();
        let mut slices: [[IoSliceMut<'_>; 1]; N] = array::from_fn(|_| {
            [IoSliceMut::new(buffers.next().map_or(&mut [], |buffer| &mut buffer[..]))]
        });
        let flags = MsgFlags::MSG_DONTWAIT;
        let fd = socket.as_raw_fd();
        let messages = recvmmsg(fd, &mut scratch.incoming, slices.iter_mut(), flags, None)?;
        let mut count = 0;
        for message in messages {
            count += 1;
            let truncated = message.flags.contains(MsgFlags::MSG_TRUNC);
            let bytes = message.iovs().next().unwrap_or_default();
            if let Some(address) = message.address {
                // A datagram cut short is passed on empty, so that it is counted as dropped.
                each(address.endpoint(), if truncated { &[] } else { bytes });
            }
        }
        Ok(count)
    })
}

/// Sends up to `N` datagrams without waiting; tells how many went.
pub fn send<const N: usize>(
    socket: &UdpSocket,
    family: Family,
    datagrams: &[(Endpoint, &[u8])],
) -> io::Result<usize> {
    match family {
        Family::V4 => send_to::<SockaddrIn, N>(socket, datagrams),
        Family::V6 => send_to::<SockaddrIn6, N>(socket, datagrams),
    }
}

fn send_to<A: RawAddress, const N: usize>(
    socket: &UdpSocket,
    datagrams: &[(Endpoint, &[u8])],
) -> io::Result<usize> {
    A::scratch().with_borrow_mut(|scratch| {
        let count = datagrams.len().min(N);
        let slices: [[IoSlice<'_>; 1]; N] = array::from_fn(|index| {
            [IoSlice::new(datagrams.get(index).map_or(&[], |(_, bytes)| bytes))]
        });
        let addresses: [Option<A>; N] =
            array::from_fn(|index| datagrams.get(index).map(|(to, _)| A::of(to)));
        let flags = MsgFlags::MSG_DONTWAIT;
        let fd = socket.as_raw_fd();
        let sent =
            sendmmsg(fd, &mut scratch.outgoing, &slices[..count], &addresses[..count], [], flags)?;
        Ok(sent.count())
    })
}

/// Sends one datagram without waiting.
pub fn send_one(
    socket: &UdpSocket,
    family: Family,
    (to, bytes): (Endpoint, &[u8]),
) -> io::Result<usize> {
    let (fd, flags) = (socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
    match family {
        Family::V4 => sendto(fd, bytes, &SockaddrIn::of(&to), flags)?,
        Family::V6 => sendto(fd, bytes, &SockaddrIn6::of(&to), flags)?,
    };
    Ok(1)
}
