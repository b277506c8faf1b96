//! The crate `pkarr` 8.1.0 as a client of our relays: DNS packets go in through one node and come out
//! through another. What its client cannot say, `If-Match`, curl does.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use pkarr::errors::{PublishError, ResolveError};
use pkarr::{Client, Keypair, ResolvePolicy, SignedPacket, Timestamp};
use tokio::process::Command;
use xorbit::{Item, Seq, Signer};
use xorbit_interop::{Ours, Outcome, Program, bounded};

/// Nodes beside the two relays.
const NODES: usize = 8;

/// Two nodes that relay, in one network with others.
struct Relays {
    ours: Ours,
    one: Program,
    other: Program,
}

impl Relays {
    async fn start() -> Outcome<Self> {
        let ours = Ours::network(NODES).await?;
        let one = Program::node(&ours.addresses(), &[]).await?;
        let other = Program::node(&ours.addresses(), &[]).await?;
        Ok(Self { ours, one, other })
    }
}

/// A client that remembers nothing of others and knows this relay alone.
fn client(relay: &Program) -> Outcome<Client> {
    Ok(Client::builder().no_default_network().relays(&[relay.http.as_str()])?.build()?)
}

/// A packet with one address, written so many seconds after a moment of the past.
fn packet(author: &Keypair, second: u64, last: u8) -> Outcome<SignedPacket> {
    let moment = Timestamp::from(1_700_000_000_000_000 + second * 1_000_000);
    let address = Ipv4Addr::new(192, 0, 2, last);
    let name = "_node".try_into()?;
    Ok(SignedPacket::builder().timestamp(moment).a(name, address, 300).sign(author)?)
}

/// What is in the network, whatever the client remembers.
async fn found(at: &Program, author: &Keypair) -> Outcome<SignedPacket> {
    Ok(client(at)?.resolve(&author.public_key(), ResolvePolicy::NetworkOnly).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_goes_in_through_one_node_and_comes_out_through_another() -> Outcome {
    bounded(async {
        let relays = Relays::start().await?;
        let author = Keypair::random();
        let none = client(&relays.other)?;
        let none = none.resolve(&author.public_key(), ResolvePolicy::NetworkOnly).await;
        assert_eq!(none.expect_err("nothing was published"), ResolveError::NotFound);

        let first = packet(&author, 0, 1)?;
        let stored = client(&relays.one)?.publish(&first).await?;
        assert!(stored as usize >= xorbit_interop::K, "stored at {stored} nodes");
        assert_eq!(found(&relays.other, &author).await?.as_bytes(), first.as_bytes());
        let holding = relays.ours.items().await?;
        assert!(holding > 0, "it lies in the network, not in the relay alone");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_newer_packet_replaces_one() -> Outcome {
    bounded(async {
        let relays = Relays::start().await?;
        let author = Keypair::random();
        let (old, new) = (packet(&author, 0, 1)?, packet(&author, 10, 2)?);
        client(&relays.one)?.publish(&new).await?;
        for relay in [&relays.one, &relays.other] {
            let stale = client(relay)?.publish(&old).await;
            assert_eq!(stale.expect_err("an older one"), PublishError::NotMostRecent);
        }
        assert_eq!(found(&relays.other, &author).await?.as_bytes(), new.as_bytes());
        // The same again is what renews it.
        client(&relays.other)?.publish(&new).await?;
        let newest = packet(&author, 20, 3)?;
        client(&relays.other)?.publish(&newest).await?;
        assert_eq!(found(&relays.one, &author).await?.as_bytes(), newest.as_bytes());
        // Whoever has it already hears of none newer.
        let reader = client(&relays.one)?;
        reader.publish(&newest).await?;
        let again = reader.resolve(&author.public_key(), ResolvePolicy::NetworkOnly).await?;
        assert_eq!(again.as_bytes(), newest.as_bytes());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_happens_only_over_the_packet_it_expects() -> Outcome {
    bounded(async {
        let relays = Relays::start().await?;
        let author = Keypair::random();
        let (first, second) = (packet(&author, 0, 1)?, packet(&author, 10, 2)?);
        let put = async |packet: &SignedPacket, over: Option<u64>| put(&relays, packet, over).await;
        assert_eq!(put(&first, None).await?, 204);
        assert_eq!(put(&second, Some(first.timestamp().as_u64() - 1)).await?, 412);
        assert_eq!(found(&relays.other, &author).await?.as_bytes(), first.as_bytes());
        assert_eq!(put(&second, Some(first.timestamp().as_u64())).await?, 204);
        assert_eq!(put(&first, None).await?, 409);
        assert_eq!(found(&relays.other, &author).await?.as_bytes(), second.as_bytes());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_no_packet_is_told_apart_from_none() -> Outcome {
    bounded(async {
        let relays = Relays::start().await?;
        let author = Keypair::random();
        let signer = Signer::from_seed(&author.secret_key());
        let number = Item::mutable(&signer, b"", Seq::new(7).unwrap_or_default(), b"i1e")?;
        relays.ours.nodes[0].signed_item_put(number).await?;
        let strange =
            client(&relays.one)?.resolve(&author.public_key(), ResolvePolicy::NetworkOnly).await;
        assert_eq!(strange.expect_err("a number"), ResolveError::InvalidSignedPacket { seq: 7 });
        Ok(())
    })
    .await
}

/// The status of a put by curl, only over the packet of a timestamp if one is given.
async fn put(relays: &Relays, packet: &SignedPacket, over: Option<u64>) -> Outcome<u16> {
    let key = packet.public_key().to_z32();
    let file: PathBuf = std::env::temp_dir().join(format!("xorbit-pkarr-{key}"));
    std::fs::write(&file, packet.to_relay_payload())?;
    let mut command = Command::new("curl");
    command.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", "--data-binary"]);
    command.arg(format!("@{}", file.display())).arg(format!("{}{key}", relays.one.http));
    if let Some(over) = over {
        command.args(["-H", &format!("If-Match: {over}")]);
    }
    let output = command.output().await?;
    std::fs::remove_file(file)?;
    Ok(String::from_utf8_lossy(&output.stdout).parse()?)
}
