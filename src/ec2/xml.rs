//! A strict XML reader: the only code that decides what a response body contains.
//!
//! The SDK's reader is lenient. It takes a truncated document for a complete one, and reads only the text before a
//! comment. Here a document that can be read in two ways is an error. EC2 itself sends none of the rejected constructs.

use std::collections::HashSet;

use xmlparser::{ElementEnd, Token, Tokenizer};

/// The deepest document that EC2 sends, a list of CIDRs with their associations, has 6 levels. The limit keeps a
/// document of nothing but start tags from exhausting the stack when its tree is dropped.
const MAX_DEPTH: usize = 32;

/// The elements that may occur more than once in their parent. All others must be unique.
const REPEATABLE: [&str; 2] = ["item", "Error"];

/// Why a body is not the document that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body exceeds the size limit.
    #[error("its body is longer than 1 MiB")]
    TooLong,
    /// The body is truncated, is not UTF-8, or breaks the syntax of XML.
    #[error("its body is not well-formed XML")]
    NotXml,
    /// Valid XML with a construct that EC2 does not use and that XML readers treat differently.
    #[error("its XML has {0}, which EC2 does not use")]
    Unsupported(&'static str),
    /// The root element belongs to another kind of document.
    #[error("its root element is `{found}`, expected `{expected}`")]
    UnexpectedRoot {
        /// The name in the document.
        found: String,
        /// The name that the response should have.
        expected: String,
    },
    /// An element occurs twice. Its name is not printed: it is arbitrary text.
    #[error("its XML repeats an element that must be unique")]
    Duplicate,
    /// An element has child elements where text is expected.
    #[error("its `{0}` has child elements, expected text")]
    NotText(&'static str),
    /// A required element is missing or empty.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// The error code cannot be an `errorType`.
    #[error("its error code is not a valid error name: {0:?}")]
    InvalidCode(String),
    /// A success for another ASN or IPAM than that of the request.
    #[error("it names another ASN or IPAM")]
    OtherResource,
    /// A list that repeats a page, or that has too many pages or entries.
    #[error("its pages do not end")]
    EndlessList,
}

/// An element with its text or its child elements, never both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Parses a whole document.
    ///
    /// # Errors
    ///
    /// [`BodyError`], if the document is not well-formed or uses a construct that EC2 does not use: a prefix, a comment,
    /// CDATA, a processing instruction, a document type, text beside elements, or a repeated element.
    pub fn parse(document: &[u8]) -> Result<Self, BodyError> {
        let document = std::str::from_utf8(document).map_err(|_| BodyError::NotXml)?;
        // The elements that are open, the root first. The first entry collects the root itself.
        let mut open = vec![Self::default()];
        let mut attributes = HashSet::new();
        for token in Tokenizer::from(document) {
            match token.map_err(|_| BodyError::NotXml)? {
                Token::Declaration { encoding: Some(encoding), .. } if !encoding.eq_ignore_ascii_case("UTF-8") => {
                    return Err(BodyError::Unsupported("another encoding than UTF-8"));
                }
                Token::Declaration { .. } | Token::ElementEnd { end: ElementEnd::Open, .. } => {}
                // The tokenizer takes `:name` for a name without a prefix.
                Token::ElementStart { span, .. } | Token::Attribute { span, .. }
                    if span.as_str().split('=').next().is_some_and(|name| name.contains(':')) =>
                {
                    return Err(BodyError::Unsupported("a namespace prefix"));
                }
                Token::ElementStart { local, .. } => {
                    if open.len() > MAX_DEPTH {
                        return Err(BodyError::Unsupported("more than 32 levels"));
                    }
                    attributes.clear();
                    open.push(Self { name: local.as_str().to_owned(), ..Self::default() });
                }
                Token::Attribute { local, value, .. } => {
                    let is_first = attributes.insert(local.as_str());
                    unescape(value.as_str()).filter(|_| is_first).ok_or(BodyError::NotXml)?;
                }
                Token::ElementEnd { end, span } => {
                    let element = open.pop().ok_or(BodyError::NotXml)?;
                    if let ElementEnd::Close(_, local) = end
                        && (span.as_str().contains(':') || local.as_str() != element.name)
                    {
                        return Err(BodyError::NotXml);
                    }
                    let element = element.checked()?;
                    open.last_mut().ok_or(BodyError::NotXml)?.children.push(element);
                }
                Token::Text { text } => {
                    let text = unescape(text.as_str()).ok_or(BodyError::NotXml)?;
                    open.last_mut().ok_or(BodyError::NotXml)?.text.push_str(&text);
                }
                Token::Comment { .. } => return Err(BodyError::Unsupported("a comment")),
                Token::Cdata { .. } => return Err(BodyError::Unsupported("a CDATA section")),
                Token::ProcessingInstruction { .. } => return Err(BodyError::Unsupported("a processing instruction")),
                _ => return Err(BodyError::Unsupported("a document type")),
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(Self { mut children, .. }), true) if children.len() == 1 => children.pop().ok_or(BodyError::NotXml),
            _ => Err(BodyError::NotXml),
        }
    }

    /// The element, if it can be read in only one way.
    fn checked(self) -> Result<Self, BodyError> {
        if !self.children.is_empty() && !self.text.trim().is_empty() {
            return Err(BodyError::Unsupported("text beside elements"));
        }
        let mut names = HashSet::new();
        for child in &self.children {
            if !names.insert(child.name.as_str()) && !REPEATABLE.contains(&child.name.as_str()) {
                return Err(BodyError::Duplicate);
            }
        }
        Ok(self)
    }

    /// The name of the element.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The child element with this name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// How many elements with this name there are, this one and all its descendants.
    #[must_use]
    pub fn occurrences(&self, name: &str) -> usize {
        usize::from(self.name == name) + self.children.iter().map(|child| child.occurrences(name)).sum::<usize>()
    }

    /// The text of the child element with this name, without surrounding XML white space. `None` if the child is missing
    /// or empty.
    ///
    /// # Errors
    ///
    /// [`BodyError::NotText`], if the child has child elements itself.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, BodyError> {
        let Some(child) = self.child(name) else { return Ok(None) };
        if !child.children.is_empty() {
            return Err(BodyError::NotText(name));
        }
        Ok(Some(child.text.trim_matches([' ', '\t', '\r', '\n'])).filter(|text| !text.is_empty()))
    }

    /// The `item` elements of the child element with this name.
    ///
    /// # Errors
    ///
    /// [`BodyError::Missing`], if there is no such list: an empty list is an element too. [`BodyError::Unsupported`], if it
    /// has anything but `item` elements.
    pub fn items(&self, name: &'static str) -> Result<&[Self], BodyError> {
        let list = self.child(name).ok_or(BodyError::Missing(name))?;
        let only_items = list.text.trim().is_empty() && list.children.iter().all(|child| child.name == "item");
        if only_items { Ok(&list.children) } else { Err(BodyError::Unsupported("a list of anything but `item`")) }
    }
}

/// Resolves character references and the five entities that XML defines. `None` for other entities, and for characters
/// that XML does not allow.
fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('&');
    let mut unescaped = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (reference, rest) = part.split_once(';')?;
        unescaped.push(match reference {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => char::from_u32(match reference.strip_prefix("#x") {
                Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok()?,
                Some(_) => return None,
                None => reference.strip_prefix('#').filter(|n| n.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?,
            })?,
        });
        unescaped.push_str(rest);
    }
    let is_allowed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}');
    unescaped.chars().all(|c| is_allowed(c) && !matches!(c, '\u{fffe}' | '\u{ffff}')).then_some(unescaped)
}
