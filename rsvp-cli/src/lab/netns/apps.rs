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
use crate::lab::model::{Flow, FlowIndex, NodeIndex, Scenario};
use crate::lab::scenario::{Service, StyleName};

/// What an application does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// It announces a flow.
    Sender,
    /// It reserves for one.
    Receiver,
}

/// The refusals that receivers were told, by flow.
type Refusals = Arc<Mutex<BTreeMap<FlowIndex, Refusal>>>;

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
    running: BTreeMap<(Role, FlowIndex), App>,
    refusals: Refusals,
}

impl Apps {
    /// None yet.
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, running: BTreeMap::new(), refusals: Refusals::default() }
    }

    /// Starts one; the daemon has taken its request when this returns.
    pub(crate) fn start(
        &mut self,
        role: Role,
        index: FlowIndex,
        flow: &Flow,
        socket: &Path,
    ) -> Result<(), Fault> {
        lock(&self.refusals).remove(&index);
        let request = async {
            let client = Client::connect(socket).await?;
            match role {
                Role::Sender => client.send(&announcement(flow)).await,
                Role::Receiver => client.reserve(&reservation(flow)).await,
            }
        };
        let held = self.runtime.block_on(async { timeout(ANSWER, request).await });
        let held = held
            .map_err(|_| format!("{}: its daemon does not answer", flow.name))?
            .map_err(|error| format!("{}: {error}", flow.name))?;
        let (stop, stopped) = oneshot::channel();
        let refusals = Arc::clone(&self.refusals);
        let task = self.runtime.spawn(hold(held, stopped, index, refusals));
        self.running.insert((role, index), App { stop, task });
        Ok(())
    }

    /// Ends one; the daemon has released it when this returns. One that does not run has ended already.
    pub(crate) fn end(&mut self, role: Role, index: FlowIndex) -> Result<(), Fault> {
        let Some(app) = self.running.remove(&(role, index)) else { return Ok(()) };
        // It may have ended with its daemon.
        let _ = app.stop.send(());
        self.runtime
            .block_on(async { timeout(ANSWER, app.task).await })
            .map_err(|_| "a daemon does not answer to a release".to_owned())
            .map(|_| ())
    }

    /// Ends all that still run.
    pub(crate) fn end_all(&mut self) {
        for (role, index) in self.running.keys().copied().collect::<Vec<_>>() {
            // A daemon that does not answer is found out when it is to stop.
            let _ = self.end(role, index);
        }
    }

    /// Starts those at a node again, after its daemon was.
    pub(crate) fn restart(
        &mut self,
        scenario: &Scenario,
        node: NodeIndex,
        socket: &Path,
    ) -> Result<(), Fault> {
        let of_node = |(role, index): &(Role, FlowIndex)| {
            let flow = &scenario.flows[*index];
            node == if *role == Role::Sender { flow.from } else { flow.to }
        };
        for (role, index) in self.running.keys().copied().filter(of_node).collect::<Vec<_>>() {
            self.start(role, index, &scenario.flows[index], socket)?;
        }
        Ok(())
    }

    /// What a receiver was last told, if it was refused.
    pub(crate) fn refusal(&self, flow: FlowIndex) -> Option<Refusal> {
        lock(&self.refusals).get(&flow).cloned()
    }
}

fn lock(refusals: &Refusals) -> std::sync::MutexGuard<'_, BTreeMap<FlowIndex, Refusal>> {
    refusals.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds what the daemon granted until told to stop, or until the daemon goes.
async fn hold(mut held: Held, mut stopped: oneshot::Receiver<()>, flow: FlowIndex, refusals: Refusals) {
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
                    lock(&refusals).insert(flow, refusal);
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            },
        }
    }
}

fn announcement(flow: &Flow) -> SenderRequest {
    let mut request = SenderRequest::new(Session::udp(flow.destination, flow.port), tspec(flow));
    request.source = Some(flow.source);
    request.source_port = Some(flow.port);
    request
}

fn reservation(flow: &Flow) -> ReservationRequest {
    let (style, senders) = match flow.style {
        StyleName::Ff => (Style::Ff, vec![Filter::new(flow.source, flow.port)]),
        StyleName::Se => (Style::Se, vec![Filter::new(flow.source, flow.port)]),
        StyleName::Wf => (Style::Wf, Vec::new()),
    };
    let tspec = tspec(flow);
    let flowspec = match flow.service {
        Service::ControlledLoad => Flowspec::ControlledLoad(tspec),
        Service::Guaranteed => Flowspec::Guaranteed { tspec, rate: tspec.average_rate, slack: 0 },
    };
    let mut request = ReservationRequest::new(Session::udp(flow.destination, flow.port), style, flowspec);
    request.senders = senders;
    request.confirmed()
}

#[expect(clippy::cast_precision_loss, reason = "a rate beyond 2^53 bit/s is no rate")]
fn tspec(flow: &Flow) -> Tspec {
    Tspec {
        average_rate: flow.rate as f64,
        size: flow.bucket as f64,
        peak_rate: None,
        min_policed_unit: flow.packet,
        max_packet_size: flow.packet,
    }
}
