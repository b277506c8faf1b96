//! A sealed answer is no longer than an open one may be, the seal included.

use wire::item::byte_string;
use wire::limits::{PLAIN_REPLY_BYTES, VALUE_REPLY_BYTES};
use wire::{Endpoint, Family, Item, Message, Seq, Signer};

use super::insider::{Member, SECRET, Seal, hold, pong};

const LONG: &[u8; 32] = b"tttttttttttttttttttttttttttttttt";

fn place(family: Family, host: u8) -> Endpoint {
    match family {
        Family::V4 => Endpoint::v4([10, 3, 0, host], 6881),
        Family::V6 => {
            let mut ip = [0; 16];
            (ip[0], ip[15]) = (0xfd, host);
            Endpoint::v6(ip, 6881)
        }
    }
}

/// A node that knows many of both families.
fn full() -> (Member, u64) {
    let (mut member, seal) = (Member::new(), Seal::new(SECRET));
    let mut number = member.micros();
    for host in 1..=60 {
        for family in Family::ALL {
            let (_, _, transaction) = member.ask(place(family, host));
            number += 1;
            let reply = pong(host.wrapping_mul(41), &transaction);
            member.hear(place(family, host), &seal.seal([host; 16], number, &reply));
        }
    }
    assert!(Family::ALL.iter().all(|family| member.node.table(*family).len() >= 16));
    (member, number)
}

/// The longest answer to a query of this method and these arguments: its length and its content.
fn asked(
    member: &mut Member,
    number: &mut u64,
    method: &str,
    arguments: &[u8],
    transaction: &[u8],
    from: Endpoint,
) -> (usize, Vec<u8>) {
    *number += 1;
    let head = [&b"d1:ad2:id20:"[..], &[0xee; 20], arguments].concat();
    let length = transaction.len().to_string();
    let method = format!("e1:q{}:{method}1:t{length}:", method.len());
    let query = [&head, method.as_bytes(), transaction, b"1:y1:qe"].concat();
    let seal = Seal::new(SECRET);
    let sent = member.hear(from, &seal.seal([0xee; 16], *number, &query));
    let answer = &sent.iter().find(|(to, _)| *to == from).expect("an answer").1;
    (answer.len(), seal.open(answer).expect("sealed"))
}

#[test]
fn the_largest_answers_stay_within_their_bounds() {
    let (mut member, mut number) = full();
    let signer = Signer::from_seed(&[1; 32]);
    let last = Seq::new(i64::MAX).expect("not negative");
    let large = byte_string(&[b'v'; 996]);
    let largest =
        Item::mutable(&signer, &[b's'; 64], last, &large).expect("1,000 bytes are allowed");
    member.command(hold(&largest));
    assert_eq!(member.node.held_items().0, 1);
    let largest = largest.target();
    let held = [&b"6:target20:"[..], largest.as_bytes()].concat();
    let absent = [&b"6:target20:"[..], &[5; 20]].concat();
    let topic = [&b"9:info_hash20:"[..], &[5; 20]].concat();
    let questions = [
        ("get", &held, VALUE_REPLY_BYTES),
        ("get", &absent, PLAIN_REPLY_BYTES),
        ("find_node", &absent, PLAIN_REPLY_BYTES),
        ("sample_infohashes", &absent, PLAIN_REPLY_BYTES),
        ("get_peers", &topic, PLAIN_REPLY_BYTES),
        ("members", &absent, PLAIN_REPLY_BYTES),
    ];
    for (method, arguments, bound) in questions {
        for want in [&b"4:wantl2:n42:n6e"[..], b"4:wantl2:n4e", b"4:wantl2:n6e", b""] {
            for transaction in [&LONG[..], b"aaaa"] {
                for family in Family::ALL {
                    let arguments = [&arguments[..], want].concat();
                    let from = place(family, 200);
                    let (length, answer) =
                        asked(&mut member, &mut number, method, &arguments, transaction, from);
                    assert!(length <= bound, "{method}: {length} bytes");
                    let plain = answer.len() + 40;
                    assert_eq!(plain, length);
                    // A node of ours asks under four bytes, and always learns of somebody.
                    if transaction.len() == 4 {
                        assert!(matches!(Message::read(&answer), Ok(Message::Reply(_))));
                        let named = answer.windows(5).any(|part| part == b"nodes");
                        let empty = b"5:nodes0:";
                        let nobody = answer.windows(empty.len()).any(|part| part == empty);
                        assert!(named && !nobody, "{method}: {}", answer.escape_ascii());
                    }
                }
            }
        }
    }
}
