//! Under whose key keys live: an open namespace by its name, a signed one by its signer, or
//! somebody else's to read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use xorbit::{Namespace, PublicKey, Signer};

use crate::failure::{Failure, Kind};
use crate::hex;

/// A signer file is 64 digits and a line end; whatever is much longer is something else.
const SIGNER_FILE_BYTES: u64 = 1024;

/// A namespace to write to.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Namespace")]
pub struct WritableArgs {
    /// Open namespace of this name, which everybody who knows the name can write [default: default]
    #[arg(long, value_name = "NAME", conflicts_with = "signer")]
    namespace: Option<String>,
    /// Signed namespace of this key file, which only its holder can write
    #[arg(long, value_name = "FILE")]
    signer: Option<PathBuf>,
}

/// A namespace to read from.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Namespace")]
pub struct ReadableArgs {
    #[command(flatten)]
    own: WritableArgs,
    /// Signed namespace of the holder of this public key
    #[arg(long, value_name = "PUBKEY", conflicts_with_all = ["namespace", "signer"])]
    from: Option<PublicKey>,
}

impl WritableArgs {
    /// The command that reads a key of this namespace, for hints.
    pub fn read_command(&self, key: &str) -> String {
        let mut command = format!("xorbit get {}", quoted(key));
        if let Some(name) = &self.namespace {
            command.push_str(&format!(" --namespace {}", quoted(name)));
        }
        if let Some(file) = &self.signer {
            command.push_str(&format!(" --signer {}", quoted(&file.to_string_lossy())));
        }
        command
    }

    /// The namespace. In the public network one must be named.
    pub fn namespace(&self, public: bool) -> Result<Namespace, Failure> {
        match (&self.namespace, &self.signer) {
            (_, Some(file)) => Ok(Namespace::signed(read_signer(file)?)),
            (Some(name), None) => Ok(Namespace::open(name.clone())),
            (None, None) if public => Err(unnamed("`--namespace NAME` or `--signer FILE`")),
            (None, None) => Ok(Namespace::default()),
        }
    }
}

impl ReadableArgs {
    /// The namespace. In the public network one must be named.
    pub fn namespace(&self, public: bool) -> Result<Namespace, Failure> {
        let WritableArgs { namespace, signer } = &self.own;
        match self.from {
            Some(owner) => Ok(Namespace::of(owner)),
            None if public && namespace.is_none() && signer.is_none() => {
                Err(unnamed("`--namespace NAME`, `--signer FILE` or `--from PUBKEY`"))
            }
            None => self.own.namespace(public),
        }
    }
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn unnamed(ways: &str) -> Failure {
    Failure::new(
        Kind::Usage,
        "`--public` without a namespace: the default one belongs to everybody on the planet",
    )
    .hint(format!("name one with {ways}"))
}

/// Reads a key file: a 32-byte Ed25519 seed as 64 hexadecimal digits.
pub fn read_signer(file: &Path) -> Result<Signer, Failure> {
    let failure = |what: String| {
        Failure::new(Kind::Environment, what).hint("make a key file with `xorbit keygen FILE`")
    };
    let mut text = String::new();
    File::open(file)
        .and_then(|open| open.take(SIGNER_FILE_BYTES).read_to_string(&mut text))
        .map_err(|cause| failure(format!("cannot read `{}`: {cause}", file.display())))?;
    let seed = hex::decode::<32>(text.trim()).ok_or_else(|| {
        // What stands there may be secret, so it is not shown.
        failure(format!("`{}` is no key file: not 64 hexadecimal digits", file.display()))
    })?;
    Ok(Signer::from_seed(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_can_be_typed_as_they_stand() {
        let args = WritableArgs { namespace: Some("my keys".into()), signer: None };
        assert_eq!(args.read_command("it's"), r"xorbit get 'it'\''s' --namespace 'my keys'");
        let args = WritableArgs { namespace: None, signer: Some("keys/me".into()) };
        assert_eq!(args.read_command("greeting"), "xorbit get greeting --signer keys/me");
    }
}
