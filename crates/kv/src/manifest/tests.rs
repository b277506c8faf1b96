//! The tree against plain memory: what goes in comes out, and nothing else ever does.

use super::read::{AHEAD, NODES_AHEAD};
use super::*;
use proptest::prelude::*;
use std::collections::HashMap;
use std::string::String;

type Shelf = HashMap<Target, Item>;

fn build(value: &[u8], feeds: usize) -> (Manifest, Shelf, u64) {
    let (mut shelf, mut emitted) = (Shelf::new(), 0);
    let mut builder = ManifestBuilder::default();
    let mut emit = |item: Item| {
        emitted += 1;
        shelf.insert(item.target(), item);
    };
    for bytes in value.chunks(feeds) {
        builder.feed(bytes, &mut emit);
    }
    let manifest = builder.finish(&mut emit);
    (manifest, shelf, emitted)
}

/// Reads with so many chunks on their way at once, the last asked for answered first.
fn read(manifest: &Manifest, shelf: &Shelf, at_once: usize) -> Result<Vec<u8>, ReadError> {
    let (mut reader, mut value, mut asked) =
        (ManifestReader::new(manifest, None), Vec::new(), Vec::new());
    while !reader.is_over() {
        while asked.len() < at_once
            && let Some(wanted) = reader.wanted()
        {
            asked.push(wanted);
        }
        match asked.pop() {
            Some(wanted) => match shelf.get(&wanted.target) {
                Some(item) => reader.found(wanted, item.clone()),
                None => reader.lost(wanted),
            },
            None => assert!(reader.is_over() || reader.progress().0 < reader.progress().1),
        }
        reader.drain(|bytes| value.extend_from_slice(bytes));
    }
    reader.verdict().map(|()| value)
}

/// Bytes that repeat nowhere, so that no two chunks are the same.
fn bytes(length: usize) -> Vec<u8> {
    let mut output = alloc::vec![0; length];
    blake3::Hasher::new().update(b"a value").finalize_xof().fill(&mut output);
    output
}

#[test]
fn the_shape_follows_from_the_length() {
    let levels = |length: u64| Shape::of(length, Form::Open).levels;
    assert_eq!(levels(0), [0]);
    assert_eq!(levels(997), [2]);
    assert_eq!(levels(32 * 996), [32]);
    assert_eq!(levels(32 * 996 + 1), [33, 1]);
    assert_eq!(levels(16 << 20), [16_845, 344, 8]);
    assert_eq!(levels(64 << 20), [67_379, 1_376, 29]);
    assert_eq!(Shape::of(16 << 20, Form::Open).chunks(), 17_197);
    assert_eq!(
        Shape::of((16 << 20) + 1, Form::Open).bytes(0, 16_844),
        (16 << 20) + 1 - 16_844 * 996
    );
    assert_eq!(Shape::of(u64::MAX, Form::Open).levels.len(), 10);
}

#[test]
fn a_lost_chunk_of_the_tree_counts_with_all_that_hangs_from_it() {
    let value = bytes(200 * PIECE_BYTES);
    let (manifest, mut shelf, emitted) = build(&value, 5000);
    assert_eq!((emitted, manifest.chunks()), (205, 205));
    shelf.remove(&manifest.targets()[4]);
    let missing = ReadError::Missing { missing: 1 + 4, of: 205 };
    assert_eq!(read(&manifest, &shelf, 7), Err(missing));
    shelf.remove(&manifest.targets()[0]);
    let missing = ReadError::Missing { missing: 1 + 49 + 1 + 4, of: 205 };
    assert_eq!(read(&manifest, &shelf, 300), Err(missing));
}

#[test]
fn the_same_content_makes_the_same_chunks_and_repeated_pieces_are_one() {
    let value = alloc::vec![7; 100 * PIECE_BYTES];
    let (manifest, shelf, _) = build(&value, 999);
    assert_eq!(manifest, build(&value, 1).0);
    // One piece; a chunk of 49 of it; a chunk of the last two.
    assert_eq!((shelf.len(), manifest.chunks()), (3, 103));
    assert_eq!(read(&manifest, &shelf, 5), Ok(value));
}

#[test]
fn a_manifest_that_lies_about_hash_or_length_gives_no_value() {
    let value = bytes(60_000);
    let (manifest, shelf, _) = build(&value, 60_000);
    let mut lie = manifest.clone();
    lie.hash[0] ^= 1;
    assert_eq!(read(&lie, &shelf, 9), Err(ReadError::Mismatch));
    let lie = Manifest { length: 59_999, ..manifest };
    assert_eq!(read(&lie, &shelf, 9), Err(ReadError::Mismatch));
}

