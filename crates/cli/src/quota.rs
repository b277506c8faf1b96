//! Telling whoever runs a node that it holds all that it may, and refuses the rest.

use std::time::{Duration, Instant};

use xorbit::Info;

use crate::size::{grouped, told};

/// How rarely it is told that the node is full, still or again.
const AGAIN: Duration = Duration::from_secs(3600);

/// The longest item with its key, salt and signature takes about so many bytes: with fewer left, the
/// next one may not fit.
const ITEM_BYTES: usize = 1_200;

/// How much a node may hold, and when it was told last that it does.
pub struct Quota {
    items: usize,
    bytes: usize,
    told: Option<Instant>,
}

impl Quota {
    /// Of so many items, and so many bytes of them.
    pub fn new(items: usize, bytes: usize) -> Self {
        Self { items, bytes, told: None }
    }

    /// What to say after a look at the node, if anything.
    pub fn look(&mut self, info: &Info, now: Instant) -> Option<String> {
        let full = self.full(info.items, info.item_bytes)?;
        if self.told.is_some_and(|told| now.duration_since(told) < AGAIN) {
            return None;
        }
        self.told = Some(now);
        Some(format!("full: {full}; what is put beyond that is refused"))
    }

    fn full(&self, items: usize, bytes: usize) -> Option<String> {
        if items >= self.items {
            let (items, most) = (grouped(items as u64), grouped(self.items as u64));
            return Some(format!("it holds {items} of the {most} items of `--max-items`"));
        }
        (bytes + ITEM_BYTES > self.bytes).then(|| {
            let (bytes, most) = (told(bytes as u64), told(self.bytes as u64));
            format!("its items take {bytes} of the {most} of `--max-bytes`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_full_when_the_next_item_may_not_fit() {
        let quota = Quota::new(10, 1_000_000);
        assert_eq!(quota.full(9, 998_000), None);
        let items = quota.full(10, 3_000).unwrap();
        assert_eq!(items, "it holds 10 of the 10 items of `--max-items`");
        assert!(quota.full(9, 999_500).unwrap().ends_with("of `--max-bytes`"));
    }
}
