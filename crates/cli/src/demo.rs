//! `xorbit demo`: a small network of real nodes, and values that survive the loss of a third of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::{Duration, Instant};

use gateway::span;
use serde_json::{Value, json};
use xorbit::{Effort, GetError, GetReport, Node, NodeId, Replica, Step, StepOutcome, testnet};

use crate::effort::{self, count};
use crate::failure::{Failure, Kind};
use crate::report;
use crate::talk;

/// Ends the help.
pub const AFTER_HELP: &str =
    "Exit codes: 0 every value was found each time, 1 one was not, 2 it could not be run";

const VALUES: [(&str, &str); 3] =
    [("apple", "a red one"), ("cherry", "two on a stalk"), ("plum", "blue, with a bloom")];

/// How long a fresh node may take to join; on loopback it takes milliseconds.
const JOINING: Duration = Duration::from_secs(10);

/// What it is told.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// How many nodes to start, each with a UDP socket of its own on loopback
    #[arg(long, allow_hyphen_values = true, value_name = "N", default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(3..=500))]
    nodes: u16,
}

/// A node of the demonstration, by the number under which it is told of.
struct Member {
    number: usize,
    id: NodeId,
    node: Node,
}

#[derive(Default)]
struct Demo {
    json: bool,
    /// Those that run.
    members: Vec<Member>,
    /// How many have ever been started.
    started: usize,
    /// The numbers of the nodes that hold each value.
    holders: Vec<Vec<usize>>,
    steps: Vec<Value>,
    reads: usize,
    found: usize,
}

/// Does it.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let started = Instant::now();
    let mut demo = Demo { json, ..Demo::default() };
    demo.build(args.nodes.into()).await?;
    demo.put_all().await?;
    demo.tell("found from other nodes:")?;
    // The first put them.
    demo.get_all("get_from_others", 1..demo.members.len()).await?;
    demo.stop_a_third().await?;
    demo.tell("found again, from those that are left:")?;
    demo.get_all("get_after_stop", 1..demo.members.len()).await?;
    demo.join_fresh().await?;
    let fresh = demo.members.len() - 1;
    demo.get_all("get_from_fresh", fresh..fresh + 1).await?;
    let (reads, found) = (demo.reads, demo.found);
    let took = started.elapsed();
    let shown = json!({
        "nodes": args.nodes,
        "steps": demo.steps,
        "reads": reads,
        "found": found,
        "took_ms": span::millis(took),
    });
    if found < reads {
        let lost = count(reads - found, "read");
        let what = format!("{lost} of {reads} did not find the value");
        return Err(Failure::new(Kind::NotFound, what).with("demo", shown));
    }
    if json {
        return talk::object(&shown);
    }
    let took = span::told(took);
    talk::line(format_args!("{found} of {reads} reads found their value, in {took}"))
}

impl Demo {
    fn tell(&self, line: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { talk::line(line) }
    }

    async fn build(&mut self, number: usize) -> Result<(), Failure> {
        let started = Instant::now();
        for node in testnet(number).await?.nodes {
            self.add(node).await?;
        }
        let took = started.elapsed();
        self.steps.push(json!({ "step": "build", "nodes": number, "took_ms": span::millis(took) }));
        let took = span::told(took);
        self.tell(&format!("{number} nodes on loopback, a UDP socket each, joined in {took}"))
    }

    async fn add(&mut self, node: Node) -> Result<usize, Failure> {
        self.started += 1;
        let number = self.started;
        let id = node.info().await?.id;
        self.members.push(Member { number, id, node });
        Ok(number)
    }

    /// Puts all values through the first node.
    async fn put_all(&mut self) -> Result<(), Failure> {
        self.tell("put through node 1:")?;
        for (key, value) in VALUES {
            let mut answers = RoundTrips::default();
            let put = self.members[0].node.put(key, value);
            let report = put.traced(|step| answers.step(step)).await.map_err(|error| {
                Failure::new(Kind::NotEnoughReplicas, format!("cannot put key `{key}`: {error}"))
            })?;
            let replicas = &report.replicas;
            let holders = self.numbers(&replicas.stored);
            self.steps.push(json!({
                "step": "put", "key": key, "by": 1, "holders": holders,
                "replicas": effort::replicas_json(replicas),
                "effort": effort::to_json(&replicas.effort),
            }));
            let told: Vec<String> = holders.iter().map(usize::to_string).collect();
            self.holders.push(holders);
            self.tell(&format!(
                "  {key:<6}  held by {} of {}: nodes {} ({})",
                replicas.stored.len(),
                replicas.known,
                told.join(" "),
                cost(&replicas.effort, &answers),
            ))?;
        }
        Ok(())
    }

