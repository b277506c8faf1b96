//! libtorrent 2.1.1 as a client of our nodes, and our nodes as clients of libtorrent's.

use xorbit::{Answer, InfoHash, Point};
use xorbit_interop::{Foreign, Ours, Outcome, Strangers, World, bounded, clients, hosts};

const NODES: usize = 12;

/// A network of ours, and two libtorrent clients that come to it.
async fn visited() -> Outcome<World<Foreign>> {
    let ours = Ours::network(NODES).await?;
    let writer = Foreign::libtorrent(1, &ours.addresses()).await?;
    let reader = Foreign::libtorrent(1, &ours.addresses()).await?;
    World::new(ours, vec![writer, reader]).await
}

/// A network of libtorrent's, and so many nodes of ours that come to it.
async fn visiting(ours: usize) -> Outcome<World<Foreign>> {
    let mut theirs = Foreign::libtorrent(NODES, &[]).await?;
    let ours = Ours::among(&theirs.addresses(), ours).await?;
    theirs.join(&ours.addresses()).await?;
    World::new(ours, vec![theirs]).await
}

#[tokio::test]
async fn immutable_items_of_libtorrent_lie_on_our_nodes_and_all_find_them() -> Outcome {
    bounded(async { clients::immutable_items(&mut visited().await?).await }).await
}

#[tokio::test]
async fn a_salted_item_of_libtorrent_is_replaced_on_our_nodes_by_its_higher_version() -> Outcome {
    bounded(async { clients::higher_versions(&mut visited().await?).await }).await
}

#[tokio::test]
async fn a_peer_that_libtorrent_announces_lies_on_our_nodes_and_all_find_it() -> Outcome {
    bounded(async { clients::peers(&mut visited().await?).await }).await
}

#[tokio::test]
async fn libtorrent_samples_the_topics_of_our_nodes() -> Outcome {
    bounded(async {
        let mut world = visited().await?;
        let topic = InfoHash::new([0x51; 20]);
        let held = world.ours.nodes[0].announce(topic, 4003).await?.replicas.stored.len();
        let mut holders = 0;
        for address in world.ours.addresses() {
            let target = Point::new([0x52; 20]);
            let (samples, num) = world.strangers[1].sample(0, address, target).await?;
            assert_eq!(samples, vec![topic; num]);
            holders += num;
        }
        assert_eq!(holders, world.ours.topics().await?);
        assert!(holders >= held - 2, "{holders} of {held} are ours");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn our_immutable_items_lie_on_libtorrent_nodes_and_all_find_them() -> Outcome {
    bounded(async { hosts::immutable_items(&mut visiting(2).await?).await }).await
}

#[tokio::test]
async fn libtorrent_nodes_replace_our_item_by_higher_versions_and_matching_swaps_only() -> Outcome {
    bounded(async { hosts::versions(&mut visiting(2).await?).await }).await
}

#[tokio::test]
async fn a_record_of_ours_is_a_plain_item_to_libtorrent_nodes() -> Outcome {
    bounded(async { hosts::a_record(&mut visiting(2).await?).await }).await
}

#[tokio::test]
async fn our_records_live_on_libtorrent_nodes_after_their_writer_left() -> Outcome {
    bounded(async { hosts::records(&mut visiting(0).await?).await }).await
}

#[tokio::test]
async fn a_peer_that_we_announce_lies_on_libtorrent_nodes_and_all_find_it() -> Outcome {
    bounded(async { hosts::peers(&mut visiting(2).await?).await }).await
}

#[tokio::test]
async fn we_count_seeds_and_peers_on_libtorrent_nodes_by_their_filters() -> Outcome {
    bounded(async {
        let world = visiting(2).await?;
        let [writer, reader] = &world.ours.nodes[..] else { unreachable!("there are two") };
        let (seeding, leeching) = (InfoHash::new([0x53; 20]), InfoHash::new([0x54; 20]));
        writer.announce(seeding, 4004).seed().await?;
        writer.announce(leeching, 4005).await?;
        for (topic, expected) in [(seeding, [1, 0]), (leeching, [0, 1])] {
            let report = reader.scrape(topic).await?.finish().await?;
            let (seeds, peers) = *report.filters.expect("libtorrent answers a scrape by filters");
            let counted = [&seeds, &peers].map(|filter| filter.estimate().round() as i32);
            assert_eq!(counted, expected);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn we_sample_the_topics_of_libtorrent_nodes() -> Outcome {
    bounded(async {
        let world = visiting(2).await?;
        let topic = InfoHash::new([0x55; 20]);
        let put = world.ours.nodes[0].announce(topic, 4006).await?;
        let copies = world.census.of_peer(topic, 4006).await?;
        assert_eq!(put.replicas.stored.len(), copies.total());
        let mut holders = 0;
        for address in world.strangers[0].addresses() {
            let answer = world.ours.nodes[1].sample(address, Point::new([0x56; 20])).await?;
            let Answer::Samples { samples: Some(samples), num, .. } = answer else {
                panic!("{address} answers {answer:?}");
            };
            assert_eq!(samples, vec![topic; num as usize]);
            holders += samples.len();
        }
        assert_eq!(holders, copies.foreign);
        Ok(())
    })
    .await
}
