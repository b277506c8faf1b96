//! `--config FILE`: options from a TOML file, and from the environment. A file gives options their
//! defaults, so that one rule holds: the command line before the environment, that before the file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, Command};
use serde_json::json;
use toml::{Table, Value};

use crate::failure::{Failure, Kind};
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str = "A file has options as they are typed, without the dashes: for all verbs \
    first, then for one in a table with its name, such as [node].";

/// Names the file where the command line does not.
pub const VARIABLE: &str = "XORBIT_CONFIG";

/// The verb whose options may all come from the environment: it is what containers run.
const SERVICE: &str = "node";

/// Options that a file cannot set: they ask for something once.
const NOT_IN_FILES: [&str; 4] = ["config", "help", "json", "version"];

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand, Debug)]
enum Verb {
    /// Show what the options of a verb are, and where each comes from
    Show {
        /// The verb
        #[arg(value_name = "VERB", default_value = SERVICE)]
        of: String,
    },
}

/// One option that a file sets.
#[derive(Debug)]
struct Setting {
    /// The verb it is for; `None`: all that have it.
    verb: Option<String>,
    option: String,
    values: Vec<String>,
    /// It says true or false, as only flags take it.
    is_flag: bool,
}

/// What a file says.
#[derive(Debug, Default)]
pub struct Config {
    file: PathBuf,
    settings: Vec<Setting>,
}

/// The file that the command line or the environment names.
pub fn named(arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut arguments = arguments.skip(1).take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(file) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(file.into());
        }
    }
    std::env::var_os(VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from)
}

impl Config {
    /// Reads a file whose options are those of this program.
    pub fn read(file: &Path, program: &Command) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file).map_err(|cause| {
            let what = format!("cannot read `{}`: {cause}", file.display());
            Failure::new(Kind::Environment, what)
        })?;
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count()) + 1;
            let what = format!("`{}`, line {line}: {}", file.display(), error.message());
            Failure::new(Kind::Usage, what)
        })?;
        let config = Self { file: file.to_owned(), settings: settings(&table) };
        for setting in &config.settings {
            setting.check(program).map_err(|(what, hint)| {
                let what = format!("`{}`: {what}", file.display());
                Failure::new(Kind::Usage, what).hint(hint)
            })?;
        }
        Ok(config)
    }

    /// What was typed for one verb, as what is said for all others.
    pub fn typed(verb: &Command, matches: &clap::ArgMatches) -> Self {
        let typed = verb.get_arguments().filter(|arg| {
            let source = matches.value_source(arg.get_id().as_str());
            source == Some(ValueSource::CommandLine)
        });
        let settings = typed.filter_map(|arg| {
            let values = matches.get_raw(arg.get_id().as_str())?;
            let values = values.map(|value| value.to_string_lossy().into_owned()).collect();
            let (option, is_flag) = (option(arg)?.to_owned(), is_flag(arg));
            Some(Setting { verb: None, option, values, is_flag })
        });
        Self { file: PathBuf::new(), settings: settings.collect() }
    }

    /// What it says of an option; what it says for one verb goes before what it says for all.
    fn of(&self, verb: &str, arg: &Arg) -> Option<&[String]> {
        let said = |of: Option<&str>| {
            let mut settings = self.settings.iter();
            let found = settings.find(|one| one.verb.as_deref() == of && one.is_of(arg));
            found.map(|setting| setting.values.as_slice())
        };
        said(Some(verb)).or_else(|| said(None))
    }

    /// The program with what the file says as its defaults.
    pub fn settle(&self, program: Command) -> Command {
        program.mut_subcommands(|verb| {
            let name = verb.get_name().to_owned();
            verb.mut_args(|arg| {
                let Some(values) = self.of(&name, &arg) else {
                    return arg;
                };
                let values: Vec<clap::builder::OsStr> =
                    values.iter().map(|value| value.clone().into()).collect();
                arg.default_values(values).required(false)
            })
        })
    }
}

/// The program, where every option of a node may come from the environment.
pub fn with_variables(program: Command) -> Command {
    program.mut_subcommand(SERVICE, |verb| {
        verb.mut_args(|arg| match option(&arg).map(variable) {
            Some(name) if arg.get_env().is_none() => arg.env(name).hide_env_values(true),
            _ => arg,
        })
    })
}

/// As `XORBIT_MAX_ITEMS`.
fn variable(option: &str) -> String {
    format!("XORBIT_{}", option.to_uppercase().replace('-', "_"))
}

/// The name of an option that a file may set.
fn option(arg: &Arg) -> Option<&str> {
    arg.get_long().filter(|long| !NOT_IN_FILES.contains(long))
}

fn is_flag(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

fn settings(table: &Table) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (name, value) in table {
        let Value::Table(options) = value else {
            settings.push(Setting::new(None, name, value));
            continue;
        };
        for (option, value) in options {
            settings.push(Setting::new(Some(name), option, value));
        }
    }
    settings
}

