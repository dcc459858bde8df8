use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use stand_ins::ec2::{Network, StandIn, World};

use crate::client::{Client, look};

const PATIENCE: Duration = Duration::from_millis(400);

fn address(ec2: &StandIn) -> SocketAddr {
    format!("127.0.0.1:{}", ec2.endpoint().rsplit(':').next().unwrap()).parse().unwrap()
}

/// What comes without having said anything.
fn greeting(ec2: &StandIn) -> (Vec<u8>, Option<ErrorKind>) {
    let mut stream = TcpStream::connect(address(ec2)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    (bytes, error)
}

#[test]
fn a_connection_may_be_refused_or_never_made_and_then_be_fine_again() {
    let ec2 = StandIn::start(World::default());
    for (network, kind) in [(Network::Refuse, ErrorKind::ConnectionRefused), (Network::Silent, ErrorKind::TimedOut)] {
        ec2.network(network);
        let error = TcpStream::connect_timeout(&address(&ec2), PATIENCE).unwrap_err();
        assert_eq!(error.kind(), kind);
        ec2.network(Network::Fine);
        assert_eq!(look(&ec2), ["provisioned"]);
    }
}

#[test]
fn a_connection_may_end_or_hang_or_talk_nonsense_before_anything_is_said() {
    let ec2 = StandIn::start(World::default());
    for (network, bytes, kind) in [
        (Network::Reset, &b""[..], Some(ErrorKind::ConnectionReset)),
        (Network::Close, b"", None),
        (Network::Hang, b"", Some(ErrorKind::WouldBlock)),
        (Network::Garbage, b"SSH-2.0-OpenSSH_9.6\r\n", Some(ErrorKind::WouldBlock)),
    ] {
        ec2.network(network);
        assert_eq!(greeting(&ec2), (bytes.to_vec(), kind), "{network:?}");
    }
    ec2.network(Network::Drip);
    let mut stream = TcpStream::connect(address(&ec2)).unwrap();
    let mut record = [0; 8];
    stream.read_exact(&mut record).unwrap();
    assert_eq!(record, [0x16, 3, 3, 0x40, 0, 2, 2, 2]);
}

#[test]
fn a_certificate_may_be_anothers_or_out_of_date() {
    let ec2 = StandIn::start_tls(World::default());
    for (network, complaint) in [
        (Network::Fine, None),
        (Network::WrongName, Some("not valid for name")),
        (Network::Expired, Some("expired")),
        (Network::Fine, None),
    ] {
        ec2.network(network);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ec2.ca_bundle()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut connection = ClientConnection::new(config.into(), "localhost".try_into().unwrap()).unwrap();
        let mut stream = TcpStream::connect(address(&ec2)).unwrap();
        let error = connection.complete_io(&mut stream).err().map(|error| error.to_string());
        match (complaint, error) {
            (None, None) => {}
            (Some(complaint), Some(error)) => assert!(error.to_lowercase().contains(complaint), "{error}"),
            (complaint, error) => panic!("{network:?}: {error:?} instead of {complaint:?}"),
        }
    }
}

#[test]
fn connections_that_exist_may_end_in_order_or_with_a_reset() {
    let ec2 = StandIn::start(World::default());
    for (reset, kind) in [(false, None), (true, Some(ErrorKind::ConnectionReset))] {
        let mut client = Client::new(ec2.endpoint());
        client.request("GET", "/_control/calls", "", "");
        ec2.end_connections(reset);
        let mut rest = Vec::new();
        assert_eq!(client.0.read_to_end(&mut rest).err().map(|error| error.kind()), kind);
        assert_eq!(look(&ec2), ["provisioned"]);
    }
    let mut held = Client::new(ec2.endpoint());
    held.request("GET", "/_control/calls", "", "");
    ec2.network(Network::Refuse);
    assert_eq!(held.request("GET", "/_control/calls", "", "").status, 200, "what exists stays");
}
