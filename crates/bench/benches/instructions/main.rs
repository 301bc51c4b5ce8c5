//! The operations whose instructions are counted. One process carries out one of them, under callgrind:
//! `cargo xtask instructions`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // nothing here runs in a service

mod decode;
mod encode;
mod hub;
mod sample;

// Built here from the same sources, for these two need little, and their crates would bring TLS and its C.
#[allow(dead_code, unused_imports)] // the rest of it, and its tests, are for its own crate
#[path = "../../../engine-redis/src/envelope.rs"]
mod envelope;
#[allow(dead_code)]
#[path = "../../../engine-redis/src/names.rs"]
mod names;
#[allow(dead_code, unused_imports)]
#[path = "../../../chat-node/src/reader.rs"]
mod reader;

use std::hint::black_box;

/// The longest first, so that they do not end last where several run at once.
const CASES: &[(&str, fn())] = &[
    ("fan_out_10000", || hub::fan_out(10_000)),
    ("fan_out_500", || hub::fan_out(500)),
    ("fan_out_50", || hub::fan_out(50)),
    ("fold_400_changes_for_500", || hub::fold(500, 400)),
    ("decode_send_message", decode::send_message),
    ("decode_connect", decode::connect),
    ("decode_envelope", decode::envelope),
    ("encode_ack", encode::ack),
    ("encode_new_message", encode::new_message),
    ("encode_room_joined", encode::room_joined),
];

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--list"] => CASES.iter().for_each(|(name, _)| println!("{name}")),
        ["--case", wanted] => CASES.iter().find(|(name, _)| *name == wanted).expect("a case of --list").1(),
        _ => println!("`cargo xtask instructions` counts these"),
    }
}

/// What callgrind counts: from its call to its return, with all that is called in between. xtask knows it by its name.
#[inline(never)]
fn counted_by_callgrind(operation: &mut dyn FnMut()) {
    operation();
    // Not a jump instead of a call: callgrind must see this function return.
    black_box(());
}

/// Has an operation counted, but for what makes its input. It was carried out before, so that what is done only once is
/// done.
fn count<I>(mut input: impl FnMut() -> I, mut operation: impl FnMut(I)) {
    operation(input());
    let mut input = Some(input());
    counted_by_callgrind(&mut || input.take().into_iter().for_each(&mut operation));
    assert!(input.is_none(), "the operation was carried out");
}
