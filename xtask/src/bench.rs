//! `cargo xtask bench`: builds what is measured as it is shipped, and starts the measuring program.

use std::path::Path;
use std::process::Command;

use crate::failure::Outcome;
use crate::interop_setup;
use crate::process::{build, named, run as run_command};

/// Runs `xorbit-bench WHICH ARGS` from release builds.
pub fn run(root: &Path, which: &str, args: &[String]) -> Outcome {
    // Only the network benchmark has foreign nodes as its neighbours; the other uses what is there.
    let peers = match which {
        "network" => interop_setup::run(root)
            .inspect_err(|failure| {
                eprintln!("{failure}\nwarning: going on without the foreign nodes");
            })
            .ok(),
        _ => interop_setup::present(root),
    };
    let built =
        build(root, &["--release", "--package", "xorbit-cli", "--package", "xorbit-bench"])?;
    let mut bench = Command::new(named(&built, "xorbit-bench")?);
    bench.arg(which).args(args).current_dir(root).env("XORBIT_BIN", named(&built, "xorbit")?);
    if let Some(peers) = peers {
        peers.tell(&mut bench);
    }
    run_command(&mut bench)
}
