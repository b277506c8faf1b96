//! Bugs that show at once are found, and nothing is found where none is planted. In a file of its own:
//! what is planted is planted into all nodes of the process.

#![cfg(feature = "planted")]

use std::time::Duration;

use sim::hunt::{live, mistakes, plant};
use sim::plan::Wishes;
use sim::profile::Profile;

/// Bugs, each with the check that must find it in a few nodes that find each other.
const AT_ONCE: [(&str, &str); 5] = [
    ("reply-counts-twice", "replies"),
    ("closest-off-by-one", "closest"),
    ("own-bucket-left-out", "closest"),
    ("stranger-enters", "proven"),
    ("hearsay-enters", "proven"),
];

#[test]
fn bugs_that_show_at_once_are_found_and_nothing_is_where_none_is_planted() {
    let (nodes, span) = (Some(6), Some(Duration::from_secs(30)));
    let wishes = Wishes { nodes, span, profile: Profile::named("calm"), ..Wishes::default() };
    plant(None);
    assert_eq!(live(1, &wishes), None);
    for (name, check) in AT_ONCE {
        let all = mistakes();
        let mistake = all.iter().find(|mistake| mistake.name == name).unwrap();
        plant(Some(mistake));
        let found = live(1, &wishes).map(|catch| catch.check);
        plant(None);
        assert_eq!(found, Some(check), "{name}");
    }
}
