//! Members that became everybody's neighbours by behaving, and all fall silent at once; for a while
//! now and then one answers again, so that it is not forgotten.
//!
//! They want lookups to wait for them, and the replicas that they were to be missing. What meets
//! them: a lookup puts others in the place of slow ones, addresses that are silent are passed over
//! soon, and a table drops who fails three times.

use super::{Asked, Gang, Hand, Says, Scheme};
use crate::chance::Chance;

/// Fall silent.
pub struct Desert {
    /// The share of questions that is answered all the same.
    answered: f64,
}

impl Scheme for Desert {
    const NAME: &'static str = "desert";

    fn draw(chance: &mut Chance) -> Self {
        Self { answered: *chance.pick(&[0.0, 0.1, 0.4]).unwrap_or(&0.0) }
    }

    fn describe(&self) -> String {
        format!("fall silent, but for {:.0} % of questions", self.answered * 100.0)
    }

    fn says(&mut self, gang: &mut Gang, _: &mut Hand<'_>, asked: &Asked<'_>) -> Option<Says> {
        gang.chance.happens(self.answered).then(|| gang.behave(asked))
    }
}
