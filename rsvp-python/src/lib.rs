//! The Python module `rsvp`; `rsvp.pyi` documents it. Values go in and out as what JSON knows (dict, list, str, int, float,
//! bool, None), in `rsvp-core`'s serde form.

use std::sync::{Mutex, MutexGuard};

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pythonize::{depythonize, pythonize};
use rsvp_core::wire::{Head, Header, Message, RawMessage};
use rsvp_core::{Command, Input, Instant, NodeConfig, Ready};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

create_exception!(
    rsvp,
    CommandError,
    PyException,
    "The node refuses a command: its words, and what it says as data."
);

/// A message with all that its bytes say.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decoded {
    header: Header,
    #[serde(default)]
    head: Head,
    message: Message,
}

/// As many as fit into the largest message.
const ANY_NUMBER_OF_OBJECTS: usize = u16::MAX as usize;

fn invalid(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn read<T: DeserializeOwned>(value: &Bound<'_, PyAny>) -> PyResult<T> {
    depythonize(value).map_err(invalid)
}

fn write<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    pythonize(py, value).map_err(invalid)
}

/// Reads a message.
#[pyfunction]
fn decode<'py>(py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let raw = RawMessage::decode(message).map_err(invalid)?;
    let (head, _) = Head::split(message).map_err(invalid)?;
    let header = Header { flags: raw.header.flags, send_ttl: raw.header.send_ttl };
    let message = Message::parse(&raw, ANY_NUMBER_OF_OBJECTS).map_err(invalid)?;
    write(py, &Decoded { header, head, message })
}

/// Writes a message.
#[pyfunction]
fn encode<'py>(py: Python<'py>, message: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let Decoded { header, head, message } = read(message)?;
    let mut bytes = Vec::new();
    message.encode_with(header, &head, &mut bytes).map_err(invalid)?;
    Ok(PyBytes::new(py, &bytes))
}

/// Takes a message apart, however damaged.
#[pyfunction]
fn describe<'py>(py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let line = rsvp_decode::message_line(message).map_err(invalid)?;
    py.import("json")?.call_method1("loads", (line,))
}

/// A node in virtual time.
#[pyclass(frozen, module = "rsvp")]
struct Node(Mutex<rsvp_core::Node>);

impl Node {
    fn lock(&self) -> PyResult<MutexGuard<'_, rsvp_core::Node>> {
        self.0.lock().map_err(|_| PyRuntimeError::new_err("a bug of the engine has made this node unusable"))
    }

    /// Python is told after the lock is given back: while it makes objects, it may run code that uses the node.
    fn show<'py, T: Serialize>(
        &self,
        py: Python<'py>,
        view: impl FnOnce(&rsvp_core::Node) -> T,
    ) -> PyResult<Bound<'py, PyAny>> {
        let view = view(&*self.lock()?);
        write(py, &view)
    }
}

#[pymethods]
impl Node {
    #[new]
    #[pyo3(signature = (config=None, *, seed, now=0))]
    fn new(config: Option<&Bound<'_, PyAny>>, seed: [u8; 32], now: u64) -> PyResult<Self> {
        let config = config.map_or_else(|| Ok(NodeConfig::default()), read)?;
        Ok(Self(Mutex::new(rsvp_core::Node::new(config, seed, Instant::from_micros(now)))))
    }

    fn handle(&self, now: u64, input: &Bound<'_, PyAny>) -> PyResult<()> {
        let input: Input<'static> = read(input)?;
        self.lock()?.handle(Instant::from_micros(now), input);
        Ok(())
    }

    fn command<'py>(&self, now: u64, command: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = command.py();
        let command: Command = read(command)?;
        let answer = self.lock()?.command(Instant::from_micros(now), command);
        match answer {
            Ok(reply) => write(py, &reply),
            Err(error) => Err(CommandError::new_err((error.to_string(), write(py, &error)?.unbind()))),
        }
    }

    fn poll_transmit<'py>(
        &self,
        py: Python<'py>,
        now: u64,
    ) -> PyResult<Option<(Bound<'py, PyAny>, Bound<'py, PyBytes>)>> {
        let mut message = Vec::new();
        let transmit = self.lock()?.poll_transmit(Instant::from_micros(now), &mut message);
        transmit.map(|transmit| Ok((write(py, &transmit)?, PyBytes::new(py, &message)))).transpose()
    }

    fn poll_event<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let event = self.lock()?.poll_event();
        event.map(|event| write(py, &event)).transpose()
    }

    fn poll_request<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let request = self.lock()?.poll_request();
        request.map(|request| write(py, &request)).transpose()
    }

    fn poll_timeout<'py>(&self, py: Python<'py>) -> PyResult<Option<(u64, Bound<'py, PyAny>)>> {
        let timeout = self.lock()?.poll_timeout(Ready::ALL);
        timeout.map(|(at, reason)| Ok((at.as_micros(), write(py, &reason)?))).transpose()
    }

    fn is_stopped(&self) -> PyResult<bool> {
        Ok(self.lock()?.is_stopped())
    }

    fn view<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        use rsvp_core::Node as Engine;
        match name {
            "sessions" => self.show(py, Engine::sessions),
            "senders" => self.show(py, Engine::senders),
            "reservations" => self.show(py, Engine::reservations),
            "refusals" => self.show(py, Engine::refusals),
            "requests" => self.show(py, Engine::requests),
            "installed" => self.show(py, Engine::installed),
            "interfaces" => self.show(py, Engine::interfaces),
            "neighbors" => self.show(py, Engine::neighbors),
            "counters" => self.show(py, |node| node.counters().clone()),
            "config" => self.show(py, |node| node.config().clone()),
            other => Err(invalid(format!("there is no view {other:?}"))),
        }
    }
}

/// The RSVP engine.
#[pymodule]
fn rsvp(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("CommandError", module.py().get_type::<CommandError>())?;
    module.add_class::<Node>()?;
    module.add_function(wrap_pyfunction!(decode, module)?)?;
    module.add_function(wrap_pyfunction!(encode, module)?)?;
    module.add_function(wrap_pyfunction!(describe, module)?)?;
    Ok(())
}
