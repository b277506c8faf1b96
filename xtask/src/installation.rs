//! Pinned programs of others, installed below `target`: from PyPI and from npm.
//!
//! A stamp beside each installation holds what was asked for; an installation whose stamp still
//! says the same is taken as it is.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process::{answer, run as run_command};

/// Installs what a `requirements.txt` pins into a virtual environment.
pub fn from_pypi(requirements: &Path, venv: &Path) -> Outcome {
    let stamp = Stamp::new(venv, "python3", &[requirements])?;
    let python = venv.join("bin/python");
    if stamp.holds() && answer(&python, &["--version"]).is_some() {
        println!("{}: already installed", requirements.display());
        return Ok(());
    }
    stamp.lift()?;
    println!("installing {}", requirements.display());
    run_command(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    run_command(pip.arg(requirements)).map_err(|failure| {
        failure.hint(
            "pip's own words are above; it needs the network and a Python that has a wheel for each pin",
        )
    })?;
    stamp.set()
}

/// Installs what the lock file in `wanted` pins into `folder`.
pub fn from_npm(wanted: &Path, folder: &Path) -> Outcome {
    let manifests = [wanted.join("package.json"), wanted.join("package-lock.json")];
    let npmrc = wanted.join(".npmrc");
    let mut sources: Vec<&Path> = manifests.iter().map(PathBuf::as_path).collect();
    if npmrc.exists() {
        sources.push(&npmrc);
    }
    let stamp = Stamp::new(folder, "node", &sources)?;
    if stamp.holds() && folder.join("node_modules").exists() {
        println!("{}: already installed", manifests[0].display());
        return Ok(());
    }
    stamp.lift()?;
    println!("installing {}", manifests[0].display());
    for source in sources {
        copy_into(source, folder)?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(folder);
    run_command(&mut npm).map_err(|failure| {
        failure.hint("npm's own words are above; it needs the network and a matching lock file")
    })?;
    stamp.set()
}

/// Copies a file into a folder, which is made if it is not there.
pub fn copy_into(file: &Path, folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|error| cannot("create", folder, &error))?;
    let copy = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, copy).map(|_| ()).map_err(|error| cannot("copy", file, &error))
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
