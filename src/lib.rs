//! Retires an Autonomous System Number (ASN) that was brought to Amazon VPC IPAM (BYOASN): an AWS Lambda function that
//! calls EC2's `DeprovisionIpamByoasn`.
//!
//! Data flows one way: event → [`event::Request`] → [`ec2::Ec2`] → [`response::Response`] or [`error::Error`].
//!
//! # Layout
//!
//! | module | purpose |
//! | --- | --- |
//! | [`event`] | parses the event into a request; a new request member goes here |
//! | [`asn`] | the textual forms of an ASN |
//! | [`handler`] | the flow of one invocation |
//! | [`response`] | what an invocation returns |
//! | [`error`] | every error with its `errorType` and message; a new error goes here |
//! | [`ec2`] | the EC2 client: operations and pagination |
//! | `ec2::attempts` | tracks the HTTP attempts of one operation |
//! | `ec2::response` | what one response says, and whether the request may have been executed |
//! | `ec2::xml` | the strict XML reader |
//! | `ec2::http_client` | HTTP, TLS and proxies |
//! | `ec2::status_line` | notices a 2xx status line before the headers are complete |
//! | [`ec2::trust_roots`] | the trust store |
//! | [`settings`] | the environment variables; a new setting goes here |
//! | [`deadline`] | the time that is left for EC2 |
//! | [`redaction`] | removes credentials from text |
//! | `text` | single lines and truncation |
//! | [`logging`] | the log |
//! | [`runtime`] | connects the handler to the Lambda runtime |

#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod asn;
pub mod deadline;
pub mod ec2;
pub mod error;
pub mod event;
pub mod handler;
pub mod logging;
pub mod redaction;
pub mod response;
pub mod runtime;
pub mod settings;
mod text;
