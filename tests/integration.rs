//! Tests of the real binary between the stand-ins of the Lambda Runtime API and EC2, and property tests of the library.
//! They are one program because linking the EC2 SDK takes three seconds for each.

mod contract;
mod properties;
mod resilience;
mod support;
