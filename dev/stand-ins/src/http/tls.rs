//! A CA, a valid certificate for localhost and two invalid ones.

use std::error::Error;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

use super::network::Network;

/// Certificates that are generated for each server.
pub struct Certificates {
    /// The CA's certificate in PEM format, for the client's trust store.
    pub ca_pem: String,
    valid: TlsAcceptor,
    wrong_name: TlsAcceptor,
    expired: TlsAcceptor,
}

impl Certificates {
    /// Generates a CA and three certificates of servers, two of which clients must reject. The CA is
    /// needed because rustls rejects a self-signed certificate as a server's.
    pub fn generate() -> Result<Self, Box<dyn Error>> {
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.distinguished_name.push(DnType::CommonName, "EC2 stand-in CA");
        let ca_key = KeyPair::generate()?;
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = Issuer::from_params(&ca, &ca_key);

        let localhost = leaf(&["localhost", "127.0.0.1"])?;
        let mut expired = localhost.clone();
        expired.not_before = date_time_ymd(2000, 1, 1);
        expired.not_after = date_time_ymd(2001, 1, 1);
        Ok(Self {
            ca_pem,
            valid: acceptor(&localhost, &issuer)?,
            wrong_name: acceptor(&leaf(&["ec2.us-east-1.amazonaws.com.example"])?, &issuer)?,
            expired: acceptor(&expired, &issuer)?,
        })
    }

    pub(super) fn acceptor(&self, network: Network) -> TlsAcceptor {
        match network {
            Network::WrongCertificateName => &self.wrong_name,
            Network::ExpiredCertificate => &self.expired,
            _ => &self.valid,
        }
        .clone()
    }
}

fn leaf(names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let mut leaf = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())?;
    leaf.distinguished_name.push(DnType::CommonName, "EC2 stand-in");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Python 3.13 configures OpenSSL to reject a certificate without this extension.
    leaf.use_authority_key_identifier_extension = true;
    Ok(leaf)
}

fn acceptor(leaf: &CertificateParams, issuer: &Issuer<&KeyPair>) -> Result<TlsAcceptor, Box<dyn Error>> {
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, issuer)?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
