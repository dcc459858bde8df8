//! Writes the XML of the EC2 Query protocol.

/// An element with XML as its content.
pub fn element(name: &str, content: &str) -> String {
    format!("<{name}>{content}</{name}>")
}

/// An element with text as its content.
pub fn text(name: &str, value: &str) -> String {
    element(name, &escape(value))
}

/// An element with text as its content, or the empty string for `None`.
pub fn optional(name: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| text(name, value))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // XML parsers replace an unescaped carriage return by a line feed.
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}
