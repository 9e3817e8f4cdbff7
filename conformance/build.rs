//! Embeds the catalogue, and finds out which requirements the tests show.
//!
//! A requirement counts as shown by a `#[test]` function whose first statement is `shows(&["id", …])`. Only functions
//! that are sure to be compiled and run count: the scan follows `mod` declarations from `tests/*/main.rs`, as the
//! compiler does, and likewise from the kernel's tests, and fails where a test is ignored or conditional, or where `shows` stands anywhere else.
//!
//! A case is a function in `src/cases` with the same first statement, which takes the `Lab`. The cases are put into a table.
//! They speak to their DUT in packets alone, so that they can do it over the wire: it is a fault if one calls a function, by
//! whatever way, that looks inside.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use syn::visit::Visit;
use syn::{Attribute, Expr, ImplItem, Item, ItemFn, Lit, Stmt};

/// The method of a DUT that every other one sends by.
const SENDS: &str = ".send_packet";

/// The method of a DUT that every other one looks inside by, and the types that a test can do without a DUT by.
const LOOKS_INSIDE: [&str; 3] = [".inside", "InProcess", "Network"];

/// Test programs of other crates that show requirements: what the kernel does to data packets.
const KERNEL_TESTS: [&str; 1] = ["../rsvp-io/tests/traffic.rs"];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    for watched in ["requirements", "tests", "waivers.toml", "src/bench", "src/cases"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    fs::write(out.join("catalogue.rs"), embed(&root.join("requirements"))).expect("OUT_DIR is writable");
    let mut scan = Scan { root: root.clone(), bench: methods(&root.join("src/bench")), ..Scan::default() };
    scan.cases(&root.join("src/cases"));
    for folder in entries(&root.join("tests")) {
        let main = folder.join("main.rs");
        if main.is_file() {
            scan.file(&main, &folder);
            scan.expect_all_read(&folder);
        }
    }
    for test in KERNEL_TESTS {
        let main = root.join(test);
        println!("cargo::rerun-if-changed={}", main.display());
        scan.file(&main, main.parent().expect("it is in a folder"));
    }
    assert!(scan.faults.is_empty(), "{}", scan.faults.join("\n"));
    fs::write(out.join("shown.rs"), scan.table()).expect("OUT_DIR is writable");
    fs::write(out.join("cases.rs"), scan.case_table()).expect("OUT_DIR is writable");
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
    /// What the methods of the bench use.
    bench: Uses,
    /// What the functions of the cases use.
    functions: Uses,
    /// Requirement, file, test, and whether it is a case.
    shown: Vec<(String, String, String, bool)>,
    /// While the cases are read: the modules that lead to where the scan is.
    modules: Option<Vec<String>>,
    cases: Vec<CaseEntry>,
    read: BTreeSet<PathBuf>,
    faults: Vec<String>,
}

/// One row of the table of cases.
struct CaseEntry {
    modules: Vec<String>,
    name: String,
    text: String,
    file: String,
    ids: Vec<String>,
}

impl Scan {
    /// Reads the cases.
    fn cases(&mut self, folder: &Path) {
        self.modules = Some(Vec::new());
        self.file(&folder.join("mod.rs"), folder);
        self.expect_all_read(folder);
        self.modules = None;
        let functions = std::mem::take(&mut self.functions);
        for case in std::mem::take(&mut self.cases) {
            let used = self.closure(&functions, &case.name);
            if let Some(name) = LOOKS_INSIDE.iter().find(|name| used.contains(**name)) {
                self.faults.push(format!("{}: {} is a case, and looks inside: {name}", case.file, case.name));
            }
            if !used.contains(SENDS) {
                self.faults.push(format!("{}: {} is a case, and sends nothing", case.file, case.name));
            }
            let shown = |id: &String| (id.clone(), case.file.clone(), case.name.clone(), true);
            self.shown.extend(case.ids.iter().map(shown));
            self.cases.push(case);
        }
    }

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
                    if let Some(modules) = &mut self.modules {
                        modules.push(name.clone());
                    }
                    match &module.content {
                        Some((_, items)) => self.items(items, file, &children.join(name)),
                        None => self.module(&name, children),
                    }
                    if let Some(modules) = &mut self.modules {
                        modules.pop();
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
        if self.modules.is_some() {
            let used = names_in(|names| names.visit_item_fn(function));
            self.functions.entry(name.clone()).or_default().extend(used);
        }
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
        if let Some(modules) = self.modules.clone() {
            let (file, text) = (file.to_owned(), documentation(&function.attrs));
            if has(&function.attrs, "test")
                || has(&function.attrs, "cfg")
                || rest.is_empty()
                || text.is_empty()
            {
                self.faults.push(format!(
                    "{file}: {name}: a case is a function with a comment, that is no test, always there, and does something"
                ));
            }
            self.cases.push(CaseEntry { modules, name, text, file, ids });
            return;
        }
        let runs =
            has(&function.attrs, "test") && !has(&function.attrs, "ignore") && !has(&function.attrs, "cfg");
        if !runs || rest.is_empty() {
            self.faults.push(format!("{file}: {name}: shows requirements, but is no test that always runs"));
        }
        self.shown.extend(ids.into_iter().map(|id| (id, file.to_owned(), name.clone(), false)));
    }

