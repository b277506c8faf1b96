//! `xorbit man`: the manual's pages, made from the same definition as the help.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Command;
use serde_json::json;

use crate::failure::{Failure, Kind};
use crate::talk;

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The folder to write to, such as ~/.local/share/man/man1; it is made if it is not there
    folder: PathBuf,
}

/// Does it.
pub fn run(args: &Args, program: Command, json: bool) -> Result<(), Failure> {
    let folder = &args.folder;
    let write = || -> io::Result<usize> {
        fs::create_dir_all(folder)?;
        clap_mangen::generate_to(program, folder)?;
        Ok(fs::read_dir(folder)?.count())
    };
    let pages = write().map_err(|cause| {
        let what = format!("cannot write pages to `{}`: {cause}", folder.display());
        Failure::new(Kind::Environment, what)
    })?;
    if json {
        return talk::object(&json!({ "folder": folder, "files": pages }));
    }
    let folder = folder.display();
    talk::say(format_args!("wrote the pages to `{folder}`, such as `xorbit-put.1`"));
    Ok(())
}
