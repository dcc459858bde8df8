//! Keeps credentials and signatures out of what EC2 says before anyone repeats it.
//!
//! AWS describes some refusals by echoing the request: its `Authorization` header, or the canonical
//! request with the session token in it.

use std::fmt;

use url::form_urlencoded::byte_serialize;

const REDACTED: &str = "[redacted]";

/// A signature of Signature Version 4 and the hashes beside it: 64 hexadecimal digits.
const SIGNATURE_DIGITS: usize = 64;

/// Shorter values are words of a test, not credentials: an access key ID has 16 characters or more.
const SHORTEST: usize = 8;

/// The credentials of this process.
#[derive(Clone)]
pub struct Secrets {
    /// What may not be repeated.
    known: Vec<String>,
    can_be_sent: bool,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Secrets {
    /// Takes the credentials from the environment through `lookup`.
    #[must_use]
    pub fn load(lookup: impl Fn(&str) -> Option<String>) -> Self {
        // The SDK trims the session token and sends the others as they are.
        let token = lookup("AWS_SESSION_TOKEN").map(|token| token.trim().to_owned());
        // It takes the second name where the first has no value.
        let keys = ["AWS_SECRET_ACCESS_KEY", "SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"].into_iter().filter_map(lookup);
        let given: Vec<_> = token.into_iter().chain(keys).collect();
        let can_be_sent = given.iter().all(|secret| secret.bytes().all(|b| matches!(b, b' '..=b'~')));
        // As it is, and with %2B for +.
        let long = given.iter().map(|secret| secret.trim()).filter(|secret| secret.len() >= SHORTEST);
        let forms = |secret: &str| [byte_serialize(secret.as_bytes()).collect(), secret.to_owned()];
        let mut known: Vec<_> = long.flat_map(forms).collect();
        // The longest first: one may be a part of another.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        known.dedup();
        Self { known, can_be_sent }
    }

    /// Whether they can stand in an HTTP header: printable ASCII.
    pub(crate) fn can_be_sent(&self) -> bool {
        self.can_be_sent
    }

    /// `text` without credentials and without anything that may be a signature.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let known = self.known.iter().fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED));
        let mut clean = String::with_capacity(known.len());
        for run in known.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
            let digits = run.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
            if digits.len() >= SIGNATURE_DIGITS {
                clean.push_str(REDACTED);
                clean.push_str(&run[digits.len()..]);
            } else {
                clean.push_str(run);
            }
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_signatures_go_and_the_rest_stays() {
        let secrets = Secrets::load(|name| {
            Some(match name {
                "AWS_ACCESS_KEY_ID" => "AKIAIOSFODNN7EXAMPLE".into(),
                "AWS_SECRET_ACCESS_KEY" => "word".into(),
                _ => "token/AKIAIOSFODNN7EXAMPLE+more".into(),
            })
        });
        let signature = "0123456789abcdef".repeat(4);
        assert_eq!(
            secrets.redact(&format!(
                "a word: Credential=AKIAIOSFODNN7EXAMPLE/20261123, Signature={signature}. ipam-0123456789abcdef0 \
                 token/AKIAIOSFODNN7EXAMPLE+more token%2FAKIAIOSFODNN7EXAMPLE%2Bmore {signature}"
            )),
            "a word: Credential=[redacted]/20261123, Signature=[redacted]. ipam-0123456789abcdef0 [redacted] [redacted] \
             [redacted]"
        );
    }

    #[test]
    fn whoever_prints_the_secrets_sees_none() {
        let secrets = Secrets::load(|_| Some("AKIAIOSFODNN7EXAMPLE".into()));
        assert_eq!(format!("{secrets:?}"), "[redacted]");
    }

    #[test]
    fn the_secret_key_is_known_by_its_second_name_too() {
        let secrets = Secrets::load(|name| (name == "SECRET_ACCESS_KEY").then(|| "wJalrXUtnFEMI".into()));
        assert_eq!(secrets.redact("key wJalrXUtnFEMI"), "key [redacted]");
    }

    #[test]
    fn eight_characters_are_a_secret_and_64_digits_a_signature() {
        let secrets = Secrets::load(|name| (name == "AWS_SECRET_ACCESS_KEY").then(|| "12345678".into()));
        assert_eq!(secrets.redact("1234567 12345678"), "1234567 [redacted]");
        let (shorter, signature) = ("f".repeat(63), "f".repeat(64));
        assert_eq!(secrets.redact(&format!("{shorter} {signature}.")), format!("{shorter} [redacted]."));
    }
}
