//! `cargo xtask dist`: the program as one file that needs nothing of the machine it runs on, and the
//! archive that people download, with its checksum.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::installation::copy_into;
use crate::process::{answer, build, named, read, run as run_command};

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
    pub target: String,
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

/// The target to link for: musl, whose C library is made to be linked statically, its resolver included,
/// and which is fetched where that is possible; else the machine's own, whose C library knows files and
/// DNS without modules since glibc 2.34.
fn target() -> String {
    let [musl, gnu] =
        ["musl", "gnu"].map(|libc| format!("{}-unknown-linux-{libc}", env::consts::ARCH));
    let at_hand = || {
        let folder = answer("rustc", &["--print", "target-libdir", "--target", &musl]);
        folder.is_some_and(|folder| Path::new(&folder).exists())
    };
    if at_hand() || (answer("rustup", &["target", "add", &musl]).is_some() && at_hand()) {
        return musl;
    }
    println!("no {musl} at hand: linking glibc statically instead");
    gnu
}

/// Builds the program with nothing left to load at its start, and nothing told of where it was built.
pub fn build_static(root: &Path, profile: Profile) -> Result<Static, Failure> {
    let target = target();
    let mut args = vec!["--package".to_owned(), "xorbit-cli".into()];
    args.extend(flags(root, &target, profile));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let built = build(root, &args)?;
    Ok(Static { program: named(&built, "xorbit")?, target })
}

/// What cargo must be told to link so. Flags given this way join those of `.cargo/config.toml`.
pub fn flags(root: &Path, target: &str, profile: Profile) -> Vec<String> {
    let name = if profile == Profile::Release { "release" } else { "unoptimised" };
    let mut rustc = String::from("'-Ctarget-feature=+crt-static'");
    for (folder, told) in folders(root) {
        rustc.push_str(&format!(", '--remap-path-prefix={}={told}'", folder.display()));
    }
    let config =
        [format!("profile.{name}.strip=\"symbols\""), format!("build.rustflags=[{rustc}]")];
    let config = config.into_iter().flat_map(|line| ["--config".to_owned(), line]);
    ["--target", target, "--profile", name].map(String::from).into_iter().chain(config).collect()
}

/// Folders of this machine whose names a panic would tell, and what it tells instead.
pub fn folders(root: &Path) -> Vec<(PathBuf, &'static str)> {
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    let sources = answer("rustc", &["--print", "sysroot"])
        .map(|sysroot| Path::new(&sysroot).join("lib/rustlib/src/rust"));
    let told = [(cargo, "cargo"), (sources, "rust"), (Some(root.to_owned()), "xorbit")];
    told.into_iter().filter_map(|(folder, told)| Some((folder?, told))).collect()
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
    let time = env::var("SOURCE_DATE_EPOCH").or_else(|_| read(&mut git));
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
