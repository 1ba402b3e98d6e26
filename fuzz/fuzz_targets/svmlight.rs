#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootlet::fuzzing::run("svmlight", bytes));
