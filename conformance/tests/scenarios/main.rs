//! The examples that RFC 2205 explains itself by, as exchanges in text. Each snapshot says who is where, what came and
//! what was sent, in the notation of the RFC's figures, and ends with the figure that it has to be compared with. What stands in square brackets is a SCOPE (section 3.4),
//! which Figures 5, 8, 10 and 12 leave out. RFC 2961 has no figures; its scenes show what is lost, and what becomes of it.

mod killers;
mod loops;
mod neighbours;
mod notation;
mod reduction;
mod repair;
mod ring;
mod scene;
mod styles;
mod summary;
mod udp;
