//! What deploys the program, read by tools that others wrote.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::installation::from_pypi;
use crate::process::{run as run_command, typed};

/// The most that the unit may be exposed, in tenths: 13 when this was set, 96 for one that says nothing.
const MOST_EXPOSED: &str = "--threshold=15";

/// Reads them all.
pub fn run(root: &Path) -> Outcome {
    let packaging = root.join("packaging");
    let venv = root.join("target/packages/venv");
    from_pypi(&packaging.join("lint/requirements.txt"), &venv)?;
    let tool = |name: &str, args: &[&str], file: &str| {
        let mut command = Command::new(venv.join("bin").join(name));
        check(command.args(args).arg(packaging.join(file)))
    };
    tool("hadolint", &[], "Dockerfile")?;
    tool("check-jsonschema", &["--builtin-schema", "vendor.compose-spec"], "compose.yaml")?;
    tool("kubernetes-validate", &["--strict"], "kubernetes.yaml")?;
    unit(root, &packaging.join("xorbit.service"))?;
    let mut json = Command::new("python3");
    check(json.args(["-m", "json.tool"]).arg(packaging.join("grafana.json")).arg("/dev/null"))
}

/// The unit, with a program in the place of the installed one.
fn unit(root: &Path, unit: &Path) -> Outcome {
    let cannot = |error| Failure::new(format!("cannot check `{}`: {error}", unit.display()));
    let text = fs::read_to_string(unit).map_err(cannot)?;
    let copy = root.join("target/packages/xorbit.service");
    fs::write(&copy, text.replace("/usr/local/bin/xorbit", "/bin/true")).map_err(cannot)?;
    let mut verify = Command::new("systemd-analyze");
    check(verify.args(["verify", "--man=no"]).arg(&copy))?;
    let mut security = Command::new("systemd-analyze");
    check(security.args(["security", "--offline=true", "--no-pager", MOST_EXPOSED]).arg(&copy))
}

fn check(command: &mut Command) -> Outcome {
    println!("$ {}", typed(command));
    run_command(command).map_err(|failure| failure.hint("the tool's own words are above"))
}
