//! Raw RSVP sockets, netlink and traffic control on Linux: the one place with I/O.
