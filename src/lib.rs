//! Retires an Autonomous System Number that was brought to Amazon VPC IPAM (BYOASN), as an AWS Lambda
//! function around EC2's `DeprovisionIpamByoasn`.
//!
//! Data goes one way: event → [`event::Request`] → EC2 → [`handler::Response`] or [`error::Error`].
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`event`] | event to request; the only place that knows envelopes |
//! | [`asn`] | the ASN: textual forms in, canonical form out |
//! | [`handler`] | the flow of one invocation |
//! | [`ec2`] | the calls to EC2 |
//! | [`wire`] | what went over the wire in a call: its attempts, and what they leave unknown |
//! | [`answer`] | one answer of EC2 |
//! | `https` | the way to EC2 |
//! | [`roots`] | the trust roots |
//! | [`error`] | every `errorType` |
//! | [`deadline`] | the time for EC2 |
//! | [`secrets`] | keeps credentials out of messages |
//! | [`settings`] | the environment |
//! | [`log`] | the log |
//! | [`runtime`] | between Lambda's runtime and the handler |

#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod answer;
pub mod asn;
pub mod deadline;
pub mod ec2;
pub mod error;
pub mod event;
pub mod handler;
mod https;
pub mod log;
pub mod roots;
pub mod runtime;
pub mod secrets;
pub mod settings;
pub mod wire;
