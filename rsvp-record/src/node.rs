//! A node whose calls may be recorded.

use std::ops::Deref;

use rsvp_core::{
    Command, CommandError, Event, Input, Instant, Node, NodeConfig, Ready, Reply, Request, Transmit,
    WakeReason,
};

use crate::format::Poll;
use crate::recorder::{Recorder, Status};

/// A [`Node`] with the calls that a driver makes, all of which are recorded if it has a [`Recorder`]. Without one, a call
/// costs a branch more than the node's own.
///
/// It can be looked at as a node; nothing but these calls can change it. A node with admission or policy control of its
/// own ([`Node::with_control`]) cannot be recorded, since their answers would be missing from the file:
/// [`recorded`](Self::recorded) makes the node itself, and [`from`](Self::from) takes any node but records nothing.
pub struct RecordedNode {
    pub(crate) node: Node,
    recorder: Option<Box<Recorder>>,
}

impl RecordedNode {
    /// A new node, whose calls are recorded from the first one on. The arguments are those of [`Node::new`].
    #[must_use]
    pub fn recorded(config: NodeConfig, seed: [u8; 32], now: Instant, mut recorder: Recorder) -> Self {
        recorder.begin(&config, seed, now);
        Self { node: Node::new(config, seed, now), recorder: Some(Box::new(recorder)) }
    }

    /// The node.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// How the recording is doing; `None`: nothing is recorded.
    #[must_use]
    pub fn recording(&self) -> Option<&Status> {
        self.recorder.as_deref().map(Recorder::status)
    }

    /// As [`Node::handle`].
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        let Some(recorder) = &mut self.recorder else { return self.node.handle(now, input) };
        recorder.input(now, &input);
        self.node.handle(now, input);
        recorder.returned();
    }

    /// As [`Node::command`].
    ///
    /// # Errors
    ///
    /// Only for the caller's fault; what fails later is an event.
    pub fn command(&mut self, now: Instant, command: Command) -> Result<Reply, CommandError> {
        let Some(recorder) = &mut self.recorder else { return self.node.command(now, command) };
        recorder.command(now, &command);
        let answer = self.node.command(now, command);
        recorder.answer(&answer);
        answer
    }

    /// As [`Node::poll_transmit`].
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        let Some(recorder) = &mut self.recorder else { return self.node.poll_transmit(now, buf) };
        recorder.polls(Poll::Transmit, Some(now));
        let transmit = self.node.poll_transmit(now, buf);
        recorder.transmit(now, transmit.as_ref(), buf);
        transmit
    }

    /// As [`Node::poll_event`].
    pub fn poll_event(&mut self) -> Option<Event> {
        let Some(recorder) = &mut self.recorder else { return self.node.poll_event() };
        recorder.polls(Poll::Event, None);
        let event = self.node.poll_event();
        recorder.event(event.as_ref());
        event
    }

    /// As [`Node::poll_request`].
    pub fn poll_request(&mut self) -> Option<Request> {
        let Some(recorder) = &mut self.recorder else { return self.node.poll_request() };
        recorder.polls(Poll::Request, None);
        let request = self.node.poll_request();
        recorder.request(request.as_ref());
        request
    }

    /// As [`Node::poll_timeout`], which changes nothing and is not recorded.
    #[must_use]
    pub fn poll_timeout(&self, ready: Ready) -> Option<(Instant, WakeReason)> {
        self.node.poll_timeout(ready)
    }
}

impl From<Node> for RecordedNode {
    /// Records nothing.
    fn from(node: Node) -> Self {
        Self { node, recorder: None }
    }
}

impl Deref for RecordedNode {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}
