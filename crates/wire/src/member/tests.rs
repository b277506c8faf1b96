//! Members as they are signed, written and read, with the documented vectors.

use super::*;
use crate::id::read_hex;
use crate::limits::MEMBERS_PER_REPLY;
use proptest::prelude::*;
use std::string::ToString;

fn saying(item: &[u8]) -> Saying<'_> {
    Saying {
        item,
        seq: Seq::new(1_700_000_000_000_000).unwrap(),
        expires_ms: 1_700_604_800_000,
        remembered_ms: 1_700_604_800_000,
        removed: false,
    }
}

fn verify(bytes: &[u8], target: &Target) -> Result<Member, Refusal> {
    let member = UnverifiedMember::decode(bytes).map_err(|_| Refusal::NotCanonical)?;
    member.verify(target, &mut KnownKeys::default()).map(|member| member.to_member())
}

/// The open namespace named `default`, and its key `greeting` (docs/records.md).
const SEED: &str = "896249ec1cfc9fd89eff098fe629a7710bd19eee2b5de3e66c14388515c28369";
const TARGET: &str = "3592ec30a97c6ac749e6111e7d9104198b0f794e";

#[test]
fn the_documented_vectors_are_what_is_signed_and_written() {
    let signer = Signer::from_seed(&read_hex(SEED).unwrap());
    let target: Target = TARGET.parse().unwrap();
    let added = saying(b"ada");
    let shorter = Saying {
        seq: Seq::new(1_700_000_000_000_250).unwrap(),
        expires_ms: 1_700_003_600_000,
        ..added
    };
    let removed = Saying { seq: Seq::new(1_700_000_000_000_500).unwrap(), removed: true, ..added };
    for (saying, inside, signature) in [
        (
            added,
            "",
            "efc01a764e540f47ea27ba68b8faf7e1c661bfa7de43b2e4060ba246061be534\
         f9a26a067e059e525224eb4d8cf57dd0c82fe238c925e7281a5410ccbf60cc0d",
        ),
        (
            shorter,
            "1:li1700604800000e",
            "9ba2330755ba0648d9b41cfa6540cf85a79e573f352bbcbfe777f834c1cdece6\
         6ddbbc4e359bc41431a3765eff860c62f399d5e1df421a2d52e0312c42ebdd0a",
        ),
        (
            removed,
            "1:ri1e",
            "504763a43526b072dfbaff1e7bb23fd5c978b63694ea98548b8c4497c4ab1590\
         796b8793e8cbf6498647ccb0f77d517dc7059720a4cf86ffcb7f968a42b0d40b",
        ),
    ] {
        let member = Member::sign(&signer, &target, saying).unwrap();
        assert_eq!(member.cursor().to_string(), "bd31ef6ba83624b8af3fced6a33d2646da274c38");
        let head = std::format!("d1:ei{}e1:i3:ada1:k32:", saying.expires_ms);
        let tail = std::format!("1:vi{}ee", saying.seq);
        let key = signer.public_key();
        let signature: [u8; 64] = read_hex(signature).unwrap();
        let wire = [
            head.as_bytes(),
            key.as_bytes(),
            inside.as_bytes(),
            b"1:s64:",
            &signature,
            tail.as_bytes(),
        ];
        assert_eq!(member.encode(), wire.concat());
        assert_eq!(verify(&member.encode(), &target), Ok(member));
    }
}

#[test]
fn a_member_belongs_to_one_set_and_one_writer() {
    let target = Target::new([1; 20]);
    let member = Member::sign(&Signer::from_seed(&[7; 32]), &target, saying(b"ada")).unwrap();
    let bytes = member.encode();
    assert_eq!(verify(&bytes, &Target::new([2; 20])), Err(Refusal::BadSignature));
    let unverified = UnverifiedMember::decode(&bytes).unwrap();
    let other = Signer::from_seed(&[8; 32]).public_key();
    let stolen = UnverifiedMember { writer: other, ..unverified };
    assert!(stolen.verify(&target, &mut KnownKeys::default()).is_err());
    let removed = Saying { removed: true, ..unverified.saying };
    let removed = UnverifiedMember { saying: removed, ..unverified };
    assert!(removed.verify(&target, &mut KnownKeys::default()).is_err());
}

#[test]
fn items_have_1_to_512_bytes_and_memory_does_not_end_before_life() {
    let (signer, target) = (Signer::from_seed(&[7; 32]), Target::new([1; 20]));
    let sign = |saying| Member::sign(&signer, &target, saying).map(|_| ());
    assert_eq!(sign(saying(&[b'x'; 512])), Ok(()));
    assert_eq!(sign(saying(&[b'x'; 513])), Err(Refusal::ValueTooBig));
    assert_eq!(sign(saying(b"")), Err(Refusal::NotCanonical));
    assert_eq!(sign(Saying { remembered_ms: 5, ..saying(b"x") }), Err(Refusal::NotCanonical));
    let late = Saying { expires_ms: 1 << 63, remembered_ms: 1 << 63, ..saying(b"x") };
    assert_eq!(sign(late), Err(Refusal::NotCanonical));
}

