//! From the command line to a serving daemon, and to its end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rsvp_core::Node;
use rsvp_core::config::UdpEncapsulation;
use rsvp_driver::Clock;
use rsvp_io::{Carrier, InterfaceSelection, System, SystemOptions};
use rsvp_io_tokio::Driver;
use rsvp_record::RecordedNode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use super::{Standing, detach, privileges, reload};
use crate::config::{Config, Control, Log};
use crate::control::{Context, Recorder, Registry, Shared, Socket, record, router};

/// How long clients have to read that the daemon ends.
const GOODBYE: Duration = Duration::from_millis(200);

/// How the daemon is started.
pub(crate) struct Options {
    /// The configuration as the file has it.
    pub(crate) config: Config,
    /// The control socket, with what the command line says of it.
    pub(crate) control: Control,
    /// Logging, with what the command line says of it.
    pub(crate) log: Log,
    /// Where the node is recorded, if it is.
    pub(crate) record: Option<Record>,
    /// Whether this is the background process of `-d`.
    pub(crate) detached: bool,
}

/// A recording of the node.
pub(crate) struct Record {
    /// A file that is not there yet.
    pub(crate) file: PathBuf,
    /// The most octets of it.
    pub(crate) limit: u64,
}

impl Record {
    /// Makes the file, which only its owner can read: it tells the node's seed.
    fn start(&self) -> Result<rsvp_record::Recorder, String> {
        let file = File::options().write(true).create_new(true).mode(0o600).open(&self.file);
        let file =
            file.map_err(|e| format!("cannot record to {}: {}", self.file.display(), crate::words(&e)))?;
        Ok(rsvp_record::Recorder::new(file).with_limit(self.limit))
    }

    /// Removes the file, in which nothing was recorded: the next attempt to start makes it anew.
    fn abandon(&self) {
        if let Err(error) = std::fs::remove_file(&self.file) {
            tracing::warn!(file = %self.file.display(), %error, "the recording, which is empty, stays");
        }
    }
}

/// Runs the daemon until it is told to end.
///
/// # Errors
///
/// Why it could not start, or why it ended by itself; one line.
pub(crate) fn run(options: Options) -> Result<(), String> {
    let Options { config, control, log, record, detached } = options;
    crate::logging::start(&log)?;
    if detached {
        detach::leave_session().map_err(|e| format!("cannot detach: {}", crate::words(&e)))?;
    }
    let path = control.socket.unwrap_or_else(default_socket);
    let socket = Socket::bind(&path, control.group.as_deref()).map_err(|e| e.to_string())?;
    let recorder = record.as_ref().map(Record::start).transpose()?;
    // Before there are other threads: each has privileges of its own.
    let opened = privileges::drop_unneeded().and_then(|()| system_options(&config));
    let system = opened.and_then(|options| rsvp_io::open(options).map_err(|e| e.to_string()));
    let system = system.inspect_err(|_| record.iter().for_each(Record::abandon))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("no runtime: {}", crate::words(&e)))?;
    runtime.block_on(serve(config, socket, system, recorder, detached))
}

/// Where the daemon listens unless it is told: in the system's place, or the user's for others than root.
fn default_socket() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR");
    match runtime {
        Some(runtime) if !nix::unistd::geteuid().is_root() => Path::new(&runtime).join("rsvp.sock"),
        _ => PathBuf::from(rsvp_client::DEFAULT_SOCKET),
    }
}

fn system_options(config: &Config) -> Result<SystemOptions, String> {
    let mut names: Vec<String> = config.node.interfaces.keys().cloned().collect();
    let present = nix::net::if_::if_nameindex().map_err(|e| format!("no interfaces: {e}"))?;
    names.extend(present.iter().map(|interface| interface.name().to_string_lossy().into_owned()));
    let rate = |name: String| {
        let settings = config.node.interface(&name);
        let wanted = name != "lo" && settings.enabled && config.extras(&name).traffic_control;
        let link = settings.bandwidth.filter(|_| wanted)?.link;
        Some((name, link))
    };
    let link_rates: BTreeMap<String, u64> = names.into_iter().filter_map(rate).collect();
    Ok(SystemOptions {
        router: config.node.router,
        interfaces: InterfaceSelection::All,
        link_rates,
        carrier: carrier(config),
    })
}

