//! The daemon: start-up, service, reload, and a clean end.

mod detach;
mod privileges;
mod reload;
mod serve;
mod standing;

pub(crate) use detach::detach;
pub(crate) use reload::reload;
pub(crate) use serve::{Options, Record, run};
pub(crate) use standing::Standing;
