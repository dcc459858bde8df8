//! The trust store: the certificate authorities that may issue EC2's certificate.

use std::env;

use rustls::RootCertStore;
use rustls_native_certs::load_certs_from_paths;
use tracing::warn;
use webpki_roots::TLS_SERVER_ROOTS;

use crate::settings::{InvalidSetting, TrustPath};

/// The certificates in `paths`, or Mozilla's roots, which are compiled in, if there are no paths.
///
/// # Errors
///
/// [`InvalidSetting`], for the first path without a usable certificate. Beside a usable certificate, one that cannot be read
/// is only logged, as a warning.
pub fn load(paths: &[TrustPath]) -> Result<RootCertStore, InvalidSetting> {
    if paths.is_empty() {
        return Ok(RootCertStore { roots: TLS_SERVER_ROOTS.to_vec() });
    }
    let mut roots = RootCertStore::empty();
    for trust in paths {
        let results: Vec<_> = if trust.is_dir {
            // As in OpenSSL, the variable may name several directories.
            env::split_paths(&trust.path).map(|dir| load_certs_from_paths(None, Some(&dir))).collect()
        } else {
            vec![load_certs_from_paths(Some(&trust.path), None)]
        };
        let (mut added, mut errors) = (0, Vec::new());
        for result in results {
            added += roots.add_parsable_certificates(result.certs).0;
            errors.extend(result.errors);
        }
        if added == 0 {
            let reason = errors.first().map_or_else(|| "no certificate in it can be used".into(), ToString::to_string);
            return Err(trust.without_certificate(&reason));
        }
        for error in errors {
            warn!(variable = trust.variable, "a certificate of the trust store cannot be read: {error}");
        }
    }
    Ok(roots)
}
