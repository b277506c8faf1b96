//! Node ids that follow from the node's external address (BEP 42), so that one machine cannot take
//! whatever place in the key space it likes.

use crate::endpoint::{Endpoint, Family, Scope};
use crate::id::NodeId;
use crate::limits::ID_BYTES;

const CRC32C: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);
const MASK_V4: [u8; 4] = [0x03, 0x0f, 0x3f, 0xff];
const MASK_V6: [u8; 8] = [0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff];

/// An id that a node at `external` may have. `noise` fills all that the address leaves open.
pub fn derive(external: &Endpoint, noise: [u8; ID_BYTES]) -> NodeId {
    let mut id = noise;
    let prefix = prefix(external, noise[19]);
    id[0] = prefix[0];
    id[1] = prefix[1];
    id[2] = (prefix[2] & 0xf8) | (noise[2] & 0x07);
    NodeId::new(id)
}

/// Whether a node at `endpoint` may have this id. Loopback, private and link-local addresses are
/// exempt (BEP 42, "Enforcement").
pub fn complies(id: &NodeId, endpoint: &Endpoint) -> bool {
    if endpoint.scope() != Scope::Global {
        return true;
    }
    let bytes = id.as_bytes();
    let prefix = prefix(endpoint, bytes[19]);
    bytes[0] == prefix[0] && bytes[1] == prefix[1] && (bytes[2] ^ prefix[2]) & 0xf8 == 0
}

fn prefix(external: &Endpoint, random: u8) -> [u8; 4] {
    let mut masked = [0; 8];
    let mask: &[u8] = match external.family() {
        Family::V4 => &MASK_V4,
        Family::V6 => &MASK_V6,
    };
    for ((byte, ip), mask) in masked.iter_mut().zip(external.ip_bytes()).zip(mask) {
        *byte = ip & mask;
    }
    masked[0] |= (random & 0x07) << 5;
    CRC32C.checksum(&masked[..mask.len()]).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_specification_hold() {
        for (ip, random, prefix) in [
            ([124, 31, 75, 21], 1, [0x5f, 0xbf, 0xbf]),
            ([21, 75, 31, 124], 86, [0x5a, 0x3c, 0xe9]),
            ([65, 23, 51, 170], 22, [0xa5, 0xd4, 0x32]),
            ([84, 124, 73, 14], 65, [0x1b, 0x03, 0x21]),
            ([43, 213, 53, 83], 90, [0xe5, 0x6f, 0x6c]),
        ] {
            let endpoint = Endpoint::v4(ip, 1);
            let mut noise = [0xff; 20];
            noise[19] = random;
            let id = derive(&endpoint, noise);
            assert_eq!(id.as_bytes()[..2], prefix[..2]);
            assert_eq!(id.as_bytes()[2] & 0xf8, prefix[2] & 0xf8);
            assert_eq!(id.as_bytes()[19], random);
            assert!(complies(&id, &endpoint));
            assert!(!complies(&id, &Endpoint::v4([8, 8, 8, 8], 1)));
        }
    }

    #[test]
    fn private_addresses_are_exempt_and_six_is_covered() {
        let id = NodeId::new([1; 20]);
        assert!(complies(&id, &Endpoint::v4([10, 0, 0, 1], 1)));
        let six = Endpoint::v6([0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 1);
        assert!(!complies(&id, &six));
        assert!(complies(&derive(&six, [0x5a; 20]), &six));
    }
}
