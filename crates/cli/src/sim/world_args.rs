//! What one world is told on the command line, and the command that shows it again.

use std::time::Duration;

use sim::fault::KINDS;
use sim::plan::Wishes;
use sim::profile::Profile;

/// Which world.
#[derive(clap::Args, Clone, Debug)]
pub struct WorldArgs {
    /// How many machines; the seed decides if left out
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub nodes: Option<u32>,
    /// How long faults and users' work go on, in hours of the world; the seed decides if left out
    #[arg(long, value_parser = hours)]
    pub hours: Option<Duration>,
    /// What kind of world; the seed decides if left out
    #[arg(long, value_name = "NAME", value_parser = profile, long_help = profiles())]
    pub profile: Option<&'static Profile>,
    /// Only faults of these kinds, in place of the profile's
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind)]
    pub faults: Vec<&'static str>,
    /// Leave out these faults of the plan, by their numbers
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub without: Vec<u32>,
    /// All faults of the profile fall into these hours, and last
    #[arg(long)]
    pub dense: bool,
}

impl WorldArgs {
    /// As the simulator takes it.
    pub fn wishes(&self) -> Wishes {
        let Self { nodes, hours, profile, faults: kinds, without, dense } = self.clone();
        Wishes { nodes, span: hours, profile, kinds, without, dense }
    }
}

/// The command that shows a world again.
pub fn again(seed: u64, wishes: &Wishes) -> String {
    let mut command = format!("xorbit sim run --seed {seed}");
    if let Some(nodes) = wishes.nodes {
        command += &format!(" --nodes {nodes}");
    }
    if let Some(span) = wishes.span {
        command += &format!(" --hours {}", span.as_secs_f64() / 3600.0);
    }
    if let Some(profile) = wishes.profile {
        command += &format!(" --profile {}", profile.name);
    }
    if !wishes.kinds.is_empty() {
        command += &format!(" --faults {}", wishes.kinds.join(","));
    }
    if wishes.dense {
        command += " --dense";
    }
    if !wishes.without.is_empty() {
        let numbers: Vec<String> = wishes.without.iter().map(u32::to_string).collect();
        command += &format!(" --without {}", numbers.join(","));
    }
    command
}

fn hours(text: &str) -> Result<Duration, String> {
    let hours: f64 = text.parse().map_err(|_| "not a number of hours".to_owned())?;
    if !(hours > 0.0 && hours <= 10_000.0) {
        return Err("not between 0 and 10000 hours".to_owned());
    }
    Ok(Duration::from_secs_f64(hours * 3600.0))
}

fn profile(text: &str) -> Result<&'static Profile, String> {
    Profile::named(text).ok_or_else(|| {
        let names: Vec<&str> = Profile::ALL.iter().map(|profile| profile.name).collect();
        format!("no such profile; there are {}", names.join(", "))
    })
}

fn kind(text: &str) -> Result<&'static str, String> {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let known = names.iter().find(|name| **name == text);
    known.copied().ok_or_else(|| format!("no such fault; there are {}", names.join(", ")))
}

fn profiles() -> String {
    let lines =
        Profile::ALL.iter().map(|profile| format!("\n  {:<12}{}", profile.name, profile.about));
    format!("What kind of world; the seed decides if left out:\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_exact_enough_to_show_the_same_world_again() {
        for span in [Duration::from_secs(61), Duration::from_nanos(1_234_567_891_011)] {
            let told = format!("{}", span.as_secs_f64() / 3600.0);
            assert_eq!(hours(&told), Ok(Duration::from_secs_f64(span.as_secs_f64())));
        }
        assert!(hours("0").is_err() && hours("-1").is_err() && hours("NaN").is_err());
    }
}
