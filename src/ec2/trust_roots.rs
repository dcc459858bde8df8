//! The trust store: the certificate authorities that may issue EC2's certificate.

use rustls::RootCertStore;
use rustls_native_certs::load_certs_from_paths;
use tracing::warn;
use webpki_roots::TLS_SERVER_ROOTS;

use crate::settings::{InvalidSetting, TrustPath};

/// The certificates in `paths`, or Mozilla's roots, which are compiled in, if there are no paths.
///
/// # Errors
///
/// [`InvalidSetting`], for the first path without a certificate. A certificate that cannot be read is a warning if its path
/// has another one.
pub fn load(paths: &[TrustPath]) -> Result<RootCertStore, InvalidSetting> {
    if paths.is_empty() {
        return Ok(RootCertStore { roots: TLS_SERVER_ROOTS.to_vec() });
    }
    let mut roots = RootCertStore::empty();
    for trust in paths {
        // As in OpenSSL, a variable may name several directories, separated by colons.
        let parts: Vec<_> = if trust.is_dir { std::env::split_paths(&trust.path).collect() } else { Vec::new() };
        let results = if trust.is_dir {
            parts.iter().map(|dir| load_certs_from_paths(None, Some(dir))).collect()
        } else {
            vec![load_certs_from_paths(Some(&trust.path), None)]
        };
        let mut added = 0;
        for result in results {
            added += roots.add_parsable_certificates(result.certs).0;
            for error in result.errors {
                warn!(variable = trust.variable, "cannot read a certificate of the trust store: {error}");
            }
        }
        if added == 0 {
            return Err(trust.without_certificate());
        }
    }
    Ok(roots)
}
