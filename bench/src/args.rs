//! The command line: options are taken out one by one, and what remains is an error.

use std::str::FromStr;

use crate::failure::Failure;

/// The words that have not been understood yet.
pub struct Args {
    words: Vec<String>,
    behind_dashes: Vec<String>,
}

impl Args {
    /// Splits the words at the first `--`.
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        let mut words: Vec<String> = words.into_iter().collect();
        let behind_dashes = match words.iter().position(|word| word == "--") {
            Some(at) => words.split_off(at).split_off(1),
            None => Vec::new(),
        };
        Self { words, behind_dashes }
    }

    /// The first word, which names the command.
    pub fn command(&mut self) -> Option<String> {
        (!self.words.is_empty()).then(|| self.words.remove(0))
    }

    /// Whether a flag is there.
    pub fn flag(&mut self, name: &str) -> bool {
        let at = self.words.iter().position(|word| word == name);
        at.map(|at| self.words.remove(at)).is_some()
    }

    /// The value of an option, if it is there.
    pub fn value<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, Failure> {
        let Some(at) = self.words.iter().position(|word| word == name) else {
            return Ok(None);
        };
        if at + 1 == self.words.len() {
            return Err(Failure::new(
                format!("`{name}` has no value"),
                format!("write it as `{name} VALUE`"),
            ));
        }
        self.words.remove(at);
        let word = self.words.remove(at);
        match word.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Failure::new(
                format!("`{name}` cannot be `{word}`"),
                "`xorbit-bench help` shows an example of each option",
            )),
        }
    }

    /// The value of an option that must be there.
    pub fn required<T: FromStr>(&mut self, name: &str) -> Result<T, Failure> {
        self.value(name)?.ok_or_else(|| {
            Failure::new(format!("`{name}` is missing"), format!("add `{name} VALUE`"))
        })
    }

    /// The words behind `--`, meant for another program.
    pub fn behind_dashes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.behind_dashes)
    }

    /// Fails if a word was not understood.
    pub fn finish(self) -> Result<(), Failure> {
        match self.words.first().or(self.behind_dashes.first()) {
            None => Ok(()),
            Some(word) => Err(Failure::new(
                format!("`{word}` is not an option here"),
                "`xorbit-bench help` lists the options of each command",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Args;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_taken_in_any_order() {
        let mut args = args("serve --json --rounds 7 -- --rounds 9");
        assert_eq!(args.command().as_deref(), Some("serve"));
        assert_eq!(args.value::<u32>("--rounds").unwrap(), Some(7));
        assert!(args.flag("--json") && !args.flag("--json"));
        assert_eq!(args.behind_dashes(), ["--rounds", "9"]);
        args.finish().unwrap();
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let error = args("--secnds 5").finish().unwrap_err().to_string();
        assert!(error.contains("`--secnds`"), "{error}");
        let error = args("--rounds many").value::<u32>("--rounds").unwrap_err().to_string();
        assert!(error.contains("`many`"), "{error}");
        assert!(args("--rounds").value::<u32>("--rounds").is_err());
    }
}
