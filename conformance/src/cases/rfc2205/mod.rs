//! RFC 2205, Resource ReSerVation Protocol.

mod capacity;
pub(crate) mod section_1;
pub(crate) mod section_1_1;
pub(crate) mod section_1_2;
pub(crate) mod section_1_3;
pub(crate) mod section_1_4;
pub(crate) mod section_3_1;
pub(crate) mod section_3_1_1;
pub(crate) mod section_3_1_2;
pub(crate) mod section_3_1_3;
pub(crate) mod section_3_1_4;
pub(crate) mod section_3_1_5;
pub(crate) mod section_3_1_6;
pub(crate) mod section_3_1_8;
pub(crate) mod section_3_1_9;
pub(crate) mod section_3_3;
