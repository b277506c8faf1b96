//! Topics as people name them: a text, or an info hash.

use std::fmt;
use std::str::FromStr;

use xorbit::InfoHash;

/// A topic: 40 hexadecimal digits are an info hash, any other text is hashed to one.
#[derive(Clone, Debug)]
pub struct Topic {
    text: String,
    info_hash: InfoHash,
}

impl Topic {
    /// Where its peers announce themselves.
    pub fn info_hash(&self) -> InfoHash {
        self.info_hash
    }
}

impl FromStr for Topic {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err("a topic has at least one letter");
        }
        let info_hash = text.parse().unwrap_or_else(|_| InfoHash::of_topic(text));
        Ok(Self { text: text.to_owned(), info_hash })
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "topic `{}`", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_digits_are_taken_as_they_are_and_texts_are_hashed() {
        let digits = "a9993e364706816aba3e25717850c26c9cd0d89d";
        let info_hash = |text: &str| text.parse::<Topic>().map(|topic| topic.info_hash.to_string());
        assert_eq!(info_hash(digits).as_deref(), Ok(digits));
        assert_eq!(info_hash("abc").as_deref(), Ok(digits));
        assert!(info_hash("").is_err());
    }
}
