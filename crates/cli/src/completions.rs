//! `xorbit completions`: what a shell needs to complete our verbs and options.

use clap::Command;
use clap_complete::{Shell, generate};

use crate::failure::Failure;
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "For bash: xorbit completions bash > \
    ~/.local/share/bash-completion/completions/xorbit";

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Which shell
    shell: Shell,
}

/// Does it.
pub fn run(args: &Args, mut program: Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut program, "xorbit", &mut script);
    talk::pieces(|stdout| std::io::Write::write_all(stdout, &script))
}
