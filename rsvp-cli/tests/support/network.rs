//! Two hosts and a router between them, each with a daemon of its own.

use std::io::{Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rsvp_client::Client;
use rsvp_netns::{Namespace, Process};

/// More than anything here takes.
const LONG: Duration = Duration::from_secs(15);

/// Short refreshes, and a bottleneck.
pub(crate) const CONFIG: &str = r#"
[defaults]
refresh-interval = "1s"
bandwidth = { link = "10Mbit", total = "8Mbit", per-flow = "5Mbit" }
traffic-control = false
guaranteed = { c = 1514, d = "1ms" }
latency = "100us"
"#;

/// The receiving host's addresses.
pub(crate) const RECEIVER: &str = "10.77.2.2";
pub(crate) const RECEIVER6: &str = "fd77:2::2";
/// The sending host's addresses.
pub(crate) const SENDER: &str = "10.77.1.2";
pub(crate) const SENDER6: &str = "fd77:1::2";
/// The router's address towards the receiver.
pub(crate) const ROUTER: &str = "10.77.2.1";

/// A node: its namespace, and its daemon if it runs.
pub(crate) struct Node {
    name: &'static str,
    namespace: Namespace,
    directory: PathBuf,
    daemon: Option<Process>,
}

/// The network.
pub(crate) struct Network {
    pub(crate) sender: Node,
    pub(crate) router: Node,
    pub(crate) receiver: Node,
    directory: PathBuf,
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

impl Network {
    /// Brings everything up.
    pub(crate) fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("rsvp-daemon-test-{:x}", nonce()));
        std::fs::create_dir_all(&directory).expect("a scratch directory");
        let node = |name| Node {
            name,
            namespace: Namespace::new(name).expect("a namespace"),
            directory: directory.clone(),
            daemon: None,
        };
        let mut network = Self {
            sender: node("sender"),
            router: node("router"),
            receiver: node("receiver"),
            directory: directory.clone(),
        };
        network.connect();
        for node in [&mut network.router, &mut network.sender, &mut network.receiver] {
            node.configure(CONFIG);
            node.start();
        }
        network
    }

    fn connect(&self) {
        let router = &self.router.namespace;
        router.forward().expect("forwarding");
        for (host, side, number) in [(&self.sender, "west", 1), (&self.receiver, "east", 2)] {
            let host = &host.namespace;
            host.link("eth0", router, side).expect("a link");
            for (net, length) in [(format!("10.77.{number}."), 24), (format!("fd77:{number}::"), 64)] {
                host.address("eth0", ip(&format!("{net}2")), length).expect("an address");
                router.address(side, ip(&format!("{net}1")), length).expect("an address");
                let any = if length == 24 { "0.0.0.0" } else { "::" };
                host.route(ip(any), 0, ip(&format!("{net}1"))).expect("a route");
            }
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// The inner process is always number 1, so its id does not tell one run from another.
fn nonce() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_nanos()
}

impl Node {
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join(format!("{}.sock", self.name))
    }

    fn config(&self) -> PathBuf {
        self.directory.join(format!("{}.toml", self.name))
    }

    /// Writes the daemon's configuration.
    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.config(), text).expect("a file");
    }

    /// Appends to the configuration that all nodes have.
    pub(crate) fn configure_also(&self, text: &str) {
        self.configure(&format!("{CONFIG}\n{text}"));
    }

    /// Its namespace.
    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Starts the daemon and waits until it answers.
    pub(crate) fn start(&mut self) {
        self.start_with_options(&[]);
    }

    /// The same, with more on its command line.
    pub(crate) fn start_with_options(&mut self, options: &[&str]) {
        self.start_with(self.command(&[&["daemon"], options, &["--config"]].concat()));
    }

    /// The same, but the daemon has no capability, and gets none by being root.
    pub(crate) fn start_without_privilege(&mut self) {
        let program = env!("CARGO_BIN_EXE_rsvp-cli");
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", program]);
        command.args(["daemon", "--config"]).env("RSVP_SOCKET", self.socket());
        self.start_with(command);
    }

    fn start_with(&mut self, mut command: Command) {
        let log = std::fs::File::create(self.directory.join(format!("{}.log", self.name))).expect("a file");
        command.arg(self.config()).stderr(log).stdout(Stdio::null());
        self.daemon = Some(self.namespace.spawn(&mut command).expect("the daemon starts"));
        eventually("the daemon answers", || self.rsvp(&["show", "status"]).status.success());
    }

    /// The daemon's process.
    pub(crate) fn daemon(&mut self) -> &mut Process {
        self.daemon.as_mut().expect("the daemon runs")
    }

    /// Stops the daemon; tells its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut daemon = self.daemon.take().expect("the daemon runs");
        daemon.terminate(LONG).expect("it is there").and_then(|status| status.code())
    }

    /// What the daemon has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join(format!("{}.log", self.name))).expect("a log")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rsvp-cli"));
        command.args(args).env("RSVP_SOCKET", self.socket()).env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs a command to its end.
    pub(crate) fn rsvp(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the command runs")
    }

    /// Runs a command that succeeds; what it printed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.rsvp(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs a command that reads this and succeeds; what it printed.
    pub(crate) fn ok_with_input(&self, args: &[&str], input: &str) -> String {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{args:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a command that fails; its exit code and what it said.
    pub(crate) fn fails(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.rsvp(args);
        assert!(!output.status.success(), "{args:?} succeeds");
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        assert_eq!(said.lines().count(), 1, "one line: {said}");
        (output.status.code(), said)
    }

    /// Starts a command that holds something.
    pub(crate) fn hold(&self, args: &[&str]) -> Process {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.namespace.spawn(&mut command).expect("the command starts")
    }

    /// A part of the state.
    pub(crate) fn show(&self, what: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(&["show", what, "--json"])).expect("JSON")
    }

    /// How many entries a part of the state has.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.show(what).as_array().expect("a list").len()
    }

    /// A client of the daemon.
    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.socket()).await.expect("the daemon answers")
    }

    /// Sends datagrams of IP protocol 46 to the router.
    pub(crate) fn send_raw(&self, datagrams: &[Vec<u8>]) {
        use socket2::{Domain, Protocol, Socket, Type};

        let socket = self
            .namespace
            .run(|| Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(46))))
            .expect("a raw socket");
        let router = std::net::SocketAddr::new(ip("10.77.1.1"), 0);
        for datagram in datagrams {
            socket.send_to(datagram, &router.into()).expect("a datagram leaves");
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.directory).join(name)
    }
}

/// Waits until it holds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Everything that a command which has ended has printed and said.
pub(crate) fn output_of(process: &mut Process) -> (String, String) {
    let (mut printed, mut said) = (String::new(), String::new());
    let child = process.child();
    child.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("text");
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    (printed, said)
}
