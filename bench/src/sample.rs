//! A load as a process of its own, and what it found out.

use std::process::Stdio;

use serde_json::Value;

use crate::failure::Failure;
use crate::load::Kind;
use crate::servers::{Server, this_program};

/// What one load found out.
pub struct Sample {
    /// Answers in each second.
    pub replies_per_second: f64,
    /// Half of the answers came within so long.
    pub p50_us: f64,
    /// All but one of a hundred came within so long.
    pub p99_us: f64,
    /// CPU time of the server for each answer.
    pub cpu_us: f64,
    /// Queries that had no answer in time.
    pub lost: u64,
}

/// What a load asks, and how much.
#[derive(Clone, Copy)]
pub struct Load {
    /// What.
    pub kind: Kind,
    /// Items that puts may use up.
    pub items: usize,
    /// For how long at most.
    pub seconds: f64,
    /// Items of different rounds differ.
    pub round: u64,
    /// Queries a second; as many as can be if `None`.
    pub rate: Option<u32>,
}

impl Load {
    /// Loads a server, in a process of its own.
    pub fn run(&self, server: &Server) -> Result<Sample, Failure> {
        let mut command = this_program()?;
        command.args(["load", "--to", &server.address.to_string()]);
        command.args(["--kind", &self.kind.to_string()]);
        command.args(["--seconds", &self.seconds.to_string()]);
        command.args(["--items", &self.items.to_string()]);
        command.args(["--round", &self.round.to_string()]);
        command.args(["--server-pid", &server.pid().to_string()]);
        command.args((server.name == "floor").then_some("--floor"));
        if let Some(rate) = self.rate {
            command.args(["--rate", &rate.to_string()]);
        }
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| Failure::system("cannot start the load", error))?;
        let sample =
            serde_json::from_slice(&output.stdout).ok().and_then(|line| Sample::read(&line));
        sample.filter(|_| output.status.success()).ok_or_else(|| {
            Failure::new(
                format!("no measurement of `{}` at `{}`", self.kind, server.name),
                "the load's own words are above",
            )
        })
    }
}

impl Sample {
    fn read(line: &Value) -> Option<Self> {
        Some(Self {
            replies_per_second: line["replies_per_second"].as_f64()?,
            p50_us: line["p50_us"].as_f64()?,
            p99_us: line["p99_us"].as_f64()?,
            cpu_us: line["cpu_us_per_reply"].as_f64()?,
            lost: line["lost"].as_u64()?,
        })
    }
}
