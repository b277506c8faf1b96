//! Strangers and our nodes in one network, all of which write, hold and read.

use std::net::{Ipv4Addr, SocketAddr};

use xorbit::{InfoHash, Seq, Target};

use crate::K;
use crate::author::Author;
use crate::census::{Census, Copies};
use crate::failure::{Failure, Outcome};
use crate::ours::Ours;
use crate::strangers::{Found, How, Strangers};
use crate::values::{bencoded, immutable_target, largest};

/// What one node wrote: an immutable item, a mutable one and a peer.
pub struct Written {
    writer: String,
    fixed: Vec<u8>,
    author: Author,
    value: Vec<u8>,
    topic: InfoHash,
    port: u16,
}

impl Written {
    fn by(writer: &str, number: u8) -> Self {
        Self {
            writer: writer.to_owned(),
            fixed: largest(number),
            author: Author::new(number, writer),
            value: format!("written by {writer}").into_bytes(),
            topic: InfoHash::new([number; 20]),
            port: 5000 + u16::from(number),
        }
    }

    fn fixed_target(&self) -> Outcome<Target> {
        immutable_target(&self.fixed)
    }

    fn peer(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Where all that was written lies; `told`: what the writer was told of each.
    ///
    /// # Errors
    /// If a node does not answer, or what was told and found differ.
    pub async fn copies(&self, census: &Census, told: [Option<usize>; 3]) -> Outcome<[Copies; 3]> {
        let found = [
            census.of_item(self.fixed_target()?, &bencoded(&self.fixed)).await?,
            census.of_item(self.author.target()?, &bencoded(&self.value)).await?,
            census.of_peer(self.topic, self.port).await?,
        ];
        for (told, found) in told.into_iter().zip(found) {
            if told.unwrap_or(found.total()) != found.total() || found.total() < K {
                let what = format!("{} was told {told:?}, and there are {found:?}", self.writer);
                return Err(Failure::new(what));
            }
        }
        Ok(found)
    }
}

/// Lets a stranger write one of each; `number` tells its keys and values from others'.
///
/// # Errors
/// If a node does not answer, or fewer than K have a copy.
pub async fn stranger_writes(
    strangers: &mut impl Strangers,
    name: &str,
    number: u8,
    census: &Census,
) -> Outcome<(Written, [Copies; 3])> {
    let written = Written::by(name, number);
    let fixed = strangers.put_immutable(0, &written.fixed).await?;
    let value = strangers.put_mutable(1, &written.author, &written.value, How::default()).await?;
    let peer = strangers.announce(2, written.topic, written.port).await?;
    let copies = written.copies(census, [fixed.copies, value.copies, peer]).await?;
    Ok((written, copies))
}

/// Lets our nodes write one of each.
///
/// # Errors
/// If a node does not answer, or fewer than K have a copy.
pub async fn we_write(
    ours: &Ours,
    name: &str,
    number: u8,
    census: &Census,
) -> Outcome<(Written, [Copies; 3])> {
    let written = Written::by(name, number);
    let fixed = ours.nodes[0].item_put(bencoded(&written.fixed)).await?;
    let signed = ours.nodes[1].item_put(bencoded(&written.value)).signer(&written.author.signer());
    let value = signed.salt(written.author.salt()).await?;
    let peer = ours.nodes[2].announce(written.topic, written.port).await?;
    let told = [fixed.replicas, value.replicas, peer.replicas];
    let told = told.map(|report| Some(report.stored.len()));
    let copies = written.copies(census, told).await?;
    Ok((written, copies))
}

/// Lets a stranger read it all.
///
/// # Errors
/// If a node does not answer.
pub async fn stranger_reads(
    strangers: &mut impl Strangers,
    node: usize,
    written: &Written,
) -> Outcome {
    let found = strangers.get_immutable(node, written.fixed_target()?).await?;
    assert!(found.as_ref() == Some(&written.fixed), "the item of {}", written.writer);
    let found = strangers.get_mutable(node, &written.author).await?;
    let expected = Some(Found { value: written.value.clone(), seq: 1 });
    assert_eq!(found, expected, "the mutable item of {}", written.writer);
    let peers = strangers.peers(node, written.topic).await?;
    assert_eq!(peers, [written.peer()], "the peer of {}", written.writer);
    Ok(())
}

/// Lets each of our nodes read it all.
///
/// # Errors
/// If a node does not answer.
pub async fn we_read(ours: &Ours, written: &Written) -> Outcome {
    for node in &ours.nodes {
        let found = node.item_get(written.fixed_target()?).await?;
        let expected = bencoded(&written.fixed);
        assert!(found.item.value() == expected, "the item of {}", written.writer);
        let get = node.item_get(written.author.target()?).salt(written.author.salt());
        let found = get.await?.item;
        assert_eq!(found.value(), bencoded(&written.value), "that of {}", written.writer);
        assert_eq!(found.seq().map(Seq::get), Some(1), "the version of {}", written.writer);
        let mut peers = node.peers(written.topic).await?;
        assert_eq!(peers.next().await, Some(written.peer()), "the peer of {}", written.writer);
    }
    Ok(())
}
