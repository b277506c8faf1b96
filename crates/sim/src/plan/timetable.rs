//! When which fault begins and ends.

use super::{Planned, Setting, Wishes};
use crate::chance::Chance;
use crate::fault::{KINDS, Kind};
use crate::profile::Profile;

/// Faults of the kinds that a profile has, or a user asks for. Each is drawn from a stream of its own, so
/// that those that are left out change nothing of the others; and times are those of a day of the
/// profile's length, day after day, so that a shorter run is the beginning of a longer one.
pub(super) fn faults(
    seed: u64,
    profile: &Profile,
    setting: &Setting,
    wishes: &Wishes,
) -> Vec<Planned> {
    let is_wanted = |kind: &&Kind| match wishes.kinds.as_slice() {
        [] => profile.has(kind),
        names => names.contains(&kind.name),
    };
    let kinds: Vec<_> = KINDS.iter().filter(is_wanted).collect();
    let mut chance = Chance::of(seed, "faults");
    let day = setting.day;
    let each_day = chance.between(profile.faults.0.into(), profile.faults.1.into()) as u32;
    let each_day = each_day.max(u32::from(!wishes.kinds.is_empty()));
    let days = setting.span.div_duration_f64(day).ceil() as u32;
    let mut all = Vec::new();
    for number in 0..each_day.saturating_mul(days) {
        let mut chance = Chance::of_one(seed, "fault", number.into());
        let Some(kind) = chance.pick(&kinds).copied() else { break };
        let early = if setting.dense { 0.4 } else { 0.9 };
        let from = day * (number / each_day) + day.mul_f64(early * chance.share());
        let share = 0.02 + 0.3 * chance.share() * chance.share();
        let lasts = match setting.dense {
            true => (day * (number / each_day + 1)).saturating_sub(from).mul_f64(0.65 + share),
            false => day.mul_f64(share),
        };
        let fault = (kind.draw)(&mut chance, setting);
        if from < setting.span && !wishes.without.contains(&number) {
            let until = (from + lasts).min(setting.span);
            all.push(Planned { number, kind: kind.name, from, until, fault });
        }
    }
    all.sort_by_key(|planned| (planned.from, planned.number));
    all
}
