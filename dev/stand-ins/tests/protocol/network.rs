use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use stand_ins::ec2::{Network, StandIn, World};

use crate::client::{Client, describe_states};

const TIMEOUT: Duration = Duration::from_millis(400);

fn address(ec2: &StandIn) -> SocketAddr {
    format!("127.0.0.1:{}", ec2.endpoint().rsplit(':').next().unwrap()).parse().unwrap()
}

/// What the server sends before the client sends anything.
fn read_without_request(ec2: &StandIn) -> (Vec<u8>, Option<ErrorKind>) {
    let mut stream = TcpStream::connect(address(ec2)).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    (bytes, error)
}

#[test]
fn connections_can_be_refused_or_dropped_and_recover() {
    let ec2 = StandIn::start(World::default());
    for (network, kind) in [(Network::Refuse, ErrorKind::ConnectionRefused), (Network::Silent, ErrorKind::TimedOut)] {
        ec2.set_network(network);
        let error = TcpStream::connect_timeout(&address(&ec2), TIMEOUT).unwrap_err();
        assert_eq!(error.kind(), kind);
        ec2.set_network(Network::Normal);
        assert_eq!(describe_states(&ec2), ["provisioned"]);
    }
}

#[test]
fn connections_can_fail_before_the_first_request() {
    let ec2 = StandIn::start(World::default());
    for (network, bytes, kind) in [
        (Network::Reset, &b""[..], Some(ErrorKind::ConnectionReset)),
        (Network::Close, b"", None),
        (Network::Hang, b"", Some(ErrorKind::WouldBlock)),
        (Network::Garbage, b"SSH-2.0-OpenSSH_9.6\r\n", Some(ErrorKind::WouldBlock)),
    ] {
        ec2.set_network(network);
        assert_eq!(read_without_request(&ec2), (bytes.to_vec(), kind), "{network:?}");
    }
    ec2.set_network(Network::Drip);
    let mut stream = TcpStream::connect(address(&ec2)).unwrap();
    let mut record = [0; 8];
    stream.read_exact(&mut record).unwrap();
    assert_eq!(record, [0x16, 3, 3, 0x40, 0, 2, 2, 2]);
}

#[test]
fn certificate_can_have_wrong_name_or_be_expired() {
    let ec2 = StandIn::start_tls(World::default());
    for (network, expected_error) in [
        (Network::Normal, None),
        (Network::WrongCertificateName, Some("not valid for name")),
        (Network::ExpiredCertificate, Some("expired")),
        (Network::Normal, None),
    ] {
        ec2.set_network(network);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ec2.ca_bundle()).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let mut connection = ClientConnection::new(config.into(), "localhost".try_into().unwrap()).unwrap();
        let mut stream = TcpStream::connect(address(&ec2)).unwrap();
        let error = connection.complete_io(&mut stream).err().map(|error| error.to_string());
        match (expected_error, error) {
            (None, None) => {}
            (Some(expected_error), Some(error)) => assert!(error.to_lowercase().contains(expected_error), "{error}"),
            (expected_error, error) => panic!("{network:?}: {error:?} instead of {expected_error:?}"),
        }
    }
}

#[test]
fn open_connections_can_be_closed_or_reset() {
    let ec2 = StandIn::start(World::default());
    for (reset, kind) in [(false, None), (true, Some(ErrorKind::ConnectionReset))] {
        let mut client = Client::new(ec2.endpoint());
        client.request("GET", "/_control/calls", "", "");
        if reset {
            ec2.reset_connections();
        } else {
            ec2.close_connections();
        }
        let mut rest = Vec::new();
        assert_eq!(client.0.read_to_end(&mut rest).err().map(|error| error.kind()), kind);
        assert_eq!(describe_states(&ec2), ["provisioned"]);
    }
    let mut open = Client::new(ec2.endpoint());
    open.request("GET", "/_control/calls", "", "");
    ec2.set_network(Network::Refuse);
    assert_eq!(open.request("GET", "/_control/calls", "", "").status, 200, "open connections stay open");
}

#[test]
fn unsolicited_bytes_can_be_sent_on_open_connections() {
    let ec2 = StandIn::start(World::default());
    let mut client = Client::new(ec2.endpoint());
    client.request("GET", "/_control/calls", "", "");
    ec2.send_unsolicited(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstale");
    assert_eq!(client.read().unwrap().body, "stale");
    assert_eq!(client.request("GET", "/_control/calls", "", "").body, "[]");
}
