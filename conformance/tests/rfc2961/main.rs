//! Requirements of RFC 2961, by section.

mod section_1;
mod section_2;
mod section_3;
mod section_3_3;
mod section_4_1;
mod section_4_5;
mod section_4_6;
mod section_4_7;
mod section_4_8;
mod section_5_1;
mod section_5_2;
mod section_5_3;
mod section_5_4;
mod section_6;
