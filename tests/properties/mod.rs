//! Property tests of the library.

mod asn_and_event;
