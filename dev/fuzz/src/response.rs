//! HTTP response to the error that a caller receives.
//!
//! A second XML reader, roxmltree, confirms what the function's reader accepts.

use deprovision_ipam_byoasn::{
    ec2::{BodyError, CallError, CallErrorKind, Content, Ec2Response, Element},
    error::{ASN_STILL_ASSOCIATED, DEPROVISION_FAILED, DRY_RUN_NOT_HONORED, EC2_BAD_RESPONSE, Error},
    redaction::Redactor,
    response::AsnAssociation,
};
use roxmltree::{Document, Node};

use crate::message;

/// Longer request IDs are truncated.
const MAX_REQUEST_ID_CHARS: usize = 128;

const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEJr/SESSION+TOKEN==";

/// The longest first: where two match, the redactor removes the longer one.
const SECRETS: [&str; 3] = [SECRET_ACCESS_KEY, SESSION_TOKEN, ACCESS_KEY_ID];

const ACTION: &str = "DeprovisionIpamByoasn";
const OPERATION: &str = "Deprovisioning ASN 64500 from ipam-0123456789abcdef0";
const OUTCOME_UNKNOWN: &str = " The outcome is unknown: check the state of the ASN with DescribeOnly, or call again.";

const XML_WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Parses the input as a response: a line `STATUS` or `STATUS REQUEST-ID`, then the body.
///
/// # Panics
///
/// If a property is violated.
pub fn check(input: &[u8]) {
    let head = input.split(|&b| b == b'\n').next().unwrap_or_default();
    let body = input.get(head.len() + 1..).unwrap_or_default();
    // The HTTP client reads only printable ASCII from a header as text.
    let head: String = head.iter().filter(|b| (0x20..0x7f).contains(*b)).map(|&b| char::from(b)).collect();
    let (status, request_id) = head.split_once(' ').map_or((head.as_str(), None), |(status, id)| (status, Some(id)));
    let status = status.parse().ok().filter(|status| (100..1_000).contains(status)).unwrap_or(400);

    let redactor = Redactor::load(|name| {
        let value = match name {
            "AWS_ACCESS_KEY_ID" => ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY" => SECRET_ACCESS_KEY,
            _ => SESSION_TOKEN,
        };
        Some(value.to_owned())
    });
    let response = Ec2Response::read(ACTION, status, request_id, Ok(body), &redactor);
    if let Some(id) = request_id {
        let expected: String = redactor.redact(id).chars().take(MAX_REQUEST_ID_CHARS).collect();
        assert_eq!(response.metadata.request_id, Some(expected));
    }
    match &response.content {
        Content::Success(root) => {
            assert!((200..300).contains(&status));
            assert_eq!(root.name(), format!("{ACTION}Response"));
            check_document(body, root.name());
            check_byoasn(body, root);
        }
        Content::Error { code, message } => {
            check_document(body, "Response");
            check_error_document(body, code, message.as_deref(), &redactor);
        }
        Content::Unreadable(_) => {}
    }
    if !matches!(response.content, Content::Unreadable(_)) {
        check_truncated(body, status, &redactor);
    }
    let text = String::from_utf8_lossy(body);
    check_redaction(&text, &redactor);
    check_errors(&response, &redactor.redact(&text));
}

/// The second reader accepts the document and finds nothing that EC2 does not use.
fn check_document(body: &[u8], root_name: &str) {
    let text = str::from_utf8(body).expect("an accepted document is UTF-8");
    let document = parse(text);
    assert_eq!(document.root_element().tag_name().name(), root_name);
    assert!(!text.contains("<!"), "a comment, CDATA or document type: {text}");
    let mut tag_names = text.split('<').skip(1).filter_map(|tag| tag.split([' ', '\t', '\r', '\n', '>']).next());
    assert!(!tag_names.any(|name| name.contains(':')), "a prefix: {text}");
    for node in document.descendants() {
        assert!(!node.is_pi(), "a processing instruction: {text}");
        let has_prefix = node.attributes().any(|attribute| attribute.namespace().is_some())
            || node.namespaces().any(|namespace| namespace.name().is_some_and(|prefix| prefix != "xml"));
        assert!(!has_prefix, "a prefix: {text}");
        let mut names: Vec<_> = node.children().filter(Node::is_element).map(|child| child.tag_name().name()).collect();
        let has_text = node.children().any(|child| child.is_text() && !is_blank(child.text()));
        assert!(names.is_empty() || !has_text, "text beside elements: {text}");
        names.retain(|name| !["item", "Error"].contains(name));
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a repeated element: {text}");
    }
}

fn parse(text: &str) -> Document<'_> {
    Document::parse(text).unwrap_or_else(|error| panic!("the second reader rejects the document: {error}: {text}"))
}

fn child<'a>(parent: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    parent.children().find(|child| child.has_tag_name(name))
}

/// The text of a child element as the second reader reads it. An error if it has child elements.
fn text<'a>(parent: Node<'a, 'a>, name: &str) -> Result<Option<&'a str>, ()> {
    let Some(child) = child(parent, name) else { return Ok(None) };
    if child.first_element_child().is_some() {
        return Err(());
    }
    Ok(child.text().map(|text| text.trim_matches(XML_WHITE_SPACE)).filter(|text| !text.is_empty()))
}

