//! Networks of rsvp-core nodes in virtual time, in one process.
