//! The program `xorbit`: one verb a file, and here the way to each of them.

mod add;
mod amount;
mod announce;
mod batch;
mod completions;
mod config;
mod connection;
mod content;
mod control;
mod delete;
mod delivery;
mod demo;
#[cfg(unix)]
mod door;
mod effort;
mod failure;
mod get;
mod http;
mod item;
mod keep;
mod kept;
mod keygen;
mod leave;
mod long_value;
mod lookup;
mod man;
mod members;
mod mended;
mod moment;
mod namespace;
mod network_key;
mod node;
mod peers;
mod ping;
mod progress;
mod promise;
mod put;
mod quota;
mod reachability;
mod receipt;
mod remove;
mod replacement;
mod report;
mod running;
mod sample;
mod scrape;
mod secret;
mod set;
mod shell;
mod sim;
mod size;
mod spool;
mod start_failure;
mod status;
mod store;
mod talk;
mod text;
mod trace;
mod unkeep;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, CommandFactory, FromArgMatches, Parser};

use crate::config::Config;
use crate::failure::{EXIT_CODES, Failure, Kind};

/// A distributed hash table: start a node, join one that is there, put a value, get it from any other
#[derive(Parser, Debug)]
#[command(name = "xorbit", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Program {
    #[command(subcommand)]
    verb: Verb,
    /// Print one JSON object on stdout, errors too
    #[arg(long, global = true)]
    json: bool,
    /// Take what options are not given from this file
    #[arg(long, global = true, value_name = "FILE", env = config::VARIABLE, hide_env_values = true)]
    config: Option<PathBuf>,
}

#[derive(clap::Subcommand, Debug)]
enum Verb {
    /// Run a small network here and watch values survive
    #[command(after_help = demo::AFTER_HELP)]
    Demo(demo::Args),
    /// Run a node
    #[command(after_help = node::AFTER_HELP)]
    Node(node::Args),
    /// Tell how a running node is
    #[command(after_help = status::AFTER_HELP)]
    Status(status::Args),
    /// Store a value under a key
    #[command(after_help = put::AFTER_HELP, mut_arg("value", put::unless_batch))]
    Put(put::Args),
    /// Print the value of a key
    #[command(after_help = get::AFTER_HELP)]
    Get(get::Args),
    /// Print each newer version of a key as it comes
    #[command(after_help = watch::AFTER_HELP)]
    Watch(watch::Args),
    /// Delete the value of a key
    #[command(after_help = delete::AFTER_HELP)]
    Delete(delete::Args),
    /// Add an item to the set of a key, beside those of other writers
    #[command(after_help = add::AFTER_HELP)]
    Add(add::Args),
    /// Print the members of the set of a key
    #[command(after_help = members::AFTER_HELP)]
    Members(members::Args),
    /// Remove an item that one added from the set of a key
    #[command(after_help = remove::AFTER_HELP)]
    Remove(remove::Args),
    /// Let a node on this machine keep a value alive
    #[command(after_help = keep::AFTER_HELP)]
    Keep(keep::Args),
    /// End what `keep` began
    #[command(after_help = unkeep::AFTER_HELP)]
    Unkeep(unkeep::Args),
    /// Print what a node on this machine keeps alive, and how that fares
    #[command(after_help = kept::AFTER_HELP)]
    Kept(kept::Args),
    /// Make the key of a signed namespace or of a sealed network
    Keygen(keygen::Args),
    /// Store or print a raw item (BEP 44)
    Item(item::Args),
    /// Announce a peer of a topic
    #[command(after_help = announce::AFTER_HELP)]
    Announce(announce::Args),
    /// Print the peers of a topic
    #[command(after_help = peers::AFTER_HELP)]
    Peers(peers::Args),
    /// Estimate how many peers a topic has
    #[command(after_help = scrape::AFTER_HELP)]
    Scrape(scrape::Args),
    /// Walk towards a place in the key space and print the closest nodes
    #[command(after_help = lookup::AFTER_HELP)]
    Lookup(lookup::Args),
    /// Ask one address whether a node is there
    #[command(after_help = ping::AFTER_HELP)]
    Ping(ping::Args),
    /// Ask one node which topics it knows
    #[command(after_help = sample::AFTER_HELP)]
    Sample(sample::Args),
    /// Check, export or import what a stopped node keeps
    Store(store::Args),
    /// Simulate whole networks under virtual time, with faults, from one seed
    Sim(sim::Args),
    /// Type verbs one after another, with history, completion and help
    #[command(after_help = shell::AFTER_HELP)]
    Shell(shell::Args),
    /// Show what options are, and whether they come from a file or the environment
    #[command(after_help = config::AFTER_HELP)]
    Config(config::Args),
    /// Print the completions of a shell
    #[command(after_help = completions::AFTER_HELP)]
    Completions(completions::Args),
    /// Write the manual's pages, one for each verb
    Man(man::Args),
}

