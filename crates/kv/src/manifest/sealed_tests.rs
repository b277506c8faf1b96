//! Sealed chunks: what goes in comes out for whoever has the seal, and nothing else comes out for
//! anybody.

use std::collections::{HashMap, HashSet};
use std::string::String;
use std::sync::OnceLock;

use super::*;
use crate::key::Key;
use crate::namespace::Namespace;
use proptest::prelude::*;

type Shelf = HashMap<Target, Item>;

/// The namespace of the documentation's test vectors; making one is slow.
fn secret() -> Namespace {
    static SECRET: OnceLock<Namespace> = OnceLock::new();
    let make = || Namespace::secret("correct horse battery staple").unwrap();
    SECRET.get_or_init(make).clone()
}

fn seal_of(key: &str, hash: &[u8; HASH_BYTES]) -> ChunkSeal {
    secret().chunk_seal(&Key::new(key).unwrap(), hash).unwrap()
}

fn hash(value: &[u8]) -> [u8; HASH_BYTES] {
    let mut hasher = ValueHasher::default();
    hasher.feed(value);
    hasher.finish()
}

/// The manifest of a value under a key, and its chunks in the order in which they are made.
fn build(key: &str, value: &[u8]) -> (Manifest, Vec<Item>) {
    let mut builder = ManifestBuilder::new(Some(seal_of(key, &hash(value))));
    let mut items = Vec::new();
    value.chunks(777).for_each(|bytes| builder.feed(bytes, |item| items.push(item)));
    let manifest = builder.finish(|item| items.push(item));
    (manifest, items)
}

fn shelf(items: Vec<Item>) -> Shelf {
    items.into_iter().map(|item| (item.target(), item)).collect()
}

