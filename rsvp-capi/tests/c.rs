//! C programs against the header and the library: the example, and one that does everything wrong.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wredundant-decls", "-Werror"];
const SANITIZERS: &[&str] =
    &["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

#[derive(Clone, Copy)]
enum Linked {
    Statically,
    Dynamically,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo has put the library, beside this test.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("a process knows its program");
    let directory = test.parent().expect("it is in a directory").to_owned();
    assert!(directory.join("librsvp.a").exists(), "cargo builds librsvp.a before this test");
    directory
}

/// Says loudly that a tool is not there.
fn say(what: &str) {
    // Not by way of `eprintln!`, which the test harness would keep to itself.
    writeln!(std::io::stderr(), "SKIPPED: {what}").expect("one can write to the standard error");
}

/// Says so, and insists where the environment promises the tool: who builds Rust has a C compiler, to link.
fn skip(what: &str) {
    say(what);
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{what}");
}

/// Whether there is a compiler that takes these arguments; `test` asks.
fn has(test: &str, compiler: &str, arguments: &[&str]) -> bool {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("probe_{test}"));
    let source = out.with_extension("c");
    std::fs::write(&source, "int main(void) { return 0; }\n").expect("a file can be written");
    let output = Command::new(compiler).args(arguments).arg("-o").arg(&out).arg(&source).output();
    output.is_ok_and(|output| output.status.success())
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().expect("the program can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
    output
}

/// Compiles a program, runs it, and gives what it says.
fn run(name: &str, source: &str, linked: Linked, options: &[&str]) -> String {
    let library = library();
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c11", "-g", "-Wstrict-prototypes"]).args(WARNINGS).args(options);
    compiler.arg("-I").arg(root().join("include")).arg("-o").arg(&program).arg(root().join(source));
    match linked {
        Linked::Statically => compiler.arg(library.join("librsvp.a")).args(["-lpthread", "-ldl", "-lm"]),
        // The linker prefers librsvp.so to the librsvp.a beside it.
        Linked::Dynamically => compiler.arg("-L").arg(&library).arg("-lrsvp"),
    };
    succeed(&mut compiler);
    let mut program = Command::new(program);
    program.env("LD_LIBRARY_PATH", &library);
    String::from_utf8(succeed(&mut program).stdout).expect("it says text")
}

fn two_nodes(name: &str, linked: Linked, options: &[&str]) {
    let said = run(name, "examples/c/two_nodes.c", linked, options);
    let wanted = [
        r#"sender: send {"message":"Path""#,
        r#"receiver: send {"message":"Resv""#,
        "sender: install 1: 125000 bytes/s, bucket 10000 bytes, 1 sender(s), port 5004",
        "receiver: reservation confirmed",
        "sender: remove 1",
    ];
    let mut rest = said.as_str();
    for words in wanted {
        let (_, after) =
            rest.split_once(words).unwrap_or_else(|| panic!("no {words:?}, in order, in:\n{said}"));
        rest = after;
    }
}

#[test]
fn two_nodes_make_a_reservation() {
    if !has("two_nodes", "cc", &["-std=c11"]) {
        return skip("there is no C compiler, cc");
    }
    two_nodes("two_nodes_static", Linked::Statically, &[]);
    two_nodes("two_nodes_shared", Linked::Dynamically, &[]);
}

#[test]
fn what_is_wrong_is_refused() {
    if !has("misuse", "cc", &["-std=c11"]) {
        return skip("there is no C compiler, cc");
    }
    assert_eq!(run("misuse", "tests/c/misuse.c", Linked::Statically, &[]), "all of it was refused\n");
}

/// Nothing leaks, nothing is used after it was freed, nothing is read that is not there.
#[test]
fn the_sanitizers_find_nothing() {
    if !has("sanitizers", "cc", SANITIZERS) {
        return skip("the C compiler has no sanitizers");
    }
    two_nodes("two_nodes_sanitized", Linked::Statically, SANITIZERS);
    run("misuse_sanitized", "tests/c/misuse.c", Linked::Statically, SANITIZERS);
}

/// A function that is not called wrongly would go unnoticed.
#[test]
fn every_function_is_misused() {
    let [header, misuse] = ["include/rsvp.h", "tests/c/misuse.c"]
        .map(|file| std::fs::read_to_string(root().join(file)).expect("the file can be read"));
    let words = header.split(|c: char| c != '_' && !c.is_alphanumeric());
    let declared = words.filter(|word| word.starts_with("rsvp_") && header.contains(&format!("{word}(")));
    let mut functions = 0;
    for function in declared {
        assert!(misuse.contains(&format!("{function}(")), "{function} is not in misuse.c");
        functions += 1;
    }
    assert!(functions > 20, "the functions were found");
}

#[test]
fn compilers_of_both_languages_take_the_header() {
    for (compiler, language, standard) in [("cc", "c", "c99"), ("g++", "c++", "c++11")] {
        if !has(language, compiler, &["-x", language]) {
            say(&format!("there is no {compiler} for {language}"));
            continue;
        }
        let mut command = Command::new(compiler);
        command.args(["-x", language, &format!("-std={standard}"), "-fsyntax-only"]).args(WARNINGS);
        succeed(command.arg("-include").arg(root().join("include/rsvp.h")).arg("/dev/null"));
    }
}
