//! An HTTP answer of EC2, as far as errors need it.

use roxmltree::Document;

use crate::secrets::Secrets;

/// The most of an answer that is read, in bytes. A page of 100 CIDRs has some 30 KB; an endpoint that
/// never stops would fill the memory.
pub(crate) const LARGEST: usize = 1 << 20;

/// The most namespaces and the most equals signs (each attribute has one) of an answer that is read. EC2's answers
/// have one namespace, the default one, and no other attribute; texts in them may have some.
const NAMESPACES: usize = 16;
const EQUALS_SIGNS: usize = 1_500;

/// An HTTP answer, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Code` of an EC2 error document.
    pub code: Option<String>,
    /// `Message` of an EC2 error document.
    pub message: Option<String>,
    /// From a header, or else from the document: EC2 gives it in either place.
    pub request_id: Option<String>,
    /// What is wrong with the body as a document. The SDK reads a truncated one without complaint.
    pub flaw: Option<Flaw>,
}

/// What can be wrong with a body as a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is longer than what is read.
    Long,
    /// It is not plain, well-formed XML, or has more attributes and namespaces than can be read in time.
    Malformed,
}

impl Flaw {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Long => "it is longer than 1 MiB",
            Self::Malformed => "it is not plain, well-formed XML",
        }
    }
}

impl Answer {
    /// Reads an answer; `body` is `None` where it is longer than what is read, or has not come. The request ID of a
    /// header comes before the document's.
    #[must_use]
    pub fn read(status: u16, header_request_id: Option<&str>, body: Option<&[u8]>, secrets: &Secrets) -> Self {
        let text = String::from_utf8_lossy(body.unwrap_or_default());
        // The SDK reads no CDATA, and only what stands before a comment: half of a state must not pass for a state.
        let is_split = |document: &Document<'_>| {
            document.root_element().descendants().any(|node| node.is_comment() || node.is_pi())
        };
        let document = if is_quickly_read(&text) { Document::parse(&text).ok() } else { None };
        let document = document.filter(|document| !is_split(document));
        let element = |name: &str| {
            let named = |node: &roxmltree::Node<'_, '_>| node.tag_name().name() == name;
            document.as_ref()?.descendants().find(named)
        };
        let plain = document.is_some() && !text.contains("<![CDATA[");
        let content = |name| element(name)?.text().map(str::trim).filter(|s| !s.is_empty()).map(|s| secrets.redact(s));
        // Only in an error document are these the error's: other answers may use the same names.
        let of_error = |name| element("Error").and_then(|_| content(name));
        Self {
            status,
            code: of_error("Code"),
            message: of_error("Message"),
            request_id: header_request_id
                .map(|id| secrets.redact(id))
                .or_else(|| content("RequestID"))
                .or_else(|| content("requestId")),
            flaw: match body {
                None => Some(Flaw::Long),
                Some(_) if plain => None,
                Some(_) => Some(Flaw::Malformed),
            },
        }
    }

    /// EC2 refuses with a code, or at least a 4xx. A 5xx may follow upon work that was begun, unless it throttles.
    pub(crate) fn rules_out_that_it_was_carried_out(&self) -> bool {
        match &self.code {
            Some(code) => self.status < 500 || is_throttle(code),
            None => (400..500).contains(&self.status),
        }
    }
}

/// Whether the time that a tree takes grows with the length of the text alone. The parser compares each attribute with
/// the others of its element, namespace included where it has a prefix, and each namespace with those of the elements
/// around it: a mebibyte of either would take longer than Lambda waits, and nothing could end it.
fn is_quickly_read(text: &str) -> bool {
    !text.contains("xmlns:")
        && text.matches("xmlns").nth(NAMESPACES).is_none()
        && text.matches('=').nth(EQUALS_SIGNS).is_none()
}

/// A throttled call was not carried out.
pub(crate) fn is_throttle(code: &str) -> bool {
    code.contains("Throttl") || code == "RequestLimitExceeded"
}
