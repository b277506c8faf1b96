//! What the checks of a run came to, in numbers.

use core::fmt;
use core::time::Duration;

use super::history::Judged;
use super::rest::quiet::Rate;
use crate::plan::span;
use crate::workload::Tally;

/// What the checks of a run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// How long it took, once the weather had cleared and users asked for nothing any more, until everybody
    /// knew their neighbours and all records lay where they belong; up to half a minute less. `None`: it did
    /// not come to that.
    pub healed: Option<Duration>,
    /// Whether the doors stayed away meanwhile.
    pub without_doors: bool,
    /// What nodes said before anything went wrong.
    pub before: Rate,
    /// What nodes said at rest.
    pub at_rest: Rate,
    /// How long it took, from the same time on, until they said no more; never less than it takes to
    /// measure that.
    pub quiet: Option<Duration>,
    /// Lookups at rest, all of them right.
    pub lookups: u64,
    /// Reads at rest of keys whose newest value had to be there, and was.
    pub standing: u64,
    /// Reads at rest of keys that were never written, or whose newest value has ended.
    pub ended: u64,
    /// Reads at rest of keys whose newest value all who stored it have lost.
    pub lost: u64,
    /// What the history was judged by.
    pub history: Judged,
    /// What users did beside keys.
    pub work: Vec<(&'static str, Tally)>,
}

impl Numbers {
    /// All of them with names, for programs; times are in seconds.
    pub fn named(&self) -> Vec<(String, f64)> {
        let Judged {
            reads,
            reads_in_trouble,
            stale_in_trouble,
            unanswered,
            values,
            swaps,
            swaps_beside,
            undetermined,
        } = self.history;
        let healed = self.healed.map(|span| ("healed_s", span.as_secs_f64()));
        let quiet = self.quiet.map(|span| ("quiet_s", span.as_secs_f64()));
        let counts = [
            ("lookups_at_rest", self.lookups),
            ("keys_standing", self.standing),
            ("keys_ended", self.ended),
            ("keys_lost", self.lost),
            ("reads_judged", reads),
            ("reads_in_trouble", reads_in_trouble),
            ("stale_in_trouble", stale_in_trouble),
            ("unanswered", unanswered),
            ("values_compared", values),
            ("swaps_won", swaps),
            ("swaps_won_beside", swaps_beside),
            ("swaps_undetermined", undetermined),
        ];
        let rates = [
            ("datagrams_before", self.before.datagrams),
            ("datagrams_at_rest", self.at_rest.datagrams),
            ("bytes_before", self.before.bytes),
            ("bytes_at_rest", self.at_rest.bytes),
        ];
        let counts = counts.map(|(name, count)| (name, count as f64));
        let all = healed.into_iter().chain(quiet).chain(counts).chain(rates);
        let mut named: Vec<(String, f64)> =
            all.map(|(name, number)| (name.to_owned(), number)).collect();
        for (name, tally) in &self.work {
            let name = name.replace(' ', "_");
            named.push((format!("{name}_right"), tally.right as f64));
            named.push((format!("{name}_excused"), tally.excused as f64));
        }
        named
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, at_rest, lookups, standing, ended, lost, history, .. } = self;
        let doors = if self.without_doors { ", without the doors" } else { "" };
        match self.healed {
            Some(healed) => writeln!(f, "healed {} after all was left alone{doors}", span(healed))?,
            None => writeln!(f, "has not healed{doors}")?,
        }
        writeln!(
            f,
            "at rest{}: {:.2} datagrams and {:.0} bytes a node and second (before: {:.2} and {:.0})",
            self.quiet.map_or(String::new(), |quiet| format!(" after {}", span(quiet))),
            at_rest.datagrams,
            at_rest.bytes,
            before.datagrams,
            before.bytes
        )?;
        writeln!(
            f,
            "at rest: {lookups} lookups right; keys read: {standing} right, {ended} empty or ended, \
             {lost} lost by all who stored them"
        )?;
        let Judged { reads, reads_in_trouble, stale_in_trouble, unanswered, .. } = history;
        writeln!(
            f,
            "reads: {reads} judged, {reads_in_trouble} in trouble (of these {stale_in_trouble} stale), \
             {unanswered} unanswered; {} values compared",
            history.values
        )?;
        write!(
            f,
            "swaps: {} won, {} beside another in trouble, {} undetermined",
            history.swaps, history.swaps_beside, history.undetermined
        )?;
        for (name, tally) in &self.work {
            write!(f, "\n{name}: {} right, {} excused", tally.right, tally.excused)?;
        }
        Ok(())
    }
}
