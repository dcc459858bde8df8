//! An HTTP client that sends and shows bytes unchanged.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use stand_ins::ec2;

pub const IPAM: &str = "ipam-0123456789abcdef0";
pub const CREDENTIAL: &str = "AKID/20260101/us-east-1/ec2/aws4_request";

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Response {
    /// The content of the first element with this name.
    pub fn element(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
    }

    /// The contents of all elements with this name.
    pub fn elements(&self, name: &str) -> Vec<&str> {
        let open = format!("<{name}>");
        self.body
            .split(&open)
            .skip(1)
            .filter_map(|rest| rest.split_once(&format!("</{name}>")))
            .map(|(text, _)| text)
            .collect()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The status and the code of an EC2 error.
    pub fn error(&self) -> (u16, &str) {
        (self.status, self.element("Code").unwrap_or("no code"))
    }
}

/// A connection that stays open between requests.
pub struct Client(pub TcpStream);

impl Client {
    pub fn new(url_or_address: &str) -> Self {
        let address = url_or_address.trim_start_matches("http://");
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(stream)
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: stand-in\r\n{headers}content-length: {}\r\n\r\n", body.len());
        self.0.write_all((head + body).as_bytes()).unwrap();
    }

    pub fn request(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Response {
        self.send(method, path, headers, body);
        self.read().unwrap()
    }

    /// Reads the next response. Returns an error if the connection ends before it is complete.
    pub fn read(&mut self) -> io::Result<Response> {
        read(&mut self.0)
    }
}

pub fn read(stream: &mut impl Read) -> io::Result<Response> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers: BTreeMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Response { status: status.parse().unwrap(), headers, body: String::from_utf8(body).unwrap() })
}

pub fn authorization(credential: &str) -> String {
    format!(
        "authorization: AWS4-HMAC-SHA256 Credential={credential}, \
         SignedHeaders=host;x-amz-date, Signature=0badc0de\r\n"
    )
}

/// Sends a signed call with these parameters on a new connection.
pub fn call(ec2: &ec2::StandIn, params: &str) -> Response {
    try_call(ec2, params).unwrap()
}

pub fn try_call(ec2: &ec2::StandIn, params: &str) -> io::Result<Response> {
    let mut client = Client::new(ec2.endpoint());
    let body = format!("Version=2016-11-15&{params}");
    client.send("POST", "/", &authorization(CREDENTIAL), &body);
    client.read()
}

pub fn deprovision(ec2: &ec2::StandIn) -> Response {
    call(ec2, &deprovision_params())
}

pub fn deprovision_params() -> String {
    format!("Action=DeprovisionIpamByoasn&IpamId={IPAM}&Asn=64500")
}

/// The states in a `DescribeIpamByoasn` response.
pub fn describe_states(ec2: &ec2::StandIn) -> Vec<String> {
    call(ec2, "Action=DescribeIpamByoasn").elements("state").into_iter().map(str::to_owned).collect()
}
