//! A condition of the network, for as long as the fault lasts.

use super::{Fault, Stage};
use crate::network::Condition;

/// It begins with the fault and ends with it.
pub(super) struct Weather {
    what: String,
    condition: Option<Box<dyn Condition>>,
}

impl Weather {
    /// This condition, described for people.
    pub(super) fn of(condition: impl Condition + 'static, what: String) -> Box<dyn Fault> {
        Box::new(Self { what, condition: Some(Box::new(condition)) })
    }
}

impl Fault for Weather {
    fn describe(&self) -> String {
        self.what.clone()
    }

    fn begin(&mut self, stage: &mut Stage<'_>) {
        if let Some(condition) = self.condition.take() {
            stage.world.network.begin(stage.condition, condition);
        }
    }
}
