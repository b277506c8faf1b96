//! The passphrase of a secret namespace: from a file or the environment, never from the command
//! line, which every user of the machine can read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use xorbit::{Namespace, PASSPHRASE_BYTES, PassphraseError};
use zeroize::Zeroizing;

use crate::failure::{Failure, Kind};
use crate::network_key;
use crate::talk;

/// The variable that may hold a passphrase.
const VARIABLE: &str = "XORBIT_SECRET";

/// Bytes of the longest line end.
const LINE_END_BYTES: usize = 2;

/// A passphrase, wiped from memory when it is dropped, and where it came from.
pub struct Passphrase {
    bytes: Zeroizing<Vec<u8>>,
    source: String,
}

/// The passphrase in this file, or else in the environment.
pub fn find(file: Option<&Path>) -> Result<Option<Passphrase>, Failure> {
    match file {
        Some(file) => read(file).map(Some),
        None => Ok(std::env::var_os(VARIABLE).map(|text| Passphrase {
            bytes: Zeroizing::new(text.into_encoded_bytes()),
            source: VARIABLE.to_owned(),
        })),
    }
}

/// Whether the environment holds one.
pub fn is_in_environment() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

impl Passphrase {
    /// Its namespace, of this public name if one is given. Slow.
    pub fn namespace(&self, name: Option<&str>) -> Result<Namespace, Failure> {
        let namespace = match name {
            Some(name) => Namespace::secret_named(&self.bytes, name),
            None => Namespace::secret(&self.bytes),
        };
        namespace.map_err(|error| {
            let what = match error {
                PassphraseError::Empty => format!("the passphrase in `{}` is empty", self.source),
                // No more of it was read, so how long it is is not known.
                PassphraseError::TooLong(_) => format!(
                    "the passphrase in `{}` is longer than {PASSPHRASE_BYTES} bytes",
                    self.source
                ),
            };
            Failure::new(Kind::Usage, what)
                .hint("`xorbit keygen FILE` writes one that nobody guesses")
        })
    }
}

fn read(file: &Path) -> Result<Passphrase, Failure> {
    let source = file.display().to_string();
    // Reserved at once: a buffer that grows leaves copies behind.
    let most = PASSPHRASE_BYTES + LINE_END_BYTES + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * most));
    let read = File::open(file).and_then(|open| {
        warn_if_others_can_read(&open, &source);
        open.take(most as u64).read_to_end(&mut bytes)
    });
    read.map_err(|cause| {
        Failure::new(Kind::Environment, format!("cannot read `{source}`: {cause}"))
            .hint("`--secret-file` takes a file with the passphrase in it")
    })?;
    let trimmed = without_line_end(&bytes).len();
    bytes.truncate(trimmed);
    if network_key::is_one(&bytes) {
        let what = format!("`{source}` is the key of a network, not a passphrase");
        return Err(Failure::new(Kind::Environment, what).hint("give it with `--network-key FILE`"));
    }
    Ok(Passphrase { bytes, source })
}

/// Editors and `echo` end a file with a line end, which nobody means as part of a passphrase.
fn without_line_end(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if line.len() < bytes.len() { line.strip_suffix(b"\r").unwrap_or(line) } else { line }
}

/// Tells of a secret that other users of the machine can read, too.
#[cfg(unix)]
pub fn warn_if_others_can_read(file: &File, source: &str) {
    use std::os::unix::fs::MetadataExt;
    // A pipe or a terminal has no others.
    let open_to_others =
        file.metadata().is_ok_and(|meta| meta.is_file() && meta.mode() & 0o044 != 0);
    if open_to_others {
        let file = crate::namespace::quoted(source);
        talk::say(format_args!(
            "warning: others on this machine can read `{source}`; `chmod 600 {file}` ends that"
        ));
    }
}

/// Elsewhere a file says in no such short way who can read it.
#[cfg(not(unix))]
pub fn warn_if_others_can_read(_: &File, _: &str) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_no_part_of_a_passphrase_and_all_else_is() {
        for (file, passphrase) in [
            (&b"open sesame\n"[..], &b"open sesame"[..]),
            (b"open sesame\r\n", b"open sesame"),
            (b"open sesame", b"open sesame"),
            (b"open sesame\n\n", b"open sesame\n"),
            (b" open sesame\r", b" open sesame\r"),
            (b"\xff\x00\n", b"\xff\x00"),
            (b"\n", b""),
        ] {
            assert_eq!(without_line_end(file), passphrase);
        }
    }
}