/// Only the second reader normalizes the ends of lines.
fn normalize(text: Option<&str>) -> Option<String> {
    text.map(|text| text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn is_blank(text: Option<&str>) -> bool {
    text.unwrap_or_default().trim().is_empty()
}

/// Both readers find the same texts in a success.
fn check_byoasn(body: &[u8], root: &Element) {
    let document = parse(str::from_utf8(body).expect("an accepted document is UTF-8"));
    let (Some(element), Some(node)) = (root.child("byoasn"), child(document.root_element(), "byoasn")) else {
        assert!(root.child("byoasn").is_none() && child(document.root_element(), "byoasn").is_none());
        return;
    };
    for name in ["asn", "ipamId", "state", "statusMessage"] {
        assert_eq!(element.text(name).map(normalize).map_err(drop), text(node, name).map(normalize), "{name}");
    }
}

/// Code and message are in the one place where EC2 puts them. A dry run passes on the code alone.
fn check_error_document(body: &[u8], code: &str, message: Option<&str>, redactor: &Redactor) {
    let document = parse(str::from_utf8(body).expect("an accepted document is UTF-8"));
    let errors = child(document.root_element(), "Errors").expect("the document has errors");
    let error = child(errors, "Error").expect("the document has an error");
    for (name, actual) in [("Code", Some(code)), ("Message", message)] {
        let expected = text(error, name).expect("the element has no child elements").map(|text| redactor.redact(text));
        assert_eq!(normalize(actual), normalize(expected.as_deref()), "{name}");
    }
    assert_eq!(code == "DryRunOperation", text(error, "Code") == Ok(Some("DryRunOperation")));
}

/// A document that has lost its end is never accepted.
fn check_truncated(body: &[u8], status: u16, redactor: &Redactor) {
    let length = body.trim_ascii_end().len();
    let powers = (0..u32::BITS).map(|n| 1 << n).take_while(|&missing| missing <= length);
    let tags =
        body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'<').map(|(start, _)| length - start).take(8);
    for missing in powers.chain(tags) {
        let truncated = &body[..length - missing];
        let response = Ec2Response::read(ACTION, status, None, Ok(truncated), redactor);
        assert!(
            matches!(response.content, Content::Unreadable(_)),
            "accepted without its last {missing} bytes: {}",
            String::from_utf8_lossy(body)
        );
    }
}

/// Redaction removes secrets and nothing else. A second pass changes nothing.
fn check_redaction(text: &str, redactor: &Redactor) {
    let redacted = redactor.redact(text);
    assert_eq!(redacted, without_signatures(&without_credentials(text)));
    check_no_secrets(&redacted);
    assert_eq!(redactor.redact(&redacted), redacted);
}

fn check_no_secrets(text: &str) {
    assert_eq!(without_credentials(text), text, "a credential");
    assert_eq!(without_signatures(text), text, "a signature");
}

fn without_credentials(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let matched = SECRETS.iter().find_map(|secret| encoded_length(rest, secret));
        result.push_str(if matched.is_some() { "[redacted]" } else { &rest[..first.len_utf8()] });
        rest = &rest[matched.unwrap_or(first.len_utf8())..];
    }
    result
}

/// The length of `secret` at the start of the text, where any byte may be percent-encoded or escaped as in JSON. No secret
/// here has a percent sign or a backslash in it.
fn encoded_length(text: &str, secret: &str) -> Option<usize> {
    secret.chars().try_fold(0, |length, expected| {
        let rest = text.get(length..)?;
        let is_encoded = |prefix: &str, digits: usize| {
            let code = rest.strip_prefix(prefix).and_then(|rest| rest.get(..digits));
            code.filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))
                .is_some_and(|code| u32::from_str_radix(code, 16) == Ok(u32::from(expected)))
        };
        let encodings = [
            (rest.starts_with(expected), 1),
            (expected == '/' && rest.starts_with("\\/"), 2),
            (is_encoded("%", 2), 3),
            (is_encoded("\\u", 4), 6),
        ];
        encodings.into_iter().find_map(|(matches, bytes)| matches.then_some(length + bytes))
    })
}

fn without_signatures(text: &str) -> String {
    let is_digit = |c: char| c.is_ascii_hexdigit();
    let runs =
        text.split_inclusive(|c| !is_digit(c)).map(|run| run.split_at(run.trim_end_matches(|c| !is_digit(c)).len()));
    runs.flat_map(|(digits, end)| [if digits.len() < 64 { digits } else { "[redacted]" }, end]).collect()
}

