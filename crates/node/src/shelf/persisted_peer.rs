//! Held peers as bytes for a disk: keys `p`, the info hash and the IP address; values the port, 1
//! for a seed, and until when it counts in milliseconds since 1970, all little-endian.

use alloc::vec::Vec;

use wire::{Endpoint, InfoHash};

use crate::changes::Changes;
use crate::time::UnixMillis;

/// Begins the keys of peers.
pub const PEER_SPACE: u8 = b'p';

/// A peer as it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersistedPeer {
    /// Its topic.
    pub info_hash: InfoHash,
    /// Where it is.
    pub endpoint: Endpoint,
    /// It is a seed.
    pub seed: bool,
    /// It counts until then.
    pub until: UnixMillis,
}

/// Keeps a peer.
pub fn write(
    info_hash: &InfoHash,
    endpoint: &Endpoint,
    seed: bool,
    until: UnixMillis,
    changes: &mut Changes,
) {
    let mut key = [PEER_SPACE; 37];
    let length = write_key(info_hash, endpoint, &mut key);
    changes.put(&key[..length], |value| write_value(endpoint.port(), seed, until, value));
}

/// Writes the value of a peer.
pub fn write_value(port: u16, seed: bool, until: UnixMillis, to: &mut Vec<u8>) {
    to.extend(port.to_le_bytes());
    to.push(u8::from(seed));
    to.extend(until.0.to_le_bytes());
}

/// No longer keeps a peer.
pub fn remove(info_hash: &InfoHash, endpoint: &Endpoint, changes: &mut Changes) {
    let mut key = [PEER_SPACE; 37];
    let length = write_key(info_hash, endpoint, &mut key);
    changes.remove(&key[..length]);
}

/// Writes the key of a peer; gives its length.
pub fn write_key(info_hash: &InfoHash, endpoint: &Endpoint, key: &mut [u8; 37]) -> usize {
    let ip = endpoint.ip_bytes();
    key[1..21].copy_from_slice(info_hash.as_bytes());
    key[21..21 + ip.len()].copy_from_slice(ip);
    21 + ip.len()
}

/// Reads what was kept, the first byte of the key left out; `None` if it is nothing of ours.
pub fn read(key: &[u8], value: &[u8]) -> Option<PersistedPeer> {
    let (info_hash, ip) = key.split_at_checked(20)?;
    let (port, rest) = value.split_first_chunk::<2>()?;
    let (seed, until) = rest.split_first()?;
    let port = u16::from_le_bytes(*port);
    let endpoint = match ip.len() {
        4 => Endpoint::v4(ip.try_into().ok()?, port),
        16 => Endpoint::v6(ip.try_into().ok()?, port),
        _ => return None,
    };
    Some(PersistedPeer {
        info_hash: InfoHash::read(info_hash)?,
        endpoint,
        seed: *seed == 1,
        until: UnixMillis(u64::from_le_bytes(until.try_into().ok()?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::Change;

    #[test]
    fn peers_of_both_families_come_back() {
        let v6 = Endpoint::v6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 7);
        for (endpoint, seed) in [(Endpoint::v4([10, 0, 0, 1], 9), true), (v6, false)] {
            let (info_hash, until) = (InfoHash::new([3; 20]), UnixMillis(77));
            let mut changes = Changes::default();
            write(&info_hash, &endpoint, seed, until, &mut changes);
            remove(&info_hash, &endpoint, &mut changes);
            let mut all = changes.iter();
            let Some(Change::Put { key, value }) = all.next() else { panic!("a put") };
            assert_eq!(all.next(), Some(Change::Remove { key }));
            let expected = PersistedPeer { info_hash, endpoint, seed, until };
            assert_eq!(read(&key[1..], value), Some(expected));
            assert_eq!(read(&key[1..], &value[..5]), None);
            assert_eq!(read(&key[1..9], value), None);
        }
    }
}
