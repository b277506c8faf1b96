//! What went over the wire in a run, by method: what questions cost the asker, and the answers the
//! asked. How much larger answers are than questions is how much an attacker gains by asking in
//! another's name.

use node::Method;

use super::Check;
use super::exchange::{Heard, Seen, What};
use crate::world::{Input, Violation};

/// What one method cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Questions that nodes heard.
    pub asked: u64,
    /// Their bytes.
    pub asked_bytes: u64,
    /// Answers and refusals that nodes sent.
    pub answered: u64,
    /// Their bytes.
    pub answered_bytes: u64,
}

impl Row {
    /// How much larger answers were than questions.
    pub fn gain(&self) -> f64 {
        self.answered_bytes as f64 / self.asked_bytes.max(1) as f64
    }
}

/// What each method cost, in the order of [`Method::ALL`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    rows: [Row; Method::ALL.len()],
}

impl Traffic {
    /// The methods that were used, by their names, and what each cost.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, Row)> + '_ {
        let all = Method::ALL.iter().zip(&self.rows);
        all.filter(|(_, row)| row.asked > 0).map(|((_, name), row)| (*name, *row))
    }
}

impl Check for Traffic {
    fn saw(&mut self, seen: &Seen<'_>, _: &mut Vec<Violation>) {
        if let (Input::Datagram(_, bytes), Heard::Query(_, message)) = (seen.input, seen.heard) {
            let row = &mut self.rows[Method::of(&message.query) as usize];
            row.asked += 1;
            row.asked_bytes += bytes.len() as u64;
        }
        for said in seen.said {
            let (What::Reply(Some(owed), _) | What::Refusal(Some(owed), _)) = &said.what else {
                continue;
            };
            let row = &mut self.rows[owed.method as usize];
            row.answered += 1;
            row.answered_bytes += said.bytes as u64;
        }
    }

    fn traffic(&self) -> Option<&Traffic> {
        Some(self)
    }
}
