//! One datagram a system call, for systems without batched ones.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;
use wire::limits::DATAGRAM_BYTES;
use wire::{Endpoint, Family};

thread_local! {
    // One byte more than a datagram may have, so that a longer one shows.
    static BUFFER: RefCell<[u8; DATAGRAM_BYTES + 1]> = const { RefCell::new([0; DATAGRAM_BYTES + 1]) };
}

/// Receives up to `N` datagrams without waiting; tells how many came.
pub fn receive<const N: usize>(
    socket: &UdpSocket,
    _: Family,
    each: &mut impl FnMut(Endpoint, &[u8]),
) -> io::Result<usize> {
    BUFFER.with_borrow_mut(|buffer| {
        for count in 0..N {
            match socket.try_recv_from(buffer) {
                Ok((length, from)) => each(from.into(), &buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(count),
                Err(error) => return Err(error),
            }
        }
        Ok(N)
    })
}

/// Sends datagrams without waiting; tells how many went.
pub fn send<const N: usize>(
    socket: &UdpSocket,
    _: Family,
    datagrams: &[(Endpoint, &[u8])],
) -> io::Result<usize> {
    for (count, (to, bytes)) in datagrams.iter().enumerate() {
        match socket.try_send_to(bytes, SocketAddr::from(*to)) {
            Ok(_) => {}
            Err(error) if count == 0 => return Err(error),
            Err(_) => return Ok(count),
        }
    }
    Ok(datagrams.len())
}

/// Sends one datagram without waiting.
pub fn send_one(
    socket: &UdpSocket,
    family: Family,
    datagram: (Endpoint, &[u8]),
) -> io::Result<usize> {
    send::<1>(socket, family, &[datagram])
}