fn read(key: &str, manifest: &Manifest, shelf: &Shelf) -> Result<Vec<u8>, ReadError> {
    let mut reader = ManifestReader::new(manifest, Some(seal_of(key, &manifest.hash)));
    let mut value = Vec::new();
    while let Some(wanted) = reader.wanted() {
        match shelf.get(&wanted.target) {
            Some(item) => reader.found(wanted, item.clone()),
            None => reader.lost(wanted),
        }
        reader.drain(|bytes| value.extend_from_slice(bytes));
    }
    reader.verdict().map(|()| value)
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[test]
fn all_chunks_have_one_length_and_none_is_like_another_even_of_the_same_bytes() {
    let value = alloc::vec![0; 100 * Form::Sealed.piece_bytes() + 1];
    let (manifest, items) = build("k", &value);
    // 101 pieces, and 3 chunks of the tree with 47, 47 and 7 targets.
    assert_eq!((items.len(), manifest.chunks(), manifest.targets().len()), (104, 104, 3));
    assert!(items.iter().all(|item| item.value().len() == VALUE_BYTES));
    let nonces = items.iter().map(|item| chunk_bytes(item).unwrap()[..24].to_vec());
    let nonces: HashSet<Vec<u8>> = nonces.collect();
    assert_eq!((nonces.len(), shelf(items.clone()).len()), (104, 104));
    assert!(read("k", &manifest, &shelf(items)) == Ok(value));
}

#[test]
fn the_same_value_under_the_same_key_makes_the_same_chunks_and_all_else_shares_none() {
    let value = bytes(60_000);
    let targets = |key: &str, value: &[u8]| -> HashSet<Target> {
        build(key, value).1.iter().map(Item::target).collect()
    };
    let first = targets("k", &value);
    assert_eq!(targets("k", &value), first);
    assert!(first.is_disjoint(&targets("another", &value)), "under another key");
    let mut changed = value.clone();
    changed[59_999] ^= 1;
    assert!(first.is_disjoint(&targets("k", &changed)), "of another version");
}

#[test]
fn without_the_seal_of_that_value_under_that_key_nothing_opens() {
    let value = bytes(5_000);
    let (manifest, items) = build("k", &value);
    let shelf = shelf(items);
    assert_eq!(read("another", &manifest, &shelf), Err(ReadError::Mismatch));
    let mut other = manifest.clone();
    other.hash[0] ^= 1;
    assert_eq!(read("k", &other, &shelf), Err(ReadError::Mismatch));
    let mut blind = ManifestReader::new(&manifest, None);
    while let Some(wanted) = blind.wanted() {
        blind.found(wanted, shelf[&wanted.target].clone());
        blind.drain(|_| panic!("nothing opens"));
    }
    assert_eq!(blind.verdict(), Err(ReadError::Mismatch));
    assert_eq!(read("k", &manifest, &shelf), Ok(value));
}

#[test]
fn the_largest_manifest_and_content_type_fit_a_sealed_record() {
    let manifest = Manifest {
        length: (TOP * Form::Sealed.piece_bytes()) as u64,
        hash: [7; HASH_BYTES],
        form: Form::Sealed,
        targets: alloc::vec![Target::new([9; ID_BYTES]); TOP],
    };
    let record = crate::record::Record {
        value: Some(manifest.encode().into()),
        manifest: Some(Form::Sealed),
        content_type: Some("t".repeat(crate::limits::CONTENT_TYPE_BYTES).into()),
        expires: Some(node::UnixMillis(9_999_999_999_998)),
        replaced_until: Some(node::UnixMillis(9_999_999_999_999)),
        sealed: false,
    };
    let (key, version) = (Key::new("k").unwrap(), crate::version::Version::new(7).unwrap());
    let item = secret().sign(&key, version, &record, &[1; 24]).unwrap();
    let again = secret().read(&item).unwrap();
    assert_eq!(again.content(), Some((Default::default(), Some(manifest))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_length_comes_back(length in prop_oneof![0usize..4_000, 25_000usize..100_000]) {
        let value = bytes(length);
        let (manifest, items) = build("k", &value);
        prop_assert_eq!(items.len() as u64, manifest.chunks());
        prop_assert!(manifest.targets().len() <= TOP);
        let decoded = Manifest::decode(&manifest.encode(), Form::Sealed);
        prop_assert_eq!(decoded, Ok(manifest.clone()));
        prop_assert!(read("k", &manifest, &shelf(items)) == Ok(value));
    }

    #[test]
    fn a_chunk_that_is_altered_or_moved_never_opens(
        length in 2_000usize..60_000, one: prop::sample::Index, other: prop::sample::Index,
        place: prop::sample::Index, flip in 1u8..,
    ) {
        // As if the hash of chunks were broken.
        let (manifest, items) = build("k", &bytes(length));
        let (one, other) = (one.get(&items).clone(), other.get(&items).clone());
        let mut altered = chunk_bytes(&one).unwrap().to_vec();
        *place.get_mut(&mut altered) ^= flip;
        let altered = Item::immutable(&wire::item::byte_string(&altered)).unwrap();
        let moved = (one != other).then_some(other);
        for wrong in [Some(altered), moved].into_iter().flatten() {
            let mut shelf = shelf(items.clone());
            shelf.insert(one.target(), wrong);
            prop_assert_eq!(read("k", &manifest, &shelf), Err(ReadError::Mismatch));
        }
    }
}

/// Computed by an independent program as well.
#[test]
fn the_test_vectors_of_the_documentation_hold() {
    let hex =
        |bytes: &[u8]| -> String { bytes.iter().map(|byte| std::format!("{byte:02x}")).collect() };
    let (manifest, items) = build("greeting", &bytes(1_000));
    let expected = "00000000000003e8\
        b43670a52d1af24abdac5d2c3ed19ff4e62b60a618e823ad555888b1b0b91cff\
        f2ca596c34ae002abb2ca0a26e737aad5d241bfb81aa2dfa53edbc30f693894bb8238aa02929e43e";
    assert_eq!(hex(&manifest.encode()), expected);
    let last = chunk_bytes(&items[1]).unwrap();
    assert_eq!(hex(&last[..24]), "9ee77bbdd73b33e2e2bf9029ec029be62a535ef045fb1ef1");
    assert_eq!(hex(&last[980..]), "542e5db6c0c6d702a05cf16b912502ef");
    let (manifest, _) = build("greeting", &bytes(50_000));
    let expected = "000000000000c350\
        44e72a003e98fc2a76da16aca79352814c7278629eb36e48d06aa4899f608deb\
        6fdee241e1cbb5fef718967df89c0586af2313edbd59ee31def3901683d7a25ed97badb02da388b8";
    assert_eq!(hex(&manifest.encode()), expected);
}
