//! Requirements of the RSVP RFCs and the tests that show them.
