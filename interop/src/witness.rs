//! Who asks each node by itself what it holds, with datagrams of its own making: no implementation
//! under test vouches for itself.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};
use xorbit::{InfoHash, Target};

use crate::failure::{Failure, Outcome};

/// A node that has not answered by then is dead.
const LIMIT: Duration = Duration::from_secs(10);

/// After so long the silent are asked again: a busy node may have lost the question.
const AGAIN: Duration = Duration::from_millis(500);

/// Asks nodes what they hold.
pub struct Witness {
    socket: UdpSocket,
    nodes: Vec<SocketAddr>,
    /// Its id, as it stands in a question.
    name: &'static [u8],
    asked: AtomicU32,
}

impl Witness {
    /// Who asks these nodes, and tells them not to remember it (BEP 43).
    ///
    /// # Errors
    /// If there is no socket to be had.
    pub async fn new(nodes: Vec<SocketAddr>) -> Outcome<Self> {
        Self::named(nodes, b"2:id20:a node of no network").await
    }

    /// Who asks these nodes without an id: they do not ask for one, and remember for good whoever
    /// gives it, so that all their look-ups would wait for the witness.
    ///
    /// # Errors
    /// If there is no socket to be had.
    pub async fn nameless(nodes: Vec<SocketAddr>) -> Outcome<Self> {
        Self::named(nodes, b"").await
    }

    async fn named(nodes: Vec<SocketAddr>, name: &'static [u8]) -> Outcome<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self { socket, nodes, name, asked: AtomicU32::new(0) })
    }

    /// How many nodes answer a `get` with this bencoded value.
    ///
    /// # Errors
    /// If one does not answer at all.
    pub async fn holders(&self, target: Target, value: &[u8]) -> Outcome<usize> {
        let proof = [b"1:v", value].concat();
        self.how_many_tell(b"3:get", b"6:target", target.as_bytes(), &proof).await
    }

    /// How many nodes answer a `get_peers` with this peer.
    ///
    /// # Errors
    /// If one does not answer at all.
    pub async fn holders_of_peer(&self, topic: InfoHash, peer: SocketAddrV4) -> Outcome<usize> {
        let proof = [b"6:", &peer.ip().octets()[..], &peer.port().to_be_bytes()].concat();
        self.how_many_tell(b"9:get_peers", b"9:info_hash", topic.as_bytes(), &proof).await
    }

    async fn how_many_tell(
        &self,
        method: &[u8],
        of: &[u8],
        id: &[u8; 20],
        proof: &[u8],
    ) -> Outcome<usize> {
        // A number for each question, so that a late answer to an earlier one does not count. Its
        // four bytes are the only length that one family answers.
        let transaction = self.asked.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let arguments = [self.name, of, b"20:", id].concat();
        let question = question(method, &arguments, &transaction);
        let mut silent: HashSet<SocketAddr> = self.nodes.iter().copied().collect();
        let mut telling = 0;
        let end = Instant::now() + LIMIT;
        while !silent.is_empty() {
            if Instant::now() > end {
                return Err(Failure::new(format!("no answer to the witness from `{silent:?}`")));
            }
            for node in &silent {
                self.socket.send_to(&question, node).await?;
            }
            let again = Instant::now() + AGAIN;
            while !silent.is_empty()
                && let Some((from, answer)) = self.datagram(again).await?
            {
                let answers = contains(&answer, &[b"1:t4:", &transaction[..]].concat());
                if answers && silent.remove(&from) && contains(&answer, proof) {
                    telling += 1;
                }
            }
        }
        Ok(telling)
    }

    /// The next datagram, until then.
    async fn datagram(&self, until: Instant) -> Outcome<Option<(SocketAddr, Vec<u8>)>> {
        let mut datagram = vec![0; 2048];
        let Ok(received) = timeout_at(until, self.socket.recv_from(&mut datagram)).await else {
            return Ok(None);
        };
        let (length, from) = received?;
        datagram.truncate(length);
        Ok(Some((from, datagram)))
    }
}

/// A query by hand, in canonical order.
fn question(method: &[u8], arguments: &[u8], transaction: &[u8; 4]) -> Vec<u8> {
    let parts: [&[u8]; 7] =
        [b"d1:ad", arguments, b"e1:q", method, b"2:roi1e1:t4:", transaction, b"1:y1:qe"];
    parts.concat()
}

fn contains(datagram: &[u8], part: &[u8]) -> bool {
    datagram.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_node_counts_as_a_holder_only_if_it_tells_the_value() {
        let node = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let witness = Witness::new(vec![node.local_addr().unwrap()]).await.unwrap();
        for (told, expected) in [("5:value", 1), ("5:other", 0)] {
            let answering = async {
                let mut datagram = [0; 2048];
                let (length, from) = node.recv_from(&mut datagram).await.unwrap();
                let question = &datagram[..length];
                assert!(question.ends_with(b"1:y1:qe"), "{question:?}");
                let transaction = &question[length - 11..length - 7];
                let answer = [b"d1:rd1:v", told.as_bytes(), b"e1:t4:", transaction, b"1:y1:re"];
                node.send_to(&answer.concat(), from).await.unwrap();
            };
            let asking = witness.holders(Target::new([7; 20]), b"5:value");
            assert_eq!(tokio::join!(asking, answering).0.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn a_silent_node_is_asked_again_and_no_witness_for_anything() {
        let node = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let witness = Witness::new(vec![node.local_addr().unwrap()]).await.unwrap();
        let mut datagram = [0; 2048];
        let asked_twice = async {
            node.recv_from(&mut datagram).await.unwrap();
            node.recv_from(&mut datagram).await.unwrap();
        };
        tokio::select! {
            told = witness.holders(Target::new([7; 20]), b"5:value") => panic!("{told:?}"),
            () = asked_twice => {}
        }
    }

    #[test]
    fn a_question_is_canonical_bencode() {
        let question = question(b"3:get", b"6:target20:xxxxxxxxxxxxxxxxxxxx", b"abcd");
        let expected = b"d1:ad6:target20:xxxxxxxxxxxxxxxxxxxxe1:q3:get2:roi1e1:t4:abcd1:y1:qe";
        assert_eq!(question, expected);
    }
}
