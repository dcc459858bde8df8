//! Stand-ins for AWS, for development and tests. Nothing in this crate ships.
//!
//! * [`ec2`]: the four EC2 operations that manage BYOASN, with state and with faults on demand.
//! * [`runtime_api`]: the Lambda Runtime API, which sends invocations to a function.
//!
//! Each stand-in is a server on a free port of 127.0.0.1. It runs on its own thread and stops when
//! it is dropped, so tests that use it are plain synchronous functions:
//!
//! ```no_run
//! use stand_ins::{ec2, runtime_api};
//!
//! let ec2 = ec2::StandIn::start(ec2::World::default());
//! let api = runtime_api::StandIn::start();
//! // Start the function with AWS_ENDPOINT_URL_EC2 = ec2.endpoint()
//! // and AWS_LAMBDA_RUNTIME_API = api.address(). Then:
//! ec2.queue_fault(ec2::Action::DeprovisionIpamByoasn, ec2::Fault::Throttle);
//! let response = api.invoke(r#"{"IpamId": "ipam-0123456789abcdef0", "Asn": "64500"}"#);
//! assert_eq!(response.json()["Byoasn"]["State"], "pending-deprovision");
//! assert_eq!(ec2.calls().len(), 2);
//! ```
//!
//! # Layout
//!
//! `http` is the server of both stand-ins; `lock` and `unique` are helpers.

pub mod ec2;
mod http;
mod lock;
pub mod runtime_api;
mod unique;
