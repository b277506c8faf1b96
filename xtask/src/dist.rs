//! `cargo xtask dist`: the program as one file that needs nothing of the machine it runs on, and the
//! archive that people download, with its checksum.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::installation::copy_into;
use crate::process::{answer, build, named, read, run as run_command};

/// Its C library is made to be linked statically, its resolver included.
const MUSL: &str = "x86_64-unknown-linux-musl";

/// The machine's own, whose C library knows files and DNS without modules since glibc 2.34.
const GNU: &str = "x86_64-unknown-linux-gnu";

/// Flags for a target take the place of those in `.cargo/config.toml`, so these are among them.
const FLAGS: &str = r#"["--cfg", "poly1305_backend=\"soft\"", "-C", "target-feature=+crt-static"]"#;

/// How the program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As it is released.
    Release,
    /// Much sooner, and linked the same.
    Unoptimised,
}

/// The program, linked statically.
pub struct Static {
    /// Where it lies.
    pub program: PathBuf,
    /// What it was built for.
    pub target: &'static str,
}

/// An archive and the file with its checksum.
pub struct Archive {
    /// Where it lies.
    pub path: PathBuf,
    /// Where its checksum stands.
    pub sums: PathBuf,
}

/// Builds the program and packs it.
pub fn run(root: &Path) -> Outcome {
    let built = build_static(root, Profile::Release)?;
    let Archive { path, sums } = pack(root, &built, &root.join("target/dist"))?;
    println!("{}", path.display());
    print!("{}", fs::read_to_string(&sums).unwrap_or_default());
    Ok(())
}

fn has_target(target: &str) -> bool {
    let folder = answer("rustc", &["--print", "target-libdir", "--target", target]);
    folder.is_some_and(|folder| Path::new(&folder).exists())
}

/// The target to link for; musl's is fetched where that is possible.
fn target() -> &'static str {
    if has_target(MUSL) {
        return MUSL;
    }
    let added = answer("rustup", &["target", "add", MUSL]).is_some() && has_target(MUSL);
    if added {
        return MUSL;
    }
    println!("no {MUSL} at hand: linking glibc statically instead");
    GNU
}

/// Builds the program with nothing left to load at its start.
pub fn build_static(root: &Path, profile: Profile) -> Result<Static, Failure> {
    let target = target();
    let name = if profile == Profile::Release { "release" } else { "unoptimised" };
    let strip = format!("profile.{name}.strip=\"symbols\"");
    let flags = format!("target.{target}.rustflags={FLAGS}");
    let args = ["--package", "xorbit-cli", "--target", target, "--profile", name];
    let config = ["--config", &strip, "--config", &flags];
    let built = build(root, &[&args[..], &config[..]].concat())?;
    Ok(Static { program: named(&built, "xorbit")?, target })
}

/// Packs the program with its completions, its manual and what deploys it. The same program gives the
/// same bytes.
pub fn pack(root: &Path, built: &Static, folder: &Path) -> Result<Archive, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("xorbit-{version}-{}", built.target);
    let tree = folder.join(&name);
    if tree.exists() {
        fs::remove_dir_all(&tree).map_err(|error| cannot("remove", &tree, &error))?;
    }
    for file in ["LICENSE", "README.md"] {
        copy_into(&root.join(file), &tree)?;
    }
    copy_into(&built.program, &tree)?;
    for file in ["xorbit.service", "grafana.json"] {
        copy_into(&root.join("packaging").join(file), &tree.join("packaging"))?;
    }
    for (shell, file) in [("bash", "xorbit.bash"), ("fish", "xorbit.fish"), ("zsh", "_xorbit")] {
        let script = read(Command::new(&built.program).args(["completions", shell]))?;
        let completions = tree.join("completions");
        fs::create_dir_all(&completions).map_err(|error| cannot("create", &completions, &error))?;
        let path = completions.join(file);
        fs::write(&path, script).map_err(|error| cannot("write", &path, &error))?;
    }
    let mut man = Command::new(&built.program);
    run_command(man.arg("man").arg(tree.join("man/man1")).env("NO_COLOR", "1"))?;
    archive(root, folder, &name)
}

fn archive(root: &Path, folder: &Path, name: &str) -> Result<Archive, Failure> {
    let file = format!("{name}.tar.gz");
    // When the source was written, not when it was packed.
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"]).current_dir(root);
    let time = std::env::var("SOURCE_DATE_EPOCH").or_else(|_| read(&mut git));
    let time = time.unwrap_or_else(|_| "0".into());
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"]);
    tar.arg(format!("--mtime=@{}", time.trim())).args(["--use-compress-program", "gzip -n9"]);
    run_command(tar.args(["-cf", &file, name]).current_dir(folder))?;
    let sum = read(Command::new("sha256sum").arg(&file).current_dir(folder))?;
    let sums = folder.join("SHA256SUMS");
    fs::write(&sums, sum).map_err(|error| cannot("write", &sums, &error))?;
    Ok(Archive { path: folder.join(file), sums })
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {verb} `{}`: {error}", path.display()))
}
