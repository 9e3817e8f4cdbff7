//! What the commands say, and how they exit.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const CASE: &str = "rfc2205/3.3/every-message-is-a-raw-ip-datagram";

fn conformance(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_conformance")).args(args).output().expect("the command runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The command did what it was asked for, and said this.
fn said(args: &[&str]) -> String {
    let output = conformance(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    stdout(&output)
}

/// The command could not do it, and said one line, which holds these words.
fn assert_impossible(args: &[&str], words: &str) {
    let output = conformance(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("conformance: ") && said.contains(words), "{said}");
}

#[test]
fn cases_are_listed_one_a_line() {
    let all = said(&["list"]);
    let line = all.lines().find(|line| line.starts_with(CASE)).expect("it is one of them");
    assert!(line.ends_with("while nobody has asked for UDP."), "{line}");
    let some = said(&["list", "--rfc", "rfc2209"]);
    assert!(some.lines().count() > 0 && some.lines().all(|line| line.starts_with("rfc2209/")), "{some}");
    let list: Value =
        serde_json::from_str(&said(&["list", "--role", "router", "--json"])).expect("it is JSON");
    for case in list.as_array().expect("it is a list") {
        assert!(case["roles"].as_array().is_some_and(|roles| roles.contains(&"router".into())), "{case}");
    }
    assert_impossible(&["list", "--rfc", "rfc9999"], "no case is of the RFC rfc9999; there are rfc2205, ");
    assert_impossible(&["list", "--role", "switch"], "no case is of the role switch; there are ");
}

#[test]
fn the_catalogue_is_listed_by_standing() {
    let open = said(&["requirements", "--file", "rfc2747", "--standing", "open"]);
    assert!(open.lines().any(|line| line.starts_with("rfc2747-3-01         must       open     ")), "{open}");
    assert_impossible(&["requirements", "--file", "rfc1"], "no such file; there are ");
}

#[test]
fn a_case_is_explained_by_its_script() {
    let text = said(&["explain", CASE]);
    for words in [
        "rfc2205-3.3-01: section 3.3, behaviour, any",
        "S1 - U1 ---- a         c ---- D1 - H",
        "c 10.0.3.254    D1 10.0.3.1",
        "0.000 s  U1 -> device a      Path udp/10.0.7.7:5000",
        "10.0.0.1 > 10.0.7.7, TTL 63, Router Alert",
        "It ends with: pass",
    ] {
        assert!(text.contains(words), "no {words:?} in:\n{text}");
    }
}

#[test]
fn a_requirement_is_explained_by_its_cases() {
    let text = said(&["explain", "rfc2205-3.3-01"]);
    assert!(text.contains(&format!("the case {CASE}")), "{text}");
    assert_impossible(&["explain", "rfc2205-3.3-O1"], "did you mean rfc2205-3.3-01, ");
    assert_impossible(&["explain", "this is none"], "`conformance list` shows the cases");
}

#[test]
fn the_exit_code_of_a_run_says_whether_the_device_passed() {
    let text = said(&["run", "--filter", CASE]);
    assert!(text.contains(&format!("pass          {CASE}")), "{text}");
    assert!(text.contains("passed: 1 case in "), "{text}");
    let one = |percent: &str| conformance(&["run", "--filter", CASE, "--require-shown", percent]);
    assert!(one("rfc2205=0.1").status.success());
    let little = one("rfc2205,rfc2209=90");
    assert_eq!(little.status.code(), Some(1));
    assert!(stdout(&little).contains("TOO LITTLE"), "{}", stdout(&little));
    assert_impossible(&["run", "--filter", "this is none"], "no case fits --filter this is none");
    assert_impossible(&["run", "--require-shown", "rfc1=5"], "no such file; there are ");
    assert_impossible(&["run", "--report", env!("CARGO_MANIFEST_DIR")], "it is neither empty nor a report");
    assert_eq!(conformance(&["run", "--jobs", "0"]).status.code(), Some(2));
}

/// Ends a process that a test has started.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The answer to one request.
fn get(address: &str, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        .expect("it can be asked");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_report_is_served_to_this_machine_alone() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("served");
    let name = folder.to_str().expect("a plain path");
    let _ = std::fs::remove_dir_all(&folder);
    assert_impossible(&["serve", "--report", name], "no report is in ");
    said(&["run", "--filter", CASE, "--report", name]);
    let mut server = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(["serve", "--report", name, "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .map(Server)
        .expect("the command runs");
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().expect("it is piped"))
        .read_line(&mut line)
        .expect("it says where it is");
    let address =
        line.split(['/', ' ']).find(|word| word.starts_with("127.0.0.1:")).expect("on this machine");
    let page = get(address, "/", address);
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("text/html") && page.contains(CASE), "{page}");
    let capture = get(address, &format!("/captures/{}.pcapng", CASE.replace('/', "_")), address);
    assert!(capture.starts_with("HTTP/1.1 200"), "{capture}");
    assert!(
        get(address, "/../../Cargo.toml", address).starts_with("HTTP/1.1 404"),
        "nothing beside the report"
    );
    assert!(get(address, "/", "evil.example").starts_with("HTTP/1.1 421"), "for pages of this name alone");
}
