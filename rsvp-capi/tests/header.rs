//! `include/rsvp.h` is what cbindgen makes of the sources. `UPDATE_HEADER=1 cargo test -p rsvp-capi --test header` makes
//! it anew.

use std::path::Path;

use cbindgen::{Builder, Config};

/// The files that have something for the header, in its order.
const SOURCES: [&str; 9] = [
    "src/abi.rs",
    "src/fault.rs",
    "src/types.rs",
    "src/installation.rs",
    "src/handle.rs",
    "src/node.rs",
    "src/poll.rs",
    "src/json.rs",
    "src/decode.rs",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn made() -> String {
    let root = root();
    let config = Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml can be read");
    let sources = SOURCES.iter().map(|source| root.join(source));
    let builder = sources.fold(Builder::new().with_config(config), Builder::with_src);
    let mut made = Vec::new();
    builder.generate().expect("the sources can be read").write(&mut made);
    String::from_utf8(made).expect("the header is text")
}

#[test]
fn the_header_is_up_to_date() {
    let made = made();
    let path = root().join("include/rsvp.h");
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&path, &made).expect("the header can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "include/rsvp.h is out of date: UPDATE_HEADER=1 cargo test -p rsvp-capi --test header"
    );
}

/// A function that is not in the header, or a file that is not in the list, would go unnoticed.
#[test]
fn every_function_is_in_the_header() {
    let header = made();
    let mut functions = 0;
    for file in std::fs::read_dir(root().join("src")).expect("there are sources") {
        let source = std::fs::read_to_string(file.expect("it can be listed").path()).expect("it is text");
        for after in source.split("extern \"C\" fn ").skip(1) {
            let name = after.split('(').next().expect("a function has a name");
            assert!(header.contains(&format!("{name}(")), "{name} is not in the header");
            functions += 1;
        }
    }
    assert!(functions > 20, "the functions were found");
}
