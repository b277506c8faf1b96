//! The crate `mainline` 8.0.1 as a client of our nodes, and our nodes as clients of its.

mod mainline_nodes;

use mainline_nodes::Mainline;
use xorbit_interop::{Ours, Outcome, Strangers, World, bounded, clients, hosts};

const NODES: usize = 12;

/// A network of ours, and two clients of the crate that come to it.
async fn visited() -> Outcome<World<Mainline>> {
    let ours = Ours::network(NODES).await?;
    let writer = Mainline::clients(1, &ours.addresses()).await?;
    let reader = Mainline::clients(1, &ours.addresses()).await?;
    World::new(ours, vec![writer, reader]).await
}

/// A network of the crate's, and so many nodes of ours that come to it.
async fn visiting(ours: usize) -> Outcome<World<Mainline>> {
    let theirs = Mainline::servers(NODES, &[]).await?;
    let ours = Ours::among(&theirs.addresses(), ours).await?;
    World::new(ours, vec![theirs]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn immutable_items_of_mainline_lie_on_our_nodes_and_all_find_them() -> Outcome {
    bounded(async { clients::immutable_items(&mut visited().await?).await }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_salted_item_of_mainline_is_replaced_on_our_nodes_by_its_higher_version() -> Outcome {
    bounded(async { clients::higher_versions(&mut visited().await?).await }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn our_nodes_refuse_lower_versions_and_false_swaps_of_mainline() -> Outcome {
    bounded(async { clients::refusals(&mut visited().await?).await }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_mainline_announces_lies_on_our_nodes_and_all_find_it() -> Outcome {
    bounded(async { clients::peers(&mut visited().await?).await }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn our_immutable_items_lie_on_mainline_nodes_and_all_find_them() -> Outcome {
    bounded(async { hosts::immutable_items(&mut visiting(2).await?).await }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn mainline_nodes_replace_our_item_by_higher_versions_and_matching_swaps_only() -> Outcome {
    bounded(async { hosts::versions(&mut visiting(2).await?).await }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_ours_is_a_plain_item_to_mainline_nodes() -> Outcome {
    bounded(async { hosts::a_record(&mut visiting(2).await?).await }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn our_records_live_on_mainline_nodes_after_their_writer_left() -> Outcome {
    bounded(async { hosts::records(&mut visiting(0).await?).await }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_we_announce_lies_on_mainline_nodes_and_all_find_it() -> Outcome {
    bounded(async { hosts::peers(&mut visiting(2).await?).await }).await
}
