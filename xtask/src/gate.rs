//! The gate: every check, in order, on a machine that may be fresh. It stops at the first failure
//! and skips nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::failure::{Failure, Outcome};
use crate::interop_setup::Peers;
use crate::process::{answer, build_xorbit, cargo, run as run_command, typed};
use crate::{docs, fuzz, interop_setup, packages, python, tidy, web, worlds};

const STEPS: usize = 12;

/// Runs all steps.
pub fn run(root: &Path) -> Outcome {
    let begin = Instant::now();
    step(1, "format", || format(root))?;
    step(2, "tidy", || tidy::run(root))?;
    step(3, "clippy", || clippy(root))?;
    let peers = step(4, "interop-setup", || interop_setup::run(root))?;
    let xorbit = step(5, "tests", || tests(root, &peers))?;
    step(6, "documentation of the crates", || crate_docs(root))?;
    step(7, "dashboard", || web::run(root, &xorbit))?;
    step(8, "packages", || packages::run(root))?;
    step(9, "python", || python::run(root, &xorbit))?;
    step(10, "worlds", || worlds::run(root, worlds::DEFAULT_SEEDS))?;
    step(STEPS - 1, "fuzz", || fuzz::run(root, fuzz::DEFAULT_SECONDS))?;
    step(STEPS, "documents", || docs::run(root, &xorbit))?;
    println!("all {STEPS} steps passed in {:.0} s", begin.elapsed().as_secs_f64());
    Ok(())
}

fn step<T>(
    number: usize,
    name: &str,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    println!("[{number}/{STEPS}] {name}");
    let begin = Instant::now();
    let result = work();
    let seconds = begin.elapsed().as_secs_f64();
    match result {
        Ok(value) => {
            println!("[{number}/{STEPS}] {name}: passed in {seconds:.1} s");
            Ok(value)
        }
        Err(failure) => {
            Err(failure
                .in_step(format_args!("step {number} of {STEPS}, {name}, after {seconds:.1} s")))
        }
    }
}

fn format(root: &Path) -> Outcome {
    need_component("fmt", "rustfmt")?;
    check(cargo(root).args(["fmt", "--all", "--check"]), "run `cargo fmt --all`")?;
    check(
        cargo(root).args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]),
        "run `cargo fmt --manifest-path fuzz/Cargo.toml`",
    )
}

fn clippy(root: &Path) -> Outcome {
    need_component("clippy", "clippy")?;
    let mut command = cargo(root);
    command.args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]);
    check(&mut command, "the first warning above names the place")?;
    // Code that nobody ships still has to compile on the day that it is wanted.
    let mut command = cargo(root);
    command.args(["clippy", "--workspace", "--features", "planted", "--all-targets", "--locked"]);
    command.args(["--", "-D", "warnings"]);
    check(&mut command, "the first warning above names the place; it is under `planted`")
}

/// Unit and integration tests, those against foreign nodes included.
fn tests(root: &Path, peers: &Peers) -> Result<PathBuf, Failure> {
    let xorbit = build_xorbit(root)?;
    let mut command = cargo(root);
    if answer(command.get_program(), &["nextest", "--version"]).is_some() {
        command.args(["nextest", "run"]);
    } else {
        command.arg("test");
    }
    command.args(["--workspace", "--locked"]).env("XORBIT_BIN", &xorbit);
    peers.tell(&mut command);
    check(&mut command, "the first failed test above tells why")?;
    // With the features of the whole workspace, or crates from elsewhere are compiled once more.
    let mut planted = cargo(root);
    planted.args(["test", "--workspace", "--features", "planted", "--locked"]);
    planted.args(["--test", "planted", "--test", "hunts"]);
    check(&mut planted, "a check no longer finds a bug that is planted")?;
    Ok(xorbit)
}

fn crate_docs(root: &Path) -> Outcome {
    check(
        cargo(root).args(["test", "--doc", "--workspace", "--locked"]),
        "an example in a doc comment no longer holds",
    )?;
    // The program and the library share the name `xorbit`, and cargo writes both to one folder: the
    // library comes last and stays.
    let program = ["--package", "xorbit-cli"];
    let others = ["--workspace", "--exclude", "xorbit-cli"];
    for packages in [program.as_slice(), others.as_slice()] {
        let mut command = cargo(root);
        command.args(["doc", "--no-deps", "--locked"]).args(packages);
        command.env("RUSTDOCFLAGS", "-D warnings");
        check(&mut command, "a doc comment has a broken link or malformed markup")?;
    }
    Ok(())
}

fn need_component(subcommand: &str, component: &str) -> Outcome {
    if answer(cargo(Path::new(".")).get_program(), &[subcommand, "--version"]).is_some() {
        return Ok(());
    }
    Err(Failure::new(format!("`cargo {subcommand}` is missing"))
        .hint(format!("run `rustup component add {component}`")))
}

/// Names the command before its output, so that a reader can run it alone.
fn check(command: &mut Command, hint: &str) -> Outcome {
    println!("$ {}", typed(command));
    run_command(command).map_err(|failure| failure.hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_with_its_number_and_its_hint_stays() {
        let failure = step(3, "clippy", || -> Outcome {
            Err(Failure::new("`cargo clippy` ended with exit status: 101").hint("look above"))
        })
        .unwrap_err()
        .to_string();
        assert!(failure.starts_with("error: step 3 of 12, clippy, after "), "{failure}");
        assert!(failure.ends_with("exit status: 101\nhint: look above"), "{failure}");
    }

    #[test]
    fn a_step_that_passes_hands_on_its_result() {
        assert_eq!(step(4, "interop-setup", || Ok(7)).unwrap(), 7);
    }
}
