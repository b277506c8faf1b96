//! The fuzzer's bytes, one choice after the other; when they run out, every choice is 0.

use wire::Endpoint;

pub struct Choices<'a> {
    left: &'a [u8],
}

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, left)) = self.left.split_first() else { return 0 };
        self.left = left;
        *first
    }

    /// True in so many of 256 cases.
    pub fn seldom(&mut self, cases: u8) -> bool {
        self.byte() < cases
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    pub fn number(&mut self) -> u64 {
        let width = self.below(9);
        (0..width).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// At most so many bytes.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let length = (usize::from(self.byte()) * 9).min(most).min(self.left.len());
        let (taken, left) = self.left.split_at(length);
        self.left = left;
        taken
    }

    /// One of few ids, so that they meet again.
    pub fn id(&mut self) -> [u8; 20] {
        let mut id = [self.byte() & 0xf0; 20];
        id[19] = self.byte() & 3;
        id
    }

    /// One of few addresses of every kind.
    pub fn endpoint(&mut self) -> Endpoint {
        let host = self.byte();
        let mut ip = [0; 16];
        ip[15] = host & 7;
        match host >> 5 {
            0 | 1 => Endpoint::v4([10, 0, 0, host & 15], 6881),
            2 => Endpoint::v4([127, 0, 0, 1], 1 + u16::from(host & 15)),
            3 => Endpoint::v4([60 + (host & 7), 1, 1, 1], 6881),
            4 => {
                ip[0] = 0xfd;
                Endpoint::v6(ip, 6881)
            }
            5 => {
                ip[..2].copy_from_slice(&[0x20, 0x01]);
                Endpoint::v6(ip, 6881)
            }
            6 => {
                ip[10..12].copy_from_slice(&[0xff, 0xff]);
                ip[12] = 10;
                Endpoint::v6(ip, 6881)
            }
            _ => Endpoint::v4([host & 1, 0, 0, host & 3], u16::from(host & 1)),
        }
    }
}
