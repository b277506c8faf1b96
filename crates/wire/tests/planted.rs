//! The list of bugs that can be planted. In a file of its own: what is planted is planted into the
//! whole process.

#![cfg(feature = "planted")]

use wire::planted::{Bug, is, plant};

#[test]
fn one_bug_at_a_time_is_planted_and_none_at_first() {
    assert!(Bug::ALL.iter().all(|bug| !is(*bug)));
    for planted in Bug::ALL {
        plant(Some(*planted));
        assert!(Bug::ALL.iter().all(|bug| is(*bug) == (bug == planted)));
    }
    plant(None);
    assert!(Bug::ALL.iter().all(|bug| !is(*bug)));
}

#[test]
fn every_bug_has_a_name_of_its_own_that_can_be_typed() {
    assert!(Bug::ALL.len() < usize::from(u8::MAX), "0 stands for none");
    for (index, bug) in Bug::ALL.iter().enumerate() {
        let typed = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        assert!(bug.name().bytes().all(typed), "{bug:?}");
        let others = &Bug::ALL[..index];
        assert!(others.iter().all(|other| other.name() != bug.name()), "{bug:?}");
    }
}
