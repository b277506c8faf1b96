use std::time::Instant;

use super::*;
use crate::docs::console::blocks;
use crate::docs::talker::GOODBYE;

/// Plays one block, with the shell in the place of `xorbit`.
fn play(lines: &str) -> Result<(), (usize, String)> {
    play_with_patience(lines, PATIENCE)
}

fn play_with_patience(lines: &str, patience: Duration) -> Result<(), (usize, String)> {
    let text = format!("```console\n{lines}\n```\n");
    let found = blocks(&text).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut stage = Stage::new(root, Path::new("/bin/sh")).unwrap();
    stage.patience = patience;
    stage.play(&found[0])
}

/// Within a moment: a killed grandchild is collected by whoever adopted it.
fn has_ended(pid: &str) -> bool {
    let deadline = Instant::now() + GOODBYE;
    while Instant::now() < deadline {
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            return true;
        };
        if stat.contains(") Z ") {
            return true;
        }
    }
    false
}

#[test]
fn commands_run_in_order_in_one_folder() {
    play("$ echo hello > note\n$ cat note\nhello\n$ ls\nnote").unwrap();
}

#[test]
fn the_program_is_on_the_path() {
    play("$ xorbit -c 'echo from the program'\nfrom ... program").unwrap();
}

#[test]
fn other_output_than_shown_is_told_with_its_line() {
    let (line, what) = play("$ true\n$ echo two\nthree").unwrap_err();
    assert_eq!(line, 3);
    assert!(what.starts_with("`echo two` does not print what is shown"), "{what}");
    assert!(what.contains("three") && what.contains("two"), "{what}");
}

#[test]
fn output_that_the_document_does_not_show_is_refused() {
    assert!(play("$ echo surprise").is_err());
}

#[test]
fn a_failing_command_is_refused_unless_the_document_shows_its_error() {
    let (_, what) = play("$ echo words; exit 3\nwords").unwrap_err();
    assert!(what.contains("ended with exit status: 3"), "{what}");
    play("$ echo 'error: not found' >&2; exit 3\nerror: not found\n$ echo $?\n3").unwrap();
}

#[test]
fn a_background_process_is_awaited_and_then_ended() {
    let pid_file = env::temp_dir().join(format!("xtask-background-{}", std::process::id()));
    let path = pid_file.display();
    // It is ready only after some work, and the next command relies on that.
    let script = format!("echo $$ > {path}; echo bound; touch ready; echo ready; exec sleep 600");
    play(&format!("$ sh -c '{script}' &\n...\nready\n$ ls\nready")).unwrap();
    let pid = fs::read_to_string(&pid_file).unwrap();
    let gone = Process::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status();
    assert!(!gone.unwrap().success(), "the process {pid} still runs");
    fs::remove_file(pid_file).unwrap();
}

#[test]
fn a_background_process_is_asked_to_end_before_it_is_ended() {
    let note = env::temp_dir().join(format!("xtask-goodbye-{}", std::process::id()));
    let script = format!(
        "trap \"echo bye > {}; exit\" TERM; echo ready; while :; do sleep 0.05; done",
        note.display()
    );
    play(&format!("$ sh -c '{script}' &\nready")).unwrap();
    assert_eq!(fs::read_to_string(&note).unwrap(), "bye\n");
    fs::remove_file(note).unwrap();
}

#[test]
fn a_command_that_hangs_is_ended_with_all_it_started() {
    let pid_file = env::temp_dir().join(format!("xtask-hanging-{}", std::process::id()));
    let command = format!("sh -c 'echo $$ > {}; sleep 600; true'; true", pid_file.display());
    let (_, what) =
        play_with_patience(&format!("$ {command}"), Duration::from_secs(1)).unwrap_err();
    assert!(what.ends_with("did not end within 1 s"), "{what}");
    let pid = fs::read_to_string(&pid_file).unwrap();
    assert!(has_ended(pid.trim()), "the process {pid} still runs");
    fs::remove_file(pid_file).unwrap();
}

#[test]
fn a_background_process_that_is_never_ready_is_told() {
    let shown = "$ sh -c 'echo nearly; exec sleep 600' &\nready";
    let (_, what) = play_with_patience(shown, Duration::from_millis(300)).unwrap_err();
    assert!(what.contains("does not print what is shown"), "{what}");
}

#[test]
fn a_background_process_that_ends_early_is_refused() {
    let (_, what) = play("$ sh -c 'echo sorry; exit 2' &\nready").unwrap_err();
    assert!(what.contains("ended before it was ready") && what.contains("sorry"), "{what}");
}

#[test]
fn the_gate_is_not_run_by_itself() {
    play("$ cargo xtask test\n...\nall 9 steps passed in 300 s").unwrap();
}

#[test]
fn cargo_runs_in_the_repository() {
    play("$ cargo locate-project --message-format plain\n.../Cargo.toml").unwrap();
}

#[test]
fn settings_of_the_caller_stay_outside() {
    play("$ echo \"$HOME\" | sed 's/.*xorbit-docs-[0-9]*-[0-9]*//'\n/here").unwrap();
}
