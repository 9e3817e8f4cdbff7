//! Embeds the catalogue, and finds out which requirements the tests show.
//!
//! A requirement counts as shown by a `#[test]` function whose first statement is `shows(&["id", …])`. Only functions
//! that are sure to be compiled and run count: the scan follows `mod` declarations from `tests/*/main.rs`, as the
//! compiler does, and fails where a test is ignored or conditional, or where `shows` stands anywhere else.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use syn::visit::Visit;
use syn::{Attribute, Expr, Item, ItemFn, Lit, Stmt};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for watched in ["requirements", "tests", "waivers.toml"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    fs::write(out.join("catalogue.rs"), embed(&root.join("requirements"))).expect("OUT_DIR is writable");
    let mut scan = Scan { root: root.clone(), ..Scan::default() };
    for folder in entries(&root.join("tests")) {
        let main = folder.join("main.rs");
        if main.is_file() {
            scan.file(&main, &folder);
            scan.expect_all_read(&folder);
        }
    }
    assert!(scan.faults.is_empty(), "{}", scan.faults.join("\n"));
    fs::write(out.join("shown.rs"), scan.table()).expect("OUT_DIR is writable");
}

/// The catalogue's files, as an array of names and texts.
fn embed(folder: &Path) -> String {
    let mut text = "[\n".to_owned();
    for file in entries(folder).into_iter().filter(|file| file.extension().is_some_and(|end| end == "toml")) {
        let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
        writeln!(text, "({name:?}, include_str!({:?})),", file.display().to_string())
            .expect("it is a string");
    }
    text + "]"
}

/// The contents of a folder, in order of their names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<PathBuf> = read.map(|entry| entry.expect("readable").path()).collect();
    entries.sort();
    entries
}

#[derive(Default)]
struct Scan {
    root: PathBuf,
    /// Requirement, file, test.
    shown: Vec<(String, String, String)>,
    read: BTreeSet<PathBuf>,
    faults: Vec<String>,
}

impl Scan {
    /// Reads one file; `children` is where its modules are.
    fn file(&mut self, path: &Path, children: &Path) {
        self.read.insert(path.to_owned());
        let name = path.strip_prefix(&self.root).unwrap_or(path).display().to_string();
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        self.items(&file.items, &name, children);
    }

    fn items(&mut self, items: &[Item], file: &str, children: &Path) {
        for item in items {
            match item {
                Item::Fn(function) => self.function(function, file),
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    if has(&module.attrs, "cfg") || has(&module.attrs, "path") {
                        self.faults.push(format!("{file}: mod {name}: no cfg or path, please"));
                    }
                    match &module.content {
                        Some((_, items)) => self.items(items, file, &children.join(name)),
                        None => self.module(&name, children),
                    }
                }
                other => self.expect_no_shows(other, file),
            }
        }
    }

    fn module(&mut self, name: &str, children: &Path) {
        let nested = children.join(name);
        let flat = children.join(format!("{name}.rs"));
        let path = if flat.is_file() { flat } else { nested.join("mod.rs") };
        self.file(&path, &nested);
    }

    fn function(&mut self, function: &ItemFn, file: &str) {
        let name = function.sig.ident.to_string();
        let (first, rest) = match function.block.stmts.split_first() {
            Some((first, rest)) => (shown_ids(first), rest),
            None => (None, &[][..]),
        };
        let mut calls = CountShows::default();
        let others = if first.is_some() { rest } else { &function.block.stmts };
        others.iter().for_each(|statement| calls.visit_stmt(statement));
        if calls.0 > 0 {
            self.faults
                .push(format!("{file}: {name}: shows(&[\"id\"]) must be the first statement of a test"));
        }
        let Some(ids) = first else { return };
        let runs =
            has(&function.attrs, "test") && !has(&function.attrs, "ignore") && !has(&function.attrs, "cfg");
        if !runs || rest.is_empty() {
            self.faults.push(format!("{file}: {name}: shows requirements, but is no test that always runs"));
        }
        self.shown.extend(ids.into_iter().map(|id| (id, file.to_owned(), name.clone())));
    }

    fn expect_no_shows(&mut self, item: &Item, file: &str) {
        let mut calls = CountShows::default();
        calls.visit_item(item);
        if calls.0 > 0 {
            self.faults.push(format!("{file}: shows(…) stands outside of a test"));
        }
    }

    /// A file that no module declaration names would look like tests, and run none.
    fn expect_all_read(&mut self, folder: &Path) {
        for entry in entries(folder) {
            if entry.is_dir() {
                self.expect_all_read(&entry);
            } else if entry.extension().is_some_and(|end| end == "rs") && !self.read.contains(&entry) {
                self.faults.push(format!("{}: no mod declaration names this file", entry.display()));
            }
        }
    }

    fn table(&self) -> String {
        let mut text = "&[\n".to_owned();
        for (id, file, test) in &self.shown {
            writeln!(text, "Shown {{ id: {id:?}, file: {file:?}, test: {test:?} }},")
                .expect("it is a string");
        }
        text + "]"
    }
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

/// The ids of a statement `shows(&["id", …]);`.
fn shown_ids(statement: &Stmt) -> Option<Vec<String>> {
    let Stmt::Expr(Expr::Call(call), _) = statement else { return None };
    let Expr::Path(path) = &*call.func else { return None };
    if !path.path.is_ident("shows") || call.args.len() != 1 {
        return None;
    }
    let Expr::Reference(reference) = &call.args[0] else { return None };
    let Expr::Array(array) = &*reference.expr else { return None };
    let text = |element: &Expr| match element {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    array.elems.iter().map(text).collect()
}

/// Counts mentions of `shows`.
#[derive(Default)]
struct CountShows(usize);

impl<'a> Visit<'a> for CountShows {
    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        if let Expr::Path(path) = &*call.func
            && path.path.segments.last().is_some_and(|last| last.ident == "shows")
        {
            self.0 += 1;
        }
        syn::visit::visit_expr_call(self, call);
    }
}
