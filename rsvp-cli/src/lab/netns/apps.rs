//! The applications of a scenario: what `rsvp-cli send` and `rsvp-cli reserve` do, for every flow.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rsvp_client::api::{
    Filter, Flowspec, ReservationRequest, SenderRequest, Session, Style, Tspec, Upcall, Update,
};
use rsvp_client::{Client, Held};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::daemon::ANSWER;
use crate::lab::backend::{Fault, Refusal};
use crate::lab::model::{Flow, FlowIndex, NodeIndex, ReceiverIndex, Scenario};
use crate::lab::scenario::{Service, StyleName};

/// What an application does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// It announces this flow.
    Sender(FlowIndex),
    /// It reserves as this receiver.
    Receiver(ReceiverIndex),
}

/// The refusals that receivers were told.
type Refusals = Arc<Mutex<BTreeMap<Role, Refusal>>>;

/// One application.
#[derive(Debug)]
struct App {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// All applications.
#[derive(Debug)]
pub(crate) struct Apps {
    runtime: Handle,
    running: BTreeMap<Role, App>,
    refusals: Refusals,
}

impl Apps {
    /// None yet.
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, running: BTreeMap::new(), refusals: Refusals::default() }
    }

    /// Starts one; the daemon has taken its request when this returns.
    pub(crate) fn start(&mut self, role: Role, scenario: &Scenario, socket: &Path) -> Result<(), Fault> {
        lock(&self.refusals).remove(&role);
        let name = match role {
            Role::Sender(flow) => &scenario.flows[flow].name,
            Role::Receiver(receiver) => &scenario.receivers[receiver].name,
        };
        let request = async {
            let client = Client::connect(socket).await?;
            match role {
                Role::Sender(flow) => client.send(&announcement(&scenario.flows[flow])).await,
                Role::Receiver(receiver) => client.reserve(&reservation(receiver, scenario)).await,
            }
        };
        let held = self.runtime.block_on(async { timeout(ANSWER, request).await });
        let held = held
            .map_err(|_| format!("{name}: its daemon does not answer"))?
            .map_err(|error| format!("{name}: {error}"))?;
        let (stop, stopped) = oneshot::channel();
        let refusals = Arc::clone(&self.refusals);
        let task = self.runtime.spawn(hold(held, stopped, role, refusals));
        self.running.insert(role, App { stop, task });
        Ok(())
    }

    /// Ends one; the daemon has released it when this returns. One that does not run has ended already.
    pub(crate) fn end(&mut self, role: Role) -> Result<(), Fault> {
        let Some(app) = self.running.remove(&role) else { return Ok(()) };
        // It may have ended with its daemon.
        let _ = app.stop.send(());
        self.runtime
            .block_on(async { timeout(ANSWER, app.task).await })
            .map_err(|_| "a daemon does not answer to a release".to_owned())
            .map(|_| ())
    }

    /// Ends all that still run.
    pub(crate) fn end_all(&mut self) {
        for role in self.running.keys().copied().collect::<Vec<_>>() {
            // A daemon that does not answer is found out when it is to stop.
            let _ = self.end(role);
        }
    }

    /// Starts those at a node again, after its daemon was.
    pub(crate) fn restart(
        &mut self,
        scenario: &Scenario,
        node: NodeIndex,
        socket: &Path,
    ) -> Result<(), Fault> {
        let of_node = |role: &Role| match role {
            Role::Sender(flow) => scenario.flows[*flow].from == node,
            Role::Receiver(receiver) => scenario.receivers[*receiver].node == node,
        };
        for role in self.running.keys().copied().filter(of_node).collect::<Vec<_>>() {
            self.start(role, scenario, socket)?;
        }
        Ok(())
    }

    /// What a receiver was last told, if it was refused.
    pub(crate) fn refusal(&self, receiver: ReceiverIndex) -> Option<Refusal> {
        lock(&self.refusals).get(&Role::Receiver(receiver)).cloned()
    }
}

fn lock(refusals: &Refusals) -> std::sync::MutexGuard<'_, BTreeMap<Role, Refusal>> {
    refusals.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds what the daemon granted until told to stop, or until the daemon goes.
async fn hold(mut held: Held, mut stopped: oneshot::Receiver<()>, role: Role, refusals: Refusals) {
    loop {
        tokio::select! {
            _ = &mut stopped => {
                // A daemon that is gone has released it.
                let _ = held.release().await;
                return;
            }
            update = held.next() => match update {
                Ok(Some(Update { upcall: Some(Upcall::ResvError { error, .. }), .. })) => {
                    let refusal = Refusal { code: error.error_code, value: error.error_value, node: error.node };
                    lock(&refusals).insert(role, refusal);
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            },
        }
    }
}

fn announcement(flow: &Flow) -> SenderRequest {
    let tspec = tspec(flow.rate, flow.bucket, flow.packet);
    let mut request = SenderRequest::new(Session::udp(flow.destination, flow.port), tspec);
    request.source = Some(flow.source);
    request.source_port = Some(flow.port);
    request
}

fn reservation(index: ReceiverIndex, scenario: &Scenario) -> ReservationRequest {
    let receiver = &scenario.receivers[index];
    let sender = |flow: &FlowIndex| Filter::new(scenario.flows[*flow].source, scenario.flows[*flow].port);
    let senders = receiver.flows.iter().map(sender).collect();
    let (style, senders) = match receiver.style {
        StyleName::Ff => (Style::Ff, senders),
        StyleName::Se => (Style::Se, senders),
        StyleName::Wf => (Style::Wf, Vec::new()),
    };
    let tspec = tspec(receiver.rate, receiver.bucket, receiver.packet);
    let flowspec = match receiver.service {
        Service::ControlledLoad => Flowspec::ControlledLoad(tspec),
        Service::Guaranteed => Flowspec::Guaranteed { tspec, rate: tspec.average_rate, slack: 0 },
    };
    let session = Session::udp(receiver.destination, receiver.port);
    let mut request = ReservationRequest::new(session, style, flowspec);
    request.senders = senders;
    request.receiver = Some(receiver.address);
    request.confirmed()
}

#[expect(clippy::cast_precision_loss, reason = "a rate beyond 2^53 bit/s is no rate")]
fn tspec(rate: u64, bucket: u64, packet: u32) -> Tspec {
    Tspec {
        average_rate: rate as f64,
        size: bucket as f64,
        peak_rate: None,
        min_policed_unit: packet,
        max_packet_size: packet,
    }
}
