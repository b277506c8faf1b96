//! Networks of our nodes and foreign ones together: each writes, all hold, each reads.

mod mainline_nodes;

use mainline_nodes::Mainline;
use xorbit_interop::neighbours::{stranger_reads, stranger_writes, we_read, we_write};
use xorbit_interop::{Census, Copies, Foreign, K, Ours, Outcome, Strangers, bounded};

/// Nodes of each side: any K of both together lie on both sides.
const HALF: usize = 6;

/// Nodes of each kind where three live together.
const THIRD: usize = 4;

/// Half of the network is ours, half is theirs; they knew ours when they started.
async fn live_together(ours: Ours, mut theirs: impl Strangers) -> Outcome {
    ours.meet(theirs.addresses().len()).await?;
    let census = Census::of(&ours).await?.and(&theirs).await?;
    let (by_them, their_copies) = stranger_writes(&mut theirs, "them", 1, &census).await?;
    let (by_us, our_copies) = we_write(&ours, "us", 2, &census).await?;
    for copies in [their_copies, our_copies].concat() {
        let Copies { ours, foreign } = copies;
        assert!(ours >= K - HALF && foreign >= K - HALF, "{copies:?}");
    }
    for written in [&by_them, &by_us] {
        for node in 0..HALF {
            stranger_reads(&mut theirs, node, written).await?;
        }
        we_read(&ours, written).await?;
    }
    Ok(())
}

#[tokio::test]
async fn half_a_network_of_libtorrent_and_half_of_ours_hold_and_find_all_together() -> Outcome {
    bounded(async {
        let ours = Ours::network(HALF).await?;
        let theirs = Foreign::libtorrent(HALF, &ours.addresses()).await?;
        live_together(ours, theirs).await
    })
    .await
}

#[tokio::test]
async fn half_a_network_of_bittorrent_dht_and_half_of_ours_hold_and_find_all_together() -> Outcome {
    bounded(async {
        let ours = Ours::network(HALF).await?;
        let theirs = Foreign::bittorrent_dht(HALF, &ours.addresses()).await?;
        live_together(ours, theirs).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_network_of_mainline_and_half_of_ours_hold_and_find_all_together() -> Outcome {
    bounded(async {
        let ours = Ours::network(HALF).await?;
        let theirs = Mainline::servers(HALF, &ours.addresses()).await?;
        live_together(ours, theirs).await
    })
    .await
}

#[tokio::test]
async fn libtorrent_bittorrent_dht_and_we_read_what_any_of_us_wrote() -> Outcome {
    bounded(async {
        let ours = Ours::network(THIRD).await?;
        let mut libtorrent = Foreign::libtorrent(THIRD, &ours.addresses()).await?;
        let known = [ours.addresses(), libtorrent.addresses()].concat();
        let mut bittorrent_dht = Foreign::bittorrent_dht(THIRD, &known).await?;
        libtorrent.join(&bittorrent_dht.addresses()).await?;
        ours.meet(2 * THIRD).await?;
        let census = Census::of(&ours).await?.and(&libtorrent).await?.and(&bittorrent_dht).await?;
        let all_written = [
            we_write(&ours, "xorbit", 3, &census).await?.0,
            stranger_writes(&mut libtorrent, "libtorrent", 4, &census).await?.0,
            stranger_writes(&mut bittorrent_dht, "bittorrent-dht", 5, &census).await?.0,
        ];
        for written in &all_written {
            we_read(&ours, written).await?;
            for node in 0..THIRD {
                stranger_reads(&mut libtorrent, node, written).await?;
                stranger_reads(&mut bittorrent_dht, node, written).await?;
            }
        }
        Ok(())
    })
    .await
}

/// Nodes of the crate answer no transaction ids of two bytes, such as libtorrent's, so they come as
/// clients. And libtorrent takes whoever writes to it for a node that answers, so they write before
/// it is there.
#[tokio::test(flavor = "multi_thread")]
async fn mainline_and_libtorrent_read_what_the_other_wrote_to_our_nodes() -> Outcome {
    bounded(async {
        let ours = Ours::network(2 * HALF).await?;
        let mut mainline = Mainline::clients(3, &ours.addresses()).await?;
        let census = Census::of(&ours).await?;
        let (by_mainline, copies) = stranger_writes(&mut mainline, "mainline", 6, &census).await?;
        assert_eq!(copies, [Copies { ours: 2 * HALF, foreign: 0 }; 3]);

        let mut libtorrent = Foreign::libtorrent(3, &ours.addresses()).await?;
        let census = census.and(&libtorrent).await?;
        let (by_libtorrent, _) = stranger_writes(&mut libtorrent, "libtorrent", 7, &census).await?;
        stranger_reads(&mut libtorrent, 0, &by_mainline).await?;
        stranger_reads(&mut mainline, 0, &by_libtorrent).await
    })
    .await
}
