//! Text that is safe to print: on one line, and of bounded length.

/// Replaces control characters and characters that change the direction of writing by spaces. Both can make a log line
/// look different from what it contains.
pub(crate) fn to_single_line(text: &str) -> String {
    let changes_layout = |c: char| {
        let is_bidirectional_control =
            matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        c.is_control() || is_bidirectional_control || matches!(c, '\u{2028}' | '\u{2029}')
    };
    text.replace(changes_layout, " ")
}

/// The longest prefix of at most `max_bytes` that ends at a character boundary.
pub(crate) fn truncate(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// Like [`truncate`], but marks the cut with an ellipsis if there is room for one.
pub(crate) fn ellipsize(text: &str, max_bytes: usize) -> String {
    const ELLIPSIS: &str = "…";
    match max_bytes.checked_sub(ELLIPSIS.len()) {
        _ if text.len() <= max_bytes => text.to_owned(),
        Some(room) => format!("{}{ELLIPSIS}", truncate(text, room)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_characters_become_spaces() {
        assert_eq!(to_single_line("a\r\nb\u{2028}\u{85}\0\u{202e}c\u{61c}\u{2069}é"), "a  b    c  é");
    }

    #[test]
    fn text_is_cut_at_a_character_boundary() {
        assert_eq!(truncate("éé", 3), "é");
        assert_eq!(ellipsize("éééé", 7), "éé…");
        assert_eq!(ellipsize("éééé", 8), "éééé");
        assert_eq!((ellipsize("éé", 3), ellipsize("éé", 2)), ("…".into(), String::new()));
    }
}
