//! Requirements of RFC 2205, by section.

mod across_sections;
mod appendix_b;
mod appendix_c;
mod codec;
mod policy;
mod section_1;
mod section_2;
mod section_3_1;
mod section_3_11;
mod section_3_2;
mod section_3_4;
mod section_3_5;
mod section_3_7;
mod section_3_8;
mod section_3_9;
mod traffic_control;
