//! bittorrent-dht 11.0.12 (WebTorrent) as a client of our nodes, and our nodes as clients of its.

use xorbit_interop::{Foreign, Ours, Outcome, Strangers, World, bounded, clients, hosts};

const NODES: usize = 12;

/// A network of ours, and two bittorrent-dht clients that come to it.
async fn visited() -> Outcome<World<Foreign>> {
    let ours = Ours::network(NODES).await?;
    let writer = Foreign::bittorrent_dht(1, &ours.addresses()).await?;
    let reader = Foreign::bittorrent_dht(1, &ours.addresses()).await?;
    World::new(ours, vec![writer, reader]).await
}

/// A network of bittorrent-dht's, and so many nodes of ours that come to it.
async fn visiting(ours: usize) -> Outcome<World<Foreign>> {
    let mut theirs = Foreign::bittorrent_dht(NODES, &[]).await?;
    let ours = Ours::among(&theirs.addresses(), ours).await?;
    theirs.join(&ours.addresses()).await?;
    World::new(ours, vec![theirs]).await
}

#[tokio::test]
async fn immutable_items_of_bittorrent_dht_lie_on_our_nodes_and_all_find_them() -> Outcome {
    bounded(async { clients::immutable_items(&mut visited().await?).await }).await
}

#[tokio::test]
async fn a_salted_item_of_bittorrent_dht_is_replaced_by_its_higher_version() -> Outcome {
    bounded(async { clients::higher_versions(&mut visited().await?).await }).await
}

#[tokio::test]
async fn our_nodes_refuse_lower_versions_and_false_swaps_of_bittorrent_dht() -> Outcome {
    bounded(async { clients::refusals(&mut visited().await?).await }).await
}

#[tokio::test]
async fn a_peer_that_bittorrent_dht_announces_lies_on_our_nodes_and_all_find_it() -> Outcome {
    bounded(async { clients::peers(&mut visited().await?).await }).await
}

#[tokio::test]
async fn our_immutable_items_lie_on_bittorrent_dht_nodes_and_all_find_them() -> Outcome {
    bounded(async { hosts::immutable_items(&mut visiting(2).await?).await }).await
}

#[tokio::test]
async fn bittorrent_dht_nodes_replace_our_item_by_higher_versions_and_matching_swaps_only()
-> Outcome {
    bounded(async { hosts::versions(&mut visiting(2).await?).await }).await
}

#[tokio::test]
async fn a_record_of_ours_is_a_plain_item_to_bittorrent_dht_nodes() -> Outcome {
    bounded(async { hosts::a_record(&mut visiting(2).await?).await }).await
}

#[tokio::test]
async fn our_records_live_on_bittorrent_dht_nodes_after_their_writer_left() -> Outcome {
    bounded(async { hosts::records(&mut visiting(0).await?).await }).await
}

#[tokio::test]
async fn a_peer_that_we_announce_lies_on_bittorrent_dht_nodes_and_all_find_it() -> Outcome {
    bounded(async { hosts::peers(&mut visiting(2).await?).await }).await
}
