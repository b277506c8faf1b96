//! Strangers as clients of a network of ours: what they write lies on our nodes, and all find it.
//!
//! The first group of strangers writes, the second reads; none of them knows the other from the
//! start.

use std::net::{Ipv4Addr, SocketAddr};

use xorbit::{InfoHash, Seq, Target};

use crate::K;
use crate::author::Author;
use crate::census::Copies;
use crate::failure::Outcome;
use crate::strangers::{Found, How, Strangers};
use crate::values::{bencoded, immutable_target, largest};
use crate::world::World;

/// Immutable items, a short one and the largest.
///
/// # Errors
/// If a node does not answer.
pub async fn immutable_items<S: Strangers>(world: &mut World<S>) -> Outcome {
    let mut all = Copies { ours: 0, foreign: 0 };
    for value in [b"short".to_vec(), largest(1)] {
        let put = world.strangers[0].put_immutable(0, &value).await?;
        assert_eq!(put.target, immutable_target(&value)?);
        let copies = world.census.of_item(put.target, &bencoded(&value)).await?;
        check_copies(world, copies, put.copies);
        we_find(world, put.target, "", &value, None).await?;
        let found = world.strangers[1].get_immutable(0, put.target).await?;
        assert!(found == Some(value), "the other client finds something else");
        all = Copies { ours: all.ours + copies.ours, foreign: all.foreign + copies.foreign };
    }
    world.check_items(all).await
}

/// Mutable items with a salt: a first version, and a higher one of the largest size.
///
/// # Errors
/// If a node does not answer.
pub async fn higher_versions<S: Strangers>(world: &mut World<S>) -> Outcome {
    let author = Author::new(1, "a salt");
    let mut copies = Copies { ours: 0, foreign: 0 };
    for (seq, value) in [(1, b"first".to_vec()), (2, largest(2))] {
        let put = world.strangers[0].put_mutable(0, &author, &value, How::default()).await?;
        copies = world.census.of_item(put.target, &bencoded(&value)).await?;
        check_copies(world, copies, put.copies);
        we_find(world, put.target, author.salt(), &value, Some(seq)).await?;
        let found = world.strangers[1].get_mutable(0, &author).await?;
        assert!(found == Some(Found { value, seq }), "the other client finds something else");
    }
    world.check_items(copies).await
}

/// What our nodes refuse: lower and equal versions, and a swap of another version than they hold.
///
/// # Errors
/// If a node does not answer.
pub async fn refusals<S: Strangers>(world: &mut World<S>) -> Outcome {
    let author = Author::new(2, "swapped");
    let target = author.target()?;
    let how = |seq, cas| How { seq: Some(seq), cas };
    let put = world.strangers[0].put_mutable(0, &author, b"kept", how(10, None)).await?;
    let kept = world.census.of_item(target, &bencoded(b"kept")).await?;
    check_copies(world, kept, put.copies);

    for (how, code) in [(how(9, None), 302), (how(10, None), 302), (how(11, Some(3)), 301)] {
        let refused = world.strangers[0].put_mutable(0, &author, b"refused", how).await;
        let failure = refused.expect_err("a put that all holders refuse fails");
        assert_eq!(failure.code(), Some(code), "{how:?}: {failure}");
        assert_eq!(world.census.of_item(target, &bencoded(b"kept")).await?, kept);
        let none = Copies { ours: 0, foreign: 0 };
        assert_eq!(world.census.of_item(target, &bencoded(b"refused")).await?, none);
    }

    let put = world.strangers[0].put_mutable(0, &author, b"swapped", how(11, Some(10))).await?;
    let swapped = world.census.of_item(target, &bencoded(b"swapped")).await?;
    check_copies(world, swapped, put.copies);
    assert_eq!(swapped, kept, "the swap reaches all that held the version before");
    we_find(world, target, author.salt(), b"swapped", Some(11)).await?;
    let found = world.strangers[1].get_mutable(0, &author).await?;
    assert_eq!(found, Some(Found { value: b"swapped".to_vec(), seq: 11 }));
    world.check_items(swapped).await
}

/// A peer of a topic.
///
/// # Errors
/// If a node does not answer.
pub async fn peers<S: Strangers>(world: &mut World<S>) -> Outcome {
    let (topic, port) = (InfoHash::new(*b"a topic of strangers"), 4001);
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let told = world.strangers[0].announce(0, topic, port).await?;
    let copies = world.census.of_peer(topic, port).await?;
    check_copies(world, copies, told);
    for node in &world.ours.nodes {
        let mut peers = node.peers(topic).await?;
        assert_eq!(peers.next().await, Some(peer));
        assert_eq!(peers.finish().await?.peers, 1);
    }
    assert_eq!(world.strangers[1].peers(0, topic).await?, [peer]);
    world.check_topics(copies).await
}

/// Checks the copies against what the writer was told, and that nearly all lie on our nodes: at
/// most the strangers themselves are in the way.
fn check_copies<S: Strangers>(world: &World<S>, copies: Copies, told: Option<usize>) {
    assert_eq!(told.unwrap_or(copies.total()), copies.total(), "copies told and found");
    let nodes = world.ours.nodes.len() + world.foreign();
    let least = world.strangers[0].width().min(nodes) - world.foreign();
    assert!(copies.ours >= least, "{copies:?}, fewer than {least} of ours");
}

/// Each of our nodes finds the item, and of a mutable one so many holders that only the strangers
/// can be lacking: some do not write to themselves. An immutable one proves itself: one holder is
/// enough.
async fn we_find<S: Strangers>(
    world: &World<S>,
    target: Target,
    salt: &str,
    value: &[u8],
    seq: Option<i64>,
) -> Outcome {
    for node in &world.ours.nodes {
        let found = node.item_get(target).salt(salt).await?;
        assert!(found.item.value() == bencoded(value), "we find something else: {:?}", found.item);
        assert_eq!(found.item.seq().map(Seq::get), seq);
        let least = if seq.is_some() { K - world.foreign() } else { 1 };
        assert!(found.replicas.stored.len() >= least, "{:?}", found.replicas);
    }
    Ok(())
}
