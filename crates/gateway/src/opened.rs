//! Routes that strangers may use without a token, if the node is told so: what goes in and out there is
//! signed or hashed, so that nobody is believed because of where it comes from.

use std::fmt;
use std::str::FromStr;

use axum::http::Method;

use crate::rate::Deed;
use crate::z32;

/// A group of routes that may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The relay of pkarr: `/{key}`.
    Pkarr,
    /// Raw items: `/v1/items/{target}`.
    Items,
}

impl Opened {
    const ALL: [Self; 2] = [Self::Pkarr, Self::Items];

    /// Whether the path is of this group, written as it is told to be: what is written in another way
    /// needs a token like all else.
    fn is_at(self, path: &str) -> bool {
        match self {
            Self::Pkarr => path.strip_prefix('/').is_some_and(|key| z32::decode_key(key).is_some()),
            Self::Items => path.strip_prefix("/v1/items/").is_some_and(|target| {
                target.len() == 40 && target.bytes().all(|digit| digit.is_ascii_hexdigit())
            }),
        }
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pkarr => "pkarr",
            Self::Items => "items",
        })
    }
}

impl FromStr for Opened {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|group| group.to_string() == text).ok_or("what can be opened is pkarr or items")
    }
}

/// What a stranger would do by this request, if it is of a group that is opened.
pub(crate) fn deed(opened: &[Opened], method: &Method, path: &str) -> Option<Deed> {
    let deed = match *method {
        Method::GET | Method::HEAD => Deed::Read,
        Method::PUT => Deed::Write,
        _ => return None,
    };
    opened.iter().any(|group| group.is_at(path)).then_some(deed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_what_is_opened_are_open_and_only_as_they_are_told_to_be_written() {
        let key = format!("/{}", "y".repeat(52));
        let item = format!("/v1/items/{}", "0aF".repeat(13) + "0");
        let both = [Opened::Pkarr, Opened::Items];
        assert_eq!(deed(&both, &Method::GET, &key), Some(Deed::Read));
        assert_eq!(deed(&both, &Method::PUT, &item), Some(Deed::Write));
        assert_eq!(deed(&[Opened::Items], &Method::GET, &key), None);
        assert_eq!(deed(&[Opened::Pkarr], &Method::GET, &item), None);
        assert_eq!(deed(&[], &Method::GET, &key), None);
        assert_eq!(deed(&both, &Method::DELETE, &key), None);
        for other in ["/", "/v1/node", "/v1/items/", "/metrics", "/v1/kv/k", "*", "", "/livez"] {
            assert_eq!(deed(&both, &Method::GET, other), None, "{other}");
        }
        for other in [key.to_uppercase(), key + "/", format!("/{item}"), item + "0"] {
            assert_eq!(deed(&both, &Method::GET, &other), None, "{other}");
        }
    }

    #[test]
    fn a_group_is_named_as_it_is_told() {
        for group in Opened::ALL {
            assert_eq!(group.to_string().parse(), Ok(group));
        }
        assert!("kv".parse::<Opened>().is_err());
    }
}
