//! Tests of the library, most of them over random input.

mod asn_and_event;
mod settings;
