#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| maillon_fuzz::run("presentation", data));
