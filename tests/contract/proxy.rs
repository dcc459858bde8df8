//! Calls through a proxy, and the default endpoints.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use stand_ins::ec2::World;

use crate::support::*;

/// Starts a proxy that accepts `CONNECT` to `localhost` and rejects other hosts. Returns its URL and a receiver for the
/// head of each request.
fn proxy() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let url = format!("http://user:word@{}", listener.local_addr().expect("address"));
    let (heads, received) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let heads = heads.clone();
            thread::spawn(move || tunnel(client, &heads));
        }
    });
    (url, received)
}

fn tunnel(mut client: TcpStream, heads: &mpsc::Sender<String>) -> io::Result<u64> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(0);
        }
    }
    let target = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let _ = heads.send(head);
    if !target.starts_with("localhost:") {
        client.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n")?;
        return Ok(0);
    }
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client);
    thread::spawn(move || io::copy(&mut from_server, &mut to_client));
    io::copy(&mut reader, &mut server)
}

#[test]
fn calls_use_the_proxy_from_the_environment() {
    let (url, received) = proxy();
    let setup = Setup::over_tls(World::default());
    let port = setup.endpoint().rsplit(':').next().expect("port").to_owned();
    let function = setup.set("HTTPS_PROXY", &url).start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    let head = received.recv().expect("the proxy received nothing");
    assert!(head.starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\n")), "{head}");
    // user:word
    assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjp3b3jk\r\n"), "{head}");
}

#[test]
fn no_proxy_exempts_a_host() {
    let (url, received) = proxy();
    let function = Setup::over_tls(World::default()).set("HTTPS_PROXY", &url).set("NO_PROXY", "localhost").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert!(received.try_recv().is_err());
}

#[test]
fn default_endpoint_is_derived_from_the_region() {
    for (variable, value, host) in [
        ("AWS_REGION", "us-east-1", "ec2.us-east-1.amazonaws.com"),
        ("AWS_REGION", "cn-north-1", "ec2.cn-north-1.amazonaws.com.cn"),
        ("AWS_USE_FIPS_ENDPOINT", "true", "ec2-fips.us-east-1.amazonaws.com"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true", "ec2.us-east-1.api.aws"),
        ("AWS_ENDPOINT_URL", "https://ec2.example:8443", "ec2.example:8443"),
    ] {
        let (url, received) = proxy();
        let setup = Setup::over_tls(World::default())
            .unset("AWS_ENDPOINT_URL_EC2")
            .set("HTTPS_PROXY", &url)
            .set("AWS_MAX_ATTEMPTS", "1");
        let function = setup.set(variable, value).start();
        let message = assert_error(function.invoke(&request()), "Ec2Unreachable", &[]);
        assert!(!message.contains("outcome is unknown"), "{message}");
        let head = received.recv().expect("the proxy received nothing");
        let target = if host.contains(':') { host.to_owned() } else { format!("{host}:443") };
        assert!(head.starts_with(&format!("CONNECT {target} HTTP/1.1\r\n")), "{variable}={value}: {head}");
    }
}

#[test]
fn configured_endpoints_can_be_ignored() {
    let (url, received) = proxy();
    let setup = Setup::over_tls(World::default())
        .set("HTTPS_PROXY", &url)
        .set("NO_PROXY", "localhost")
        .set("AWS_MAX_ATTEMPTS", "1");
    let function = setup.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true").start();
    assert_error(function.invoke(&request()), "Ec2Unreachable", &[]);
    assert!(
        received.recv().expect("the proxy received nothing").starts_with("CONNECT ec2.us-east-1.amazonaws.com:443 ")
    );
    assert_eq!(function.calls(), Vec::<String>::new());
}

#[test]
fn unreachable_proxy_is_unreachable() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("listener").local_addr().expect("address");
    let function = Setup::over_tls(World::default()).set("HTTPS_PROXY", &format!("http://{closed}")).start();
    let message = assert_error(function.invoke(&request()), "Ec2Unreachable", &["refused"]);
    assert!(!message.contains("outcome is unknown"), "{message}");
}
