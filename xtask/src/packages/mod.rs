//! `cargo xtask packages`: what deploys the program, checked without a container engine: linted by
//! outside tools, and the static program run as an image, a unit or a pod would run it.

mod empty_root;
mod lint;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::dist::{self, Archive, Profile, Static};
use crate::failure::{Failure, Outcome};
use crate::process::{read, run as run_command};
use crate::tools::{self, PYTHON, Tool};

const TOOLS: [Tool; 4] = [
    ("systemd-analyze", &["--version"], "systemd"),
    ("readelf", &["--version"], "binutils"),
    ("unshare", &["--version"], "util-linux"),
    ("mount", &["--version"], "mount"),
];

/// Checks them all.
pub fn run(root: &Path) -> Outcome {
    tools::need("the checks of packages", &[&TOOLS[..], &PYTHON].concat())?;
    lint::run(root)?;
    let built = dist::build_static(root, Profile::Unoptimised)?;
    needs_nothing(&built)?;
    empty_root::run(root, &built)?;
    packed_the_same_twice(root, &built)
}

/// Nothing is loaded when it starts: no interpreter, no library.
fn needs_nothing(Static { program, target }: &Static) -> Outcome {
    let headers =
        read(Command::new("readelf").args(["--program-headers", "--dynamic"]).arg(program))?;
    for sign in ["INTERP", "(NEEDED)"] {
        if headers.contains(sign) {
            let what = format!("`{}` is not linked statically: {sign}", program.display());
            return Err(Failure::new(what).hint("`readelf -ld` tells what it loads"));
        }
    }
    let bytes = fs::metadata(program).map_or(0, |file| file.len());
    println!("static program for {target}: {bytes} bytes, nothing to load");
    Ok(())
}

fn packed_the_same_twice(root: &Path, built: &Static) -> Outcome {
    let folder = root.join("target/packages");
    let sums = |name: &str| -> Result<String, Failure> {
        let folder = folder.join(name);
        let Archive { path, sums } = dist::pack(root, built, &folder)?;
        run_command(
            Command::new("sha256sum").args(["--check", "--quiet"]).arg(&sums).current_dir(&folder),
        )?;
        let listed = read(Command::new("tar").arg("-tf").arg(&path))?;
        for part in
            ["/xorbit\n", "/LICENSE\n", "/man/man1/xorbit-put.1\n", "/completions/_xorbit\n"]
        {
            if !listed.contains(part) {
                return Err(Failure::new(format!("`{}` lacks `{}`", path.display(), part.trim())));
            }
        }
        fs::read_to_string(&sums)
            .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", sums.display())))
    };
    let (first, second) = (sums("first")?, sums("second")?);
    if first != second {
        return Err(Failure::new("the same program was packed into other bytes the second time")
            .hint("something in the archive tells the time or the order of a folder"));
    }
    println!("archive: {}", first.trim());
    Ok(())
}
