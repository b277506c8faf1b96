//! The bytes as docs/threat-model.md writes them down.

use node::{Config, Drop, Instant, Mainline, NetworkKey, Node, Now, Outbox, UnixMillis};
use wire::Endpoint;

use super::insider::{SECRET, START_MS, Seal, key, ping};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_test_vector_is_what_the_format_says() {
    let mut secret = [0; 32];
    secret.iter_mut().zip(0..).for_each(|(byte, value)| *byte = value);
    assert_eq!(hex(&Config::default().network.tag().expect("it has one").0), "1feab5a9");
    assert_eq!(
        hex(&key(secret)),
        "b7f9df162fcd7ab69ef36ad8f5fa4049508f9ec8bdd0854d9915708d110754a2"
    );
    let sender = [0xab; 16];
    let sealed = Seal::new(secret).seal(sender, START_MS * 1000, &ping(b'x'));
    assert_eq!(hex(&sealed), VECTOR.concat());
    // And a node hears it.
    let network_key = Some(NetworkKey::from_secret(secret));
    let now = Now { monotonic: Instant::from_micros(0), wall: UnixMillis(START_MS) };
    let config = Config { network_key, ..Config::default() };
    let mut node = Node::new(config, Mainline, [1; 32], now);
    let mut outbox = Outbox::default();
    node.datagram(now, Endpoint::v4([10, 0, 0, 1], 1), &sealed, &mut outbox);
    assert!(!outbox.is_empty());
    assert_eq!(node.counters().dropped_for(Drop::Unsealed), 0);
    assert!(Seal::new(SECRET).open(&sealed).is_none());
}

/// Sender, number, ciphertext, tag.
const VECTOR: [&str; 5] = [
    "abababababababababababababababab",
    "00060a24181e4000",
    "421fede34d6a962d813666de74f0621c85fa1b7c2b1be216bdd459734ffbeff1",
    "5d513ea838b38f8f007f9caec7048196d723baa5c9cddbb46aee",
    "a80b393944c9a5e1694473c20bebd6ba",
];
