//! When a walk is over, and what it came to.

use alloc::vec::Vec;

use wire::Contact;
use wire::planted::{self, Bug};

use super::{State, Walk};
use crate::operation::Ended;

impl Walk {
    /// Why the walk is over, once it is. `patient`: slow candidates hold it up until they answer or
    /// are given up.
    pub fn ended(&self, patient: bool) -> Option<Ended> {
        if self.answered == 0 {
            let waiting = self.in_flight + self.slow > 0;
            let nobody = self.among_closest().1.is_none() && self.next_door().is_none();
            return (!waiting && (nobody || self.is_spent())).then_some(Ended::Unreachable);
        }
        if planted::is(Bug::LookupEndsEarly) && self.answered >= self.width {
            return Some(Ended::Converged);
        }
        let waits = |guide: &u16| self.candidates[usize::from(*guide)].state == State::Asked;
        if self.guides.iter().any(waits) {
            return None;
        }
        let (mut answered, mut slow) = (0, false);
        for index in &self.order {
            match self.candidates[usize::from(*index)].state {
                State::Answered => answered += 1,
                State::Late => return None,
                State::Slow if patient => return None,
                State::Slow => slow = true,
                State::Failed => {}
                State::New if !self.is_spent() => return None,
                State::New => return (!slow).then_some(Ended::OutOfMessages),
                State::Asked => return None,
            }
            if answered >= self.width {
                return Some(Ended::Converged);
            }
        }
        // Too few have answered to do without the slow ones. An address to join through that is
        // still silent is not missed: others have answered.
        (!slow).then_some(Ended::Converged)
    }

    /// The candidates that answered, closest first, at most `width`.
    pub fn closest_answered(&self) -> impl Iterator<Item = u16> {
        let answered = |index: &u16| self.candidates[usize::from(*index)].state == State::Answered;
        let first = planted::is(Bug::WritesToFirst);
        let nth = move |place| if first { place as u16 } else { self.order[place] };
        (0..self.order.len()).map(nth).filter(answered).take(self.width)
    }

    /// Of the `width` closest known, those that did not answer. Where anybody may name who is not there,
    /// only those that we knew ourselves, or that half of the closest that answered told of.
    pub fn closest_silent(&self) -> impl Iterator<Item = Contact> {
        let closest: Vec<u16> = self.closest_answered().collect();
        let known = move |walk: &Self, index: u16| {
            let by = |(by, whom): &&(u16, u16)| *whom == index && closest.contains(by);
            !walk.strict
                || walk.candidates[usize::from(index)].hop <= 1
                || 2 * walk.told.iter().filter(by).count() >= closest.len()
        };
        let counts = move |index: &&u16| {
            let state = self.candidates[usize::from(**index)].state;
            state == State::Answered || known(self, **index)
        };
        self.order.iter().filter(counts).take(self.width).filter_map(|index| {
            let candidate = self.candidates[usize::from(*index)];
            let contact = Contact { id: candidate.id?, endpoint: candidate.endpoint };
            (candidate.state != State::Answered).then_some(contact)
        })
    }
}
