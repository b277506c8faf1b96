//! Who has not yet said that it holds what we need not hold, or leave behind.

use alloc::vec::Vec;

use hashbrown::HashMap;
use wire::planted::{self, Bug};
use wire::{NodeId, Target};

use super::round::Piece;

/// What others still owe us a word about, and who does; `None`: nobody was asked yet.
#[derive(Default)]
pub(crate) struct Owed(HashMap<Piece, Option<Vec<NodeId>>, foldhash::fast::FixedState>);

impl Owed {
    /// Nobody was asked about any of these yet.
    pub fn all(pieces: &[Piece]) -> Self {
        Self(pieces.iter().map(|piece| (*piece, None)).collect())
    }

    /// These shall hold it. If there are none, nobody ever will.
    pub fn ask(&mut self, piece: Piece, holders: Vec<NodeId>) {
        self.0.insert(piece, Some(holders).filter(|holders| !holders.is_empty()));
    }

    /// Somebody holds it. Tells whether all who should do now, and then forgets it.
    pub fn is_held_by(&mut self, holder: &NodeId, piece: &Piece) -> bool {
        let Some(Some(missing)) = self.0.get_mut(piece) else { return false };
        missing.retain(|other| other != holder);
        let all = missing.is_empty() || planted::is(Bug::ReleasedUnheld);
        if all {
            self.0.remove(piece);
        }
        all
    }

    /// Nobody need hold it who does not.
    pub fn forget(&mut self, piece: &Piece) {
        self.0.remove(piece);
    }

    /// Items that not all who should hold them are known to hold.
    pub fn items(&self) -> usize {
        self.0.keys().filter(|piece| matches!(piece, Piece::Item(_))).count()
    }

    /// Sets that not all who should hold them are known to hold as we do.
    pub fn sets(&self) -> impl Iterator<Item = &Target> {
        self.0.keys().filter_map(|piece| match piece {
            Piece::Set(target) => Some(target),
            Piece::Item(_) => None,
        })
    }

    /// Whether it is among them.
    pub fn contains(&self, piece: &Piece) -> bool {
        self.0.contains_key(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_holder_counts_once_however_often_it_says_so() {
        let (item, set) = (Piece::Item(Target::new([1; 20])), Piece::Set(Target::new([1; 20])));
        let [one, other] = [1, 2].map(|byte| NodeId::new([byte; 20]));
        let mut owed = Owed::all(&[item, set]);
        assert!(!owed.is_held_by(&one, &item), "nobody was asked");
        owed.ask(item, [one, other].into());
        assert!(!owed.is_held_by(&one, &item) && !owed.is_held_by(&one, &item));
        assert_eq!((owed.items(), owed.sets().count()), (1, 1));
        assert!(owed.is_held_by(&other, &item) && !owed.contains(&item));
        owed.ask(set, Vec::new());
        assert!(!owed.is_held_by(&one, &set) && owed.contains(&set), "nobody is there");
        owed.forget(&set);
        assert_eq!(owed.sets().count(), 0);
    }
}
