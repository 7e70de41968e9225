#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| eximious_tests::fuzz::traced(data));
