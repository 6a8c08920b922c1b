#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| recfact_fuzz::line(data));