/// All verbs and their options.
fn definition() -> Command {
    config::with_variables(Program::command())
}

fn parse(
    definition: Command,
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Program, clap::Error> {
    let matches = definition.try_get_matches_from(arguments)?;
    Program::from_arg_matches(&matches)
}

/// Reads the command line, with what a file says where it does not.
fn read() -> Result<Program, Failure> {
    let mut definition = definition();
    if let Some(file) = config::named(std::env::args_os()) {
        definition = Config::read(&file, &definition)?.settle(definition);
    }
    Ok(parse(definition, std::env::args_os()).unwrap_or_else(|error| refuse_usage(&error)))
}

fn main() -> ExitCode {
    let program = match read() {
        Ok(program) => program,
        Err(failure) => {
            failure.tell(asks_for_json());
            return ExitCode::from(failure.exit_code());
        }
    };
    let json = program.json;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(dispatch(program, json));
            // A name that is still being resolved must not hold up the end.
            runtime.shutdown_background();
            outcome
        }
        Err(cause) => Err(Failure::new(Kind::Environment, format!("cannot start: {cause}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell(json);
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn dispatch(Program { verb, config, .. }: Program, json: bool) -> Result<(), Failure> {
    match verb {
        Verb::Demo(args) => demo::run(args, json).await,
        Verb::Node(args) => node::run(args, json).await,
        Verb::Status(args) => status::run(args, json).await,
        Verb::Put(args) => put::run(args, json).await,
        Verb::Get(args) => get::run(args, json).await,
        Verb::Watch(args) => watch::run(args, json).await,
        Verb::Delete(args) => delete::run(args, json).await,
        Verb::Add(args) => add::run(args, json).await,
        Verb::Members(args) => members::run(args, json).await,
        Verb::Remove(args) => remove::run(args, json).await,
        Verb::Keep(args) => keep::run(args, json).await,
        Verb::Unkeep(args) => unkeep::run(args, json).await,
        Verb::Kept(args) => kept::run(args, json).await,
        Verb::Keygen(args) => keygen::run(&args, json),
        Verb::Item(args) => item::run(args, json).await,
        Verb::Announce(args) => announce::run(args, json).await,
        Verb::Peers(args) => peers::run(args, json).await,
        Verb::Scrape(args) => scrape::run(args, json).await,
        Verb::Lookup(args) => lookup::run(args, json).await,
        Verb::Ping(args) => ping::run(args, json).await,
        Verb::Sample(args) => sample::run(args, json).await,
        Verb::Store(args) => store::run(args, json).await,
        Verb::Sim(args) => sim::run(args, json),
        Verb::Shell(args) => shell::run(&args, config.as_deref()).await,
        Verb::Config(args) => {
            let program = definition();
            let config = config.map(|file| Config::read(&file, &program)).transpose()?;
            config::run(&args, &config.unwrap_or_default(), &program, json)
        }
        Verb::Completions(args) => completions::run(&args, definition()),
        Verb::Man(args) => man::run(&args, definition(), json),
    }
}

fn asks_for_json() -> bool {
    std::env::args_os().any(|argument| argument == "--json")
}

/// Tells help, version or what is wrong with the command line, and ends.
fn refuse_usage(error: &clap::Error) -> ! {
    let json = asks_for_json();
    if json && error.use_stderr() {
        let told = error.to_string();
        // Below the first empty line stand usage and tips.
        let what: Vec<&str> =
            told.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        Failure::new(Kind::Usage, what.join(" ").trim_start_matches("error: ")).tell(json);
        std::process::exit(error.exit_code());
    }
    error.exit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_all_verbs_fit_together() {
        Program::command().debug_assert();
    }
}
