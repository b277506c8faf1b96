//! Markup that cannot come out malformed: elements close themselves, text and attributes are
//! escaped. What is written is XML and HTML alike.

use std::fmt::{self, Display, Write};

/// Attributes of an element, in order.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

/// A document that is being written.
#[derive(Default)]
pub(super) struct Markup(String);

impl Markup {
    /// A document that begins with this.
    pub(super) fn beginning(head: &str) -> Self {
        Self(head.to_owned())
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push('\n');
        self.0
    }

    /// An element with what `inside` writes.
    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        self.0.push('>');
        inside(self);
        self.close(name);
    }

    /// An element with nothing but text in it.
    pub(super) fn line(&mut self, name: &str, attributes: Attributes<'_>, text: impl Display) {
        self.element(name, attributes, |markup| markup.text(text));
    }

    /// An element that has no inside: a void element of HTML, or a shape of SVG.
    pub(super) fn empty(&mut self, name: &str, attributes: Attributes<'_>) {
        self.open(name, attributes);
        self.0.push_str("/>");
    }

    /// What was written apart.
    pub(super) fn append(&mut self, other: Self) {
        self.0.push_str(&other.0);
    }

    pub(super) fn text(&mut self, text: impl Display) {
        self.write(text);
    }

    /// A style sheet. HTML reads it as it stands and XML as text, so it must need no escaping.
    pub(super) fn style(&mut self, sheet: &str) {
        debug_assert!(!sheet.contains(['<', '&']), "a style sheet that needs escaping");
        self.element("style", &[], |markup| markup.0.push_str(sheet));
    }

    fn open(&mut self, name: &str, attributes: Attributes<'_>) {
        self.0.push('\n');
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.write(value);
            self.0.push('"');
        }
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    fn write(&mut self, text: impl Display) {
        write!(Escaped(&mut self.0), "{text}").expect("a string takes all that is written to it");
    }
}

/// Writes text so that it can stand between tags and in attributes.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(c),
                // XML has no way to write these; a terminal's colours must not break a page.
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                    self.0.push(char::REPLACEMENT_CHARACTER);
                }
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// A length or a place in pixels, to a tenth.
#[derive(Clone, Copy)]
pub(super) struct Px(pub(super) f64);

impl Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding nothing turns a negative zero into a positive one.
        write!(f, "{}", (self.0 * 10.0).round() / 10.0 + 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_written_can_become_markup() {
        let mut markup = Markup::default();
        let evil = "</p><script>alert('1' & \"2\")</script>\u{0}\u{1b}]]>";
        markup.line("p", &[("title", &evil)], evil);
        let written = markup.finish();
        let read = roxmltree::Document::parse(&written).unwrap();
        let kept = evil.replace(['\u{0}', '\u{1b}'], "\u{fffd}");
        assert_eq!(read.root_element().text(), Some(kept.as_str()));
        assert_eq!(read.root_element().attribute("title"), Some(kept.as_str()));
        assert_eq!(read.root_element().children().filter(|node| node.is_element()).count(), 0);
    }

    #[test]
    fn pixels_are_short_and_never_a_negative_nothing() {
        assert_eq!(format!("{} {} {}", Px(-0.01), Px(12.34), Px(7.0)), "0 12.3 7");
    }
}
