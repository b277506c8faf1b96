//! `cargo xtask interop-setup`: installs the foreign nodes, pinned, below `target/interop`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::installation::{from_npm, from_pypi};
use crate::tools::{self, NODE, PYTHON, Tool};

const CURL: Tool = ("curl", &["--version"], "curl");

/// Where the foreign nodes were installed.
pub struct Peers {
    python: PathBuf,
    node_modules: PathBuf,
}

impl Peers {
    fn below(root: &Path) -> Self {
        let folder = root.join("target/interop");
        Self {
            python: folder.join("venv/bin/python"),
            node_modules: folder.join("node/node_modules"),
        }
    }

    /// Lets a child process find them.
    pub fn tell(&self, command: &mut Command) {
        command
            .env("XORBIT_INTEROP_PYTHON", &self.python)
            .env("XORBIT_INTEROP_NODE_MODULES", &self.node_modules);
    }
}

/// The foreign nodes, if an earlier run installed them.
pub fn present(root: &Path) -> Option<Peers> {
    let peers = Peers::below(root);
    (peers.python.exists() && peers.node_modules.exists()).then_some(peers)
}

/// Installs what is missing or outdated.
pub fn run(root: &Path) -> Result<Peers, Failure> {
    tools::need("the interop tests", &[&[CURL][..], &PYTHON, &NODE].concat())?;
    let wanted = root.join("interop/peers");
    let target = root.join("target/interop");
    from_pypi(&wanted.join("requirements.txt"), &target.join("venv"))?;
    from_npm(&wanted, &target.join("node"))?;
    Ok(Peers::below(root))
}
