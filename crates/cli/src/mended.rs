//! What was found damaged or cut off in a data directory and was mended, told once.

use xorbit::Restored;
use xorbit::offline::Condition;

use crate::effort::count;

/// What opening a data directory came across.
pub struct Mended<'a> {
    set_aside: &'a [String],
    bytes: u64,
    entries: u64,
    missing_commits: u64,
    cut_off_bytes: u64,
}

impl<'a> From<&'a Restored> for Mended<'a> {
    fn from(restored: &'a Restored) -> Self {
        Self {
            set_aside: &restored.set_aside,
            bytes: restored.damaged_bytes,
            entries: restored.damaged_entries,
            missing_commits: restored.missing_commits,
            cut_off_bytes: restored.cut_off_bytes,
        }
    }
}

impl<'a> From<&'a Condition> for Mended<'a> {
    fn from(condition: &'a Condition) -> Self {
        Self {
            set_aside: &condition.damaged_files,
            bytes: condition.damaged_bytes,
            entries: 0,
            missing_commits: condition.missing_commits,
            cut_off_bytes: condition.cut_off_bytes,
        }
    }
}

impl Mended<'_> {
    /// In words, none if there was nothing to mend; `rest` says what becomes of all that is sound.
    pub fn lines(&self, rest: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut lost = Vec::new();
        if self.bytes > 0 {
            lost.push(format!("{} bytes are lost", self.bytes));
        }
        if self.entries > 0 {
            lost.push(entries(self.entries));
        }
        if self.missing_commits > 0 {
            lost.push(missing(self.missing_commits));
        }
        if !self.set_aside.is_empty() {
            lost.push(set_aside(self.set_aside));
        }
        if !lost.is_empty() {
            lines.push(format!("the store was damaged: {}; {rest}", lost.join("; ")));
        }
        if self.cut_off_bytes > 0 {
            lines.push(format!(
                "cut off at the end of the store: {} bytes that are no whole commit: a power cut or \
                 a kill left them of one that was never acknowledged, or the last one was damaged",
                self.cut_off_bytes
            ));
        }
        lines
    }
}

/// What was found while the node ran.
pub fn meanwhile(lost: u64, files: &[String]) -> String {
    let mut what = vec![format!("{} on the disk", entries(lost))];
    if !files.is_empty() {
        what.push(set_aside(files));
    }
    let what = what.join("; ");
    format!("the store was damaged: {what}; this node serves what it has of them until it ends")
}

/// Commits between others that are not there.
pub fn missing(commits: u64) -> String {
    let commits = count(usize::try_from(commits).unwrap_or(usize::MAX), "commit");
    format!("{commits} missing: a file is gone or was cut short")
}

fn entries(entries: u64) -> String {
    match entries {
        1 => "1 entry is lost".to_owned(),
        many => format!("{many} entries are lost"),
    }
}

fn set_aside(files: &[String]) -> String {
    format!("set aside in its `store`: {}", files.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Mended<'_> =
        Mended { set_aside: &[], bytes: 0, entries: 0, missing_commits: 0, cut_off_bytes: 0 };

    #[test]
    fn each_thing_that_was_mended_is_told_once_and_nothing_if_there_was_none() {
        assert!(NOTHING.lines("all else is served").is_empty());
        let files = ["00000001.log.damaged-1".to_owned()];
        let all = Mended {
            set_aside: &files,
            bytes: 207,
            entries: 1,
            missing_commits: 2,
            cut_off_bytes: 9,
        };
        let [damaged, cut_off] = &all.lines("all else is served")[..] else { panic!("two lines") };
        assert_eq!(
            damaged,
            "the store was damaged: 207 bytes are lost; 1 entry is lost; 2 commits missing: a file \
             is gone or was cut short; set aside in its `store`: 00000001.log.damaged-1; all else \
             is served"
        );
        assert!(cut_off.starts_with("cut off at the end of the store: 9 bytes"), "{cut_off}");
        let missing = Mended { missing_commits: 1, ..NOTHING };
        assert_eq!(
            missing.lines("all else is there"),
            [
                "the store was damaged: 1 commit missing: a file is gone or was cut short; all else is there"
            ]
        );
    }

    #[test]
    fn what_rots_while_a_node_runs_is_told_with_its_file() {
        let told = meanwhile(2, &["00000003.log.damaged-1".to_owned()]);
        assert!(
            told.starts_with("the store was damaged: 2 entries are lost on the disk; set aside")
        );
    }
}
