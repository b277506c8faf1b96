//! Values that do not fit one item, over real sockets on loopback.

use std::io::{self, Cursor, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use xorbit::{
    Builder, GetError, Method, Namespace, Node, PUBLIC_MAX_VALUE, Progress, PutError, ReadError,
    Testnet, largest_value, testnet,
};

/// Bytes of which no two chunks are the same.
fn value(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 996 * 31 + at % 251) as u8).collect()
}

fn on_loopback() -> Builder {
    Node::builder().listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

/// A client of a network, as the program's verbs are.
async fn client(network: &Testnet, tune: impl FnOnce(Builder) -> Builder) -> Node {
    let door = network.door().expect("there is a node");
    tune(on_loopback().ephemeral(true).join(door)).start().await.expect("loopback")
}

/// How many `put` all nodes together have answered.
async fn puts(network: &Testnet) -> u64 {
    let mut sum = 0;
    for node in &network.nodes {
        sum += node.info().await.expect("it runs").counters.answered_to(Method::Put);
    }
    sum
}

#[tokio::test]
async fn one_byte_more_than_fits_one_item_and_a_mebibyte_come_back_from_another_client() {
    let network = testnet(12).await.expect("loopback");
    let (writer, reader) = (client(&network, |b| b).await, client(&network, |b| b).await);
    let fits = largest_value(None, false);
    for (length, chunks) in [(fits, None), (fits + 1, Some(1)), (1 << 20, Some(1053 + 22))] {
        let value = value(length);
        let put = writer.put("k", &value).await.expect("all are up");
        assert_eq!(put.chunks.map(|chunks| chunks.stored), chunks, "{length} bytes");
        let got = reader.get("k").await.expect("all are up");
        assert!(*got.value == value, "{length} bytes");
        assert_eq!((got.version, got.expires), (put.version.expect("a record"), put.expires));
    }
    network.close().await;
}

#[tokio::test]
async fn a_value_streams_from_a_source_into_a_sink_and_its_progress_is_told() {
    let network = testnet(8).await.expect("loopback");
    let client = client(&network, |b| b).await;
    let value = value(300_000);
    let heard: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let hear = |heard: &Arc<Mutex<Vec<Progress>>>| {
        let heard = Arc::clone(heard);
        move |progress| heard.lock().expect("nobody panics").push(progress)
    };
    let source = Cursor::new(value.clone());
    let put = client.put_from("k", 300_000, source).content_type("text/plain");
    put.on_progress(hear(&heard)).await.expect("all are up");
    let mut sink = Vec::new();
    let get = client.get("k").on_progress(hear(&heard));
    let report = get.write_to(&mut sink).await.expect("all are up");
    assert!(sink == value && report.value.is_empty());
    assert_eq!(report.content_type.as_deref(), Some("text/plain"));
    assert_eq!(report.manifest.expect("it has one").length, 300_000);
    let heard = std::mem::take(&mut *heard.lock().expect("nobody panics"));
    let ends = heard.iter().filter(|progress| progress.done == 300_000);
    assert!(ends.count() >= 2 && heard.iter().all(|progress| progress.of == 300_000));
    network.close().await;
}

#[tokio::test]
async fn above_the_limit_nothing_is_sent_and_nothing_is_fetched() {
    let network = testnet(4).await.expect("loopback");
    let small = client(&network, |b| b.max_value(10_000)).await;
    let large = client(&network, |b| b).await;
    let before = puts(&network).await;
    let refused = small.put("k", value(10_001)).await;
    assert_eq!(refused.unwrap_err(), PutError::AboveLimit { length: 10_001, limit: 10_000 });
    let refused = small.put_from("k", 10_001, io::repeat(7)).await;
    assert_eq!(refused.unwrap_err(), PutError::AboveLimit { length: 10_001, limit: 10_000 });
    assert_eq!(puts(&network).await, before);
    small.put("k", value(10_000)).await.expect("just the limit");
    large.put("k", value(10_001)).await.expect("below its limit");
    let mut sink = Vec::new();
    let refused = small.get("k").write_to(&mut sink).await;
    assert_eq!(refused.unwrap_err(), GetError::AboveLimit { length: 10_001, limit: 10_000 });
    assert!(sink.is_empty());
    network.close().await;
}

#[tokio::test]
async fn the_public_network_has_a_low_limit_of_its_own() {
    // Nobody listens at the discard port: the limit shows before anybody is asked.
    let node = on_loopback().public(true).join("127.0.0.1:9").start().await.expect("loopback");
    let length = PUBLIC_MAX_VALUE + 1;
    let refused = node.put_from("k", length, io::repeat(7)).await;
    assert_eq!(refused.unwrap_err(), PutError::AboveLimit { length, limit: 256 << 10 });
    node.close().await;
}

#[tokio::test]
async fn a_repeated_put_sends_no_chunk_and_an_interrupted_one_only_the_rest() {
    let network = testnet(12).await.expect("loopback");
    let client = client(&network, |b| b).await;
    let value = value(400_000);
    let half = Cursor::new(value[..200_000].to_vec());
    let broken = client.put_from("k", 400_000, half).await;
    assert!(matches!(broken, Err(PutError::Source(_))), "{broken:?}");
    assert!(matches!(client.get("k").await, Err(GetError::NotFound { .. })), "no half of it");
    let kept: usize = {
        let rest = client.put("k", &value).await.expect("all are up").chunks.expect("it has some");
        // 402 chunks and 9 of the tree, 8 copies each.
        assert_eq!(rest.stored, 411);
        assert!(rest.held > 50 * 8 && rest.sent + rest.held >= 411 * 8, "{rest:?}");
        rest.stored * 8
    };
    let again = client.put("k", &value).await.expect("all are up").chunks.expect("it has some");
    assert_eq!((again.sent, again.held), (0, kept));
    network.close().await;
}

#[tokio::test]
async fn a_source_of_another_length_than_said_is_an_error() {
    let network = testnet(3).await.expect("loopback");
    let client = client(&network, |b| b).await;
    for said in [20_000, 19_998] {
        let put = client.put_from("k", said, Cursor::new(value(19_999))).await;
        assert!(matches!(put, Err(PutError::Source(_))), "{said}: {put:?}");
    }
    // So it is with one that fits one item, be it endless.
    let short = client.put_from("k", 8, Cursor::new(value(7))).await;
    let what = "it is shorter than it was said to be".into();
    assert_eq!(short.unwrap_err(), PutError::Source(what));
    let long = client.put_from("k", 8, io::repeat(7)).await;
    let what = "it is longer than it was said to be".into();
    assert_eq!(long.unwrap_err(), PutError::Source(what));
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let put = client.put_from("k", 20_000, Broken).await;
    assert_eq!(put.unwrap_err(), PutError::Source("the disk is gone".into()));
    network.close().await;
}

#[tokio::test]
async fn a_sink_that_fails_is_an_error() {
    let network = testnet(3).await.expect("loopback");
    let client = client(&network, |b| b).await;
    client.put("k", value(20_000)).await.expect("all are up");
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let got = client.get("k").write_to(&mut Full).await;
    assert_eq!(got.unwrap_err(), GetError::Sink("the disk is full".into()));
    network.close().await;
}

#[tokio::test]
async fn what_life_content_type_or_namespace_make_impossible_is_refused_before_a_chunk_is_sent() {
    let network = testnet(3).await.expect("loopback");
    let client = client(&network, |b| b).await;
    let before = puts(&network).await;
    let put = client.put("k", value(20_000)).ttl(Duration::ZERO).await;
    assert_eq!(put.unwrap_err(), PutError::BadTtl(Duration::ZERO));
    let put = client.put("k", value(20_000)).content_type("x".repeat(129)).await;
    assert_eq!(put.unwrap_err(), PutError::BadContentType(129));
    let put = client.put("k", value(20_000)).plain().await;
    assert!(matches!(put, Err(PutError::TooLarge { length: 20_000, .. })), "{put:?}");
    // The keys of its chunks follow from the whole.
    let secret = Namespace::secret("a long passphrase").expect("it has a length");
    let put = client.put_from("k", 20_000, Cursor::new(value(20_000))).namespace(secret).await;
    assert_eq!(put.unwrap_err(), PutError::ReadOnce);
    assert_eq!(puts(&network).await, before);
    network.close().await;
}

#[tokio::test]
async fn a_value_whose_holders_are_gone_is_told_as_missing_and_never_as_another_value() {
    // Two replicas: most chunks lie on other nodes than the record, and go with them.
    let mut nodes: Vec<Node> = Vec::new();
    for _ in 0..10 {
        let mut builder = on_loopback().replicas(2);
        for door in nodes.first().iter().flat_map(|first| first.local_addrs()) {
            builder = builder.join(door.to_string());
        }
        let node = builder.start().await.expect("loopback");
        if !nodes.is_empty() {
            assert_eq!(node.joined(Duration::from_secs(10)).await, Ok(true));
        }
        nodes.push(node);
    }
    let value = value(200_000);
    nodes[0].put("k", &value).await.expect("all are up");
    let report = nodes[0].get("k").await.expect("all are up");
    assert!(*report.value == value);
    // Who holds the record stays, and so does whoever asks.
    let report = nodes[0].lookup(report.target.point()).await.expect("it runs").finish().await;
    let stay: Vec<_> = report.expect("it ends").closest.iter().map(|r| r.contact.id).collect();
    let mut left = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        let id = node.info().await.expect("it runs").id;
        if index == 0 || stay.iter().take(2).any(|keeper| *keeper == id) {
            left.push(node);
        } else {
            node.close().await;
        }
    }
    let got = left[0].get("k").consistency(xorbit::Consistency::First).await;
    match got {
        Err(GetError::Chunks(ReadError::Missing { missing, of })) => {
            assert!(missing > 0 && missing <= of && of == 201 + 5, "{missing} of {of}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_value_comes_piece_by_piece_as_fast_as_it_is_taken() {
    let network = testnet(8).await.expect("loopback");
    let client = client(&network, |b| b).await;
    let large = value(3_000_000);
    client.put("large", &large).await.expect("all are up");
    client.put("small", "hello").await.expect("all are up");
    client.put("empty", "").await.expect("all are up");
    let (report, mut pieces) = client.get("small").pieces().await.expect("all are up");
    assert!(report.manifest.is_none() && report.value.is_empty());
    assert_eq!(pieces.next().await, Some(Ok(b"hello".to_vec())));
    assert_eq!(pieces.next().await, None);
    let (_, mut pieces) = client.get("empty").pieces().await.expect("all are up");
    assert_eq!(pieces.next().await, None);

    let (report, mut pieces) = client.get("large").pieces().await.expect("all are up");
    assert_eq!(report.manifest.expect("it has one").length, 3_000_000);
    let mut taken = pieces.next().await.expect("there is more").expect("all are up");
    // waits: what was asked for ahead comes meanwhile
    tokio::time::sleep(Duration::from_millis(300)).await;
    let asked = served(&network).await;
    // waits: nobody takes more, so no more may come, however long this is
    tokio::time::sleep(Duration::from_millis(300)).await;
    let later = served(&network).await;
    assert!(later - asked < 100, "{asked} gets were served, then {later}");
    while let Some(piece) = pieces.next().await {
        taken.extend(piece.expect("all are up"));
    }
    assert!(taken == large, "{} bytes", taken.len());
    assert_eq!(pieces.next().await, None);
    network.close().await;
}

/// Gets that the nodes of a network have answered.
async fn served(network: &Testnet) -> u64 {
    let mut all = 0;
    for node in &network.nodes {
        all += node.info().await.expect("it runs").counters.answered_to(Method::Get);
    }
    all
}