    /// Gets each value through one of these members, where possible one that does not hold it.
    async fn get_all(&mut self, step: &str, readers: Range<usize>) -> Result<(), Failure> {
        for (turn, (key, value)) in VALUES.iter().enumerate() {
            let holds = |reader: &usize| self.holders[turn].contains(&self.members[*reader].number);
            let away: Vec<usize> = readers.clone().filter(|reader| !holds(reader)).collect();
            let choice = if away.is_empty() { readers.clone().collect() } else { away };
            let Member { number, node, .. } = &self.members[choice[turn % choice.len()]];
            let number = *number;
            let mut answers = RoundTrips::default();
            let result = node.get(*key).traced(|step| answers.step(step)).await;
            let (found, told, report) = self.judge(&result, value.as_bytes());
            self.reads += 1;
            self.found += usize::from(found);
            self.steps.push(json!({
                "step": step, "key": key, "by": number, "found": found,
                "report": report.map(report::to_json),
            }));
            let cost = report.map_or_else(String::new, |report| {
                format!(" ({})", cost(&report.effort, &answers))
            });
            self.tell(&format!("  {key:<6}  node {number} {told}{cost}"))?;
        }
        Ok(())
    }

    /// Whether a read found its value, how that is told, and its report.
    fn judge<'r>(
        &self,
        result: &'r Result<GetReport, GetError>,
        value: &[u8],
    ) -> (bool, String, Option<&'r GetReport>) {
        match result {
            Ok(report) if *report.value == *value => {
                let source = match self.numbers(&[report.source]).first() {
                    Some(number) if report.source.endpoint.is_some() => format!("node {number}"),
                    _ => "itself".to_owned(),
                };
                let agreement = report::agreement(report);
                (true, format!("got it from {source}, {agreement}"), Some(report))
            }
            // So many replicas were stopped that no majority is left: the value is there all the
            // same, and the read says that it cannot be sure.
            Err(GetError::NotEnoughReplicas { answered, known, found: Some(report), .. })
                if *report.value == *value =>
            {
                (true, format!("got it, though only {answered} of {known} answered"), Some(report))
            }
            Ok(report) => (false, "got another value".to_owned(), Some(report)),
            Err(error) => (false, format!("got nothing: {error}"), None),
        }
    }

    async fn stop_a_third(&mut self) -> Result<(), Failure> {
        let all = self.members.len();
        let members = std::mem::take(&mut self.members);
        let (stopped, left): (Vec<Member>, Vec<Member>) =
            members.into_iter().partition(|member| member.number % 3 == 0);
        self.members = left;
        let numbers: Vec<usize> = stopped.iter().map(|member| member.number).collect();
        for member in stopped {
            member.node.close().await;
        }
        self.steps.push(json!({ "step": "stop", "stopped": numbers }));
        let told: Vec<String> = numbers.iter().map(usize::to_string).collect();
        self.tell(&format!("stopped {} of {all}: nodes {}", numbers.len(), told.join(" ")))
    }

    /// Starts one more node.
    async fn join_fresh(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        let mut builder = Node::builder().listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        for address in self.members[1].node.local_addrs() {
            builder = builder.join(address.to_string());
        }
        let door = self.members[1].number;
        let node = builder.start().await?;
        if !node.joined(JOINING).await? {
            return Err(Failure::new(Kind::Unreachable, "the fresh node could not join"));
        }
        let number = self.add(node).await?;
        let took = started.elapsed();
        let step = json!({ "step": "join", "node": number, "took_ms": span::millis(took) });
        self.steps.push(step);
        let took = span::told(took);
        self.tell(&format!("node {number} joined through node {door} in {took}, and finds:"))
    }

    /// The numbers of these replicas' nodes, in order.
    fn numbers(&self, replicas: &[Replica]) -> Vec<usize> {
        let mut numbers: Vec<usize> = replicas
            .iter()
            .filter_map(|replica| self.members.iter().find(|member| member.id == replica.id))
            .map(|member| member.number)
            .collect();
        numbers.sort_unstable();
        numbers
    }
}

/// The quickest and the slowest answer of a lookup.
#[derive(Default)]
struct RoundTrips(Option<(Duration, Duration)>);

impl RoundTrips {
    fn step(&mut self, step: &Step) {
        if matches!(step.outcome, StepOutcome::Answered { .. }) {
            let (least, most) = self.0.unwrap_or((step.took, step.took));
            self.0 = Some((least.min(step.took), most.max(step.took)));
        }
    }
}

/// As `1 hop, round trips 0.05 to 0.07 ms, 0.47 ms in all`.
fn cost(effort: &Effort, RoundTrips(answers): &RoundTrips) -> String {
    let (hops, took) = (count(effort.hops.into(), "hop"), span::told(effort.took));
    let Some((least, most)) = answers else { return format!("{took} in all") };
    let (least, most) = (span::millis(*least), span::millis(*most));
    format!("{hops}, round trips {least:.2} to {most:.2} ms, {took} in all")
}
