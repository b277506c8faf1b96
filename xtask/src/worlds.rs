//! `cargo xtask worlds`: simulated networks, one a seed, each with all its checks.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process::{build, named, run as run_command, typed};

/// Worlds when nobody asks for more: the share of the gate, a minute on two processors.
pub const DEFAULT_SEEDS: u64 = 20;

/// Machines in each: enough that no node knows all others well, and few enough for many worlds.
const MACHINES: &str = "16";

/// Lets the worlds of the first seeds live, of several profiles. The release build does in minutes what the
/// other would take an hour for.
pub fn run(root: &Path, seeds: u64) -> Outcome {
    let built = build(root, &["--release", "--package", "xorbit-cli"])?;
    let mut command = Command::new(named(&built, "xorbit")?);
    command.current_dir(root).args(["sim", "swarm", "--keep-going", "--nodes", MACHINES]);
    command.arg("--seeds").arg(seeds.to_string());
    println!("$ {}", typed(&command));
    run_command(&mut command).map_err(|failure| failure.hint("the commands above show it again"))
}

/// How many worlds were asked for.
///
/// # Errors
/// If that is not `--seeds N`, with at least one.
pub fn seeds(rest: &[&str]) -> Result<u64, Failure> {
    match rest {
        [] => Ok(DEFAULT_SEEDS),
        ["--seeds", number] => number
            .parse()
            .ok()
            .filter(|seeds| *seeds > 0)
            .ok_or_else(|| Failure::new(format!("`--seeds {number}` is no number of worlds"))),
        _ => Err(Failure::new(format!("`{}` is not `--seeds N`", rest.join(" ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_worlds_is_at_least_one() {
        assert_eq!((seeds(&[]).unwrap(), seeds(&["--seeds", "7"]).unwrap()), (DEFAULT_SEEDS, 7));
        for wrong in [&["--seeds", "0"][..], &["--seeds", "x"], &["--seeds"], &["7"]] {
            assert!(seeds(wrong).is_err(), "{wrong:?}");
        }
    }
}
