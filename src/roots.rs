//! The trust roots: the certificates of authorities that may vouch for EC2.

use std::{fs, path::Path};

use memchr::{memchr_iter, memmem};
use rustls::RootCertStore;
use rustls_native_certs::{load_certs_from_paths, load_native_certs};
use tracing::warn;

/// The whole of the system's roots on Amazon Linux, and so in Lambda. Left to look by itself, the usual reader
/// also goes through the directories beside it, which have the same ones once more.
const AMAZON_LINUX: &str = "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem";

/// The roots in `SSL_CERT_FILE` and `SSL_CERT_DIR`, or else those of the system, wherever it has them.
#[must_use]
pub fn load(lookup: impl Fn(&str) -> Option<String>) -> RootCertStore {
    let file = lookup("SSL_CERT_FILE");
    let quick = match (&file, lookup("SSL_CERT_DIR")) {
        (Some(file), None) => Some(file.as_str()),
        (None, None) => Some(AMAZON_LINUX),
        (_, Some(_)) => None,
    };
    let roots = quick.and_then(|path| from_pem(&fs::read(path).ok()?)).unwrap_or_else(|| {
        let found = match &file {
            Some(file) if quick.is_some() => load_certs_from_paths(Some(Path::new(file)), None),
            _ => load_native_certs(),
        };
        for error in found.errors {
            warn!("a trust root cannot be read: {error}");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        roots
    });
    if roots.is_empty() {
        warn!("there are no trust roots: no connection to EC2 can be made");
    }
    roots
}

/// Every root of a bundle; `None` where there is none, or anything that this quick reading may get wrong.
///
/// The usual reader decodes a byte at a time, and for the 140 roots of a system that is three quarters of the
/// instructions of a start.
fn from_pem(pem: &[u8]) -> Option<RootCertStore> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const CERTIFICATE: &[u8] = b"CERTIFICATE-----";
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let end = memmem::Finder::new(END);
    let mut roots = RootCertStore::empty();
    for begin in memmem::find_iter(pem, BEGIN) {
        let rest = pem[begin + BEGIN.len()..].strip_prefix(CERTIFICATE)?;
        let text = &rest[..end.find(rest)?];
        // What has no line of its own is, to the usual reader, no beginning and no end.
        let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let [before, first, last] = [pem[..begin].last(), text.first(), text.last()];
        if !(before.is_none_or(is_break) && first.is_some_and(is_break) && last.is_some_and(is_break)) {
            return None;
        }
        let certificate = decode(text)?;
        // One that cannot be understood does not cost the others.
        let _ = roots.add(certificate.into());
    }
    (!roots.is_empty()).then_some(roots)
}

/// Base64 in lines.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(text.len());
    let mut start = 0;
    for end in memchr_iter(b'\n', text).chain([text.len()]) {
        digits.extend_from_slice(text[start..end].trim_ascii());
        start = end + 1;
    }
    base64_simd::STANDARD.decode_to_vec(digits).ok()
}
