//! Calls through a proxy, and the default endpoints.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use serde_json::json;
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

/// Starts a proxy that accepts connections and responds to every request with these bytes. Then it closes the connection.
fn broken_proxy(response: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(response);
        }
    });
    url
}

/// The URL of a port that refuses connections.
fn closed_port() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").expect("listener").local_addr().expect("address"))
}

#[test]
fn http_endpoint_without_port_is_connected_on_port_80() {
    for (endpoint, target) in [
        ("http://ec2.example", "ec2.example:80"),
        ("http://ec2.example:8080", "ec2.example:8080"),
        ("https://ec2.example", "ec2.example:443"),
        ("https://ec2.example:8443", "ec2.example:8443"),
    ] {
        for variable in ["HTTP_PROXY", "HTTPS_PROXY"] {
            let is_for_scheme = variable.starts_with("HTTPS") == endpoint.starts_with("https");
            let (url, received) = proxy();
            let setup = Setup::new(World::default()).set("AWS_ENDPOINT_URL_EC2", endpoint).set("AWS_MAX_ATTEMPTS", "1");
            let function = setup.set(variable, &url).start();
            assert_error(function.invoke(&request()), "Ec2Unreachable", &[]);
            let head = received.try_recv().unwrap_or_default();
            let expected = if is_for_scheme { format!("CONNECT {target} HTTP/1.1\r\n") } else { String::new() };
            assert!(head.starts_with(&expected) && head.is_empty() != is_for_scheme, "{variable} {endpoint}: {head:?}");
        }
    }
}

#[test]
fn every_proxy_variable_is_read_in_either_case() {
    for (variables, over_tls) in [
        (["HTTPS_PROXY", "https_proxy"], true),
        (["HTTP_PROXY", "http_proxy"], false),
        (["ALL_PROXY", "all_proxy"], true),
        (["ALL_PROXY", "all_proxy"], false),
    ] {
        for variable in variables {
            let (url, received) = proxy();
            let setup = if over_tls { Setup::over_tls(World::default()) } else { Setup::new(World::default()) };
            // The proxy accepts no other host name.
            let endpoint = setup.endpoint().replace("127.0.0.1", "localhost");
            let port = endpoint.rsplit(':').next().expect("port").to_owned();
            let function = setup.set("AWS_ENDPOINT_URL_EC2", &endpoint).set(variable, &url).start();
            assert_eq!(function.invoke(&request()), Ok(pending()), "{variable}");
            let head = received.try_recv().expect("the proxy received nothing");
            assert!(head.starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\n")), "{variable}: {head}");
        }
    }
}

#[test]
fn uppercase_proxy_variables_take_precedence() {
    for (upper, lower) in [("HTTPS_PROXY", "https_proxy"), ("ALL_PROXY", "all_proxy")] {
        let (url, received) = proxy();
        let setup = Setup::over_tls(World::default()).set(lower, &closed_port());
        let function = setup.set(upper, &url).start();
        assert_eq!(function.invoke(&request()), Ok(pending()));
        assert!(received.try_recv().is_ok(), "{upper} is not used");
    }
}

#[test]
fn https_proxy_takes_precedence_over_all_proxy() {
    let (url, received) = proxy();
    let setup = Setup::over_tls(World::default()).set("ALL_PROXY", &closed_port());
    let function = setup.set("https_proxy", &url).start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert!(received.try_recv().is_ok());
}

#[test]
fn request_method_does_not_disable_the_proxy() {
    // CGI programs ignore HTTP_PROXY, because a client can set it with the header `Proxy`.
    let (url, received) = proxy();
    let setup = Setup::new(World::default());
    let endpoint = setup.endpoint().replace("127.0.0.1", "localhost");
    let setup = setup.set("AWS_ENDPOINT_URL_EC2", &endpoint).set("REQUEST_METHOD", "GET");
    let function = setup.set("HTTP_PROXY", &url).start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert!(received.try_recv().is_ok());
}

#[test]
fn broken_proxy_is_never_bypassed() {
    let broken = [
        &b""[..],
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1/\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 2",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ];
    let modes = [json!({}), json!({ "DryRun": true }), json!({ "DescribeOnly": true })];
    for url in broken.map(broken_proxy).into_iter().chain([closed_port()]) {
        // The delay before a retry is up to a second, so only one mode is retried.
        for (variable, attempts, modes) in [("HTTPS_PROXY", "1", &modes[..]), ("ALL_PROXY", "2", &modes[..1])] {
            let setup = Setup::over_tls(World::default()).set(variable, &url).set("AWS_MAX_ATTEMPTS", attempts);
            let function = setup.start();
            for members in modes {
                let message = assert_error(function.invoke(&request_with(members)), "Ec2Unreachable", &[]);
                assert!(!message.contains("outcome is unknown"), "{message}");
            }
            assert_eq!(function.calls(), Vec::<String>::new());
        }
    }
}

#[test]
fn silent_proxy_is_unreachable_after_the_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let function = Setup::over_tls(World::default()).set("HTTPS_PROXY", &url).set("AWS_MAX_ATTEMPTS", "1").start();
    let message = assert_error(function.invoke(&request()), "Ec2Unreachable", &["no connection within 3.1s"]);
    assert!(!message.contains("outcome is unknown"), "{message}");
    assert_eq!(function.calls(), Vec::<String>::new());
}

#[test]
fn no_proxy_exempts_a_host() {
    let (url, received) = proxy();
    for (variable, hosts) in
        [("NO_PROXY", "localhost"), ("no_proxy", "ec2.example,localhost"), ("NO_PROXY", "*"), ("NO_PROXY", "LOCALHOST")]
    {
        let function = Setup::over_tls(World::default()).set("HTTPS_PROXY", &url).set(variable, hosts).start();
        assert_eq!(function.invoke(&request()), Ok(pending()));
        assert!(received.try_recv().is_err(), "{variable}={hosts}");
    }
    let setup = Setup::over_tls(World::default()).set("HTTPS_PROXY", &url).set("no_proxy", "localhost");
    let function = setup.set("NO_PROXY", "ec2.example").start();
    assert_eq!(function.invoke(&request()), Ok(pending()));
    assert!(received.try_recv().is_ok(), "NO_PROXY takes precedence");
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
