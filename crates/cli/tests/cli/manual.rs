//! `xorbit completions` and `xorbit man`: what is made from the same definition as the help.

use std::fs;

use crate::program::{Directory, run};

#[test]
fn every_shell_gets_completions_that_know_the_verbs() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]).expect(0);
        for word in ["put", "get", "status", "http-url"] {
            assert!(script.text().contains(word), "{shell}: {word}");
        }
    }
    let unknown = run(&["completions", "tcsh"]).expect(2);
    assert!(unknown.stderr.contains("possible values: bash"), "{unknown:?}");
}

#[test]
fn bash_takes_its_completions() {
    let directory = Directory::new();
    let script = directory.file("xorbit.bash", &run(&["completions", "bash"]).expect(0).stdout);
    let asked = format!(
        "source {script}; COMP_WORDS=(xorbit sta); COMP_CWORD=1; \
         _xorbit xorbit sta xorbit; echo \"${{COMPREPLY[@]}}\""
    );
    let bash = std::process::Command::new("bash").args(["-c", &asked]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&bash.stdout).trim(), "status", "{bash:?}");
}

#[test]
fn every_verb_has_a_page_in_the_manual() {
    let directory = Directory::new();
    let folder = directory.path("man/man1");
    run(&["man", &folder]).expect(0);
    let page = |name: &str| fs::read_to_string(format!("{folder}/{name}")).unwrap();
    assert!(page("xorbit.1").contains("xorbit\\-put(1)"), "{}", page("xorbit.1"));
    assert!(page("xorbit-put.1").contains("Store a value under a key"));
    assert!(page("xorbit-store-check.1").contains("store"));
    let file = directory.file("file", b"");
    let wrong = run(&["man", &file]).expect(2);
    assert!(wrong.stderr.contains(&format!("cannot write pages to `{file}`")), "{wrong:?}");
}
