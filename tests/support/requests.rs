//! Requests, the calls to EC2 that they lead to, and responses.

use serde_json::{Value, json};
use stand_ins::ec2::Fault;

pub const IPAM: &str = "ipam-0123456789abcdef0";

/// The calls of [`request`], as [`Function::calls`](super::Function::calls) shows them.
pub const DEPROVISION: &str = "DeprovisionIpamByoasn Asn=64500 IpamId=ipam-0123456789abcdef0";
pub const DRY_RUN: &str = "DeprovisionIpamByoasn Asn=64500 DryRun=true IpamId=ipam-0123456789abcdef0";
pub const DESCRIBE_BYOASN: &str = "DescribeIpamByoasn MaxResults=100";
pub const DESCRIBE_CIDRS: &str = "DescribeByoipCidrs MaxResults=100";

/// The request of most tests.
pub fn request() -> Value {
    json!({ "IpamId": IPAM, "Asn": "64500" })
}

/// [`request`] with these members added or replaced.
pub fn request_with(members: &Value) -> Value {
    let mut request = request();
    request.as_object_mut().expect("object").extend(members.as_object().expect("object").clone());
    request
}

/// The response to the first [`request`].
pub fn pending() -> Value {
    json!({ "Byoasn": { "Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision" } })
}

/// The first bytes of a 200. The SDK retries after it.
pub fn truncated_success() -> Fault {
    truncated_response(200, "<Dep", &[])
}

/// A response that announces 1,000 bytes and sends only `body`. Each of `headers` is added, or replaces the one of that name.
pub fn truncated_response(status: u16, body: &str, headers: &[(&str, &str)]) -> Fault {
    let defaults = [("content-length", "1000"), ("connection", "close")];
    let headers = defaults.iter().chain(headers).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Fault::Raw { status, headers, body: body.into(), after_effect: false }
}

/// A success of `DeprovisionIpamByoasn` with this content in its `byoasn` element.
pub fn success_document(byoasn: &str) -> String {
    format!("<DeprovisionIpamByoasnResponse><byoasn>{byoasn}</byoasn></DeprovisionIpamByoasnResponse>")
}

/// An error in EC2's format.
pub fn error_document(code: &str, message: &str) -> String {
    format!("<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>")
}
