//! A request's body: in memory while it is small, in a nameless temporary file beyond.

use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use tempfile::SpooledTempFile;

use crate::problem::{Kind, Problem, above_limit};

/// Bytes that are held in memory.
const MEMORY_BYTES: usize = 64 << 10;

/// How long a caller may be silent in the middle of a body.
const SILENCE: Duration = Duration::from_secs(20);

/// Takes a body of at most so many bytes; gives it from its beginning, with its length.
pub(crate) async fn take(
    headers: &HeaderMap,
    mut body: Body,
    limit: u64,
) -> Result<(u64, SpooledTempFile), Problem> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if let Some(length) = told.and_then(|length| length.parse().ok())
        && length > limit
    {
        return Err(too_large(Some(length), limit));
    }
    let (mut spool, mut length) = (SpooledTempFile::new(MEMORY_BYTES), 0);
    loop {
        let next = tokio::time::timeout(SILENCE, body.frame()).await;
        let frame = match next {
            Err(_) => return Err(Problem::new(Kind::TooSlow, "the body does not go on")),
            Ok(None) => break,
            Ok(Some(Err(cause))) => {
                return Err(Problem::new(Kind::Usage, format!("the body broke off: {cause}")));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        let Some(bytes) = frame.data_ref() else { continue };
        length += bytes.len() as u64;
        if length > limit {
            return Err(too_large(None, limit));
        }
        spool.write_all(bytes).map_err(unkept)?;
    }
    spool.seek(SeekFrom::Start(0)).map_err(unkept)?;
    Ok((length, spool))
}

/// Takes a short body into memory.
pub(crate) async fn take_short(
    headers: &HeaderMap,
    body: Body,
    limit: u64,
) -> Result<Vec<u8>, Problem> {
    let (_, mut spool) = take(headers, body, limit).await?;
    let mut bytes = Vec::new();
    spool.read_to_end(&mut bytes).map_err(unkept)?;
    Ok(bytes)
}

fn too_large(length: Option<u64>, limit: u64) -> Problem {
    above_limit(format!("the body has more than the {limit} bytes that are taken"), length, limit)
}

fn unkept(cause: std::io::Error) -> Problem {
    Problem::new(Kind::Environment, format!("the body cannot be kept: {cause}"))
}
