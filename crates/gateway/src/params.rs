//! What a request says in its path and query, and what of it is none.

use std::time::Duration;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};
use xorbit::{Consistency, Namespace, PublicKey, Version};

use crate::problem::{Kind, Problem};
use crate::{Network, Settings, span};

/// One segment of the path, its escapes read.
pub(crate) struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(cause) => Err(Problem::new(Kind::Usage, cause.body_text())),
        }
    }
}

/// The query, read as `T`.
pub(crate) struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(read)) => Ok(Self(read)),
            Err(cause) => Err(Problem::new(Kind::Usage, cause.body_text())),
        }
    }
}

/// How many replicas a get waits for.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wait {
    /// The first valid answer, which may be an old one; the node's own copy if it has one.
    First,
    /// A majority.
    #[default]
    Quorum,
    /// All.
    All,
}

impl From<Wait> for Consistency {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::First => Consistency::First,
            Wait::Quorum => Consistency::Quorum,
            Wait::All => Consistency::All,
        }
    }
}

/// Whose keys are written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Writing {
    /// The open namespace of this name, which everybody who knows the name can write; `default` if it
    /// is left out, which the planet-wide network does not allow.
    #[param(example = "team")]
    namespace: Option<String>,
    /// How long the value lives, such as `24h` or `1h30m`; 7 days if it is left out, at most a year.
    #[param(example = "24h", pattern = "^([0-9]+(ms|s|m|h|d|w))+$")]
    ttl: Option<String>,
    /// Tell each step of the lookup, in JSON.
    #[serde(default)]
    pub trace: bool,
}

/// Whose keys are deleted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Deleting {
    /// The open namespace of this name; `default` if it is left out.
    #[param(example = "team")]
    namespace: Option<String>,
    /// Tell each step of the lookup, in JSON.
    #[serde(default)]
    pub trace: bool,
}

/// Whose keys are read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Reading {
    /// The open namespace of this name; `default` if it is left out.
    #[param(example = "team")]
    namespace: Option<String>,
    /// The signed namespace of the holder of this public key, 64 hexadecimal digits.
    #[param(pattern = "^[0-9a-fA-F]{64}$")]
    from: Option<String>,
}

/// How a key is read, and whose.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Getting {
    /// The open namespace of this name; `default` if it is left out.
    #[param(example = "team")]
    namespace: Option<String>,
    /// The signed namespace of the holder of this public key, 64 hexadecimal digits.
    #[param(pattern = "^[0-9a-fA-F]{64}$")]
    from: Option<String>,
    /// How many replicas to wait for; a majority if it is left out.
    #[serde(default)]
    #[param(inline)]
    pub consistency: Option<Wait>,
    /// Tell each step of the lookup, in JSON.
    #[serde(default)]
    pub trace: bool,
}

impl Writing {
    /// The namespace.
    pub fn namespace(&self, settings: &Settings) -> Result<Option<Namespace>, Problem> {
        namespace(self.namespace.as_deref(), None, settings)
    }

    /// For how long.
    pub fn ttl(&self) -> Result<Option<Duration>, Problem> {
        let read = |text: &String| {
            span::parse(text).map_err(|why| {
                Problem::new(Kind::Usage, format!("ttl `{}`: {why}", text.escape_debug()))
            })
        };
        self.ttl.as_ref().map(read).transpose()
    }
}

impl Deleting {
    /// The namespace.
    pub fn namespace(&self, settings: &Settings) -> Result<Option<Namespace>, Problem> {
        namespace(self.namespace.as_deref(), None, settings)
    }
}

impl Reading {
    /// The namespace.
    pub fn namespace(&self, settings: &Settings) -> Result<Option<Namespace>, Problem> {
        namespace(self.namespace.as_deref(), self.from.as_deref(), settings)
    }
}

impl Getting {
    /// The namespace.
    pub fn namespace(&self, settings: &Settings) -> Result<Option<Namespace>, Problem> {
        namespace(self.namespace.as_deref(), self.from.as_deref(), settings)
    }
}

/// The namespace that a request names; `None`: the default one.
fn namespace(
    name: Option<&str>,
    from: Option<&str>,
    settings: &Settings,
) -> Result<Option<Namespace>, Problem> {
    match (name, from) {
        (Some(_), Some(_)) => {
            Err(Problem::new(Kind::Usage, "both `namespace` and `from`: give one of them"))
        }
        (Some(name), None) => Ok(Some(Namespace::open(name))),
        (None, Some(key)) => {
            let owner: PublicKey = key.parse().map_err(|_| {
                let key = key.escape_debug();
                Problem::new(Kind::Usage, format!("from `{key}` is no public key"))
                    .hint("a public key has 64 hexadecimal digits")
            })?;
            Ok(Some(Namespace::of(owner)))
        }
        (None, None) if settings.network == Network::Public => {
            let what = "no namespace: the default one belongs to everybody on the planet";
            Err(Problem::new(Kind::Usage, what).hint("name one with `?namespace=NAME`"))
        }
        (None, None) => Ok(None),
    }
}

/// Reads a version.
pub(crate) fn version(text: &str) -> Option<Version> {
    // As it is told: no sign, no zeros before.
    let number: u64 = text.parse().ok().filter(|number: &u64| number.to_string() == text)?;
    Version::new(number)
}
