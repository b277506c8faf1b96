//! `cargo xtask kills`: the test that kills a node under load, as often as one likes.

use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::process::{cargo, run as run_command};

/// Kills, unless told.
const DEFAULT_COUNT: u32 = 200;

/// Runs the test with so many kills. What it found is its last line.
pub fn run(root: &Path, count: u32) -> Outcome {
    let mut command = cargo(root);
    command.args(["test", "--locked", "--package", "xorbit-cli", "--test", "cli", "--"]);
    command.args(["kills::", "--nocapture"]).env("XORBIT_KILLS", count.to_string());
    run_command(&mut command)
}

/// How many, from `--count N` or `--count=N`.
pub fn count(args: &[&str]) -> Result<u32, Failure> {
    let text = match args {
        [] => return Ok(DEFAULT_COUNT),
        ["--count", number] => number,
        [one] if one.starts_with("--count=") => &one["--count=".len()..],
        _ => return Err(Failure::new(format!("`kills` does not know `{}`", args.join(" ")))),
    };
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(Failure::new(format!("`{text}` is no number of kills"))
            .hint("give a whole number from 1, as in `--count 500`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_counted_as_told() {
        assert_eq!(count(&[]).unwrap(), DEFAULT_COUNT);
        assert_eq!(count(&["--count", "5"]).unwrap(), 5);
        assert_eq!(count(&["--count=7"]).unwrap(), 7);
        assert!(count(&["--count", "0"]).is_err() && count(&["--kills", "9"]).is_err());
    }
}
