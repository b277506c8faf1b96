//! `xorbit keygen`: makes the key of a signed namespace or of a sealed network.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use gateway::hex;
use serde_json::json;
use xorbit::{Signer, random_seed};
use zeroize::Zeroizing;

use crate::failure::{Failure, Kind};
use crate::namespace::quoted;
use crate::network_key;
use crate::talk;

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where to write the key, readable by you alone, and print the public key; without it the
    /// secret itself is printed
    file: Option<PathBuf>,
    /// Make the key of a sealed network instead, for `--network-key`; it has no public part
    #[arg(long)]
    network: bool,
}

/// Does it.
pub fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let seed = Zeroizing::new(random_seed()?);
    if args.network {
        return network(args, &seed, json);
    }
    let public_key = Signer::from_seed(&seed).public_key().to_string();
    let secret = Zeroizing::new(hex::encode(&*seed));
    match &args.file {
        Some(file) => {
            write(file, &secret)?;
            if json {
                let file = file.display().to_string();
                return talk::object(&json!({ "public_key": public_key, "file": file }));
            }
            talk::say(format_args!(
                "the secret key is in `{}`; this is the public one:",
                file.display()
            ));
            talk::line(public_key)
        }
        None if json => talk::object(&json!({ "public_key": public_key, "seed": &*secret })),
        None => {
            talk::say(format_args!("the secret key of {public_key}:"));
            talk::line(&*secret)
        }
    }
}

/// Makes the key of a sealed network.
fn network(args: &Args, secret: &[u8; 32], json: bool) -> Result<(), Failure> {
    let key = network_key::line(secret);
    let Some(file) = &args.file else {
        if json {
            return talk::object(&json!({ "network_key": &*key }));
        }
        talk::say("the key of a new sealed network, the content of its key file:");
        return talk::line(&*key);
    };
    write(file, &key)?;
    let file = file.display().to_string();
    if json {
        return talk::object(&json!({ "file": file }));
    }
    talk::say(format_args!(
        "the key of a new sealed network is in `{file}`: whoever has it can join, read and write \
         there; start its nodes with `--network-key {}`",
        quoted(&file)
    ));
    Ok(())
}

/// Writes a new file that only its owner can read.
fn write(file: &Path, secret: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    // Never over a key that is there: who loses it can never write its namespace again.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut file| {
        writeln!(file, "{secret}")?;
        file.sync_all()
    });
    written.map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => {
            Failure::new(Kind::Environment, format!("`{}` exists already", file.display()))
                .hint("give another name, or move that file away; a lost key cannot be made again")
        }
        _ => Failure::new(Kind::Environment, format!("cannot write `{}`: {cause}", file.display())),
    })
}
