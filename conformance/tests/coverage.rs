//! The catalogue is sound, and coverage does not fall.

use std::collections::BTreeSet;

use conformance::cases::CASES;
use conformance::catalogue::{Catalogue, CatalogueError};
use conformance::coverage::{self, Coverage, CoverageError, Shown, Standing, Waiver};

const ONE: &str = r#"
[[requirement]]
id = "x-1"
section = "1"
level = "must"
role = "any"
plane = "path"
text = "It does."
test = "See it do."
observable = "wire"
"#;

fn one() -> Catalogue {
    Catalogue::parse(&[("x.toml", ONE)]).expect("it is sound")
}

#[test]
fn the_catalogue_is_sound() {
    let catalogue = Catalogue::load().expect("it is sound");
    assert!(catalogue.requirements().count() >= 2284, "requirements are only ever added");
}

#[test]
fn an_id_that_is_there_twice_is_refused() {
    let error = Catalogue::parse(&[("x.toml", ONE), ("y.toml", ONE)]).expect_err("x-1 is there twice");
    assert!(matches!(error, CatalogueError::Duplicate { file, id } if file == "y.toml" && id == "x-1"));
}

#[test]
fn an_unknown_level_is_refused() {
    let text = ONE.replace("\"must\"", "\"ought\"");
    let error = Catalogue::parse(&[("x.toml", &text)]).expect_err("there is no such level");
    assert!(error.to_string().contains("unknown variant `ought`"), "{error}");
}

#[test]
fn a_reference_to_nothing_is_refused() {
    let text = format!("{ONE}same_as = \"x-2\"");
    let error = Catalogue::parse(&[("x.toml", &text)]).expect_err("there is no x-2");
    assert!(matches!(error, CatalogueError::Dangling { same_as, .. } if same_as == "x-2"));
}

#[test]
fn a_test_or_waiver_of_an_unknown_requirement_is_refused() {
    let shown = Shown { id: "x-9", file: "f.rs", test: "t", is_case: true };
    let error = Coverage::new(one(), &[shown], Vec::new()).expect_err("there is no x-9");
    assert!(matches!(error, CoverageError::UnknownShown(_)));
    let waiver = Waiver { ids: vec!["x-9".to_owned()], reason: "none".to_owned() };
    let error = Coverage::new(one(), &[], vec![waiver]).expect_err("there is no x-9");
    assert!(matches!(error, CoverageError::UnknownWaived(_)));
}

#[test]
fn a_waiver_needs_a_reason_and_no_test() {
    let waiver = |reason: &str| vec![Waiver { ids: vec!["x-1".to_owned()], reason: reason.to_owned() }];
    let coverage = Coverage::new(one(), &[], waiver("it is for hosts")).expect("it is sound");
    let requirement = coverage.catalogue().find("x-1").expect("it is there");
    assert_eq!(coverage.standing(requirement), Standing::Waived("it is for hosts"));
    let error = Coverage::new(one(), &[], waiver(" ")).expect_err("there is no reason");
    assert!(matches!(error, CoverageError::NoReason(_)));
    let shown = Shown { id: "x-1", file: "f.rs", test: "t", is_case: true };
    let error = Coverage::new(one(), &[shown], waiver("it is for hosts")).expect_err("both at once");
    assert!(matches!(error, CoverageError::Contradiction(_)));
}

#[test]
fn coverage_does_not_fall() {
    let coverage = Coverage::load().unwrap_or_else(|error| panic!("{error}"));
    let files = coverage.files();
    let floor = coverage::floor().expect("coverage.toml is sound").covered;
    for name in floor.keys() {
        assert!(
            files.iter().any(|file| file.file == *name),
            "coverage.toml names {name}, which is not there"
        );
    }
    for file in files {
        let (name, covered) = (&file.file, file.covered);
        let floor = floor.get(name).copied().unwrap_or(0);
        assert!(covered >= floor, "{name}: {covered} requirements are shown by tests, once it was {floor}");
        assert!(covered == floor, "{name}: {covered} requirements are shown by tests; raise coverage.toml");
        let sum = covered + file.waived + file.open;
        assert_eq!(sum, file.total, "{name}: every requirement has one standing");
    }
}

#[test]
fn cases_do_not_become_fewer() {
    let floor = coverage::floor().expect("coverage.toml is sound").cases;
    assert!(CASES.len() >= floor, "{} cases, once it was {floor}", CASES.len());
    let ids: BTreeSet<&str> = CASES.iter().map(|case| case.id).collect();
    assert_eq!(ids.len(), CASES.len(), "every case has an id of its own");
}
