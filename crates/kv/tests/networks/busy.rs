//! More requests than a node may carry: each is answered, none breaks anything.

use kv::{Config, Done, Event, GetError, PutError, Request, RequestId};
use wire::{InfoHash, Point, Target};

use super::world::World;
use super::world::asking::{get_request, put_request};

/// More than a node carries at once (`limits::REQUESTS` is 2,048).
const MANY: usize = 2_500;

fn request(number: usize) -> Request {
    let key = format!("key {}", number % 50);
    match number % 7 {
        0 => Request::Put(put_request(&key, b"v")),
        1 | 2 => Request::Get(get_request(&key, Default::default())),
        3 => Request::ItemPut(kv::ItemPutRequest { value: b"i1e".as_slice().into(), signed: None }),
        4 => Request::ItemGet { target: Target::new([number as u8; 20]), salt: [].into() },
        5 => Request::Announce { info_hash: InfoHash::new([3; 20]), port: None, seed: false },
        _ => Request::Lookup(Point::new([number as u8; 20])),
    }
}

fn is_busy(done: &Done) -> bool {
    matches!(
        done,
        Done::Put(Err(PutError::Busy))
            | Done::Got(Err(GetError::Busy))
            | Done::ItemPut(Err(PutError::Busy))
            | Done::ItemGot(Err(GetError::Busy))
            | Done::Announced(Err(PutError::Busy))
    )
}

#[test]
fn requests_beyond_the_bound_are_told_that_the_node_is_busy() {
    let mut world = World::joined(3);
    let ids: Vec<RequestId> = (0..MANY).map(|number| world.request(0, request(number))).collect();
    let mut ends = 0;
    let mut busy = 0;
    for id in &ids {
        let done = world.finish(0, *id);
        busy += usize::from(is_busy(&done));
        ends += 1;
    }
    assert_eq!(ends, MANY, "every request ends");
    assert!(busy > 100, "{busy} of {MANY}");
    assert!(world.members[0].kv.is_idle());
    let left = world.events(0).iter().filter(|event| matches!(event, Event::Done(..)));
    assert_eq!(left.count(), 0, "and ends once");
    world.store(0, "k", b"v");
    assert_eq!(*world.read(1, "k"), *b"v", "it works on");
}

#[test]
fn a_join_is_heard_also_by_a_busy_node() {
    let mut world = World::joined(3);
    let newcomer = world.add(Config::default());
    world.down(&[0, 1, 2]);
    world.join(newcomer, 0);
    for number in 0..MANY {
        world
            .request(newcomer, Request::Get(get_request(&format!("{number}"), Default::default())));
    }
    world.up(&[1]);
    world.join(newcomer, 1);
    world.run(std::time::Duration::from_secs(120));
    let joined = |event: &Event| matches!(event, Event::Joined { .. });
    assert!(world.events(newcomer).iter().any(joined));
}
