//! Starting other programs, and saying clearly which one failed or is missing.

use std::env;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use crate::failure::{Failure, Outcome};

/// The cargo that runs this task, so that all steps use one toolchain.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs a command to its end, its output going to the terminal.
pub fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    expect_success(command, status)
}

/// Runs a command and takes its standard output; its talk still goes to the terminal.
pub fn read(command: &mut Command) -> Result<String, Failure> {
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| cannot_start(command, &error))?;
    expect_success(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first line that `program args...` prints, if it is there and works.
pub fn answer<S: AsRef<OsStr>>(program: S, args: &[&str]) -> Option<String> {
    let Output { status, stdout, .. } =
        Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&stdout).into_owned();
    status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

/// The command as one would type it.
pub fn typed(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let mut line = program.to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

/// Builds packages and tells where their programs lie, in cargo's own words: the target
/// directory may have been moved by the environment or by a configuration file.
pub fn build(root: &Path, args: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let mut command = cargo(root);
    command.args(["build", "--locked", "--message-format=json-render-diagnostics"]).args(args);
    Ok(read(&mut command)?.lines().filter_map(executable).collect())
}

/// Builds the program `xorbit` as the tests and the documents use it.
pub fn build_xorbit(root: &Path) -> Result<PathBuf, Failure> {
    let built = build(root, &["--package", "xorbit-cli"])?;
    named(&built, "xorbit")
}

/// The built program of that name.
pub fn named(built: &[PathBuf], name: &str) -> Result<PathBuf, Failure> {
    let found = built.iter().find(|path| path.file_stem() == Some(OsStr::new(name)));
    found.cloned().ok_or_else(|| Failure::new(format!("cargo built no program `{name}`")))
}

/// The path in a line of cargo's JSON messages, if the line tells of a program.
fn executable(message: &str) -> Option<PathBuf> {
    const KEY: &str = "\"executable\":\"";
    let quoted = &message[message.find(KEY)? + KEY.len()..];
    let mut path = String::new();
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => return Some(path.into()),
            '\\' => path.push(rest.next()?),
            other => path.push(other),
        }
    }
}

fn expect_success(command: &Command, status: ExitStatus) -> Outcome {
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` ended with {status}", typed(command))))
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    if error.kind() == ErrorKind::NotFound {
        return Failure::new(format!("the program `{program}` is missing"));
    }
    Failure::new(format!("`{}` could not be started: {error}", typed(command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_program_is_read_from_cargos_message() {
        let message =
            r#"{"reason":"compiler-artifact","executable":"/t/de\"bug/xorbit","fresh":true}"#;
        assert_eq!(executable(message), Some(PathBuf::from("/t/de\"bug/xorbit")));
        assert_eq!(executable(r#"{"reason":"compiler-artifact","executable":null}"#), None);
    }

    #[test]
    fn a_missing_program_is_told_by_its_name() {
        let failure = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(failure.to_string(), "error: the program `no-such-program-here` is missing");
    }

    #[test]
    fn a_failed_command_is_told_as_it_was_typed() {
        let failure = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(failure.to_string(), "error: `sh -c exit 3` ended with exit status: 3");
    }

    #[test]
    fn an_answer_is_the_first_line_of_a_program_that_works() {
        assert_eq!(answer("sh", &["-c", "echo one; echo two"]).as_deref(), Some("one"));
        assert_eq!(answer("sh", &["-c", "echo one; exit 1"]), None);
        assert_eq!(answer("no-such-program-here", &[]), None);
    }
}
