//! A tokio driver for rsvp-core.