#[test]
fn a_manifest_reads_back_and_one_cut_short_or_with_a_target_too_many_does_not() {
    let (manifest, ..) = build(&bytes(40 * PIECE_BYTES), 4096);
    let mut encoded = manifest.encode();
    assert_eq!(Manifest::decode(&encoded, Form::Open), Ok(manifest));
    encoded.extend([0; ID_BYTES]);
    assert_eq!(Manifest::decode(&encoded, Form::Open), Err(Malformed));
    encoded.truncate(HEAD_BYTES);
    assert_eq!(Manifest::decode(&encoded, Form::Open), Err(Malformed));
    assert_eq!(Manifest::decode(&encoded[..HEAD_BYTES - 1], Form::Open), Err(Malformed));
}

#[test]
fn a_reader_asks_for_no_more_than_its_window_while_the_first_chunk_is_out() {
    let (manifest, shelf, _) = build(&bytes(3_000 * PIECE_BYTES), 4096);
    let mut reader = ManifestReader::new(&manifest, None);
    let mut first = None;
    let mut asked = 0;
    while let Some(wanted) = reader.wanted() {
        asked += 1;
        match wanted.level == 0 && first.is_none() {
            true => first = Some(wanted),
            false => reader.found(wanted, shelf[&wanted.target].clone()),
        }
        reader.drain(|_| panic!("nothing comes before the first"));
    }
    assert!(asked <= AHEAD + 3 * NODES_AHEAD, "{asked}");
    assert!(first.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_length_comes_back_whatever_the_order(
        length in prop_oneof![0usize..5_000, 30_000usize..60_000, 0usize..2_000_000],
        feeds in 1usize..9_000,
        at_once in 1usize..2_000,
    ) {
        let value = bytes(length);
        let (manifest, shelf, emitted) = build(&value, feeds);
        prop_assert_eq!(emitted, manifest.chunks());
        prop_assert!(manifest.targets().len() <= TOP);
        prop_assert_eq!(Manifest::decode(&manifest.encode(), Form::Open), Ok(manifest.clone()));
        prop_assert!(read(&manifest, &shelf, at_once) == Ok(value));
    }

    #[test]
    fn any_missing_chunk_is_found_missing(
        length in 1usize..300_000, which: prop::sample::Index, at_once in 1usize..200,
    ) {
        let (manifest, mut shelf, _) = build(&bytes(length), 4096);
        let targets: Vec<Target> = shelf.keys().copied().collect();
        shelf.remove(which.get(&targets));
        let told = read(&manifest, &shelf, at_once);
        let missing = matches!(told, Err(ReadError::Missing { missing: 1.., .. }));
        prop_assert!(missing, "{:?}", told);
    }

    #[test]
    fn any_swapped_chunk_is_found_wrong(
        length in 2_000usize..300_000, one: prop::sample::Index, other: prop::sample::Index,
    ) {
        // As if the hash of chunks were broken: one is given in place of another.
        let (manifest, mut shelf, _) = build(&bytes(length), 4096);
        let targets: Vec<Target> = shelf.keys().copied().collect();
        let (one, other) = (*one.get(&targets), *other.get(&targets));
        prop_assume!(one != other);
        let false_one = shelf[&other].clone();
        shelf.insert(one, false_one);
        prop_assert!(read(&manifest, &shelf, 50).is_err());
    }

    #[test]
    fn any_bytes_are_a_manifest_or_not(bytes: Vec<u8>) {
        if let Ok(manifest) = Manifest::decode(&bytes, Form::Open) {
            prop_assert_eq!(manifest.encode(), bytes);
        }
    }
}

/// Computed by an independent program as well.
#[test]
fn the_test_vectors_of_the_documentation_hold() {
    let value = |length: usize| (0..length).map(|at| (at % 251) as u8).collect::<Vec<u8>>();
    let hex = |manifest: &Manifest| -> String {
        manifest.encode().iter().map(|byte| std::format!("{byte:02x}")).collect()
    };
    let (manifest, ..) = build(&value(1_000), 7);
    let expected = "00000000000003e8\
        b43670a52d1af24abdac5d2c3ed19ff4e62b60a618e823ad555888b1b0b91cff\
        a69d94b796dd4bdea778cc54ffadc8547172065a8cee2ff92479a16c08c089d9da8610f046400996";
    assert_eq!(hex(&manifest), expected);
    let (manifest, shelf, _) = build(&value(40_000), 4096);
    let expected = "0000000000009c40\
        ccd32b4544a24c50fbefb249e10a8fcedc26e2794c79eb8a44ad0631bf07f53f\
        ba13a04610bb9907f32364a179f4cfd0af49a4d7";
    assert_eq!(hex(&manifest), expected);
    assert_eq!(chunk_bytes(&shelf[&manifest.targets()[0]]).map(<[u8]>::len), Some(41 * 20));
}
