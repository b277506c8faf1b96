//! One datagram a system call, for systems without batched ones.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;
use wire::limits::DATAGRAM_BYTES;
use wire::{Endpoint, Family};

use super::BATCH;

thread_local! {
    // One byte more than a datagram may have, so that a longer one shows.
    static BUFFER: RefCell<[u8; DATAGRAM_BYTES + 1]> = const { RefCell::new([0; DATAGRAM_BYTES + 1]) };
}

/// Receives up to a batch without waiting; tells how many datagrams came.
pub fn receive(
    socket: &UdpSocket,
    _: Family,
    each: &mut impl FnMut(Endpoint, &[u8]),
) -> io::Result<usize> {
    BUFFER.with_borrow_mut(|buffer| {
        for count in 0..BATCH {
            match socket.try_recv_from(buffer) {
                Ok((length, from)) => each(from.into(), &buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(count),
                Err(error) => return Err(error),
            }
        }
        Ok(BATCH)
    })
}

/// Sends up to a batch without waiting; tells how many datagrams went.
pub fn send(socket: &UdpSocket, _: Family, datagrams: &[(Endpoint, &[u8])]) -> io::Result<usize> {
    for (count, (to, bytes)) in datagrams.iter().enumerate() {
        match socket.try_send_to(bytes, SocketAddr::from(*to)) {
            Ok(_) => {}
            Err(error) if count == 0 => return Err(error),
            Err(_) => return Ok(count),
        }
    }
    Ok(datagrams.len())
}
