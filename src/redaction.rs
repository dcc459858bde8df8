//! Keeps credentials and signatures out of everything that is printed or returned.
//!
//! Some refusals of AWS repeat parts of the request: its `Authorization` header, or the canonical request with the session
//! token in it.

use std::fmt;

const REDACTED: &str = "[redacted]";

/// The length of a Signature Version 4 signature and of the hashes that it is made of, in hexadecimal digits.
const SIGNATURE_DIGITS: usize = 64;

/// Shorter values are not redacted. They are placeholders of tests: an access key ID has at least 16 characters.
const MIN_SECRET_BYTES: usize = 8;

/// Removes the credentials of this process from text.
#[derive(Clone)]
pub struct Redactor {
    /// The longest first, because one may contain another.
    secrets: Vec<String>,
    credentials_fit_in_headers: bool,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Redactor {
    /// Reads the credentials from the environment through `lookup`.
    #[must_use]
    pub fn load(lookup: impl Fn(&str) -> Option<String>) -> Self {
        // The SDK trims the session token and no other value.
        let token = lookup("AWS_SESSION_TOKEN").map(|token| token.trim().to_owned());
        // The SDK uses the second name if the first has no value.
        let keys = ["AWS_SECRET_ACCESS_KEY", "SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"].into_iter().filter_map(lookup);
        let credentials: Vec<_> = token.into_iter().chain(keys).collect();
        let credentials_fit_in_headers =
            credentials.iter().all(|value| value.bytes().all(|b| matches!(b, b' '..=b'~')));
        let trimmed = credentials.iter().map(|value| value.trim().to_owned());
        let mut secrets: Vec<_> = trimmed.filter(|value| value.len() >= MIN_SECRET_BYTES).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets, credentials_fit_in_headers }
    }

    /// Whether all credentials are printable ASCII, as HTTP headers require.
    pub(crate) fn credentials_fit_in_headers(&self) -> bool {
        self.credentials_fit_in_headers
    }

    /// The text without credentials and without anything that may be a signature.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        redact_signatures(&self.redact_credentials(text))
    }

    /// The text without credentials, whether plain, percent-encoded or escaped as in JSON.
    pub(crate) fn redact_credentials(&self, text: &str) -> String {
        let mut redacted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let matched = self.secrets.iter().find_map(|secret| matched_bytes(rest.as_bytes(), secret));
            if let Some(length) = matched {
                redacted.push_str(REDACTED);
                rest = &rest[length..];
            } else {
                redacted.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        redacted
    }
}

/// How many bytes at the start of `text` spell `secret`, with any of its bytes percent-encoded or escaped as in JSON.
fn matched_bytes(text: &[u8], secret: &str) -> Option<usize> {
    let mut position = 0;
    for byte in secret.bytes() {
        position += match text.get(position..)? {
            [b'%', high, low, ..] if hex_byte(*high, *low) == Some(byte) => 3,
            [b'\\', b'u', b'0', b'0', high, low, ..] if hex_byte(*high, *low) == Some(byte) => 6,
            [b'\\', b'/', ..] if byte == b'/' => 2,
            [first, ..] if *first == byte => 1,
            _ => return None,
        };
    }
    Some(position)
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(16 * digit(high)? + digit(low)?)
}

/// The text without runs of hexadecimal digits that are as long as a signature.
fn redact_signatures(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    for run in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        let digits = run.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        redacted.push_str(if digits.len() >= SIGNATURE_DIGITS { REDACTED } else { digits });
        redacted.push_str(&run[digits.len()..]);
    }
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_signatures_are_redacted() {
        let redactor = Redactor::load(|name| {
            Some(match name {
                "AWS_ACCESS_KEY_ID" => "AKIAIOSFODNN7EXAMPLE".into(),
                "AWS_SECRET_ACCESS_KEY" => "word".into(),
                _ => "token/AKIAIOSFODNN7EXAMPLE+more".into(),
            })
        });
        let signature = "0123456789abcdef".repeat(4);
        assert_eq!(
            redactor.redact(&format!(
                "a word: Credential=AKIAIOSFODNN7EXAMPLE/20261123, Signature={signature}. ipam-0123456789abcdef0 \
                 token/AKIAIOSFODNN7EXAMPLE+more token%2FAKIAIOSFODNN7EXAMPLE%2Bmore {signature}"
            )),
            "a word: Credential=[redacted]/20261123, Signature=[redacted]. ipam-0123456789abcdef0 [redacted] [redacted] \
             [redacted]"
        );
    }

    #[test]
    fn percent_encoding_is_recognized_in_either_case() {
        let redactor = Redactor::load(|name| (name == "AWS_SESSION_TOKEN").then(|| "a/b+c=d%e~fé".into()));
        for encoded in ["a/b+c=d%e~fé", "a%2fb%2bc%3dd%25e%7ef%c3%a9", "a%2Fb%2Bc%3Dd%25e~f%C3%A9", "a%2fb+c%3Dd%e~fé"]
        {
            assert_eq!(redactor.redact(&format!("é{encoded}.")), "é[redacted].", "{encoded}");
        }
        assert_eq!(redactor.redact("a%2fb%2"), "a%2fb%2");
    }

    #[test]
    fn json_escapes_are_recognized() {
        let redactor = Redactor::load(|name| (name == "AWS_SESSION_TOKEN").then(|| "token/with+more".into()));
        for escaped in [r"token\/with+more", r"token/with\u002bmore", r"\u0074oken\u002Fwith\u002Bmore"] {
            assert_eq!(redactor.redact(&format!("\"{escaped}\"")), "\"[redacted]\"", "{escaped}");
        }
        for other in [r"token\/with\u012bmore", r"token\/with\u002cmore", r"token/with\/more"] {
            assert_eq!(redactor.redact(other), other);
        }
    }

    #[test]
    fn debug_output_has_no_secrets() {
        let redactor = Redactor::load(|_| Some("AKIAIOSFODNN7EXAMPLE".into()));
        assert_eq!(format!("{redactor:?}"), "[redacted]");
    }

    #[test]
    fn the_secret_key_has_a_second_variable() {
        let redactor = Redactor::load(|name| (name == "SECRET_ACCESS_KEY").then(|| "wJalrXUtnFEMI".into()));
        assert_eq!(redactor.redact("key wJalrXUtnFEMI"), "key [redacted]");
    }

    #[test]
    fn short_values_are_not_redacted() {
        let redactor = Redactor::load(|name| (name == "AWS_SECRET_ACCESS_KEY").then(|| "12345678".into()));
        assert_eq!(redactor.redact("1234567 12345678"), "1234567 [redacted]");
        let (shorter, signature) = ("f".repeat(63), "f".repeat(64));
        assert_eq!(redactor.redact(&format!("{shorter} {signature}.")), format!("{shorter} [redacted]."));
    }
}
