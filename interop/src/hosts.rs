//! Our nodes as clients of a network of strangers: what we write lies on their nodes, and all find
//! it.
//!
//! The first of our nodes writes, the second reads.

use std::net::{Ipv4Addr, SocketAddr};

use xorbit::{
    Absence, GetError, GetReport, InfoHash, ItemReport, Node, PutError, PutReport, Seq, WriteReport,
};

use crate::K;
use crate::author::Author;
use crate::census::Copies;
use crate::failure::{Failure, Outcome};
use crate::ours::Ours;
use crate::patience::eventually;
use crate::strangers::{Found, Strangers};
use crate::values::{bencoded, largest};
use crate::world::World;

/// The closest K, without one that has left: some strangers take a writer for a node that answers,
/// also if it asked not to be remembered (BEP 43), and go on telling of it.
const STRANGERS: usize = K - 1;

/// Immutable items, a short one and the largest.
///
/// # Errors
/// If a node does not answer.
pub async fn immutable_items<S: Strangers>(world: &mut World<S>) -> Outcome {
    let mut all = Copies { ours: 0, foreign: 0 };
    for value in [b"short".to_vec(), largest(3)] {
        let put = world.ours.nodes[0].item_put(bencoded(&value)).await?;
        let target = put.item.target();
        let copies = world.census.of_item(target, &bencoded(&value)).await?;
        check_copies(world, copies, &put.replicas);
        let found = world.ours.nodes[1].item_get(target).await?;
        check_found(&found, &value, None);
        for node in 0..world.foreign() {
            let found = world.strangers[0].get_immutable(node, target).await?;
            assert!(found.as_ref() == Some(&value), "node {node} finds something else");
        }
        all = Copies { ours: all.ours + copies.ours, foreign: all.foreign + copies.foreign };
    }
    world.check_items(all).await
}

/// Mutable items with a salt: a higher version replaces a lower one, also as a swap; a lower one
/// and a swap of another version are refused.
///
/// # Errors
/// If a node does not answer.
pub async fn versions<S: Strangers>(world: &mut World<S>) -> Outcome {
    let author = Author::new(3, "our salt");
    let target = author.target()?;
    put(&world.ours.nodes[0], &author, b"first", 5, None).await?;
    let put_second = put(&world.ours.nodes[0], &author, &largest(4), 6, None).await?;
    let second = world.census.of_item(target, &bencoded(&largest(4))).await?;
    check_copies(world, second, &put_second.replicas);

    for (seq, cas) in [(4, None), (7, Some(5))] {
        let refused = put(&world.ours.nodes[0], &author, b"refused", seq, cas).await;
        assert!(matches!(refused, Err(PutError::Conflict { .. })), "{seq}, {cas:?}: {refused:?}");
        assert_eq!(world.census.of_item(target, &bencoded(&largest(4))).await?, second);
    }
    for node in 0..world.foreign() {
        let found = world.strangers[0].get_mutable(node, &author).await?;
        let expected = Some(Found { value: largest(4), seq: 6 });
        assert!(found == expected, "node {node} finds something else");
    }

    let put_third = put(&world.ours.nodes[0], &author, b"third", 7, Some(6)).await?;
    let third = world.census.of_item(target, &bencoded(b"third")).await?;
    check_copies(world, third, &put_third.replicas);
    let found = world.ours.nodes[1].item_get(target).salt(author.salt()).await?;
    check_found(&found, b"third", Some(7));
    let found = world.strangers[0].get_mutable(0, &author).await?;
    assert_eq!(found, Some(Found { value: b"third".to_vec(), seq: 7 }));
    world.check_items(third).await
}

/// A record with an envelope: strangers hold and read it as the plain item that it is to them.
///
/// # Errors
/// If a node does not answer.
pub async fn a_record<S: Strangers>(world: &mut World<S>) -> Outcome {
    // The salt of a short key is the key.
    let author = Author::new(5, "a record");
    let put = world.ours.nodes[0].put("a record", "inside").signer(&author.signer()).await?;
    assert_eq!(put.target, author.target()?);
    let found = world.ours.nodes[1].get("a record").from(author.public_key()).await?;
    assert_eq!((&found.value[..], Some(found.version)), (&b"inside"[..], put.version));
    let item = world.ours.nodes[1].item_get(put.target).salt("a record").await?.item;
    let copies = world.census.of_item(put.target, item.value()).await?;
    check_copies(world, copies, &put.replicas);
    for node in 0..world.foreign() {
        let found = world.strangers[0].get_mutable(node, &author).await?;
        let found = found.ok_or_else(|| Failure::new(format!("node {node} finds nothing")))?;
        assert_eq!(bencoded(&found.value), item.value());
        assert_eq!(Seq::new(found.seq), item.seq());
        assert!(found.value.windows(6).any(|part| part == b"inside") && found.value.len() > 6);
    }
    world.check_items(copies).await
}

/// Writers that may come until one reaches all holders.
const ATTEMPTS: usize = 4;

async fn put_by_visitor(doors: &[SocketAddr], author: &Author) -> Outcome<PutReport> {
    let writer = Ours::visitor(doors).await?;
    let receipt = writer.put("a key", "first").signer(&author.signer()).await?;
    writer.close().await;
    Ok(receipt)
}

