//! Programs that checks need: found, or on a machine that exists for this run alone installed.

use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::process::{answer, run as run_command};

/// A tool: how it is called, how to see that it works, and the Debian package that brings it.
pub type Tool = (&'static str, &'static [&'static str], &'static str);

/// Python with what makes virtual environments.
pub const PYTHON: [Tool; 2] = [
    ("python3", &["--version"], "python3"),
    ("python3", &["-c", "import venv, ensurepip"], "python3-venv"),
];

/// Node with its installer.
pub const NODE: [Tool; 2] = [("node", &["--version"], "nodejs"), ("npm", &["--version"], "npm")];

fn missing(tools: &[Tool]) -> Vec<&'static str> {
    let missing = tools.iter().filter(|(tool, args, _)| answer(tool, args).is_none());
    missing.map(|(_, _, package)| *package).collect()
}

/// Sees that they are there, for `whom`.
pub fn need(whom: &str, tools: &[Tool]) -> Outcome {
    let packages = missing(tools);
    if packages.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get update && apt-get install -y {}", packages.join(" "));
    // Only a machine that exists for this run may be changed without asking.
    let on_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    if on_ci && answer("id", &["-u"]).as_deref() == Some("0") {
        println!("$ {line}");
        let mut install = Command::new("sh");
        install.args(["-c", &line]).env("DEBIAN_FRONTEND", "noninteractive");
        run_command(&mut install)?;
    }
    let packages = missing(tools);
    if packages.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{whom} need `{}`, not found here", packages.join("`, `")))
        .hint(format!("on Debian, run `{line}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_not_there_is_named_by_its_package() {
        let tools = [("sh", &["-c", "true"][..], "dash"), ("no-such-tool", &[], "its-package")];
        assert_eq!(missing(&tools), ["its-package"]);
    }
}
