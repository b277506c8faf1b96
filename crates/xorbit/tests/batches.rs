//! Many puts and gets at once, over real sockets.

use std::collections::HashMap;

use xorbit::{GetError, Node, PutError, Testnet, testnet};

/// A node that answers nobody and knows only the door.
async fn client(network: &Testnet) -> Node {
    let builder = Node::builder().listen(([127, 0, 0, 1], 0).into()).ephemeral(true);
    builder.join(network.door().expect("it has a node")).start().await.expect("it starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_in_a_batch_comes_back_in_a_batch_at_eight_queries_a_key() {
    const KEYS: usize = 600;
    let network = testnet(20).await.expect("loopback is there");
    let writer = client(&network).await;
    let puts = (0..KEYS).map(|number| writer.put(format!("key {number}"), format!("{number}")));
    let mut batch = writer.put_all(puts);
    let mut stored = vec![false; KEYS];
    while let Some((number, outcome)) = batch.next().await {
        outcome.expect("all nodes are up");
        assert!(!std::mem::replace(&mut stored[number], true), "{number} is told twice");
    }
    assert!(stored.iter().all(|stored| *stored));
    let reader = client(&network).await;
    // The last two are none: one was never put, one is no key.
    let keys: Vec<String> =
        (0..KEYS).map(|number| format!("key {number}")).chain(["?".into(), "".into()]).collect();
    let mut batch = reader.get_all(keys.iter().map(|key| reader.get(key.as_str())));
    let (mut outcomes, mut asked) = (HashMap::new(), 0);
    while let Some((number, outcome)) = batch.next().await {
        asked += outcome.as_ref().map_or(0, |report| report.effort.asked);
        outcomes.insert(number, outcome);
    }
    assert_eq!(outcomes.len(), KEYS + 2);
    for number in 0..KEYS {
        let report = outcomes[&number].as_ref().expect("it was stored");
        assert_eq!(*report.value, *number.to_string().as_bytes());
    }
    assert!(matches!(outcomes[&KEYS], Err(GetError::NotFound { .. })));
    assert!(matches!(outcomes[&(KEYS + 1)], Err(GetError::Key(_))));
    // The first lookups still learn who there is.
    assert!(asked as f64 / KEYS as f64 <= 8.8 + 100.0 / KEYS as f64, "{asked} queries");
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_of_one_key_in_a_batch_follow_each_other_and_one_too_large_is_refused_alone() {
    let network = testnet(5).await.expect("loopback is there");
    let node = client(&network).await;
    let large = vec![7; 100_000];
    let puts = (0..30).map(|number| node.put("the same", format!("{number}")));
    let puts = puts.chain([node.put("large", &large)]);
    let mut batch = node.put_all(puts);
    let mut order = Vec::new();
    while let Some((number, outcome)) = batch.next().await {
        match outcome {
            Ok(_) => order.push(number),
            Err(PutError::TooLarge { length, .. }) => assert_eq!((number, length), (30, 100_000)),
            Err(error) => panic!("put {number}: {error}"),
        }
    }
    assert_eq!(order, (0..30).collect::<Vec<_>>());
    assert_eq!(*node.get("the same").await.expect("it is there").value, *b"29");
    // By itself a large value is put; in a batch its manifest is told.
    node.put("large", &large).await.expect("it is cut into chunks");
    let (_, got) = node.get_all([node.get("large")]).next().await.expect("there is one");
    let report = got.expect("the record is there");
    assert_eq!(report.manifest.expect("it is large").length, 100_000);
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_stopped_tells_what_was_on_its_way_and_no_more() {
    let network = testnet(3).await.expect("loopback is there");
    let node = client(&network).await;
    let mut batch = node.get_all((0..5_000).map(|number| node.get(format!("{number}"))));
    assert!(batch.next().await.is_some());
    assert!(batch.stop() > 0);
    let mut told = 1;
    while batch.next().await.is_some() {
        told += 1;
    }
    assert!((1..=64).contains(&told), "{told}");
    network.close().await;
}
