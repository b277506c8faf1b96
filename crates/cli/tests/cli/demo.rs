//! The demonstration that anybody can run first.

use std::time::Duration;

use crate::program::run;

#[test]
fn the_demo_finds_every_value_within_seconds() {
    let shown = run(&["demo"]).expect(0);
    assert!(shown.took < Duration::from_secs(20), "{shown:?}");
    for part in [
        "16 nodes on loopback",
        "held by 8 of 8: nodes ",
        "stopped 5 of 16: nodes 3 6 9 12 15",
        "node 17 joined through node 2",
        "9 of 9 reads found their value",
    ] {
        assert!(shown.text().contains(part), "{part} in {}", shown.text());
    }
}

#[test]
fn the_demo_runs_in_other_sizes_and_tells_programs_too() {
    let shown = run(&["demo", "--nodes", "20", "--json"]).expect(0).json();
    assert_eq!((shown["nodes"].as_u64(), shown["found"].as_u64()), (Some(20), Some(9)));
    assert!(shown["steps"].as_array().unwrap().iter().any(|step| step["step"] == "stop"));
    run(&["demo", "--nodes", "2"]).expect(2);
}
