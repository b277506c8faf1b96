//! The static program as PID 1 of a root folder that holds nothing else, cannot be written and belongs
//! to somebody else: what an image from scratch is.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::dist::Static;
use crate::failure::{Failure, Outcome};
use crate::process::{answer, read, run as run_command, typed};

/// For anything that a node shall do.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who runs it in the image.
const NOBODY: &str = "65532";

/// How long the nodes may take to hand off what they hold: less than `PATIENCE`.
const LEAVE_WITHIN: &str = "2s";

/// More than a node holds of a request in memory, so that it needs a place for files.
const LARGE: usize = 200_000;

/// Mounts the root over itself so that it cannot be written, into it the data and what every engine gives
/// of devices, and starts the program.
const START: &str = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" \
    && mount --bind /dev/urandom \"$0/dev/urandom\" \
    && mount --bind \"$1\" \"$0/data\" && shift && exec unshare --pid --fork \"$@\"";

/// Runs two nodes there, which find each other by name, and asks them to leave, one of them while the
/// other is silent.
pub fn run(repository: &Path, built: &Static) -> Outcome {
    let place = Place::make(repository, built)?;
    let first = place.start("first", &[])?;
    let address = first.word_after(" at ")?;
    let (_, port) = address.rsplit_once(':').unwrap_or_default();
    let mut second = place.start("second", &["--join", &format!("localhost:{port}")])?;
    second.hear("joined")?;
    let url = second.word_after("HTTP at ")?;
    place.xorbit(&["status", "--live", "--http-url", &url])?;
    place.xorbit(&["status", "--ready", "--http-url", &url])?;
    place.xorbit(&["put", "greeting", "hello", "--http-url", &first.word_after("HTTP at ")?])?;
    let got = place.xorbit(&["get", "greeting", "--http-url", &url])?;
    if got != "hello" {
        return Err(Failure::new(format!("`hello` was put, and `{got}` was got")));
    }
    large_value(&place, &url)?;
    metrics(repository, &url)?;
    second.signal("STOP")?;
    first.leave()?;
    second.signal("CONT")?;
    second.leave()?;
    println!(
        "as PID 1 of an empty root: joined by name, ready, stored, left in time when asked to, beside \
         a silent node too"
    );
    Ok(())
}

/// A body that is not held in memory comes in by HTTP, though the root cannot be written.
fn large_value(place: &Place, url: &str) -> Outcome {
    let file = place.root.with_file_name("large");
    let value = vec![b'x'; LARGE];
    fs::write(&file, &value)
        .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", file.display())))?;
    let mut put = Command::new("curl");
    put.args(["-sS", "--fail-with-body", "--output", "/dev/null", "--upload-file"]).arg(&file);
    run_command(put.arg(format!("{url}/v1/kv/large")))?;
    let got = place.xorbit(&["get", "large", "--http-url", url])?;
    match got.as_bytes() == value {
        true => Ok(()),
        false => Err(Failure::new(format!("{LARGE} bytes were put, and {} got", got.len()))),
    }
}

/// A root folder with the program alone, and the environment that the image gives it.
struct Place {
    root: PathBuf,
    environment: Vec<(String, String)>,
}

/// How to become what runs in the image: nobody, or who cannot, root of a namespace of one's own.
fn identity() -> (Vec<&'static str>, Vec<String>) {
    match answer("id", &["-u"]).as_deref() {
        Some("0") => (vec![], vec![format!("--setuid={NOBODY}"), format!("--setgid={NOBODY}")]),
        _ => (vec!["--map-root-user"], vec![]),
    }
}

impl Place {
    fn make(repository: &Path, built: &Static) -> Result<Self, Failure> {
        let root = &repository.join("target/packages/root");
        let make = || -> std::io::Result<()> {
            if root.exists() {
                fs::remove_dir_all(root)?;
            }
            for folder in ["data", "dev", "etc"] {
                fs::create_dir_all(root.join(folder))?;
            }
            File::create(root.join("dev/urandom"))?;
            fs::write(root.join("etc/hosts"), "127.0.0.1 localhost\n")?;
            fs::copy(&built.program, root.join("xorbit"))?;
            Ok(())
        };
        make().map_err(|error| {
            Failure::new(format!("cannot make the root `{}`: {error}", root.display()))
        })?;
        let image = fs::read_to_string(repository.join("packaging/Dockerfile"))
            .map_err(|error| Failure::new(format!("cannot read the Dockerfile: {error}")))?;
        Ok(Self { root: root.to_owned(), environment: environment(&image) })
    }

    /// Runs a verb to its end in the same root, and gives what it prints.
    fn xorbit(&self, args: &[&str]) -> Result<String, Failure> {
        let (map, identity) = identity();
        let mut command = Command::new("unshare");
        command.args(map).arg(format!("--root={}", self.root.display())).args(identity);
        read(command.arg("/xorbit").args(args).envs(self.environment.iter().cloned()))
    }

