//! Compare-and-swap as HTTP has it (RFC 9110, section 13): the entity tag of a value is its version.

use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use utoipa::IntoParams;
use xorbit::Version;

use crate::params::version;
use crate::problem::{Kind, Problem};

/// What a put may expect, in the description; [`of_write`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it stands for headers")]
pub(crate) struct PutConditions {
    /// Only over the version of this ETag.
    #[param(rename = "If-Match", nullable = false, pattern = "^\"[1-9][0-9]{0,17}\"$")]
    if_match: Option<String>,
    /// `*`: only if there is no value. Not beside If-Match.
    #[param(rename = "If-None-Match", nullable = false, pattern = "^\\*$")]
    if_none_match: Option<String>,
}

/// What a deletion may expect, in the description; [`of_write`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it stands for a header")]
pub(crate) struct DeleteConditions {
    /// Only the version of this ETag.
    #[param(rename = "If-Match", nullable = false, pattern = "^\"[1-9][0-9]{0,17}\"$")]
    if_match: Option<String>,
}

/// What a reader may have, in the description; [`is_known`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it stands for a header")]
pub(crate) struct GetConditions {
    /// ETags of versions that need not be sent again.
    #[param(rename = "If-None-Match", nullable = false)]
    if_none_match: Option<String>,
}

/// What a write expects to replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Anything,
    Absent,
    Is(Version),
}

/// What a write expects.
pub(crate) fn of_write(headers: &HeaderMap) -> Result<Expected, Problem> {
    let wrong = |name: &str, hint: &str| {
        Problem::new(Kind::Usage, format!("{name} is none that can be checked")).hint(hint)
    };
    match (one(headers, &IF_MATCH)?, one(headers, &IF_NONE_MATCH)?) {
        (None, None) => Ok(Expected::Anything),
        (Some(tag), None) => {
            let hint = "give the ETag of one version, such as `If-Match: \"1700000000000000\"`";
            tagged(tag).map(Expected::Is).ok_or_else(|| wrong("If-Match", hint))
        }
        (None, Some(b"*")) => Ok(Expected::Absent),
        (None, Some(_)) => Err(wrong(
            "If-None-Match",
            "a write knows `If-None-Match: *` alone: only if there is none",
        )),
        (Some(_), Some(_)) => Err(wrong("If-Match beside If-None-Match", "give one of them")),
    }
}

/// Whether a reader already has this version.
pub(crate) fn is_known(headers: &HeaderMap, version: Version) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter();
    let mut tags = tags.flat_map(|tags| tags.as_bytes().split(|byte| *byte == b','));
    tags.any(|tag| {
        let tag = tag.trim_ascii();
        // A weak tag is as good here: what has the same version has the same bytes.
        let strong = tag.strip_prefix(b"W/").unwrap_or(tag);
        tag == b"*" || tagged(strong) == Some(version)
    })
}

/// The entity tag of a version.
pub(crate) fn entity_tag(version: Version) -> HeaderValue {
    // Digits within quotes are a header's value.
    HeaderValue::try_from(format!("\"{version}\"")).expect("digits and quotes")
}

fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h [u8]>, Problem> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (_, Some(_)) => Err(Problem::new(Kind::Usage, format!("more than one {name}"))),
        (first, None) => Ok(first.map(|value| value.as_bytes().trim_ascii())),
    }
}

fn tagged(tag: &[u8]) -> Option<Version> {
    let inside = tag.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    version(std::str::from_utf8(inside).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(HeaderName, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_write_expects_one_version_or_none_at_all() {
        let expected = |all: &[_]| of_write(&headers(all)).map_err(|problem| problem.status());
        assert_eq!(expected(&[]), Ok(Expected::Anything));
        assert_eq!(expected(&[(IF_MATCH, "\"7\"")]), Ok(Expected::Is(Version::new(7).unwrap())));
        assert_eq!(expected(&[(IF_NONE_MATCH, "*")]), Ok(Expected::Absent));
        for wrong in [
            &[(IF_MATCH, "*")][..],
            &[(IF_MATCH, "7")],
            &[(IF_MATCH, "\"07\"")],
            &[(IF_MATCH, "W/\"7\"")],
            &[(IF_MATCH, "\"7\", \"8\"")],
            &[(IF_NONE_MATCH, "\"7\"")],
            &[(IF_MATCH, "\"7\""), (IF_NONE_MATCH, "*")],
        ] {
            assert!(expected(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_reader_knows_a_version_by_any_of_its_tags() {
        let version = Version::new(7).unwrap();
        for known in ["\"7\"", "W/\"7\"", "\"6\", \"7\"", "*"] {
            assert!(is_known(&headers(&[(IF_NONE_MATCH, known)]), version), "{known}");
        }
        for other in ["\"6\"", "7", ""] {
            assert!(!is_known(&headers(&[(IF_NONE_MATCH, other)]), version), "{other}");
        }
    }
}
