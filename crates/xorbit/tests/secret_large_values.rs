//! Values that do not fit one item of a secret namespace, over real sockets on loopback.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;

use xorbit::{GetError, Namespace, Node, PutError, Testnet, testnet};

fn secret() -> Namespace {
    static SECRET: OnceLock<Namespace> = OnceLock::new();
    SECRET.get_or_init(|| Namespace::secret("six strange words").expect("a passphrase")).clone()
}

/// Bytes of which no two chunks are the same.
fn value(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 956 * 31 + at % 251) as u8).collect()
}

async fn client(network: &Testnet) -> Node {
    let door = network.door().expect("there is a node");
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let builder = Node::builder().listen(listen).ephemeral(true).join(door);
    builder.start().await.expect("loopback")
}

#[tokio::test]
async fn a_secret_file_comes_back_to_friends_alone_and_a_repeated_put_sends_nothing() {
    let network = testnet(12).await.expect("loopback");
    let (writer, reader) = (client(&network).await, client(&network).await);
    let value = value(300_000);
    let put = || writer.put_seekable("film", 300_000, Cursor::new(value.clone()));
    let first = put().namespace(secret()).content_type("video/ogg").await.expect("all are up");
    let chunks = first.chunks.expect("it has some");
    // 314 pieces, and 7 chunks of the tree.
    assert_eq!((chunks.stored, chunks.held), (321, 0));
    let again = put().namespace(secret()).await.expect("all are up").chunks.expect("it has some");
    assert_eq!((again.sent, again.stored), (0, 321));
    let got = reader.get("film").namespace(secret()).await.expect("all are up");
    assert!(*got.value == value);
    let wrong = Namespace::secret("six other words").expect("a passphrase");
    for stranger in [wrong, Namespace::of(secret().owner()), Namespace::default()] {
        let got = reader.get("film").namespace(stranger).await;
        assert!(matches!(got, Err(GetError::NotFound { .. })), "{got:?}");
    }
    network.close().await;
}

#[tokio::test]
async fn what_fits_is_no_chunk_and_one_byte_more_is_one() {
    let network = testnet(4).await.expect("loopback");
    let client = client(&network).await;
    let fits = secret().largest_value(None, false);
    for (length, chunks) in [(fits, None), (fits + 1, Some(1)), (957, Some(2))] {
        let value = value(length);
        let put = client.put("k", &value).namespace(secret()).await.expect("all are up");
        assert_eq!(put.chunks.map(|chunks| chunks.stored), chunks, "{length} bytes");
        let got = client.get("k").namespace(secret()).await.expect("all are up");
        assert!(*got.value == value, "{length} bytes");
    }
    network.close().await;
}

/// What gives other bytes each time it is read.
struct Changing(Cursor<Vec<u8>>);

impl Read for Changing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for Changing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let bytes = self.0.get_mut();
        if to != SeekFrom::Current(0) {
            bytes[700] ^= 1;
        }
        self.0.seek(to)
    }
}

#[tokio::test]
async fn a_source_that_changes_between_its_two_readings_is_an_error_and_no_value() {
    let network = testnet(3).await.expect("loopback");
    let client = client(&network).await;
    let source = Changing(Cursor::new(value(20_000)));
    let put = client.put_seekable("k", 20_000, source).namespace(secret()).await;
    assert_eq!(put.unwrap_err(), PutError::Source("it changed while it was read".into()));
    let got = client.get("k").namespace(secret()).await;
    assert!(matches!(got, Err(GetError::NotFound { .. })), "{got:?}");
    for said in [20_001, 19_999] {
        let source = Cursor::new(value(20_000));
        let put = client.put_seekable("k", said, source).namespace(secret()).await;
        assert!(matches!(put, Err(PutError::Source(_))), "{said}: {put:?}");
    }
    network.close().await;
}
