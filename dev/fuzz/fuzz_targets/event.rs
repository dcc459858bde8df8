//! The libFuzzer entry point of [`fuzz::event`].

#![no_main]
#![allow(unsafe_code, reason = "libFuzzer calls a C function")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::event::check(input));
