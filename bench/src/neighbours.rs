//! Minimal nodes that fill the routing table of a node under test, so that its replies carry eight contacts.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::LOOPBACK;
use crate::args::Args;
use crate::chance::Chance;
use crate::failure::Failure;
use crate::krpc::{self, Argument, Body, CONTACT, Id, Response};

/// A full bucket, and what a full reply names.
const CONTACTS: usize = 8;
/// Time between two questions of a neighbour while the table fills.
const KNOCKING: Duration = Duration::from_millis(250);
/// And afterwards, so that the contacts stay good.
const KEEPING: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(50);
const SEED: u64 = 5;

/// The command `neighbours`.
pub fn run(mut args: Args) -> Result<(), Failure> {
    let join: SocketAddrV4 = args.required("--join")?;
    let count: usize = args.value("--count")?.unwrap_or(24);
    args.finish()?;
    let refused = |error| Failure::system(format!("no neighbours for `{join}`"), error);
    let sockets: io::Result<Vec<_>> = (0..count).map(|_| open()).collect();
    let mut neighbours =
        sockets.and_then(|sockets| Neighbours::new(sockets, join)).map_err(refused)?;
    let start = Instant::now();
    while neighbours.full_replies < 2 * count {
        neighbours.knock_and_serve(KNOCKING).map_err(refused)?;
        if start.elapsed() > PATIENCE {
            return Err(Failure::new(
                format!("`{join}` names fewer than {CONTACTS} contacts after {PATIENCE:?}"),
                "does it take contacts on loopback, many on one address?",
            ));
        }
    }
    println!("{count} neighbours of {join} are ready");
    io::stdout().flush().map_err(refused)?;
    loop {
        neighbours.knock_and_serve(KEEPING).map_err(refused)?;
    }
}

fn open() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(LOOPBACK)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

struct Neighbours {
    sockets: Vec<UdpSocket>,
    contacts: Vec<[u8; CONTACT]>,
    join: SocketAddrV4,
    chance: Chance,
    /// Replies in a row that named eight contacts.
    full_replies: usize,
}

impl Neighbours {
    fn new(sockets: Vec<UdpSocket>, join: SocketAddrV4) -> io::Result<Self> {
        let mut chance = Chance::new(SEED);
        let contact = |socket: &UdpSocket| {
            let port = socket.local_addr()?.port();
            let mut contact = [0; CONTACT];
            let (id, rest) = contact.split_at_mut(size_of::<Id>());
            let (address, place) = rest.split_at_mut(4);
            chance.fill(id);
            address.copy_from_slice(&LOOPBACK.ip().octets());
            place.copy_from_slice(&port.to_be_bytes());
            Ok(contact)
        };
        Ok(Self {
            contacts: sockets.iter().map(contact).collect::<io::Result<_>>()?,
            sockets,
            join,
            chance,
            full_replies: 0,
        })
    }

    fn knock_and_serve(&mut self, time: Duration) -> io::Result<()> {
        self.knock();
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.wait(until)?;
            for at in 0..self.sockets.len() {
                self.serve(at)?;
            }
        }
        Ok(())
    }

    /// Each neighbour asks for a random target; the node under test comes to know the askers.
    fn knock(&mut self) {
        for (socket, contact) in self.sockets.iter().zip(&self.contacts) {
            let target: Id = self.chance.bytes();
            let id = ("id", Argument::Bytes(id_of(contact)));
            let mut query = krpc::query("find_node", &[id, ("target", Argument::Bytes(&target))]);
            krpc::stamp(&mut query, *b"nbrs");
            // A full buffer loses one of many questions.
            let _ = socket.send_to(&query, self.join);
        }
    }

    fn wait(&self, until: Instant) -> io::Result<()> {
        let mut waiting: Vec<PollFd<'_>> = self
            .sockets
            .iter()
            .map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN))
            .collect();
        let time = until.saturating_duration_since(Instant::now()).as_millis();
        let time = PollTimeout::from(u16::try_from(time).unwrap_or(u16::MAX).saturating_add(1));
        poll(&mut waiting, time)?;
        Ok(())
    }

    fn serve(&mut self, at: usize) -> io::Result<()> {
        let mut buffer = [0; 2048];
        loop {
            let (length, from) = match self.sockets[at].recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // An earlier answer found nobody; the next datagram may still be good.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => continue,
                Err(error) => return Err(error),
            };
            let Some(message) = krpc::read(&buffer[..length]) else {
                continue;
            };
            match message.body {
                Body::Query(_, target) => {
                    let reply = self.reply(at, message.tid, target);
                    let _ = self.sockets[at].send_to(&reply, from);
                }
                Body::Response(response) if from == SocketAddr::V4(self.join) => {
                    self.count(&response)
                }
                Body::Response(_) | Body::Error(..) => {}
            }
        }
    }

    fn count(&mut self, response: &Response<'_>) {
        let full = response.nodes.is_some_and(|nodes| nodes.len() >= CONTACTS * CONTACT);
        self.full_replies = if full { self.full_replies + 1 } else { 0 };
    }

    /// No token ever, so nobody stores anything here.
    fn reply(&self, at: usize, tid: &[u8], target: Option<&[u8]>) -> Vec<u8> {
        let mut out = b"d1:rd2:id".to_vec();
        krpc::string(&mut out, id_of(&self.contacts[at]));
        if let Some(target) = target {
            let distance = |contact: &&[u8; CONTACT]| -> Vec<u8> {
                id_of(contact).iter().zip(target).map(|(a, b)| a ^ b).collect()
            };
            let mut closest: Vec<&[u8; CONTACT]> = self.contacts.iter().collect();
            closest.sort_by_key(distance);
            closest.truncate(CONTACTS);
            krpc::string(&mut out, b"nodes");
            krpc::string(&mut out, closest.into_iter().copied().collect::<Vec<_>>().as_flattened());
        }
        out.extend_from_slice(b"e1:t");
        krpc::string(&mut out, tid);
        out.extend_from_slice(b"1:y1:re");
        out
    }
}

fn id_of(contact: &[u8; CONTACT]) -> &[u8] {
    &contact[..size_of::<Id>()]
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::{CONTACT, Neighbours};
    use crate::LOOPBACK;
    use crate::krpc::{self, Body};

    #[test]
    fn a_find_node_is_answered_with_the_eight_closest() {
        let sockets = (0..20).map(|_| UdpSocket::bind(LOOPBACK).unwrap()).collect();
        let neighbours = Neighbours::new(sockets, LOOPBACK).unwrap();
        let wanted = neighbours.contacts[13];
        let reply = neighbours.reply(3, b"xy", Some(&wanted[..20]));
        let message = krpc::read(&reply).unwrap();
        let Body::Response(response) = message.body else { panic!("{message:?}") };
        assert_eq!(message.tid, b"xy");
        assert_eq!(response.id.unwrap(), &neighbours.contacts[3][..20]);
        assert_eq!(response.nodes.unwrap().len(), 8 * CONTACT);
        assert_eq!(&response.nodes.unwrap()[..CONTACT], wanted);
    }

    #[test]
    fn a_ping_is_answered_without_contacts() {
        let neighbours =
            Neighbours::new(vec![UdpSocket::bind(LOOPBACK).unwrap()], LOOPBACK).unwrap();
        let reply = neighbours.reply(0, b"abcd", None);
        assert!(matches!(krpc::read(&reply).unwrap().body, Body::Response(r) if r.nodes.is_none()));
    }
}
