//! The token that callers show where the gateway is open to more than this machine.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes that a token has at least: below, it could be guessed.
const LEAST_BYTES: usize = 16;

/// What callers show as `Authorization: Bearer TOKEN` (RFC 6750).
pub struct Token(Zeroizing<String>);

/// Why a text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It could be guessed.
    #[error("the token has {0} bytes, fewer than {LEAST_BYTES}")]
    Short(usize),
    /// A header cannot carry it.
    #[error("the token has letters other than those of ASCII that print, or spaces")]
    Letters,
}

impl Token {
    /// What stands in a file, white space around it left out.
    ///
    /// # Errors
    /// [`TokenError`], which does not show the token.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.len() < LEAST_BYTES {
            return Err(TokenError::Short(text.len()));
        }
        match text.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Self(Zeroizing::new(text.to_owned()))),
            false => Err(TokenError::Letters),
        }
    }

    /// Whether this is it. Takes as long for each text of its length.
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_of_plain_letters_and_is_never_shown() {
        let token = Token::new(" 0123456789abcdef\n").unwrap();
        assert!(token.is(b"0123456789abcdef"));
        for other in [&b"0123456789abcdeF"[..], b"0123456789abcdef ", b""] {
            assert!(!token.is(other));
        }
        assert_eq!(format!("{token:?}"), "Token");
        assert_eq!(Token::new("short").unwrap_err(), TokenError::Short(5));
        assert_eq!(Token::new("0123456789 abcdef").unwrap_err(), TokenError::Letters);
    }
}
