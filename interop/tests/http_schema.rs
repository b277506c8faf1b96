//! What a node says over HTTP is what its description says: Schemathesis reads `/openapi.json` and makes
//! requests of it, such as it allows and such as it does not.
//!
//! How it asks stands in `peers/schemathesis.toml`, beside why something is left out.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use xorbit::{Item, Seq, Signer, byte_string};
use xorbit_interop::{Failure, Ours, Outcome, Program, installed};

/// Three times what it takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Requests that it makes at least: a test of nothing would pass, too.
const LEAST_REQUESTS: usize = 500;

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_node_answers_is_described_and_nothing_else_is_taken() -> Outcome {
    let ours = Ours::network(3).await?;
    let packet = Item::mutable(
        &Signer::from_seed(&[7; 32]),
        b"",
        Seq::new(1_700_000_000_000_000).unwrap_or_default(),
        &byte_string(b"packet"),
    )?;
    ours.nodes[0].signed_item_put(packet).await?;
    ours.nodes[0].put("held", "a value").await?;
    let node = Program::node(&ours.addresses(), &[]).await?;

    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let directory = std::env::temp_dir().join(format!("xorbit-schema-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let mut command = Command::new(installed("XORBIT_INTEROP_PYTHON")?);
    command.args(["-B", "-m", "schemathesis.cli", "--config-file"]);
    command.arg(peers.join("schemathesis.toml")).arg("run");
    command.args([&format!("{}openapi.json", node.http), "--no-color"]);
    // What it leaves behind is left where nobody looks.
    command.env("PYTHONPATH", &peers).current_dir(&directory);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let late = |_| Failure::new(format!("Schemathesis did not end in {} s", LIMIT.as_secs()));
    let output = tokio::time::timeout(LIMIT, command.output()).await.map_err(late)??;
    std::fs::remove_dir_all(&directory)?;

    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "Schemathesis found what it tells above");
    let requests = told.lines().find_map(|line| {
        let (number, _) = line.trim().split_once(" generated, ")?;
        number.replace(',', "").parse::<usize>().ok()
    });
    assert!(requests >= Some(LEAST_REQUESTS), "{requests:?} requests, fewer than {LEAST_REQUESTS}");
    Ok(())
}
