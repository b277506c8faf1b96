//! What the verbs of sets share: where a set is, who writes, what an item looks like in a line, and
//! how changes and failures are told.

use std::ffi::OsString;
use std::path::PathBuf;

use gateway::{hex, span};
use serde_json::{Value, json};
use xorbit::{MAX_TTL, Namespace, PublicKey, SetError, SetReport, Signer};

use crate::connection::Through;
use crate::effort::{self, count};
use crate::failure::{Failure, Kind};
use crate::moment;
use crate::namespace::{or_default, read_signer};
use crate::receipt;
use crate::secret;
use crate::text::shown;

/// Which set: the namespace of its key.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Namespace")]
pub struct PlaceArgs {
    /// Open namespace of this name; with a secret, the public name that keeps those with the same
    /// passphrase apart [default: default]
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    namespace: Option<String>,
    /// Signed namespace of the holder of this public key
    #[arg(long, value_name = "PUBKEY")]
    from: Option<PublicKey>,
    /// Secret namespace of the passphrase in this file: only those who know it can find the set and read
    /// its items. XORBIT_SECRET may hold the passphrase instead
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    secret_file: Option<PathBuf>,
}

/// Who writes to a set.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Namespace")]
pub struct WriterArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Write as the holder of this key file, who alone can remove it again; without one, as everybody
    /// who knows the namespace's name
    #[arg(long, value_name = "FILE")]
    signer: Option<PathBuf>,
}

/// An item of a set.
#[derive(clap::Args, Clone, Debug)]
pub struct ItemArgs {
    /// The item, 1 to 512 bytes
    item: OsString,
    /// The item is given as hexadecimal digits
    #[arg(long)]
    hex: bool,
}

impl PlaceArgs {
    /// The namespace. In the public network one must be named.
    pub fn namespace(&self, public: bool) -> Result<Namespace, Failure> {
        if let Some(owner) = self.from {
            return Ok(Namespace::of(owner));
        }
        // A name beside a secret is part of it, as for values.
        if let Some(passphrase) = secret::find(self.secret_file.as_deref())? {
            return passphrase.namespace(self.namespace.as_deref());
        }
        match &self.namespace {
            Some(name) => Ok(Namespace::open(name.clone())),
            None => {
                let ways = "`--namespace NAME`, `--secret-file FILE` or `--from PUBKEY`";
                or_default(public, ways)
            }
        }
    }
}

impl WriterArgs {
    /// The namespace, and who writes if that is not the namespace itself.
    pub fn read(&self, public: bool) -> Result<(Namespace, Option<Signer>), Failure> {
        let namespace = self.place.namespace(public)?;
        let signer = self.signer.as_deref().map(read_signer).transpose()?;
        Ok((namespace, signer))
    }
}

impl ItemArgs {
    /// The item's bytes.
    pub fn read(&self) -> Result<Vec<u8>, Failure> {
        let bytes = self.item.as_encoded_bytes();
        if !self.hex {
            return Ok(bytes.to_vec());
        }
        std::str::from_utf8(bytes).ok().and_then(hex::decode_all).ok_or_else(|| {
            let given = self.item.to_string_lossy();
            Failure::new(Kind::Usage, format!("`{given}` is not pairs of hexadecimal digits"))
        })
    }

    /// The item in a line.
    pub fn shown(&self) -> String {
        shown(self.item.as_encoded_bytes())
    }
}

/// Adds an item to an object: as text if it is, else as digits.
pub fn put_item(object: &mut Value, item: &[u8]) {
    match std::str::from_utf8(item) {
        Ok(text) => object["item"] = text.into(),
        Err(_) => object["item_hex"] = hex::encode(item).into(),
    }
}

/// The lines of a receipt, such as `added: 8 replicas of 8 known, version 7, lives until ...`.
pub fn lines(verb: &str, report: &SetReport, lives: &str) -> Vec<String> {
    let SetReport { version, expires, replicas, .. } = report;
    let first = format!(
        "{verb}: {}, version {version}, {lives} {} ({})",
        receipt::replicas(replicas),
        moment::utc(*expires),
        effort::told(&replicas.effort, effort::writes(replicas)),
    );
    let mut lines = vec![first];
    lines.extend(effort::shortfalls(replicas).into_iter().map(|line| format!("  {line}")));
    lines
}

/// The receipt for programs.
pub fn to_json(report: &SetReport) -> Value {
    json!({
        "target": report.target.to_string(),
        "writer": report.writer.to_string(),
        "version": report.version.get(),
        "expires_ms": report.expires.0,
        "replicas": effort::replicas_json(&report.replicas),
        "effort": effort::to_json(&report.replicas.effort),
    })
}

/// Why it failed; `name` is as in ``set `guests` ``.
pub fn failure(error: SetError, name: &str, item: Option<&ItemArgs>, through: &Through) -> Failure {
    let told = error.to_string();
    match error {
        SetError::Key(_) | SetError::ItemSize { .. } => Failure::new(Kind::Usage, told),
        SetError::NoWriter(_) => {
            Failure::new(Kind::Usage, told).hint("name who writes with `--signer FILE`")
        }
        SetError::BadTtl(ttl) => {
            let (ttl, most) = (span::exact(ttl), span::exact(MAX_TTL));
            Failure::new(Kind::Usage, format!("a life of {ttl} is not between 1ms and {most}"))
                .hint("renew a member that shall live longer by adding it again")
        }
        SetError::Unreachable(_) => through.unreachable(),
        SetError::NoHolders { answered, effort } => {
            Failure::new(Kind::Refused, format!("no node near {name} holds sets"))
                .detail(format!("{} answered, none of them Xorbit", count(answered, "node")))
                .hint("sets need nodes started with `xorbit node`; foreign nodes hold values only")
                .with("answered", answered)
                .with("effort", effort::to_json(&effort))
        }
        SetError::NotFound { writer, effort } => {
            let item = item.map(ItemArgs::shown).unwrap_or_default();
            Failure::new(Kind::NotFound, format!("`{item}` is no member of {name}"))
                .detail(format!("none that {writer} added"))
                .hint("only who added a member can remove it: name them with `--signer FILE`")
                .with("writer", writer.to_string())
                .with("effort", effort::to_json(&effort))
        }
        SetError::NotEnoughReplicas(report) => {
            let failure = Failure::new(Kind::NotEnoughReplicas, told)
                .hint(effort::way_out(&report.replicas.refused, report.replicas.silent.len()))
                .with("replicas", effort::replicas_json(&report.replicas));
            effort::shortfalls(&report.replicas).into_iter().fold(failure, Failure::detail)
        }
        SetError::NotEnoughAnswers { answered, known, needed, .. } => {
            Failure::new(Kind::NotEnoughReplicas, format!("{name}: {told}"))
                .hint("those that are silent may be gone: try again")
                .with("answered", answered)
                .with("known", known)
                .with("needed", needed)
        }
        SetError::VersionExhausted(version) => {
            Failure::new(Kind::Conflict, format!("{name}: {told}")).with("current", version.get())
        }
        SetError::Busy | SetError::Closed => Failure::new(Kind::Environment, told),
    }
}
