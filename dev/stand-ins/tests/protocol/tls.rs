use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use stand_ins::ec2::{StandIn, World};

use crate::client::{CREDENTIAL, authorization, read};

#[test]
fn certificate_is_valid_for_both_names() {
    let ec2 = StandIn::start_tls(World::default());
    let port = ec2.endpoint().strip_prefix("https://localhost:").unwrap();
    for name in ["localhost", "127.0.0.1"] {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ec2.ca_bundle()).unwrap()).unwrap();
        let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let connection = ClientConnection::new(Arc::new(config), name.try_into().unwrap()).unwrap();
        let socket = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        let body = "Version=2016-11-15&Action=DescribeIpamByoasn";
        write!(
            stream,
            "POST / HTTP/1.1\r\nhost: {name}\r\n{}content-length: {}\r\n\r\n{body}",
            authorization(CREDENTIAL),
            body.len()
        )
        .unwrap();
        assert_eq!(read(&mut stream).unwrap().elements("asn"), ["64500"]);
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
}

#[test]
fn ca_file_is_removed_on_drop() {
    let ec2 = StandIn::start_tls(World::default());
    let path = ec2.ca_bundle().to_owned();
    assert!(fs::read_to_string(&path).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    drop(ec2);
    assert!(!path.exists());
}
