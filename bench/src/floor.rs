//! The floor: what a reply costs on this machine if nothing is thought about it.
//!
//! One thread waits for datagrams, finds the transaction id and echoes it in a fixed reply. No table, no parsing, no
//! allocation, no clock: a node's CPU per reply minus this is what the node itself costs.

use std::io::Write;
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::MsgFlags;

use crate::args::Args;
use crate::datagrams::{Receiver, Sender};
use crate::failure::Failure;

const BATCH: usize = 64;
const REPLY: &[u8] = b"d1:rd2:id20:the floor, 20 bytes.e1:t4:\0\0\0\x001:y1:re";
const TID_IN_REPLY: usize = REPLY.len() - 11;
const BEFORE_TID: &[u8] = b"1:t4:";
/// The id stands near the end: behind it come `y` and at most a client version.
const TAIL: usize = 40;

/// The command `floor`.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let listen: SocketAddrV4 = args.value("--listen")?.unwrap_or(crate::LOOPBACK);
    args.finish()?;
    let refused = |error| Failure::system(format!("cannot listen on `{listen}`"), error);
    let socket = UdpSocket::bind(listen).map_err(refused)?;
    let address = socket.local_addr().map_err(refused)?;
    println!("floor listening on {address}");
    // The reader waits for this line on a pipe.
    std::io::stdout().flush().map_err(refused)?;
    answer_for_ever(&socket)
}

fn answer_for_ever(socket: &UdpSocket) -> Result<(), Failure> {
    let socket = socket.as_raw_fd();
    let mut receiver = Receiver::<BATCH>::new();
    let mut sender = Sender::<BATCH>::new(REPLY);
    loop {
        let received = receiver.receive(socket, MsgFlags::MSG_WAITFORONE, |query, from| {
            if let Some(tid) = transaction_id(query) {
                sender.next(from)[TID_IN_REPLY..TID_IN_REPLY + 4].copy_from_slice(tid);
            }
        });
        match received.and_then(|()| sender.send(socket)) {
            // An asker that has gone away.
            Ok(()) | Err(Errno::ECONNREFUSED | Errno::EINTR) => {}
            Err(error) => return Err(Failure::system("the floor cannot go on", error)),
        }
    }
}

fn transaction_id(query: &[u8]) -> Option<&[u8]> {
    let tail = &query[query.len().saturating_sub(TAIL)..];
    let at = tail.windows(BEFORE_TID.len()).rposition(|window| window == BEFORE_TID)?;
    tail.get(at + BEFORE_TID.len()..at + BEFORE_TID.len() + 4)
}

#[cfg(test)]
mod tests {
    use super::{REPLY, TID_IN_REPLY, transaction_id};
    use crate::krpc::{self, Argument, Body};

    #[test]
    fn the_reply_is_a_krpc_response() {
        let message = krpc::read(REPLY).unwrap();
        assert_eq!(message.tid, &REPLY[TID_IN_REPLY..TID_IN_REPLY + 4]);
        assert!(
            matches!(message.body, Body::Response(response) if response.id.unwrap().len() == 20)
        );
    }

    #[test]
    fn the_transaction_id_is_found_with_and_without_a_version() {
        let mut ping = krpc::query("ping", &[("id", Argument::Bytes(&[7; 20]))]);
        krpc::stamp(&mut ping, *b"1:t4");
        assert_eq!(transaction_id(&ping), Some(&b"1:t4"[..]));
        assert_eq!(transaction_id(b"...1:t4:abcd1:v4:XO011:y1:qe"), Some(&b"abcd"[..]));
        assert_eq!(transaction_id(b"...1:t4:ab"), None);
        assert_eq!(transaction_id(b""), None);
    }
}
