//! What each attack comes to in a small town, and what it must never come to.

use std::time::Duration;

use sim::attack::eclipse::Eclipse;
use sim::attack::flood::Flood;
use sim::attack::forgers::Forgers;
use sim::attack::forgetful::Forgetful;
use sim::attack::gauge::Gauge;
use sim::attack::ghosts::Ghosts;
use sim::attack::impostors::Impostors;
use sim::attack::mirage::Mirage;
use sim::attack::reflection::Reflection;
use sim::attack::replay::Replay;
use sim::attack::siege::Siege;
use sim::attack::spam::Spam;
use sim::attack::stale::Stale;
use sim::attack::sybils::Sybils;
use sim::attack::{Grounds, Scheme};
use sim::world::Actor;

use sim::experiment::adversaries::town::{Ground, Score, Town, name};

/// 60 honest nodes and 15 hostile ones, a fifth of all.
const HONEST: usize = 60;
const HOSTILE: usize = 15;

fn town<S: Scheme + 'static>(scheme: impl FnOnce(&Grounds) -> S) -> Town {
    Town::gather(5, Ground::Public, HONEST, HOSTILE, scheme)
}

fn fares<S: Scheme + 'static>(scheme: S) -> Score {
    let mut town = town(|_| scheme);
    assert_eq!(town.put(40), 40, "nobody has struck yet");
    town.strike();
    let mut score = town.look(200);
    town.get(40, 80, &mut score);
    println!("{:<10} {score}", S::NAME);
    score
}

/// Right lookups of 100 that there must be: one in a hundred does not wait for a slow node.
const RIGHT: f64 = 98.0;

#[test]
fn members_that_name_only_each_other_lead_nobody_astray() {
    let score = fares(Sybils);
    assert!(score.right_percent() >= RIGHT && score.got_percent() >= 98.0, "{score}");
}

#[test]
fn ids_of_the_moment_take_nobodys_place() {
    let score = fares(Mirage::of(1, false));
    assert!(score.right_percent() >= RIGHT && score.got_percent() >= 98.0, "{score}");
}

#[test]
fn whoever_is_named_wrongly_is_found_all_the_same() {
    let score = fares(Impostors);
    assert!(score.right_percent() >= RIGHT && score.got_percent() >= 98.0, "{score}");
}

#[test]
fn nodes_that_do_not_exist_cost_time_and_no_right_lookup() {
    let score = fares(Ghosts);
    assert!(score.right_percent() >= RIGHT && score.got_percent() >= 90.0, "{score}");
}

#[test]
fn what_a_fifth_of_all_forgets_or_shows_in_old_versions_is_still_read() {
    for score in [fares(Forgetful), fares(Stale)] {
        assert!(score.got_percent() >= 98.0, "{score}");
    }
}

#[test]
fn nobody_answers_in_anothers_name() {
    let score = fares(Forgers);
    assert!(score.right_percent() >= RIGHT && score.got_percent() >= 98.0, "{score}");
}

#[test]
fn a_flood_keeps_no_lookup_from_being_right() {
    let score = fares(Flood::of(100));
    assert!(score.right_percent() >= RIGHT && score.got_percent() >= 98.0, "{score}");
}

#[test]
fn no_token_is_taken_from_anybody_else_for_anything_else_or_late() {
    let mut town = town(|_| Replay::default());
    town.strike();
    town.pass(Duration::from_secs(20 * 60));
    let tally = town.tally();
    assert_eq!(tally.taken, 0);
    assert!(tally.refused > 1000, "{tally:?}");
}

#[test]
fn users_read_theirs_among_spam() {
    let mut town = town(|_| Spam::of(1));
    assert_eq!(town.put(40), 40);
    town.strike();
    town.pass(Duration::from_secs(300));
    let mut score = town.look(100);
    town.get(40, 80, &mut score);
    let tally = town.tally();
    println!("spam       {score} {tally:?}");
    assert!(tally.taken > 1000, "{tally:?}");
    assert!(score.got_percent() >= 90.0, "{score}");
}

#[test]
fn nobody_gets_more_bytes_by_reflection_than_the_budgets_of_all_nodes() {
    let mut victim = None;
    let mut town = Town::gather_beside(5, HONEST, HOSTILE, |town, found| {
        let (machine, at) = town.add(Box::<Gauge>::default());
        victim = Some(machine);
        found.victim = Some(at);
        Reflection::of(500)
    });
    town.strike();
    let before = town.tally();
    let machine = &town.world.machines[victim.unwrap().0 as usize];
    let Actor::Attacker(gauge) = &machine.actor else { panic!("it is a gauge") };
    let first = gauge.tally();
    town.pass(Duration::from_secs(120));
    let machine = &town.world.machines[victim.unwrap().0 as usize];
    let Actor::Attacker(gauge) = &machine.actor else { panic!("it is a gauge") };
    let heard = gauge.tally().heard_bytes - first.heard_bytes;
    let sent = town.tally().sent_bytes - before.sent_bytes;
    let budget = HONEST as u64 * 120 * u64::from(node::limits::UNPROVEN_BYTES_PER_S);
    println!("reflected {heard} bytes of {sent} sent, ratio {:.2}", heard as f64 / sent as f64);
    assert!(heard > 0 && heard <= budget + budget / 10, "{heard} of {budget}");
}

#[test]
fn in_a_network_of_ones_own_as_many_as_there_are_replicas_hide_a_key_and_a_few_do_not() {
    let target = kv::Namespace::default().target(&name(0));
    let gets = |members: usize| {
        let scheme = |_: &Grounds| Siege::of(members, Some(target));
        let mut town = Town::gather(5, Ground::Private, HONEST, members, scheme);
        assert_eq!(town.put(1), 1, "nobody has struck yet");
        town.strike();
        let mut score = Score::default();
        town.get(1, 20, &mut score);
        score.got
    };
    assert_eq!(gets(3), 20);
    assert_eq!(gets(24), 0, "a network that strangers can reach should be sealed");
}

#[test]
fn a_node_that_was_there_before_is_not_cut_off_by_those_who_surround_it() {
    let mut town = town(|found| Eclipse::of(found.honest.first().copied()));
    town.strike();
    let victim = town.honest[0];
    let asks: Vec<_> =
        (0..40u8).map(|n| (victim, wire::Point::new([n.wrapping_mul(37); 20]))).collect();
    let score = town.look_for(&asks);
    println!("eclipse    {score}");
    assert!(score.right_percent() >= 95.0, "{score}");
}
