//! Devices that are reached over packets: a [`Profile`] says what they are, a [`Bench`] hands them out.

mod applications;
mod bench;
mod daemon_config;
mod device;
mod frames;
mod heard;
mod hooks;
mod isolation;
mod leftovers;
mod links;
mod medium;
mod neighbors;
mod network;
mod operations;
mod profile;
mod program;

pub use bench::Bench;
pub use daemon_config::file as daemon_config;
pub use hooks::Hooks;
pub use isolation::{Isolated, enter, is_interrupted, stay};
pub use profile::{
    Addresses, BenchKind, ConfigForm, Interfaces, LinkKind, Profile, ProfileError, Role, Settings, Skip,
    TimingTable,
};