/// Checks each error that a response can cause. `text` is the redacted body, where EC2 reports states and CIDRs.
fn check_errors(response: &Ec2Response, text: &str) {
    let metadata = response.metadata.clone();
    let (kind, expected_type, ec2_message, reference) = match response.content.clone() {
        Content::Error { code, message } => {
            let reference = format!("(code {code}, {metadata})");
            let ec2_message = message.clone().unwrap_or_default();
            (CallErrorKind::Refused { code: code.clone(), message, metadata }, code, ec2_message, reference)
        }
        content => {
            let error = match content {
                Content::Unreadable(error) => error,
                _ => BodyError::OtherResource,
            };
            if let BodyError::InvalidCode(code) = &error {
                assert!(!message::is_error_type(code), "{code}");
            }
            let reference = format!("({metadata})");
            (CallErrorKind::BadResponse { error, metadata }, EC2_BAD_RESPONSE.to_owned(), String::new(), reference)
        }
    };
    let reason = match &kind {
        CallErrorKind::BadResponse { error, .. } => error.to_string(),
        _ => String::new(),
    };
    let metadata = &response.metadata;
    let associations = associations(text);
    let operation = || OPERATION.to_owned();
    for outcome_unknown in [false, true] {
        let error = Box::new(CallError { kind: kind.clone(), outcome_unknown });
        let call = Error::Call { operation: operation(), error: error.clone(), observed_state: text.to_owned() };
        check_error(&call, &expected_type, &format!("{ec2_message}{reason}. {text}"), &reference, outcome_unknown);
        let associated = Error::AsnStillAssociated {
            operation: operation(),
            error,
            associations: associations.clone(),
            observed_state: String::new(),
        };
        let message = check_error(&associated, ASN_STILL_ASSOCIATED, &ec2_message, &reference, outcome_unknown);
        check_cidrs(&message, &associations);
    }
    let reference = format!("({metadata})");
    for status_message in [None, Some(text.to_owned())] {
        let message = status_message.clone().unwrap_or_default();
        let failed = Error::DeprovisionFailed { operation: operation(), status_message, metadata: metadata.clone() };
        check_error(&failed, DEPROVISION_FAILED, &message, &reference, false);
    }
    let not_honored = Error::DryRunNotHonored { operation: operation(), metadata: metadata.clone() };
    check_error(&not_honored, DRY_RUN_NOT_HONORED, "", &reference, false);
}

/// The operation and the reference for AWS Support remain, however long the rest is. Returns the message.
fn check_error(error: &Error, expected_type: &str, detail: &str, reference: &str, outcome_unknown: bool) -> String {
    assert_eq!(error.error_type(), expected_type);
    let message = message::check(error, detail);
    check_no_secrets(&message);
    assert!(message.starts_with(&format!("{OPERATION}: ")), "{message}");
    if reference.len() <= 150 {
        let reference = format!(" {}", reference.replace(message::changes_layout, " "));
        let rest = message.strip_suffix(&reference).unwrap_or_else(|| panic!("no reference at the end: {message}"));
        // The body can have the sentence in it, too.
        let is_stated = rest.ends_with(OUTCOME_UNKNOWN);
        assert!(is_stated == outcome_unknown || detail.contains(OUTCOME_UNKNOWN.trim_start()), "{message}");
    }
    message
}

/// Associations with the values in the `item` elements of a document.
fn associations(text: &str) -> Vec<AsnAssociation> {
    let value = |rest: Option<(&str, &str)>| {
        let value = rest?.1.split('<').next()?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    let association = |item: &str| AsnAssociation {
        cidr: value(item.split_once("<cidr>")),
        state: value(item.split_once("<state>")),
        status_message: value(item.split_once("<statusMessage>")),
        // The state of the CIDR follows those of its associations.
        byoip_cidr_state: value(item.rsplit_once("<state>")),
    };
    text.split("<item>").skip(1).map(association).collect()
}

/// Every association is named or counted, and the advice about advertised CIDRs is given if there is one. Beside an encoded
/// authorization message of more than 7 KB there is not always room for the list.
fn check_cidrs(message: &str, associations: &[AsnAssociation]) {
    if message.len() > 9_000 {
        return;
    }
    let name = |association: &AsnAssociation| {
        let state = association.state.as_deref().unwrap_or("state not reported");
        let name = format!("{} ({state})", association.cidr.as_deref().unwrap_or("CIDR not reported"));
        // The limit is 200 bytes, of which the ellipsis takes 3.
        if name.len() <= 200 { name } else { format!("{}…", &name[..name.floor_char_boundary(197)]) }
    };
    let names: Vec<_> =
        associations.iter().map(|association| name(association).replace(message::changes_layout, " ")).collect();
    let is_advertised = |association: &AsnAssociation| {
        [&association.state, &association.byoip_cidr_state].contains(&&Some("advertised".to_owned()))
    };
    let next_sentence =
        if associations.iter().any(is_advertised) { "Re-advertise advertised CIDRs" } else { "Call Disassociate" };
    let expected_list = |named: usize| match names.len() - named {
        0 => format!("{}. {next_sentence}", names.join(", ")),
        more => format!("{} and {more} more. {next_sentence}", names[..named].join(", ")),
    };
    let (_, list) = message.split_once("CIDRs are still associated with the ASN: ").expect("the message has a list");
    // A name has at least 9 bytes in the list, and the list at most 1,000.
    let is_complete = (0..=names.len().min(1_000 / 9)).rev().any(|named| list.starts_with(&expected_list(named)));
    assert!(is_complete, "{message}");
}
