//! Namespaces: their keys, and what can be read with which.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use core::fmt::Write as _;
use std::sync::OnceLock;

use node::UnixMillis;
use wire::limits::VALUE_BYTES;

use super::*;
use crate::cipher::NONCE_BYTES;
use crate::manifest::{ManifestBuilder, ValueHasher};

const PASSPHRASE: &str = "correct horse battery staple";
const NONCE: Nonce = {
    let mut nonce = [0; NONCE_BYTES];
    let mut index = 0;
    while index < NONCE_BYTES {
        nonce[index] = index as u8;
        index += 1;
    }
    nonce
};

/// The secret namespace of these tests: one derivation is slow enough.
fn secret() -> Namespace {
    static SECRET: OnceLock<Namespace> = OnceLock::new();
    SECRET.get_or_init(|| Namespace::secret(PASSPHRASE).unwrap()).clone()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

fn hello() -> Record {
    Record {
        value: Some(Box::from(*b"hello")),
        content_type: Some("text/plain".into()),
        expires: Some(UnixMillis(1_700_604_800_000)),
        replaced_until: None,
        sealed: false,
        manifest: None,
    }
}

fn tombstone() -> Record {
    Record {
        value: None,
        content_type: None,
        expires: Some(UnixMillis(1_700_003_600_000)),
        replaced_until: Some(UnixMillis(1_700_604_800_000)),
        sealed: false,
        manifest: None,
    }
}

#[test]
fn open_namespaces_are_the_same_for_everybody_and_apart_by_name() {
    // Fixed for good: other nodes derive the same key from the name.
    assert_eq!(
        Namespace::default().owner().to_string(),
        Namespace::open("default").owner().to_string()
    );
    assert_ne!(Namespace::open("a").owner(), Namespace::open("b").owner());
    let key = Key::new("k").unwrap();
    assert_ne!(Namespace::open("a").target(&key), Namespace::open("b").target(&key));
}

#[test]
fn somebodys_namespace_can_be_read_only() {
    let signer = Signer::from_seed(&[1; 32]);
    let theirs = Namespace::of(signer.public_key());
    assert!(matches!(theirs.signer(), Err(NamespaceError::ReadOnly(_))));
    assert_eq!(theirs.owner(), Namespace::signed(signer).owner());
}

/// Computed by an independent program: `docs/secrecy.md` has them all.
#[test]
fn a_passphrase_gives_the_same_namespace_everywhere() {
    let (namespace, key) = (secret(), Key::new("greeting").unwrap());
    assert_eq!(
        namespace.owner().to_string(),
        "0937f12c5da824dc14555539b79f4fe8efeed19c9039b0ee65799e302c1686d5"
    );
    assert_eq!(
        hex(&namespace.salt(&key)),
        "5fbf1f7df21123aede1dc84117d5680a55586a9ee65beb70abb7541f3d166930"
    );
    assert_eq!(namespace.target(&key).to_string(), "3d830642e9db0cdf9bfc1b0704089bd50dd2b3a8");
    let team = Namespace::secret_named(PASSPHRASE, "team").unwrap();
    assert_eq!(
        team.owner().to_string(),
        "34c3e8134dbcbf9d762ff38625c4058f0f653a0b051207fc5fa26d6f20027752"
    );
    let default = Namespace::secret_named(PASSPHRASE, DEFAULT_NAME).unwrap();
    assert_eq!(default.owner(), namespace.owner());
}

#[test]
fn a_record_is_sealed_into_the_same_bytes_everywhere() {
    let (namespace, key) = (secret(), Key::new("greeting").unwrap());
    let item = namespace.sign(&key, version(1_700_000_000_000_000), &hello(), &NONCE).unwrap();
    assert_eq!(
        hex(item.value()),
        "3133353ad858520164313a65693137303036303438303030303065313a783130343a00010203040506070809\
         0a0b0c0d0e0f101112131415161746e5a96205207859843947629beab14bc83925a4b1d10f4fcd00d7d0a51b\
         694ebbfa40e2059e53b2c0569941d0676d036546fad1eb4b17ba02e535b2eb099ced9c920d67631101475b4e\
         a66498176e6965"
    );
    assert_eq!(
        hex(&item.as_ref().signed().unwrap().signature),
        "36c83418d2c351a2c599c200aa2562678043246eb4d80e0f2537dde16f9b0f59\
         87a21a14a5f20a1db5f306027dd4c4aaefb3b778e3007a7bb663c99fc02ca003"
    );
    assert_eq!(namespace.read(&item), Ok(hello()));
    let deleted = version(1_700_000_001_000_000);
    let item = namespace.sign(&key, deleted, &tombstone(), &NONCE).unwrap();
    assert_eq!(
        hex(item.value()),
        "3135333ad858520164313a65693137303030303336303030303065313a6c6931373030363034383030303030\
         65313a783130343a000102030405060708090a0b0c0d0e0f101112131415161746e5a9755d212748e141334d\
         eb86d022a6081fc084eb672aa16cb8b5a51b694ebbfa40e2059e53b2c0569941d0676d036546fad1eb4b17ba\
         02e535b2eb099ced79a32867f54afedd36cb0f0fce902bf365"
    );
    assert_eq!(namespace.read(&item), Ok(tombstone()));
}

#[test]
fn a_record_of_a_large_value_is_sealed_into_the_same_bytes_everywhere() {
    let (namespace, key) = (secret(), Key::new("greeting").unwrap());
    let value: Vec<u8> = (0..1_000).map(|at| (at % 251) as u8).collect();
    let mut hasher = ValueHasher::default();
    hasher.feed(&value);
    let mut builder = ManifestBuilder::new(namespace.chunk_seal(&key, &hasher.finish()));
    builder.feed(&value, |_| {});
    let manifest = builder.finish(|_| {}).encode();
    let times = Record { value: None, content_type: None, ..hello() };
    let record = Record { value: Some(manifest.into()), manifest: Some(Form::Sealed), ..times };
    let item = namespace.sign(&key, version(1_700_000_000_000_000), &record, &NONCE).unwrap();
    assert_eq!(
        hex(item.value()),
        "3139393ad858520164313a65693137303036303438303030303065313a783136383a00010203040506070809\
         0a0b0c0d0e0f101112131415161746e5a96c0c20782de141334deb8538969078baed9e192d970d31948b7484\
         9da8909ae6faedbdfee798de28f1697b92f1af1f96e5454b3d012e4597dc987331b0e25f1e3e4e5c777e7cb9\
         5fe744fac8a46b9870a22c58b234077f7433bdc36c5a2d421ac48de88043a08e3fe07987d68e5ff5c00f5930\
         da8a7ac3043f31cdc8c311c89df521303308f61e67600849842065"
    );
    assert_eq!(
        hex(&item.as_ref().signed().unwrap().signature),
        "b6f48e21d39d9fbe69702404370eec29f67941b2a5bd364de0a1885b4b30bfbb\
         53967dfb4159e1560c084a80595ed41acb391df41151776e423f01cdec9bf30b"
    );
    assert_eq!(namespace.read(&item), Ok(record));
}

#[test]
fn holders_see_times_and_cannot_tell_a_tombstone_from_a_value() {
    let (namespace, key) = (secret(), Key::new("k").unwrap());
    for record in [hello(), tombstone()] {
        let item = namespace.sign(&key, version(5), &record, &NONCE).unwrap();
        let seen = Record::decode(item.value());
        assert!(seen.sealed && !seen.is_tombstone());
        assert_eq!((seen.expires, seen.replaced_until), (record.expires, record.replaced_until));
        assert_eq!((seen.value, seen.content_type), (None, None));
    }
}

#[test]
fn what_is_sealed_opens_with_its_own_secret_only_and_a_secret_opens_nothing_else() {
    let (namespace, key) = (secret(), Key::new("k").unwrap());
    let item = namespace.sign(&key, version(5), &hello(), &NONCE).unwrap();
    assert_eq!(Namespace::of(namespace.owner()).read(&item), Err(Unopened));
    let other = Namespace::secret_named(PASSPHRASE, "other").unwrap();
    assert_eq!(other.read(&item), Err(Unopened));
    let signer = namespace.signer().unwrap();
    let clear = Item::mutable(signer, &namespace.salt(&key), version(6).seq(), &hello().encode());
    assert_eq!(namespace.read(&clear.unwrap()), Err(Unopened));
}

#[test]
fn another_version_of_the_same_is_sealed_anew() {
    let (namespace, key) = (secret(), Key::new("k").unwrap());
    let item = namespace.sign(&key, version(5), &hello(), &NONCE).unwrap();
    let again = namespace.sign_again(&item, version(6), &[9; NONCE_BYTES]).unwrap();
    assert_eq!(again.seq(), Some(version(6).seq()));
    assert_eq!(again.target(), item.target());
    assert_ne!(again.value(), item.value());
    assert_eq!(namespace.read(&again), Ok(hello()));
    // Under another version as it stands it means nothing.
    let (signer, salt) = (namespace.signer().unwrap(), namespace.salt(&key));
    let moved = Item::mutable(signer, &salt, version(6).seq(), item.value()).unwrap();
    assert_eq!(namespace.read(&moved), Err(Unopened));
    assert_eq!(namespace.sign_again(&moved, version(7), &NONCE), None);
}

#[test]
fn the_largest_value_fits_a_secret_namespace_and_one_byte_more_does_not() {
    let (namespace, key) = (secret(), Key::new("k").unwrap());
    for content_type in [None, Some("text/plain"), Some(&*"t".repeat(128))] {
        let limit = namespace.largest_value(content_type, false);
        let signed = |length: usize| {
            let record = Record {
                value: Some(vec![7; length].into()),
                content_type: content_type.map(Box::from),
                expires: Some(UnixMillis(9_999_999_999_998)),
                replaced_until: Some(UnixMillis(9_999_999_999_999)),
                sealed: false,
                manifest: None,
            };
            namespace.sign(&key, version(5), &record, &NONCE)
        };
        let item = signed(limit).unwrap();
        assert!(item.value().len() <= VALUE_BYTES);
        assert_eq!(namespace.read(&item).unwrap().value, Some(vec![7; limit].into()));
        assert_eq!(signed(limit + 1), Err(PutError::BadItem(wire::Refusal::ValueTooBig)));
    }
    assert_eq!(namespace.largest_value(None, false), 887);
    assert_eq!(namespace.largest_value(Some("text/plain"), false), 871);
}

#[test]
fn nothing_plain_is_written_into_a_secret_namespace() {
    let key = Key::new("k").unwrap();
    let refused = secret().sign(&key, version(5), &Record::plain(b"v"), &NONCE);
    assert_eq!(refused, Err(PutError::Namespace(NamespaceError::PlainInSecret)));
    assert_eq!(secret().admits(true), Err(NamespaceError::PlainInSecret));
    assert_eq!(Namespace::default().admits(true), Ok(()));
}

#[test]
fn passphrases_have_1_to_1024_bytes_of_any_kind() {
    assert_eq!(Namespace::secret("").unwrap_err(), PassphraseError::Empty);
    assert_eq!(Namespace::secret([0; 1025]).unwrap_err(), PassphraseError::TooLong(1025));
    assert_ne!(Namespace::secret([0xff; 1024]).unwrap().owner(), secret().owner());
}

#[test]
fn a_namespace_is_printed_without_its_secret() {
    let printed = format!("{:?}", secret());
    let owner = secret().owner().to_string();
    let expected = format!(
        "Namespace {{ owner: {owner}, signer: Some(Signer(of {owner})), secret: Some(Secret) }}"
    );
    assert_eq!(printed, expected);
}
