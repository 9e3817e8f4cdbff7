//! RFC 2961 sections 5.4 to 5.6: NACKs, soft state, compatibility.
