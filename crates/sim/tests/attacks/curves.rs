//! How lookups and gets fare the more hostile nodes there are. Run these with optimisations:
//! `cargo test --release -p xorbit-sim --test attacks -- --ignored --nocapture`.

use sim::attack::desert::Desert;
use sim::attack::eclipse::Eclipse;
use sim::attack::forgetful::Forgetful;
use sim::attack::ghosts::Ghosts;
use sim::attack::impostors::Impostors;
use sim::attack::mirage::Mirage;
use sim::attack::siege::Siege;
use sim::attack::stuffing::Stuffing;
use sim::attack::sybils::Sybils;
use sim::attack::{Grounds, Scheme};
use sim::chance::Chance;
use sim::fault::attack::members;

use sim::experiment::adversaries::town::{Ground, Score, Town, name};

/// Honest nodes; another number can be set from outside.
fn honest() -> usize {
    std::env::var("XORBIT_HONEST").ok().and_then(|text| text.parse().ok()).unwrap_or(1000)
}

fn shares() -> Vec<f64> {
    match std::env::var("XORBIT_SHARES") {
        Ok(text) => text.split(',').filter_map(|share| share.parse().ok()).collect(),
        Err(_) => vec![0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
    }
}

fn fares<S: Scheme + 'static>(
    ground: Ground,
    honest: usize,
    members: usize,
    scheme: impl FnOnce(&Grounds) -> S,
) -> Score {
    let mut town = Town::gather(1, ground, honest, members, scheme);
    let stored = town.put(200);
    assert!(stored >= 195, "{stored} of 200 were stored before anybody struck");
    town.strike();
    let mut score = town.look(2000);
    town.get(200, 200, &mut score);
    score
}

fn curve<S: Scheme + 'static>(scheme: impl Fn() -> S) {
    for share in shares() {
        let members = if share == 0.0 { 0 } else { members(honest(), share) };
        let score = fares(Ground::Public, honest(), members, |_| scheme());
        println!("{:<10} {:3.0} % hostile  {score}", S::NAME, share * 100.0);
    }
}

#[test]
#[ignore = "minutes, even with optimisations"]
fn curve_of_sybils() {
    curve(|| Sybils);
}

#[test]
#[ignore = "minutes, even with optimisations"]
fn curve_of_ghosts() {
    curve(|| Ghosts);
}

#[test]
#[ignore = "minutes, even with optimisations"]
fn curve_of_mirages() {
    curve(|| Mirage::of(1, false));
}

#[test]
#[ignore = "minutes, even with optimisations"]
fn curve_of_valid_mirages() {
    curve(|| Mirage::of(1, true));
}

#[test]
#[ignore = "minutes, even with optimisations"]
fn curve_of_deserts() {
    curve(|| Desert::draw(&mut Chance::from_number(1)));
}

#[test]
#[ignore = "minutes, even with optimisations"]
fn curve_of_the_forgetful() {
    curve(|| Forgetful);
}

#[test]
#[ignore = "minutes, even with optimisations"]
fn curve_of_impostors() {
    curve(|| Impostors);
}

#[test]
#[ignore = "minutes, even with optimisations"]
fn curve_of_stuffers() {
    curve(|| Stuffing);
}

/// Gets of one key that is surrounded, of 40, and lookups of one node that is.
#[test]
#[ignore = "minutes, even with optimisations"]
fn curve_of_sieges_and_eclipses() {
    let target = kv::Namespace::default().target(&name(0));
    for members in [16, 64, 256, 1024] {
        let scheme = |_: &Grounds| Siege::of(members, Some(target));
        let mut town = Town::gather(1, Ground::Public, honest(), members, scheme);
        let stored = town.put(1);
        town.strike();
        let mut score = Score::default();
        town.get(1, 40, &mut score);
        let all: Vec<_> = town.honest.iter().take(50).map(|id| (*id, target.point())).collect();
        let looked = town.look_for(&all);
        println!("siege    {members:4} members, stored {stored}, gets {}/40, {looked}", score.got);
    }
    for members in [16, 64, 256, 1024] {
        for (who, victim) in [("first", 0), ("last", honest() - 1)] {
            let scheme = |found: &Grounds| Eclipse::of(found.honest.get(victim).copied());
            let mut town = Town::gather(1, Ground::Public, honest(), members, scheme);
            town.strike();
            let id = town.honest[victim];
            let mut chance = Chance::from_number(3);
            let asks: Vec<_> = (0..100).map(|_| (id, wire::Point::new(chance.bytes()))).collect();
            let score = town.look_for(&asks);
            println!("eclipse  {members:4} members, {who} to come: {score}");
        }
    }
}
