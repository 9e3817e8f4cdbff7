//! Traffic control: the kernel gives every reservation its rate and keeps it to its token bucket.
//!
//! [`KernelTrafficControl`] is what the rest of the crate sees: it passes the work on to a thread, since the kernel's calls
//! take time, and brings the answers back.

mod classifier;
mod enforcer;
mod htb;
mod parameters;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};
use rsvp_core::input::InstallFailure;
use rsvp_core::output::{Installation, InstallationId};
use rsvp_core::{Input, InterfaceId};

use crate::options::OpenError;
use enforcer::{Attachment, Enforcer};
use rsvp_driver::{Diagnostic, Link, ReadOutcome, Severity, Source, TrafficControl};

/// Jobs that may wait before no more requests are taken.
const MOST_WAITING: usize = 1024;

/// The [`TrafficControl`] of Linux: HTB and nftables, where the kernel has them.
///
/// Everything belongs to the network namespace in which it was opened.
pub struct KernelTrafficControl {
    link_rates: BTreeMap<String, u64>,
    /// What is under control, or was asked to be.
    attached: HashMap<InterfaceId, Attachment>,
    worker: Option<Worker>,
    problems: Vec<Diagnostic>,
}

/// The thread that does the work.
struct Worker {
    jobs: Option<Sender<Job>>,
    answers: Receiver<Answer>,
    wake: Arc<EventFd>,
    /// Jobs that are not answered yet.
    waiting: usize,
    thread: Option<JoinHandle<()>>,
}

enum Job {
    Attach(Attachment, String),
    Forget(InterfaceId),
    Install(Box<Installation>),
    Remove(InstallationId),
}

/// Every job has one.
enum Answer {
    Done,
    Installed(InstallationId, Result<(), InstallFailure>),
    /// An interface could not be taken over.
    Problem(String, String),
}

impl KernelTrafficControl {
    /// Takes control of the interfaces whose link rates (bytes per second) are given, as far as the kernel lets it.
    ///
    /// # Errors
    ///
    /// If there can be no thread for it; that the kernel lacks something is a [`Diagnostic`] only.
    pub fn open(link_rates: BTreeMap<String, u64>) -> Result<Self, OpenError> {
        let mut control = Self { link_rates, attached: HashMap::new(), worker: None, problems: Vec::new() };
        match Enforcer::open() {
            // Nothing to control, but what a crashed daemon left is gone now.
            Ok(enforcer) if control.link_rates.is_empty() => enforcer.close(),
            Err(error) if control.link_rates.is_empty() => tracing::debug!(%error, "leftovers not looked for"),
            Ok(enforcer) => control.worker = Some(Worker::start(enforcer).map_err(OpenError::thread)?),
            Err(error) => control.on_problem(
                None,
                format!(
                    "traffic control is not to be had here ({error}): reservations are admitted but not enforced; it \
                     needs CAP_NET_ADMIN, HTB and nftables, and no second daemon"
                ),
            ),
        }
        Ok(control)
    }

    fn on_problem(&mut self, interface: Option<String>, message: String) {
        self.problems.push(Diagnostic { severity: Severity::Warning, interface, message });
    }
}

