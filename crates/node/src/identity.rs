//! Who we are: our id, and the address at which others see us (BEP 42).
//!
//! A single node can lie about our address, so another one is believed once several nodes of
//! different networks agree on it, and more of the latest voices than stand for the one before.

use alloc::collections::VecDeque;
use core::net::IpAddr;

use wire::planted::{self, Bug};
use wire::{Endpoint, Family, NodeId, Prefix, Scope, secure_id};

use crate::dice::Dice;
use crate::limits::{ADDRESS_VOTERS, ADDRESS_VOTES};

/// What a vote changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where we are seen now.
    pub external: Endpoint,
    /// The id that follows from it, if ours does not.
    pub id: Option<NodeId>,
}

/// Our id and our external addresses.
pub struct Identity {
    id: NodeId,
    /// Our id must follow from our address.
    secure: bool,
    /// By family, the latest last, one of each network.
    votes: [VecDeque<(Prefix, Endpoint)>; 2],
    external: [Option<Endpoint>; 2],
}

impl Identity {
    /// With this id. `secure`: the network wants ids that follow from addresses.
    pub fn new(id: NodeId, secure: bool) -> Self {
        Self { id, secure, votes: Default::default(), external: [None; 2] }
    }

    /// Our id.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Where we are seen, in this family, as far as others agree.
    pub fn external(&self, family: Family) -> Option<Endpoint> {
        self.external[family as usize]
    }

    /// `voter` says that it sees us at `seen`.
    pub fn vote(&mut self, voter: &Endpoint, seen: Endpoint, dice: &mut Dice) -> Option<Moved> {
        let family = voter.family();
        if seen.family() != family || seen.scope() == Scope::Martian {
            return None;
        }
        let votes = &mut self.votes[family as usize];
        let prefix = voter.prefix();
        votes.retain(|(other, _)| *other != prefix);
        if votes.len() == ADDRESS_VOTES {
            votes.pop_front();
        }
        votes.push_back((prefix, seen));
        let voices = |ip: IpAddr| votes.iter().filter(|(_, vote)| vote.ip() == ip).count();
        let (agreeing, known) = (voices(seen.ip()), self.external[family as usize]);
        let others = known.filter(|known| known.ip() != seen.ip());
        // On loopback and private networks, where all nodes may share one, a single voice must do.
        let outvoted = others.is_some_and(|others| agreeing <= voices(others.ip()));
        let few = (agreeing < ADDRESS_VOTERS || outvoted) && !planted::is(Bug::OneVoiceMovesUs);
        if voter.scope() == Scope::Global && few {
            return None;
        }
        self.external[family as usize] = Some(seen);
        if known.is_some() && others.is_none() {
            // At most the port differs: behind some NATs it does for each destination.
            return None;
        }
        let must_move = self.secure && !secure_id::complies(&self.id, &seen);
        let id = must_move.then(|| secure_id::derive(&seen, dice.bytes()));
        if let Some(id) = id {
            self.id = id;
        }
        Some(Moved { external: seen, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_alone_cannot_move_us_and_several_can() {
        let mut dice = Dice::new([1; 32]);
        let mut identity = Identity::new(NodeId::new([1; 20]), true);
        let seen = Endpoint::v4([203, 0, 113, 9], 8000);
        for host in 0..50 {
            let voter = Endpoint::v4([8, 8, 8, host], 1);
            assert_eq!(identity.vote(&voter, seen, &mut dice), None);
        }
        assert_eq!(identity.vote(&Endpoint::v4([9, 9, 9, 9], 1), seen, &mut dice), None);
        let moved = identity.vote(&Endpoint::v4([7, 7, 7, 7], 1), seen, &mut dice).unwrap();
        assert_eq!(moved.external, seen);
        assert!(secure_id::complies(&moved.id.unwrap(), &seen));
        assert_eq!(identity.id(), moved.id.unwrap());
        assert_eq!(identity.external(Family::V4), Some(seen));
    }

    #[test]
    fn a_few_liars_are_outvoted_by_those_who_see_us_where_we_are() {
        let mut dice = Dice::new([1; 32]);
        let mut identity = Identity::new(NodeId::new([1; 20]), true);
        let voter = |network: u8| Endpoint::v4([network, 1, 1, 1], 1);
        let (here, there) =
            (Endpoint::v4([203, 0, 113, 9], 8000), Endpoint::v4([198, 51, 100, 1], 8000));
        let honest = || (1..=9).map(voter);
        let moves = honest().filter_map(|voter| identity.vote(&voter, here, &mut dice)).count();
        assert_eq!(moves, 1);
        let id = identity.id();
        for liar in 100..108 {
            assert_eq!(identity.vote(&voter(liar), there, &mut dice), None, "{liar}");
            assert!(honest().all(|voter| identity.vote(&voter, here, &mut dice).is_none()));
        }
        assert_eq!((identity.external(Family::V4), identity.id()), (Some(here), id));

        let moved = honest().find_map(|voter| identity.vote(&voter, there, &mut dice)).unwrap();
        assert_eq!(moved.external, there, "and when we move, they say so");
    }

    #[test]
    fn in_a_network_of_ones_own_the_id_stays() {
        let mut dice = Dice::new([1; 32]);
        let mut identity = Identity::new(NodeId::new([1; 20]), false);
        let seen = Endpoint::v4([10, 0, 0, 9], 8000);
        let moved = identity.vote(&Endpoint::v4([10, 0, 0, 1], 1), seen, &mut dice).unwrap();
        assert_eq!(moved.id, None);
        assert_eq!(identity.vote(&Endpoint::v4([10, 0, 0, 2], 1), seen, &mut dice), None);
    }
}
