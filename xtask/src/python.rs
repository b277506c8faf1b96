//! `cargo xtask python`: the Python package, built as a wheel, installed beside its pinned tools, and
//! tested against real nodes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::installation::from_pypi;
use crate::process::{cargo, run as run_command, typed};
use crate::tools::{self, PYTHON};

/// Checks the crate below the package, then builds the wheel, installs it and runs its tests.
pub fn run(root: &Path, xorbit: &Path) -> Outcome {
    tools::need("the tests of the Python package", &PYTHON)?;
    let package = Package::at(root);
    from_pypi(&package.sources.join("requirements-test.txt"), &package.products.join("venv"))?;
    package.check_crate(root)?;
    let wheel = package.build_wheel()?;
    package.install(&wheel)?;
    package.check_types()?;
    package.run_tests(xorbit)
}

/// Where the package is made, and from what.
struct Package {
    sources: PathBuf,
    products: PathBuf,
    /// Shared with the workspace: most crates below are the same.
    cargo_target: PathBuf,
}

impl Package {
    fn at(root: &Path) -> Self {
        let target = root.join("target");
        Self {
            sources: root.join("python"),
            products: target.join("python"),
            cargo_target: env::var_os("CARGO_TARGET_DIR").map_or(target, PathBuf::from),
        }
    }

    /// A program of the virtual environment.
    fn tool(&self, name: &str) -> Command {
        let programs = self.products.join("venv/bin");
        let mut command = Command::new(programs.join(name));
        // Not among the sources, and not from one that happens to be set for other work.
        command.env_remove("PYTHONPATH").env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("PYO3_PYTHON", programs.join("python"));
        command.env("MYPY_CACHE_DIR", self.products.join("mypy"));
        command.current_dir(&self.sources);
        command
    }

    fn check_crate(&self, root: &Path) -> Outcome {
        let manifest = "python/Cargo.toml";
        let mut format = cargo(root);
        format.args(["fmt", "--manifest-path", manifest, "--check"]);
        check(&mut format, "run `cargo fmt --manifest-path python/Cargo.toml`")?;
        let mut clippy = cargo(root);
        clippy.args(["clippy", "--manifest-path", manifest, "--locked", "--target-dir"]);
        clippy.arg(&self.cargo_target).args(["--", "-D", "warnings"]);
        clippy.env("PYO3_PYTHON", self.products.join("venv/bin/python"));
        check(&mut clippy, LOCK)
    }

    /// Builds it as it is for tests, which need no optimised code.
    fn build_wheel(&self) -> Result<PathBuf, Failure> {
        let wheels = self.products.join("wheels");
        // What an earlier version left must not be taken for what is built now.
        let _ = fs::remove_dir_all(&wheels);
        let mut maturin = self.tool("maturin");
        maturin.args(["build", "--locked", "--auditwheel", "skip", "--out"]).arg(&wheels);
        maturin.arg("--target-dir").arg(&self.cargo_target);
        check(&mut maturin, LOCK)?;
        let unreadable = |error| {
            Failure::new(format!("cannot read the wheels in `{}`: {error}", wheels.display()))
        };
        let entry = fs::read_dir(&wheels).map_err(unreadable)?.next();
        match entry {
            Some(entry) => Ok(entry.map_err(unreadable)?.path()),
            None => Err(Failure::new(format!("maturin left no wheel in `{}`", wheels.display()))),
        }
    }

    fn install(&self, wheel: &Path) -> Outcome {
        let mut pip = self.tool("python");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip.args(["--no-index", "--no-deps", "--force-reinstall"]).arg(wheel);
        check(&mut pip, "pip's own words are above")
    }

    /// The stubs say what the compiled half has, and package and tests keep to all types.
    fn check_types(&self) -> Outcome {
        let mut mypy = self.tool("mypy");
        check(mypy.args(["--strict", "package/xorbit", "tests"]), "mypy names the place above")?;
        let mut stubtest = self.tool("python");
        stubtest.args(["-m", "mypy.stubtest", "xorbit", "--allowlist"]);
        stubtest.arg(self.sources.join("stubtest-allowlist.txt"));
        check(
            &mut stubtest,
            "bring python/package/xorbit/_native.pyi in line with what python/src exports",
        )
    }

    fn run_tests(&self, xorbit: &Path) -> Outcome {
        let mut pytest = self.tool("python");
        pytest.args(["-m", "pytest", "-p", "no:cacheprovider", "--quiet"]);
        pytest.env("XORBIT_BIN", xorbit);
        check(&mut pytest, "the first failed test above tells why")
    }
}

/// What most often is in the way when nothing that was written is.
const LOCK: &str = "if only python/Cargo.lock is behind, run `cargo update --workspace` in python/";

/// Names the command before its output, so that a reader can run it alone.
fn check(command: &mut Command, hint: &str) -> Outcome {
    println!("$ {}", typed(command));
    run_command(command).map_err(|failure| failure.hint(hint))
}

/// The program that the tests speak with: the one that `XORBIT_BIN` names, or else a new one.
///
/// # Errors
/// If it does not build.
pub fn program(root: &Path) -> Result<PathBuf, Failure> {
    match env::var_os("XORBIT_BIN") {
        Some(path) => Ok(root.join(path)),
        None => crate::process::build_xorbit(root),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_of_the_package_lie_below_target_and_run_among_its_sources() {
        let package = Package::at(Path::new("/project"));
        let tool = package.tool("mypy");
        assert_eq!(tool.get_program(), "/project/target/python/venv/bin/mypy");
        assert_eq!(tool.get_current_dir(), Some(Path::new("/project/python")));
    }
}