/// Records with an envelope, put and read by nodes that hold nothing themselves and come and go.
/// There are no others of ours.
///
/// # Errors
/// If a node does not answer.
pub async fn records<S: Strangers>(world: &mut World<S>) -> Outcome {
    let author = Author::new(4, "a key");
    let doors: Vec<SocketAddr> = world.strangers.iter().flat_map(Strangers::addresses).collect();
    let mut first = put_by_visitor(&doors, &author).await?;
    for _ in 0..ATTEMPTS {
        // On a busy machine a node may be too slow for one writer, which then says so.
        if first.replicas.stored.len() < K {
            first = put_by_visitor(&doors, &author).await?;
        }
    }
    assert_eq!(first.target, author.target()?);

    let reader = Ours::visitor(&doors).await?;
    let raw = reader.item_get(first.target).salt("a key").await?.item;
    assert_ne!(raw.value(), bencoded(b"first"), "the record has an envelope");
    let copies = world.census.of_item(first.target, raw.value()).await?;
    assert_eq!(copies, Copies { ours: 0, foreign: K });
    assert_eq!(Copies::told(&first.replicas.stored, &world.ours), copies);
    let found = reads_all(&reader, &author).await?;
    assert_eq!(&found.value[..], b"first");
    assert_eq!(Some(found.version), first.version);
    let source = found.source.endpoint.map(SocketAddr::from);
    assert!(source.is_some_and(|source| doors.contains(&source)), "it came from `{source:?}`");

    let swap = |value: &'static str| reader.put("a key", value).signer(&author.signer());
    let second = swap("second").if_version(found.version).await?;
    assert!(second.replicas.stored.len() >= STRANGERS, "{:?}", second.replicas);
    let late = swap("late").if_version(found.version).await;
    assert_eq!(late, Err(PutError::Conflict { current: second.version }));
    let found = reader.get("a key").from(author.public_key()).await?;
    assert_eq!((&found.value[..], found.agreed), (&b"second"[..], second.replicas.stored.len()));
    let gone = reader.delete("a key").signer(&author.signer()).await?;
    assert!(gone.replicas.stored.len() >= STRANGERS, "{:?}", gone.replicas);
    match reader.get("a key").from(author.public_key()).await {
        Err(GetError::NotFound { absence: Absence::Deleted(_), .. }) => {}
        other => return Err(Failure::new(format!("after its deletion there is {other:?}"))),
    }
    Ok(())
}

/// Reads until all holders answer in time, which on a busy machine one of them may not.
async fn reads_all(reader: &Node, author: &Author) -> Outcome<GetReport> {
    let read = async || Ok(reader.get("a key").from(author.public_key()).await?);
    let all = async || Ok(read().await?.agreed >= STRANGERS);
    eventually("a reader to hear of all holders", all).await?;
    read().await
}

/// A peer of a topic.
///
/// # Errors
/// If a node does not answer.
pub async fn peers<S: Strangers>(world: &mut World<S>) -> Outcome {
    let (topic, port) = (InfoHash::new(*b"a topic of our nodes"), 4002);
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let put = world.ours.nodes[0].announce(topic, port).await?;
    let copies = world.census.of_peer(topic, port).await?;
    check_copies(world, copies, &put.replicas);
    let mut peers = world.ours.nodes[1].peers(topic).await?;
    assert_eq!(peers.next().await, Some(peer));
    assert_eq!(peers.finish().await?.peers, 1);
    for node in 0..world.foreign() {
        assert_eq!(world.strangers[0].peers(node, topic).await?, [peer]);
    }
    world.check_topics(copies).await
}

async fn put(
    node: &Node,
    author: &Author,
    value: &[u8],
    seq: i64,
    cas: Option<i64>,
) -> Result<ItemReport, PutError> {
    let put = node.item_put(bencoded(value)).signer(&author.signer()).salt(author.salt());
    let put = put.seq(Seq::new(seq).unwrap_or_default());
    match cas.and_then(Seq::new) {
        Some(cas) => put.cas(cas).await,
        None => put.await,
    }
}

/// Checks the copies against what we were told: the closest K hold one, all but our few nodes
/// foreign, and the numbers agree on each side.
fn check_copies<S: Strangers>(world: &World<S>, copies: Copies, told: &WriteReport) {
    assert_eq!(Copies::told(&told.stored, &world.ours), copies, "copies told and found");
    assert_eq!(copies.total(), K, "refused: {:?}, silent: {:?}", told.refused, told.silent);
    assert!(copies.foreign >= K - world.ours.nodes.len(), "{copies:?}");
}

/// Checks what we found, and that K hold a mutable item. An immutable one proves itself: one holder
/// is enough.
fn check_found(found: &ItemReport, value: &[u8], seq: Option<i64>) {
    assert!(found.item.value() == bencoded(value), "we find something else: {:?}", found.item);
    assert_eq!(found.item.seq().map(Seq::get), seq);
    assert!(seq.is_none() || found.replicas.stored.len() == K, "{:?}", found.replicas);
}
