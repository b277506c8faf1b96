//! Under whose key keys live: an open namespace by its name, a signed one by its signer, a secret one
//! by its passphrase, or somebody else's to read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gateway::hex;
use xorbit::{Namespace, PublicKey, Signer};
use zeroize::Zeroizing;

use crate::failure::{Failure, Kind};
use crate::network_key;
use crate::secret;

/// A key file is 64 digits, a word and a line end; whatever is much longer is something else.
const KEY_FILE_BYTES: u64 = 1024;

/// A namespace to write to.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Namespace")]
pub struct WritableArgs {
    /// Open namespace of this name, which everybody who knows the name can write; with a secret, the
    /// public name that keeps those with the same passphrase apart [default: default]
    #[arg(long, value_name = "NAME", conflicts_with = "signer")]
    namespace: Option<String>,
    /// Signed namespace of this key file, which only its holder can write
    #[arg(long, value_name = "FILE")]
    signer: Option<PathBuf>,
    /// Secret namespace of the passphrase in this file, which only those who know it can read, write
    /// or see the keys of. Nodes that hold a value still see its rough size, its version, when it
    /// expires and that it is there. XORBIT_SECRET may hold the passphrase instead
    #[arg(long, value_name = "FILE", conflicts_with = "signer")]
    secret_file: Option<PathBuf>,
}

/// A namespace to read from.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Namespace")]
pub struct ReadableArgs {
    #[command(flatten)]
    own: WritableArgs,
    /// Signed namespace of the holder of this public key
    #[arg(long, value_name = "PUBKEY", conflicts_with_all = ["namespace", "signer", "secret_file"])]
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
        if let Some(file) = &self.secret_file {
            command.push_str(&format!(" --secret-file {}", quoted(&file.to_string_lossy())));
        }
        command
    }

    /// The namespace. In the public network one must be named.
    pub fn namespace(&self, public: bool) -> Result<Namespace, Failure> {
        let unnamed =
            || or_default(public, "`--namespace NAME`, `--signer FILE` or `--secret-file FILE`");
        self.named()?.map_or_else(unnamed, Ok)
    }

    fn named(&self) -> Result<Option<Namespace>, Failure> {
        if let Some(file) = &self.signer {
            return Ok(Some(Namespace::signed(read_signer(file)?)));
        }
        // A name beside a secret is part of it: to take the open namespace of that name would put
        // in the open what was meant to be secret.
        if let Some(passphrase) = secret::find(self.secret_file.as_deref())? {
            return passphrase.namespace(self.namespace.as_deref()).map(Some);
        }
        Ok(self.namespace.clone().map(Namespace::open))
    }

    /// The name of an open one, if one is given; an error says what else is.
    pub fn open_name(&self) -> Result<Option<&str>, &'static str> {
        match self {
            _ if self.signer.is_some() => Err("only it may know the signer"),
            _ if self.is_secret() => Err("only it may know the secret"),
            _ => Ok(self.namespace.as_deref()),
        }
    }

    /// Whether it is a secret one.
    pub fn is_secret(&self) -> bool {
        self.signer.is_none() && (self.secret_file.is_some() || secret::is_in_environment())
    }
}

impl ReadableArgs {
    /// The namespace. In the public network one must be named.
    pub fn namespace(&self, public: bool) -> Result<Namespace, Failure> {
        let unnamed = || {
            let ways =
                "`--namespace NAME`, `--signer FILE`, `--secret-file FILE` or `--from PUBKEY`";
            or_default(public, ways)
        };
        match self.from {
            Some(owner) => Ok(Namespace::of(owner)),
            None => self.own.named()?.map_or_else(unnamed, Ok),
        }
    }

    /// The name of an open one, if one is given, or whose signed one; an error says what else is.
    pub fn told_name(&self) -> Result<(Option<&str>, Option<PublicKey>), &'static str> {
        match self.from {
            Some(owner) => Ok((None, Some(owner))),
            None => self.own.open_name().map(|name| (name, None)),
        }
    }

    /// Whether it is a secret one.
    pub fn is_secret(&self) -> bool {
        self.from.is_none() && self.own.is_secret()
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

/// The namespace if none is named.
pub fn or_default(public: bool, ways: &str) -> Result<Namespace, Failure> {
    if !public {
        return Ok(Namespace::default());
    }
    let what = "`--public` without a namespace: the default one belongs to everybody on the planet";
    Err(Failure::new(Kind::Usage, what).hint(format!("name one with {ways}")))
}

/// Reads a key file: a 32-byte Ed25519 seed as 64 hexadecimal digits.
pub fn read_signer(file: &Path) -> Result<Signer, Failure> {
    let failure = |what: String| {
        Failure::new(Kind::Environment, what).hint("make a key file with `xorbit keygen FILE`")
    };
    let text = File::open(file)
        .and_then(|open| {
            secret::warn_if_others_can_read(&open, &file.display().to_string());
            read_short(&open)
        })
        .map_err(|cause| failure(format!("cannot read `{}`: {cause}", file.display())))?;
    if network_key::is_one(text.as_bytes()) {
        let what = format!("`{}` is the key of a network, not of a namespace", file.display());
        return Err(failure(what).hint(
            "give it with `--network-key FILE`; make a namespace's with `xorbit keygen FILE`",
        ));
    }
    let seed = hex::decode::<32>(text.trim()).map(Zeroizing::new).ok_or_else(|| {
        // What stands there may be secret, so it is not shown.
        failure(format!("`{}` is no key file: not 64 hexadecimal digits", file.display()))
    })?;
    Ok(Signer::from_seed(&seed))
}

/// The beginning of a file, which is all of it if it holds a key.
pub fn read_short(file: &File) -> io::Result<Zeroizing<String>> {
    // Reserved at once: a buffer that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(2 * KEY_FILE_BYTES as usize));
    file.take(KEY_FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_can_be_typed_as_they_stand() {
        let none = WritableArgs { namespace: None, signer: None, secret_file: None };
        let args = WritableArgs { namespace: Some("my keys".into()), ..none.clone() };
        assert_eq!(args.read_command("it's"), r"xorbit get 'it'\''s' --namespace 'my keys'");
        let args = WritableArgs { signer: Some("keys/me".into()), ..none.clone() };
        assert_eq!(args.read_command("greeting"), "xorbit get greeting --signer keys/me");
        let args =
            WritableArgs { secret_file: Some("s".into()), namespace: Some("team".into()), ..none };
        assert_eq!(args.read_command("k"), "xorbit get k --namespace team --secret-file s");
    }
}
