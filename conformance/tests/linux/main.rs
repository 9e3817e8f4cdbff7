//! Requirements that only a kernel can show: what becomes of packets, on real interfaces in network namespaces.
//!
//! Packets are counted by the traffic class that they left by, so nothing here depends on the speed of the machine.

#![cfg(target_os = "linux")]

mod classes;
mod network;