    /// All names that a function uses, by way of others of its binary and of the bench.
    fn closure(&self, functions: &Uses, function: &str) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        let mut open = vec![function.to_owned()];
        while let Some(name) = open.pop() {
            let of_bench = self.bench.get(name.trim_start_matches('.'));
            for uses in [functions.get(&name), of_bench].into_iter().flatten() {
                open.extend(uses.iter().filter(|other| !used.contains(*other)).cloned());
            }
            used.insert(name);
        }
        used
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

    /// The cases in the order of RFC and section, as an array.
    fn case_table(&self) -> String {
        let mut text = "&[\n".to_owned();
        let mut cases: Vec<&CaseEntry> = self.cases.iter().collect();
        cases.sort_by_key(|case| (case.modules.first(), section_order(case.modules.get(1))));
        for CaseEntry { modules, name, text: about, file, ids } in cases {
            let path = format!("{}::{name}", modules.join("::"));
            let id = format!("{}/{}", id_of(modules), name.replace('_', "-"));
            writeln!(
                text,
                "Case {{ id: {id:?}, text: {about:?}, requirements: &{ids:?}, file: {file:?}, run: {path} }},"
            )
            .expect("it is a string");
        }
        text + "]"
    }

    fn table(&self) -> String {
        let mut text = "&[\n".to_owned();
        for (id, file, test, is_case) in &self.shown {
            let shown = format!("id: {id:?}, file: {file:?}, test: {test:?}, is_case: {is_case}");
            writeln!(text, "Shown {{ {shown} }},").expect("it is a string");
        }
        text + "]"
    }
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

/// The text of a comment, in one line.
fn documentation(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    attributes.iter().filter_map(line).collect::<Vec<_>>().join(" ")
}

/// The RFC and the section of a module: `rfc2205/3.1`.
fn id_of(modules: &[String]) -> String {
    let part = |module: &String| match module.strip_prefix("section_").or(module.strip_prefix("appendix_")) {
        Some(number) => number.replace('_', ".").to_uppercase(),
        None => module.replace('_', "-"),
    };
    modules.iter().map(part).collect::<Vec<_>>().join("/")
}

/// Sections by their numbers, then all else by name.
fn section_order(module: Option<&String>) -> (Vec<u32>, String) {
    let module = module.cloned().unwrap_or_default();
    let numbers = module.strip_prefix("section_").map(|numbers| {
        numbers.split('_').map(|number| number.parse().unwrap_or(u32::MAX)).collect::<Vec<u32>>()
    });
    (numbers.unwrap_or_else(|| vec![u32::MAX]), module)
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

/// The names that each function uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// What the methods of a DUT use.
fn methods(bench: &Path) -> Uses {
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut uses = Uses::new();
    for item in ["dut.rs", "reduction.rs", "te.rs"].iter().flat_map(|name| read(&bench.join(name)).items) {
        let Item::Impl(block) = item else { continue };
        for method in &block.items {
            let ImplItem::Fn(method) = method else { continue };
            let mut used = names_in(|names| names.visit_block(&method.block));
            // The bench names it where it makes a DUT.
            used.remove("InProcess");
            uses.entry(method.sig.ident.to_string()).or_default().extend(used);
        }
    }
    uses
}

/// The names in the calls of a piece of code; those of methods begin with a dot.
fn names_in(visit: impl FnOnce(&mut Names)) -> BTreeSet<String> {
    let mut names = Names::default();
    visit(&mut names);
    names.0
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl<'a> Visit<'a> for Names {
    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        self.0.insert(format!(".{}", call.method));
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        if let Expr::Path(path) = &*call.func {
            self.0.extend(path.path.segments.iter().map(|segment| segment.ident.to_string()));
        }
        syn::visit::visit_expr_call(self, call);
    }

    /// What an assertion says is not parsed: in there, a call is a name before a parenthesis.
    fn visit_macro(&mut self, call: &'a syn::Macro) {
        let text: String = call.tokens.to_string().split_whitespace().collect();
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        for (end, _) in text.match_indices('(') {
            let name = text[..end].rfind(|c| !is_name(c)).map_or(0, |before| before + 1);
            let start = if text[..name].ends_with('.') { name - 1 } else { name };
            self.0.insert(text[start..end].to_owned());
        }
    }
}