/// What is to carry RSVP messages.
pub(super) fn carrier(config: &Config) -> Carrier {
    let node = &config.node;
    let mut interfaces = node.interfaces.values().chain([&node.default_interface]);
    if node.hu().is_some() {
        Carrier::UdpOnly
    } else if interfaces.any(|interface| interface.udp_encapsulation != UdpEncapsulation::Never) {
        Carrier::RawAndUdp
    } else {
        Carrier::Raw
    }
}

/// Every start needs another one, so that epochs and keys are not repeated.
fn seed() -> Result<[u8; 32], String> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut seed))
        .map_err(|e| format!("no random numbers: {}", crate::words(&e)))?;
    Ok(seed)
}

async fn serve(
    config: Config,
    mut socket: Socket,
    system: System,
    recorder: Option<rsvp_record::Recorder>,
    detached: bool,
) -> Result<(), String> {
    let fail = |e: std::io::Error| format!("cannot start: {}", crate::words(&e));
    // Before anything is done that an end has to undo.
    let signals = Signals::new().map_err(|e| format!("no signals: {}", crate::words(&e)))?;
    let clock = Clock::start();
    let started = (clock.now(), SystemTime::now());
    let node = match recorder {
        Some(recorder) => RecordedNode::recorded(config.node.clone(), seed()?, clock.now(), recorder),
        None => Node::new(config.node.clone(), seed()?, clock.now()).into(),
    };
    let (driver, handle) = Driver::new(node, system, clock).map_err(fail)?;
    let registry = Registry::new(handle.clone());
    let recorder = Recorder::new(config.control.events);
    let recording = record(handle.subscribe(), handle.clone(), recorder.clone(), registry.clone());
    let driving = tokio::spawn(driver.run());
    // Takes all that there is whenever it has its turn, so that it does not fall behind the driver.
    tokio::spawn(tokio::task::unconstrained(recording));
    let standing = Standing::new(registry.clone());
    let context = Arc::new(Context {
        handle,
        registry,
        recorder,
        config: Mutex::new(config.clone()),
        standing: standing.clone(),
        started,
    });
    for warning in context.warnings().await.unwrap_or_default() {
        tracing::warn!("{warning}");
    }
    // The daemon answers while what the configuration asks for is still being made, which may be much. That comes first
    // in the queue of tasks: a reload waits for it.
    let applying = tokio::spawn({
        let standing = standing.clone();
        async move { standing.apply(&config).await }
    });
    let listener = socket.listen().map_err(fail)?;
    let serving = axum::serve(listener, router(Arc::clone(&context)));
    tokio::spawn(std::future::IntoFuture::into_future(serving));
    let applied = applying.await.map_err(|e| format!("cannot start: {e}"))?;
    for failure in applied.failures {
        tracing::warn!("{failure}");
    }
    tokio::spawn(standing.keep_trying());
    tracing::info!(socket = %socket.path().display(), pid = std::process::id(), "the daemon serves");
    if detached {
        detach::tell_ready().map_err(fail)?;
    }
    end(&context, signals, driving).await
}

/// What the daemon is told by signals. Those that come while it starts wait until it has.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// Waits for the end and brings it about: everything is torn down and removed.
async fn end(
    context: &Shared,
    mut signals: Signals,
    mut driving: JoinHandle<std::io::Result<()>>,
) -> Result<(), String> {
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.hangup.recv() => {
                if let Err(error) = reload(context).await {
                    tracing::error!("{error}");
                }
            }
            ended = &mut driving => return Err(match ended {
                Ok(Ok(())) => "the node has stopped by itself".to_owned(),
                Ok(Err(error)) => format!("a socket is broken: {}", crate::words(&error)),
                Err(error) => format!("the node has failed: {error}"),
            }),
        }
    }
    tracing::info!("the daemon ends: tearing down");
    context.handle.shutdown().await;
    tokio::time::sleep(GOODBYE).await;
    Ok(())
}
