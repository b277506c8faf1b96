//! Both sides of a test, and the accounts that must agree.

use crate::census::{Census, Copies};
use crate::failure::Outcome;
use crate::ours::Ours;
use crate::strangers::Strangers;

/// Our nodes and foreign ones of one kind, in one network.
pub struct World<S> {
    /// Our nodes.
    pub ours: Ours,
    /// The foreign ones, in groups.
    pub strangers: Vec<S>,
    /// Who asks them all.
    pub census: Census,
}

impl<S: Strangers> World<S> {
    /// Of these nodes.
    ///
    /// # Errors
    /// If there is no socket to ask them from.
    pub async fn new(ours: Ours, strangers: Vec<S>) -> Outcome<Self> {
        let mut census = Census::of(&ours).await?;
        for group in &strangers {
            census = census.and(group).await?;
        }
        Ok(Self { ours, strangers, census })
    }

    /// How many foreign nodes answer queries.
    pub fn foreign(&self) -> usize {
        self.strangers.iter().map(|group| group.addresses().len()).sum()
    }

    /// Checks that all nodes say of themselves that they hold so many items together.
    ///
    /// # Errors
    /// If they cannot be asked.
    pub async fn check_items(&mut self, copies: Copies) -> Outcome {
        assert_eq!(self.ours.items().await?, copies.ours, "items that our nodes say they hold");
        let mut foreign = Some(0);
        for group in &mut self.strangers {
            foreign = foreign.zip(group.items().await?).map(|(sum, more)| sum + more);
        }
        let told = foreign.unwrap_or(copies.foreign);
        assert_eq!(told, copies.foreign, "items that foreign nodes say they hold");
        Ok(())
    }

    /// Checks that all nodes say of themselves that they hold so many topics together.
    ///
    /// # Errors
    /// If they cannot be asked.
    pub async fn check_topics(&mut self, copies: Copies) -> Outcome {
        assert_eq!(self.ours.topics().await?, copies.ours, "topics that our nodes say they hold");
        let mut foreign = Some(0);
        for group in &mut self.strangers {
            foreign = foreign.zip(group.topics().await?).map(|(sum, more)| sum + more);
        }
        let told = foreign.unwrap_or(copies.foreign);
        assert_eq!(told, copies.foreign, "topics that foreign nodes say they hold");
        Ok(())
    }
}
