//! Any bytes at all: reading a datagram must neither panic nor loop.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    let mut depth = 0i32;
    for byte in datagram {
        match byte {
            b'd' | b'l' => depth += 1,
            b'e' => depth -= 1,
            _ => {}
        }
        if depth < 0 || depth > 32 {
            return;
        }
    }
});
