//! A store that hears whatever strangers and its own caller come up with: raw datagrams, answers to
//! its own questions with true and false contents, time that passes and clocks that jump, requests.
//! After each input all that must hold is checked, and in the end every request has ended.
#![no_main]

#[path = "node_inputs/answers.rs"]
mod answers;
#[path = "node_inputs/choices.rs"]
mod choices;
#[path = "node_inputs/life.rs"]
mod life;
#[path = "node_inputs/questions.rs"]
mod questions;

use choices::Choices;
use libfuzzer_sys::fuzz_target;
use life::Life;

/// Inputs of one life; each may cost a signature.
const STEPS: usize = 256;

fuzz_target!(|bytes: &[u8]| {
    let mut choices = Choices::new(bytes);
    let mut life = Life::new(&mut choices);
    for _ in 0..STEPS {
        if choices.is_empty() {
            break;
        }
        match choices.byte() % 8 {
            0 => life.raw_datagram(&mut choices),
            1 | 2 => answers::answer(&mut life, &mut choices),
            3 => life.pass(&mut choices),
            4 | 5 => questions::ask(&mut life, &mut choices),
            _ => life.request(&mut choices),
        }
    }
    life.end();
});
