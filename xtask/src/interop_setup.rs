//! `cargo xtask interop-setup`: installs the foreign nodes, pinned, below `target/interop`.
//!
//! A stamp beside each installation holds what was asked for; an installation whose stamp still
//! says the same is taken as it is.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process::{answer, run as run_command};

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
    need_tools()?;
    let wanted = root.join("interop/peers");
    let target = root.join("target/interop");
    python_peers(&wanted, &target.join("venv"))?;
    node_peers(&wanted, &target.join("node"))?;
    Ok(Peers::below(root))
}

/// A tool, how to see that it works, and the Debian package that brings it.
const TOOLS: [(&str, &[&str], &str); 5] = [
    ("curl", &["--version"], "curl"),
    ("python3", &["--version"], "python3"),
    ("python3", &["-c", "import venv, ensurepip"], "python3-venv"),
    ("node", &["--version"], "nodejs"),
    ("npm", &["--version"], "npm"),
];

fn missing_packages() -> Vec<&'static str> {
    let missing = TOOLS.iter().filter(|(tool, args, _)| answer(tool, args).is_none());
    missing.map(|(_, _, package)| *package).collect()
}

fn need_tools() -> Outcome {
    let missing = missing_packages();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get update && apt-get install -y {}", missing.join(" "));
    // Only a machine that exists for this run may be changed without asking.
    let on_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    if on_ci && answer("id", &["-u"]).as_deref() == Some("0") {
        println!("$ {line}");
        let mut install = Command::new("sh");
        install.args(["-c", &line]).env("DEBIAN_FRONTEND", "noninteractive");
        run_command(&mut install)?;
    }
    let missing = missing_packages();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("the interop tests need `{}`, not found here", missing.join("`, `")))
        .hint(format!("on Debian, run `{line}`")))
}

fn python_peers(wanted: &Path, venv: &Path) -> Outcome {
    let requirements = wanted.join("requirements.txt");
    let stamp = Stamp::new(venv, "python3", &[&requirements])?;
    let python = venv.join("bin/python");
    if stamp.holds() && answer(&python, &["--version"]).is_some() {
        println!("python peers: already installed");
        return Ok(());
    }
    stamp.lift()?;
    println!("python peers: installing {}", requirements.display());
    run_command(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    run_command(pip.arg(&requirements)).map_err(|failure| {
        failure.hint(
            "pip's own words are above; it needs the network and a Python that has a wheel for each pin",
        )
    })?;
    stamp.set()
}

fn node_peers(wanted: &Path, folder: &Path) -> Outcome {
    let manifests = [wanted.join("package.json"), wanted.join("package-lock.json")];
    let npmrc = wanted.join(".npmrc");
    let mut sources: Vec<&Path> = manifests.iter().map(PathBuf::as_path).collect();
    if npmrc.exists() {
        sources.push(&npmrc);
    }
    let stamp = Stamp::new(folder, "node", &sources)?;
    if stamp.holds() && folder.join("node_modules").exists() {
        println!("node peers: already installed");
        return Ok(());
    }
    stamp.lift()?;
    println!("node peers: installing {}", manifests[0].display());
    fs::create_dir_all(folder).map_err(|error| cannot("create", folder, &error))?;
    for source in sources {
        let copy = folder.join(source.file_name().unwrap_or_default());
        fs::copy(source, copy).map_err(|error| cannot("copy", source, &error))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(folder);
    run_command(&mut npm).map_err(|failure| {
        failure.hint("npm's own words are above; it needs the network and a matching lock file")
    })?;
    stamp.set()
}

/// What an installation was made from: the interpreter's version and the files that pin.
struct Stamp {
    path: PathBuf,
    text: String,
}

impl Stamp {
    fn new(folder: &Path, interpreter: &str, sources: &[&Path]) -> Result<Self, Failure> {
        let mut text = answer(interpreter, &["--version"]).unwrap_or_default();
        for source in sources {
            let read =
                fs::read_to_string(source).map_err(|error| cannot("read", source, &error))?;
            text.push('\n');
            text.push_str(&read);
        }
        Ok(Self { path: folder.join(".stamp"), text })
    }

    fn holds(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|text| text == self.text)
    }

    /// Before anything changes, so that an interrupted installation is not taken for a whole one.
    fn lift(&self) -> Outcome {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(cannot("remove", &self.path, &error))
            }
            _ => Ok(()),
        }
    }

    fn set(&self) -> Outcome {
        fs::write(&self.path, &self.text).map_err(|error| cannot("write", &self.path, &error))
    }
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {verb} `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("xtask-stamp-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn an_installation_is_taken_again_until_its_pins_change() {
        let folder = folder("pins");
        let pins = folder.join("requirements.txt");
        fs::write(&pins, "libtorrent==1\n").unwrap();
        let stamp = Stamp::new(&folder, "sh", &[&pins]).unwrap();
        assert!(!stamp.holds());
        stamp.set().unwrap();
        assert!(stamp.holds());
        fs::write(&pins, "libtorrent==2\n").unwrap();
        assert!(!Stamp::new(&folder, "sh", &[&pins]).unwrap().holds());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_lifted_stamp_no_longer_holds_and_may_be_lifted_twice() {
        let folder = folder("lift");
        let stamp = Stamp { path: folder.join(".stamp"), text: "pins".into() };
        stamp.set().unwrap();
        stamp.lift().unwrap();
        assert!(!stamp.holds());
        stamp.lift().unwrap();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn missing_pins_are_a_failure_that_names_the_file() {
        let failure = Stamp::new(Path::new("."), "sh", &[Path::new("no/requirements.txt")]);
        let text = failure.err().unwrap().to_string();
        assert!(text.starts_with("error: cannot read `no/requirements.txt`"), "{text}");
    }
}
