//! Why a node does not start, told with the way out.

use std::io::ErrorKind;

use xorbit::{Closed, DataDirError, StartError, StoreError};

use crate::failure::{Failure, Kind};

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let told = error.to_string();
        match error {
            StartError::Bind { address, cause } => {
                let failure = Failure::new(Kind::Environment, told);
                match cause.kind() {
                    ErrorKind::AddrInUse => failure.hint(format!(
                        "something else uses that port; take another, or a free one, with `--listen {}:0`",
                        if address.is_ipv6() { format!("[{}]", address.ip()) } else { address.ip().to_string() }
                    )),
                    ErrorKind::AddrNotAvailable => {
                        failure.hint("give an address that this machine has, or `0.0.0.0` for all")
                    }
                    ErrorKind::PermissionDenied => {
                        failure.hint("ports below 1024 need privileges; take a higher one")
                    }
                    _ => failure,
                }
            }
            StartError::TwoOfOneFamily(..) => Failure::new(Kind::Usage, told)
                .hint("listen on `0.0.0.0:PORT` for all IPv4 addresses, `[::]:PORT` for all IPv6"),
            StartError::DataDir(error) => error.into(),
            StartError::BadJoin(_) | StartError::BadReplicas(_) => Failure::new(Kind::Usage, told),
            StartError::SealedPublic => Failure::new(Kind::Usage, told)
                .hint("leave out the network key, or start a network of your own"),
            StartError::NoRandomness(_) | StartError::NoThread(_) => {
                Failure::new(Kind::Environment, told)
            }
        }
    }
}

impl From<DataDirError> for Failure {
    fn from(error: DataDirError) -> Self {
        data_dir(&error)
    }
}

fn data_dir(error: &DataDirError) -> Failure {
    let failure = |what: String| Failure::new(Kind::Environment, what);
    match error {
        DataDirError::NotADirectory(_) => failure(error.to_string())
            .hint("give a directory; one that is not there yet is made by the node"),
        DataDirError::NoStore(_) => failure(error.to_string())
            .hint("give the directory that a node was started with by `--data DIR`"),
        DataDirError::Io { path, cause } if cause.kind() == ErrorKind::InvalidData => {
            failure(format!("cannot read `{}`: {cause}", path.display()))
                .hint("move the file away to start as a new node")
        }
        DataDirError::Io { .. } => failure(error.to_string())
            .hint("give a directory that can be written with `--data DIR`"),
        DataDirError::Store { cause: StoreError::TooNew { .. }, .. } => failure(error.to_string())
            .hint("a later version of this program wrote it: use that, or another `--data DIR`"),
        DataDirError::Store { .. } => failure(error.to_string())
            .hint("see that the disk works and has room, or give another directory"),
        DataDirError::InUse(_) => {
            failure(error.to_string()).hint("end the other node first, or give another directory")
        }
        DataDirError::Unreadable { path, line, what } => {
            failure(format!("cannot read `{}`: line {line}: {what}", path.display()))
                .hint("move the file away to start as a new node")
        }
    }
}

impl From<Closed> for Failure {
    fn from(closed: Closed) -> Self {
        Failure::new(Kind::Environment, closed.to_string())
    }
}
