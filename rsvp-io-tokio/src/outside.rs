//! What the driver needs of the outside.

use std::io;
use std::os::fd::OwnedFd;

use rsvp_core::{Input, Request, Transmit};
use rsvp_io::{Diagnostic, ReadOutcome, SendOutcome, Source, System, SystemView};

/// Sockets, interfaces, routes and traffic control. [`System`] is the one that a node runs on; another may stand in
/// for it, as an embedder's own or for tests. Nothing here blocks.
pub trait Outside: Send + 'static {
    /// The file descriptors to wait for. Asked once.
    ///
    /// # Errors
    ///
    /// If a descriptor cannot be duplicated.
    fn sources(&self) -> io::Result<Vec<(Source, OwnedFd)>>;

    /// Tells the interfaces that there are. Called once, before anything else.
    fn start(&mut self, sink: &mut dyn FnMut(Input<'_>));

    /// Reads at most `budget` datagrams or messages from a source.
    ///
    /// # Errors
    ///
    /// Only if the source is broken for good: the driver then ends.
    fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome>;

    /// Sends one datagram.
    fn send(&mut self, transmit: &Transmit, payload: &[u8]) -> SendOutcome;

    /// Whether [`request`](Self::request) takes another one now.
    fn is_ready_for_requests(&self) -> bool;

    /// Carries out a request.
    fn request(&mut self, request: Request, sink: &mut dyn FnMut(Input<'_>));

    /// What an operator should know.
    fn diagnostics(&self) -> Vec<Diagnostic>;

    /// What it does for the interfaces.
    fn view(&self) -> SystemView;

    /// Removes what was installed.
    fn close(self);
}

impl Outside for System {
    fn sources(&self) -> io::Result<Vec<(Source, OwnedFd)>> {
        System::sources(self).map(|(source, fd)| Ok((source, fd.try_clone_to_owned()?))).collect()
    }

    fn start(&mut self, sink: &mut dyn FnMut(Input<'_>)) {
        System::start(self, sink);
    }

    fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        System::read(self, source, budget, sink)
    }

    fn send(&mut self, transmit: &Transmit, payload: &[u8]) -> SendOutcome {
        System::send(self, transmit, payload)
    }

    fn is_ready_for_requests(&self) -> bool {
        System::is_ready_for_requests(self)
    }

    fn request(&mut self, request: Request, sink: &mut dyn FnMut(Input<'_>)) {
        System::request(self, request, sink);
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        System::diagnostics(self)
    }

    fn view(&self) -> SystemView {
        System::view(self)
    }

    fn close(self) {
        System::close(self);
    }
}
