//! libFuzzer over [`fuzz::event`].

#![no_main]
#![allow(unsafe_code, reason = "the entry point that libFuzzer calls is C's")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::event::check(input));