#[test]
fn the_largest_member_fits_a_page_and_its_bound() {
    let most = i64::MAX as u64;
    let largest = Saying {
        item: &[b'x'; MEMBER_ITEM_BYTES],
        seq: Seq::new(i64::MAX).unwrap(),
        expires_ms: most - 1,
        remembered_ms: most,
        removed: true,
    };
    let target = Target::new([1; 20]);
    let member = Member::sign(&Signer::from_seed(&[7; 32]), &target, largest).unwrap();
    assert!(member.encode().len() <= MEMBER_BYTES, "{}", member.encode().len());
    let mut page = MembersBuffer::default();
    assert!(page.push(member.as_ref()));
    assert!(!page.push(member.as_ref()), "one of them and no more");
    assert_eq!(page.as_list().iter().count(), 1);
}

#[test]
fn only_the_one_wire_form_is_read() {
    let signer = Signer::from_seed(&[7; 32]);
    let member = Member::sign(&signer, &Target::new([1; 20]), saying(b"ada")).unwrap();
    let bytes = member.encode();
    let changed = |from: &str, to: &str| {
        let place = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        [&bytes[..place], to.as_bytes(), &bytes[place + from.len()..]].concat()
    };
    assert!(UnverifiedMember::decode(&bytes).is_ok());
    for (from, to) in [
        ("1:ei17", "1:ei017"),
        ("1:i3:ada", "1:i03:ada"),
        ("1:i3:ada", "1:i0:"),
        ("1:i3:ada", "1:i3:ada1:j0:"),
        ("1:ei1700604800000e", ""),
        ("1:ei17", "1:ei-17"),
        ("1:s64:", "1:li1e1:s64:"),
        ("1:s64:", "1:ri0e1:s64:"),
        ("1:s64:", "1:ri1e1:ri1e1:s64:"),
    ] {
        let other = changed(from, to);
        assert!(UnverifiedMember::decode(&other).is_err(), "{from} as {to}");
    }
    assert!(UnverifiedMember::decode(&[&bytes[..], b"e"].concat()).is_err());
    let mut list = b"l".to_vec();
    list.extend((0..=MEMBERS_PER_REPLY).flat_map(|_| bytes.clone()));
    list.push(b'e');
    assert_eq!(MemberList::read(&list), None, "one too many");
}

#[test]
fn a_member_that_was_kept_is_taken_back_only_within_the_bounds_of_any() {
    let (target, signer) = (Target::new([3; 20]), Signer::from_seed(&[1; 32]));
    let bytes = Member::sign(&signer, &target, saying(b"item")).unwrap().encode();
    let mut kept = UnverifiedMember::decode(&bytes).unwrap();
    let long = [7; MEMBER_ITEM_BYTES + 1];
    for (item, fits) in [(&long[1..], true), (&long, false), (b"", false)] {
        kept.saying.item = item;
        assert_eq!(kept.trusted(&target).is_some(), fits, "{} bytes", item.len());
    }
}

#[test]
fn the_place_before_a_place_is_just_before_it() {
    assert_eq!(Cursor::new([0; 20]).before(), None);
    let mut one = [0; 20];
    one[0] = 1;
    let mut before = [0xff; 20];
    before[0] = 0;
    assert_eq!(Cursor::new(one).before(), Some(Cursor::new(before)));
}

proptest! {
    #[test]
    fn a_member_comes_back_as_signed(
        item in proptest::collection::vec(any::<u8>(), 1..=512), seq in 0..i64::MAX,
        expires_ms in 0u64..1 << 62, longer in 0u64..1 << 62, removed: bool, seed: [u8; 32],
    ) {
        let remembered_ms = expires_ms + longer;
        let seq = Seq::new(seq).unwrap();
        let saying = Saying { item: &item, seq, expires_ms, remembered_ms, removed };
        let target = Target::new([3; 20]);
        let member = Member::sign(&Signer::from_seed(&seed), &target, saying).unwrap();
        let bytes = member.encode();
        prop_assert_eq!(crate::bencode::check_canonical(&bytes), Ok(()));
        prop_assert_eq!(verify(&bytes, &target), Ok(member));
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_is_written_the_same(bytes: Vec<u8>) {
        if let Ok(member) = UnverifiedMember::decode(&bytes) {
            let mut again = std::vec![0; bytes.len()];
            let mut writer = Writer::new(&mut again);
            member.write(&mut writer);
            prop_assert_eq!(writer.finish(), Some(bytes.len()));
            prop_assert_eq!(again, bytes);
        }
    }
}