    /// Starts a node as PID 1 of the root, and waits until it is ready.
    fn start(&self, name: &str, args: &[&str]) -> Result<Node, Failure> {
        let data = self.root.with_file_name(format!("data-{name}"));
        let log = self.root.with_file_name(format!("{name}.log"));
        let cannot = |error| Failure::new(format!("cannot start a node there: {error}"));
        if data.exists() {
            fs::remove_dir_all(&data).map_err(cannot)?;
        }
        fs::create_dir_all(&data).map_err(cannot)?;
        let (map, identity) = identity();
        if map.is_empty() {
            run_command(Command::new("chown").arg(NOBODY).arg(&data))?;
        }
        let mut command = Command::new("unshare");
        command.args(map).args(["--mount", "sh", "-c", START]).arg(&self.root).arg(&data);
        command.arg(format!("--root={}", self.root.display())).args(identity);
        command.args(["/xorbit", "node", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        command.args(["--leave-within", LEAVE_WITHIN]).args(args).stdin(Stdio::null());
        command.envs(self.environment.iter().cloned());
        let out = File::create(&log).map_err(cannot)?;
        command.stdout(out.try_clone().map_err(cannot)?).stderr(out);
        let line = typed(&command);
        let child = command.spawn().map_err(cannot)?;
        let mut node = Node { child, log, line };
        node.hear("HTTP at ")?;
        Ok(node)
    }
}

/// A node that runs, and is killed if it is not asked to leave.
struct Node {
    child: Child,
    log: PathBuf,
    line: String,
}

impl Node {
    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it says something.
    fn hear(&mut self, part: &str) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        while !self.said().contains(part) {
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() > deadline {
                let what = format!("`{}` did not say `{part}`, but:\n{}", self.line, self.said());
                return Err(Failure::new(what)
                    .hint("it needs root, or namespaces of users that are allowed to all"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn word_after(&self, before: &str) -> Result<String, Failure> {
        let said = self.said();
        let word = said.split(before).nth(1).and_then(|rest| rest.split([' ', ',', '\n']).next());
        let word = word.map(|word| word.trim_end_matches('/').to_owned());
        word.ok_or_else(|| Failure::new(format!("a node did not say `{before}`, but:\n{said}")))
    }

    /// The program itself, which is PID 1 only inside; nothing before it was started.
    fn inner(&self) -> Option<String> {
        let pid = self.child.id();
        let inner = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        Some(inner.trim().to_owned()).filter(|inner| !inner.is_empty())
    }

    fn signal(&self, name: &str) -> Outcome {
        let inner = self.inner().ok_or_else(|| Failure::new("a node has ended unasked"))?;
        run_command(Command::new("kill").args(["-s", name, &inner]))
    }

    /// Asks it to leave as an engine does, and sees that it does so in time and in peace.
    fn leave(mut self) -> Outcome {
        self.signal("TERM")?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                if status.success() && self.said().contains("left after") {
                    return Ok(());
                }
                let said = self.said();
                return Err(Failure::new(format!("on SIGTERM it ended with {status}:\n{said}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(Failure::new(format!("it did not leave on SIGTERM within {PATIENCE:?}")))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        // By its own number: it became somebody else, so it no longer ends with who started it.
        let _ = self.signal("KILL");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the image sets for the program.
fn environment(image: &str) -> Vec<(String, String)> {
    let set = image.lines().filter_map(|line| line.strip_prefix("ENV "));
    let pairs = set.flat_map(str::split_whitespace).filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Every metric that the dashboard for Grafana asks for is one that a node tells.
fn metrics(repository: &Path, url: &str) -> Outcome {
    let told = read(Command::new("curl").args(["-sf", &format!("{url}/metrics")]))?;
    let path = repository.join("packaging/grafana.json");
    let asked = fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))?;
    let known: Vec<&str> = names(&told).collect();
    let expressions = asked.lines().filter(|line| line.contains("\"expr\""));
    let wanted: Vec<&str> = expressions.flat_map(names).collect();
    match wanted.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(Failure::new(format!("no node tells `{name}`"))
            .hint(format!("`{}` asks for it", path.display()))),
        None if wanted.is_empty() => {
            Err(Failure::new(format!("`{}` asks for nothing", path.display())))
        }
        None => Ok(()),
    }
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("xorbit_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_found_within_expressions() {
        let text = "sum by (method) (rate(xorbit_a_total{instance=~\"$i\"}[5m])) / xorbit_b";
        assert_eq!(names(text).collect::<Vec<_>>(), ["xorbit_a_total", "xorbit_b"]);
    }

    #[test]
    fn the_environment_of_an_image_is_all_that_it_sets() {
        let image = "FROM a AS b\nENV A=1 B=/two\nRUN c\nENV C=3\n";
        let all = [("A", "1"), ("B", "/two"), ("C", "3")];
        assert_eq!(environment(image), all.map(|(name, value)| (name.into(), value.into())));
    }
}
