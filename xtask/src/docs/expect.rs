//! Comparing what a command printed with what a document shows.
//!
//! `...` inside a line stands for any text; a line of `...` alone for any lines, also none.

const ANYTHING: &str = "...";

/// Whether the printed lines are as shown.
pub fn matches(shown: &[&str], printed: &[&str]) -> bool {
    match shown {
        [] => printed.is_empty(),
        [first, rest @ ..] if first.trim() == ANYTHING => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        [first, rest @ ..] => match printed {
            [line, others @ ..] => line_matches(first, line) && matches(rest, others),
            [] => false,
        },
    }
}

/// Whether the printed lines begin as shown; more may come.
pub fn begins(shown: &[&str], printed: &[&str]) -> bool {
    (0..=printed.len()).any(|length| matches(shown, &printed[..length]))
}

fn line_matches(shown: &str, printed: &str) -> bool {
    let (shown, printed) = (shown.trim_end(), printed.trim_end());
    let Some((head, mut tail)) = shown.split_once(ANYTHING) else {
        return shown == printed;
    };
    let Some(mut rest) = printed.strip_prefix(head) else {
        return false;
    };
    while let Some((part, next)) = tail.split_once(ANYTHING) {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
        tail = next;
    }
    rest.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_dots_must_be_equal_but_for_trailing_blanks() {
        assert!(matches(&["stored", "at 8"], &["stored ", "at 8"]));
        assert!(!matches(&["stored"], &["stored", "at 8"]));
        assert!(!matches(&["stored", "at 8"], &["stored"]));
        assert!(!matches(&["stored"], &["Stored"]));
    }

    #[test]
    fn dots_inside_of_a_line_stand_for_any_text() {
        assert!(matches(&["port ... of ..., ready"], &["port 7 of 127.0.0.1, ready"]));
        assert!(matches(&["id..."], &["id"]));
        assert!(!matches(&["port ... ready"], &["port 7 closed"]));
        assert!(!matches(&["ab...bc"], &["abc"]));
    }

    #[test]
    fn a_line_of_dots_stands_for_any_lines() {
        assert!(matches(&["...", "end"], &["a", "end", "b", "end"]));
        assert!(matches(&["begin", "..."], &["begin"]));
        assert!(matches(&["..."], &[]));
        assert!(!matches(&["...", "end"], &["a"]));
    }

    #[test]
    fn a_beginning_is_enough_where_more_may_come() {
        assert!(begins(&["ready"], &["ready", "1 contact"]));
        assert!(begins(&["...", "ready"], &["bind", "ready", "1 contact"]));
        assert!(!begins(&["ready"], &["bind"]));
        assert!(begins(&[], &["bind"]));
    }
}
