use std::io::{Read, Write};
use std::time::{Duration, Instant};

use stand_ins::ec2::{StandIn, World};

use crate::client::{CREDENTIAL, Client, authorization, deprovision_params};

const BODY: &str = "Version=2016-11-15&Action=DescribeIpamByoasn";

#[test]
fn connection_serves_many_requests_without_delay() {
    let ec2 = StandIn::start(World::default());
    let mut client = Client::new(ec2.endpoint());
    let fastest = (0..20)
        .map(|_| {
            let start = Instant::now();
            let response = client.request("POST", "/", &authorization(CREDENTIAL), BODY);
            assert_eq!(response.status, 200);
            start.elapsed()
        })
        .min()
        .unwrap();
    // Nagle's algorithm and delayed ACKs would cost each of them 40 ms.
    assert!(fastest < Duration::from_millis(20), "{fastest:?}");
}

#[test]
fn pipelined_requests_are_served() {
    let ec2 = StandIn::start(World::default());
    let mut client = Client::new(ec2.endpoint());
    client.send("POST", "/", &authorization(CREDENTIAL), BODY);
    client.send("POST", "/", "", BODY);
    assert_eq!(client.read().unwrap().status, 200);
    assert_eq!(client.read().unwrap().status, 400);
}

#[test]
fn chunked_body_can_arrive_byte_by_byte() {
    let ec2 = StandIn::start(World::default());
    let mut client = Client::new(ec2.endpoint());
    let body = deprovision_params();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: x\r\n{}transfer-encoding: chunked\r\n\r\n\
         13\r\nVersion=2016-11-15&\r\n{:x};ext=1\r\n{body}\r\n0\r\nx-trailer: 1\r\n\r\n",
        authorization(CREDENTIAL),
        body.len()
    );
    for byte in request.bytes() {
        client.0.write_all(&[byte]).unwrap();
    }
    let response = client.read().unwrap();
    assert_eq!(response.status, 200, "{response:?}");
    let response = client.request("POST", "/", &authorization(CREDENTIAL), BODY);
    assert_eq!(response.element("state"), Some("pending-deprovision"));
}

#[test]
fn expect_100_continue_is_supported() {
    let ec2 = StandIn::start(World::default());
    let mut client = Client::new(ec2.endpoint());
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\n{}expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        authorization(CREDENTIAL),
        BODY.len()
    );
    client.0.write_all(head.as_bytes()).unwrap();
    assert_eq!(client.read().unwrap().status, 100);
    client.0.write_all(BODY.as_bytes()).unwrap();
    assert_eq!(client.read().unwrap().status, 200);
}

#[test]
fn connection_close_is_honored() {
    let ec2 = StandIn::start(World::default());
    let mut client = Client::new(ec2.endpoint());
    let headers = authorization(CREDENTIAL) + "connection: close\r\n";
    assert_eq!(client.request("POST", "/", &headers, BODY).status, 200);
    assert_eq!(client.0.read(&mut [0]).unwrap(), 0);
}

#[test]
fn malformed_requests_get_400_and_a_closed_connection() {
    let ec2 = StandIn::start(World::default());
    for garbage in [
        "\u{16}\u{3}\u{1}\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
    ] {
        let mut client = Client::new(ec2.endpoint());
        client.0.write_all(garbage.as_bytes()).unwrap();
        assert_eq!(client.read().unwrap().status, 400, "{garbage:?}");
        assert_eq!(client.0.read(&mut [0]).unwrap(), 0, "{garbage:?}");
    }
    let mut client = Client::new(ec2.endpoint());
    client.0.write_all(&vec![b'a'; 70_000]).unwrap();
    assert_eq!(client.read().unwrap().status, 400);
}

#[test]
fn dropped_stand_in_stops_listening() {
    let ec2 = StandIn::start(World::default());
    let address = ec2.endpoint().trim_start_matches("http://").to_owned();
    let mut client = Client::new(&address);
    drop(ec2);
    assert!(std::net::TcpStream::connect(address).is_err());
    assert_eq!(client.0.read(&mut [0]).unwrap_or(0), 0);
}
