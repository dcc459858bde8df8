//! What stands in for AWS while the function is developed and tested. Nothing here ships.
//!
//! * [`ec2`]: EC2 as far as BYOASN goes, with real state, and with faults on demand.
//! * [`runtime_api`]: the Lambda Runtime API, from the side that sends invocations.
//!
//! Both are servers on a free port of 127.0.0.1, each on a thread of its own, and stop when
//! they are dropped. Tests that use them are plain synchronous functions:
//!
//! ```no_run
//! use stand_ins::{ec2, runtime_api};
//!
//! let ec2 = ec2::StandIn::start(ec2::World::default());
//! let api = runtime_api::StandIn::start();
//! // Start the function with AWS_ENDPOINT_URL_EC2 = ec2.endpoint()
//! // and AWS_LAMBDA_RUNTIME_API = api.address(), and then:
//! ec2.fault(ec2::Action::DeprovisionIpamByoasn, ec2::Fault::Throttle);
//! let answer = api.invoke(r#"{"IpamId": "ipam-0123456789abcdef0", "Asn": "64500"}"#);
//! assert_eq!(answer.json()["Byoasn"]["State"], "pending-deprovision");
//! assert_eq!(ec2.calls().len(), 2);
//! ```

pub mod ec2;
mod http;
mod lock;
pub mod runtime_api;
mod unique;
