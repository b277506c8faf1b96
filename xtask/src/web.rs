//! `cargo xtask web`: the dashboard in a real browser against real nodes, and a picture of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::installation::{copy_into, from_npm};
use crate::process::{answer, run as run_command, typed};
use crate::tools::{self, NODE, Tool};

const CHROMIUM: Tool = ("chromium", &["--version"], "chromium");

/// Fonts, without which a picture shows boxes.
const FONTS: Tool =
    ("sh", &["-c", "ls /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"], "fonts-dejavu-core");

/// Runs the tests of the dashboard. Pictures of it are left in `target/web/screenshots`.
pub fn run(root: &Path, xorbit: &Path) -> Outcome {
    let folder = installed(root)?;
    let mut node = command(&folder, xorbit);
    // One file at a time: the one that measures must not be disturbed by others.
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    node.args(files(&folder)?.iter().filter(|file| file.ends_with(".test.js")));
    node.env("XORBIT_SCREENSHOTS", folder.join("screenshots"));
    println!("$ {}", typed(&node));
    run_command(&mut node)
        .map_err(|failure| failure.hint("the first test above that failed tells why"))
}

/// Makes the picture that the documents show.
pub fn picture(root: &Path, xorbit: &Path) -> Outcome {
    let folder = installed(root)?;
    let mut node = command(&folder, xorbit);
    run_command(node.arg("screenshot.js").arg(root.join("docs/dashboard.png")))
}

fn command(folder: &Path, xorbit: &Path) -> Command {
    let mut node = Command::new("node");
    node.current_dir(folder).env("XORBIT_BIN", xorbit);
    node
}

/// The tests beside what they need, away from the sources.
fn installed(root: &Path) -> Result<PathBuf, Failure> {
    let mut tools = NODE.to_vec();
    tools.push(FONTS);
    // Another browser may be named.
    if std::env::var_os("XORBIT_CHROMIUM").is_none() {
        tools.push(CHROMIUM);
    }
    tools::need("the tests of the dashboard", &tools)?;
    let (tests, folder) = (root.join("web/tests"), root.join("target/web"));
    from_npm(&tests, &folder)?;
    for old in files(&folder)?.iter().filter(|file| file.ends_with(".js")) {
        // One that is no longer there must not be run.
        let _ = fs::remove_file(folder.join(old));
    }
    for file in files(&tests)?.iter().filter(|file| file.ends_with(".js")) {
        copy_into(&tests.join(file), &folder)?;
    }
    if let Some(version) = answer("node", &["--version"]) {
        println!("node {version}");
    }
    Ok(folder)
}

/// The names in a folder, in order.
fn files(folder: &Path) -> Result<Vec<String>, Failure> {
    let cannot = |error| Failure::new(format!("cannot read `{}`: {error}", folder.display()));
    let entries = fs::read_dir(folder).map_err(cannot)?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Ok(names)
}
