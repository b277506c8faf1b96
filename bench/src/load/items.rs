//! Items to put, made and signed before anything is measured (BEP 44).

use ed25519_dalek::{Signature, Signer, SigningKey};
use sha1::{Digest, Sha1};

use super::SENDER;
use crate::chance::Chance;
use crate::krpc::{self, Argument, Id};

/// Bytes of a value before it is bencoded.
const VALUE: usize = 100;
/// The public key of this seed signs every item of a run.
const SEED: [u8; 32] = *b"xorbit-bench signs its items 01.";
const SEQUENCE: i64 = 1;

/// An item that lacks nothing but a token.
pub struct Item {
    /// Where it belongs.
    pub target: Id,
    value: Vec<u8>,
    signed: Option<Signed>,
}

struct Signed {
    key: [u8; 32],
    salt: Vec<u8>,
    signature: Signature,
}

/// Immutable items, no two alike.
pub fn immutable(round: u64, count: usize) -> Vec<Item> {
    let mut chance = Chance::new(round);
    let item = |_| {
        let value = value(&mut chance);
        Item { target: Sha1::digest(&value).into(), value, signed: None }
    };
    (0..count).map(item).collect()
}

/// Mutable items under one key, told apart by their salts.
pub fn mutable(round: u64, count: usize) -> Vec<Item> {
    let mut chance = Chance::new(round);
    let signer = SigningKey::from_bytes(&SEED);
    let key = signer.verifying_key().to_bytes();
    let item = |number| {
        let value = value(&mut chance);
        let salt = format!("{round:04}-{number:08}").into_bytes();
        let signature = signer.sign(&signed_bytes(&salt, SEQUENCE, &value));
        Item {
            target: Sha1::new().chain_update(key).chain_update(&salt).finalize().into(),
            value,
            signed: Some(Signed { key, salt, signature }),
        }
    };
    (0..count).map(item).collect()
}

impl Item {
    /// The put of this item, with a zero transaction id.
    pub fn put(&self, token: &[u8]) -> Vec<u8> {
        let id = ("id", Argument::Bytes(SENDER));
        // BEP 44 has no `target` in a put, but a widespread family of nodes drops a put without one.
        let target = ("target", Argument::Bytes(&self.target));
        let token = ("token", Argument::Bytes(token));
        let value = ("v", Argument::Encoded(&self.value));
        match &self.signed {
            None => krpc::query("put", &[id, target, token, value]),
            Some(signed) => {
                let key = ("k", Argument::Bytes(&signed.key));
                let salt = ("salt", Argument::Bytes(&signed.salt));
                let sequence = ("seq", Argument::Integer(SEQUENCE));
                let signature = signed.signature.to_bytes();
                let signature = ("sig", Argument::Bytes(&signature));
                krpc::query("put", &[id, key, salt, sequence, signature, target, token, value])
            }
        }
    }
}

fn value(chance: &mut Chance) -> Vec<u8> {
    let mut value = Vec::with_capacity(VALUE + 4);
    krpc::string(&mut value, &chance.bytes::<VALUE>());
    value
}

fn signed_bytes(salt: &[u8], sequence: i64, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(salt.len() + value.len() + 40);
    krpc::string(&mut bytes, b"salt");
    krpc::string(&mut bytes, salt);
    bytes.extend_from_slice(format!("3:seqi{sequence}e1:v").as_bytes());
    bytes.extend_from_slice(value);
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{immutable, mutable, signed_bytes};
    use crate::krpc::{self, Body};

    #[test]
    fn items_of_all_rounds_are_distinct_and_yet_repeatable() {
        for make in [immutable, mutable] {
            let items: Vec<_> = make(0, 50).into_iter().chain(make(1, 50)).collect();
            let targets: HashSet<_> = items.iter().map(|item| item.target).collect();
            assert_eq!(targets.len(), 100);
            assert_eq!(make(1, 1)[0].put(b"token"), items[50].put(b"token"));
        }
    }

    #[test]
    fn the_signed_bytes_are_those_of_bep_44() {
        let bytes = signed_bytes(b"foobar", 1, b"12:Hello World!");
        assert_eq!(bytes, b"4:salt6:foobar3:seqi1e1:v12:Hello World!");
    }

    #[test]
    fn a_put_names_its_target() {
        for item in [&immutable(0, 1)[0], &mutable(0, 1)[0]] {
            let put = item.put(b"12345678");
            let message = krpc::read(&put).unwrap();
            assert_eq!(message.body, Body::Query(b"put", Some(&item.target)));
        }
    }
}
