//! The libFuzzer entry point of [`fuzz::response`].

#![no_main]
#![allow(unsafe_code, reason = "libFuzzer calls a C function")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::response::check(input));
