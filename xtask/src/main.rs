//! The project's own tasks, run as `cargo xtask VERB`: the gate, its single steps, and the benchmarks.

mod bench;
mod dist;
mod docs;
mod failure;
mod fuzz;
mod gate;
mod installation;
mod interop_setup;
mod kills;
mod packages;
mod process;
mod python;
mod tidy;
mod tools;
mod web;
mod worlds;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use failure::{Failure, Outcome};

const USAGE: &str = "\
usage: cargo xtask VERB

  test                          the whole gate: what must hold before a change goes in
  tidy                          the house rules alone
  docs                          dead links, and the commands that README.md and docs/ show
  fuzz [--seconds N]            build every fuzz target and run each for N seconds (default 20)
  worlds [--seeds N]            let N simulated networks live, each with all its checks (default 20)
  web                           the dashboard's tests, in Chromium against real nodes
  packages                      lint what deploys the program, and run it statically linked in an empty root
  dist                          pack the release build, statically linked, with its checksum
  python                        build the Python wheel, check its types and run its tests
  picture                       make the picture of the dashboard that the documents show
  interop-setup                 install the foreign nodes that the interop tests talk to
  bench serve|network|values|store|restart|seal|http [ARGS]
                                measure the release build; ARGS go to `xorbit-bench`
  kills [--count N]             kill a node under load N times (default 200) and look what is left
";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match dispatch(&root(), &args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(root: &Path, args: &[String]) -> Outcome {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => gate::run(root),
        ["tidy"] => tidy::run(root),
        ["docs"] => docs::run(root, &process::build_xorbit(root)?),
        ["fuzz", rest @ ..] => fuzz::run(root, seconds(rest)?),
        ["worlds", rest @ ..] => worlds::run(root, worlds::seeds(rest)?),
        ["web"] => web::run(root, &process::build_xorbit(root)?),
        ["packages"] => packages::run(root),
        ["dist"] => dist::run(root),
        ["python"] => python::run(root, &python::program(root)?),
        ["picture"] => web::picture(root, &process::build_xorbit(root)?),
        ["interop-setup"] => interop_setup::run(root).map(|_| ()),
        [
            "bench",
            which @ ("serve" | "network" | "values" | "store" | "restart" | "seal" | "http"),
            ..,
        ] => bench::run(root, which, &args[2..]),
        ["kills", rest @ ..] => kills::run(root, kills::count(rest)?),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        [] => Err(Failure::new(format!("no verb was given\n\n{USAGE}"))),
        _ => Err(Failure::new(format!("`{}` is no task\n\n{USAGE}", words.join(" ")))),
    }
}

/// The seconds for each fuzz target, from `--seconds N` or `--seconds=N`.
fn seconds(args: &[&str]) -> Result<u64, Failure> {
    let text = match args {
        [] => return Ok(fuzz::DEFAULT_SECONDS),
        ["--seconds", number] => number,
        [one] if one.starts_with("--seconds=") => &one["--seconds=".len()..],
        _ => {
            return Err(Failure::new(format!("`fuzz` does not know `{}`", args.join(" "))));
        }
    };
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(Failure::new(format!("`{text}` is no number of seconds"))
            .hint("give a whole number from 1, as in `--seconds 60`")),
    }
}

/// The repository's root: the folder above this crate, as cargo tells it at run time.
fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzzing_takes_the_default_time_unless_told() {
        assert_eq!(seconds(&[]).unwrap(), fuzz::DEFAULT_SECONDS);
        assert_eq!(seconds(&["--seconds", "5"]).unwrap(), 5);
        assert_eq!(seconds(&["--seconds=7"]).unwrap(), 7);
    }

    #[test]
    fn zero_seconds_would_let_libfuzzer_run_for_ever_and_are_refused() {
        assert!(seconds(&["--seconds", "0"]).is_err());
        assert!(seconds(&["--seconds", "soon"]).is_err());
        assert!(seconds(&["--minutes", "1"]).is_err());
    }

    #[test]
    fn an_unknown_verb_is_refused_with_the_usage() {
        let failure = dispatch(Path::new("."), &["tset".into()]).unwrap_err();
        assert!(failure.to_string().contains("`tset` is no task"));
        assert!(failure.to_string().contains("usage: cargo xtask"));
    }
}