impl Setting {
    fn new(verb: Option<&String>, option: &str, value: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let values = match value {
            Value::Array(values) => values.iter().map(text).collect(),
            value => vec![text(value)],
        };
        let is_flag = matches!(value, Value::Boolean(_));
        Self { verb: verb.cloned(), option: option.to_owned(), values, is_flag }
    }

    /// Whether this is the option that it sets. Of those with one name some are flags, others not.
    fn is_of(&self, arg: &Arg) -> bool {
        option(arg) == Some(&self.option) && is_flag(arg) == self.is_flag
    }

    /// What is wrong with it, and what to do.
    fn check(&self, program: &Command) -> Result<(), (String, String)> {
        let Self { verb, option: name, .. } = self;
        let verbs: Vec<&Command> = match verb {
            None => program.get_subcommands().collect(),
            Some(verb) => {
                let found = program.find_subcommand(verb).ok_or_else(|| {
                    let what = format!("[{verb}] is no verb");
                    (what, "a table has the name of a verb, such as [node]".to_owned())
                })?;
                vec![found]
            }
        };
        let mut known = false;
        for verb in verbs {
            if verb.get_arguments().any(|arg| self.is_of(arg)) {
                known = true;
                self.try_out(program, verb.get_name())?;
            }
        }
        let like_that = if self.is_flag { " that is true or false" } else { "" };
        match (known, verb) {
            (true, _) => Ok(()),
            (false, Some(verb)) => Err((
                format!("`{verb}` has no option `{name}`{like_that}"),
                format!("`xorbit {verb} --help` tells which it has"),
            )),
            (false, None) => Err((
                format!("no verb has an option `{name}`{like_that}"),
                "`xorbit node --help` tells those of a node; write them without the dashes".into(),
            )),
        }
    }

    /// Lets the program read it as if it were typed.
    fn try_out(&self, program: &Command, verb: &str) -> Result<(), (String, String)> {
        let Self { option, values, is_flag, .. } = self;
        if *is_flag {
            return Ok(());
        }
        let typed = values.iter().map(|value| format!("--{option}={value}"));
        let arguments = ["xorbit".to_owned(), verb.to_owned()].into_iter().chain(typed);
        let Err(error) = program.clone().try_get_matches_from(arguments) else { return Ok(()) };
        match error.kind() {
            ErrorKind::InvalidValue
            | ErrorKind::ValueValidation
            | ErrorKind::WrongNumberOfValues
            | ErrorKind::TooManyValues
            | ErrorKind::ArgumentConflict => {
                let told = error.to_string();
                let what = told.lines().next().unwrap_or_default();
                let hint = format!("`xorbit {verb} --help` tells what it takes");
                Err((what.trim_start_matches("error: ").to_owned(), hint))
            }
            // It lacks what only a command line gives.
            _ => Ok(()),
        }
    }
}

/// Where a value comes from.
struct Origin {
    values: Vec<String>,
    from: String,
}

fn origin(arg: &Arg, verb: &str, config: &Config) -> Origin {
    if let Some(name) = arg.get_env()
        && let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty())
    {
        let from = format!("from {}", name.to_string_lossy());
        return Origin { values: vec![value.to_string_lossy().into_owned()], from };
    }
    if let Some(values) = config.of(verb, arg) {
        let from = format!("from {}", config.file.display());
        return Origin { values: values.to_vec(), from };
    }
    let values = arg.get_default_values().iter();
    let values = values.map(|value| value.to_string_lossy().into_owned()).collect();
    Origin { values, from: "by default".into() }
}

/// Does it. The program is told as it is without the file.
pub fn run(args: &Args, config: &Config, program: &Command, json: bool) -> Result<(), Failure> {
    let Verb::Show { of } = &args.verb;
    let verb = program.find_subcommand(of).ok_or_else(|| {
        let what = format!("`{of}` is no verb");
        Failure::new(Kind::Usage, what).hint("`xorbit --help` tells which there are")
    })?;
    let (mut lines, mut all) = (vec![format!("[{of}]")], serde_json::Map::new());
    for arg in verb.get_arguments() {
        let Some(option) = option(arg) else { continue };
        let Origin { mut values, from } = origin(arg, of, config);
        if is_flag(arg) && values.is_empty() {
            values.push("false".into());
        }
        let told = shown(arg, &values);
        all.insert(option.into(), json!({ "values": values, "from": from }));
        lines.push(match told {
            Some(told) => format!("{:<40} # {from}", format!("{option} = {told}")),
            None => format!("# {option} is not set"),
        });
    }
    match json {
        true => talk::object(&all.into()),
        false => talk::line(lines.join("\n")),
    }
}

/// As a file has it.
fn shown(arg: &Arg, values: &[String]) -> Option<String> {
    let quoted = |text: &String| match text.parse::<i64>().is_ok() || is_flag(arg) {
        true => text.clone(),
        false => Value::String(text.clone()).to_string(),
    };
    match values {
        [] => None,
        [value] => Some(quoted(value)),
        values => Some(format!("[{}]", values.iter().map(quoted).collect::<Vec<_>>().join(", "))),
    }
}
