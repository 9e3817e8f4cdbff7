//! A mio driver for rsvp-core.
