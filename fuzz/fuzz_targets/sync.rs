#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| db_to_cloud_tests::fuzz::sync(bytes));