impl TrafficControl for KernelTrafficControl {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        self.worker.iter().map(|worker| worker.wake.as_fd().try_clone_to_owned()).collect()
    }

    fn on_interface(&mut self, link: &Link) {
        let Link { device, info } = link;
        let Some(link_rate) = self.link_rates.get(&info.name).copied() else { return };
        let Some(worker) = &mut self.worker else { return };
        let attachment = Attachment { interface: info.id, device: *device, link_rate, mtu: info.mtu };
        // Another MTU does not matter enough to take all reservations out of the kernel.
        self.attached.entry(info.id).or_insert_with(|| {
            worker.send(Job::Attach(attachment.clone(), info.name.clone()));
            attachment
        });
    }

    fn on_interface_removed(&mut self, interface: InterfaceId) {
        if let Some(worker) = &mut self.worker
            && self.attached.remove(&interface).is_some()
        {
            worker.send(Job::Forget(interface));
        }
    }

    fn is_ready(&self) -> bool {
        self.worker.as_ref().is_none_or(|worker| worker.waiting < MOST_WAITING)
    }

    fn install(&mut self, installation: Installation, sink: &mut dyn FnMut(Input<'_>)) {
        match &mut self.worker {
            Some(worker) if self.attached.contains_key(&installation.interface) => {
                worker.send(Job::Install(Box::new(installation)));
            }
            _ => sink(Input::Installed(installation.id, Ok(()))),
        }
    }

    fn remove(&mut self, id: InstallationId) {
        if let Some(worker) = &mut self.worker {
            worker.send(Job::Remove(id));
        }
    }

    fn read(&mut self, _: Source, budget: usize, sink: &mut dyn FnMut(Input<'_>)) -> io::Result<ReadOutcome> {
        for _ in 0..budget {
            let Some(worker) = &mut self.worker else { return Ok(ReadOutcome::Drained) };
            match worker.receive()? {
                None => return Ok(ReadOutcome::Drained),
                Some(Answer::Done) => {}
                Some(Answer::Installed(id, result)) => sink(Input::Installed(id, result)),
                Some(Answer::Problem(interface, message)) => {
                    // What is found out at the start is for the caller to tell; this comes when nobody may look again.
                    tracing::warn!("{interface}: {message}");
                    self.on_problem(Some(interface), message);
                }
            }
        }
        Ok(ReadOutcome::More)
    }

    fn enforced(&self) -> BTreeSet<String> {
        let broken =
            |name: &String| self.problems.iter().any(|problem| problem.interface.as_ref() == Some(name));
        self.link_rates.keys().filter(|name| self.worker.is_some() && !broken(name)).cloned().collect()
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.problems.clone()
    }
}

impl Worker {
    fn start(enforcer: Enforcer) -> io::Result<Self> {
        let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
        let (jobs, work) = mpsc::channel();
        let (reply, answers) = mpsc::channel();
        let signal = Arc::clone(&wake);
        let thread = std::thread::Builder::new()
            .name("traffic-control".to_owned())
            .spawn(move || serve(enforcer, &work, &reply, &signal))?;
        Ok(Self { jobs: Some(jobs), answers, wake, waiting: 0, thread: Some(thread) })
    }

    fn send(&mut self, job: Job) {
        // The thread ends only when this sender is dropped.
        if self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok()) {
            self.waiting += 1;
        }
    }

    fn receive(&mut self) -> io::Result<Option<Answer>> {
        if let Ok(answer) = self.answers.try_recv() {
            self.waiting -= 1;
            return Ok(Some(answer));
        }
        match self.wake.read() {
            // An answer may have come between the two.
            Ok(_) => Ok(self.answers.try_recv().ok().inspect(|_| self.waiting -= 1)),
            Err(Errno::EAGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Worker {
    /// Waits until everything is out of the kernel.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the traffic control thread has panicked");
        }
    }
}

/// Does jobs until there can be no more, then removes everything.
fn serve(mut enforcer: Enforcer, work: &Receiver<Job>, reply: &Sender<Answer>, wake: &EventFd) {
    while let Ok(job) = work.recv() {
        // Nobody may be listening any more, in the end.
        let _ = reply.send(do_job(&mut enforcer, job));
        let _ = wake.write(1);
    }
    enforcer.close();
}

fn do_job(enforcer: &mut Enforcer, job: Job) -> Answer {
    match job {
        Job::Attach(attachment, name) => match enforcer.attach(&attachment) {
            Ok(()) => Answer::Done,
            Err(error) => Answer::Problem(
                name,
                format!("traffic control failed ({error}): reservations are admitted but not enforced"),
            ),
        },
        Job::Forget(interface) => {
            enforcer.forget(interface);
            Answer::Done
        }
        Job::Install(installation) => {
            let result = enforcer.install(&installation).map_err(|reason| InstallFailure { reason });
            Answer::Installed(installation.id, result)
        }
        Job::Remove(id) => {
            enforcer.remove(id);
            Answer::Done
        }
    }
}
