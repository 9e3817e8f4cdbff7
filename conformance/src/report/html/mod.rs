//! `index.html`: one page that needs nothing else, not even a script but for its filter.
//!
//! maud escapes whatever is put into the page, so no text of a device can become part of its markup.

mod case;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::{Counts, Report, Rfc, Share};
use crate::run::Conclusion;
use crate::verdict::Verdict;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("filter.js");
/// The page fetches nothing from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The page of a report.
#[must_use]
pub fn page(report: &Report<'_>) -> String {
    let verdict = match report.conclusion {
        Conclusion::Passed => "passed",
        Conclusion::Failed => "failed",
        Conclusion::Open => "not judged",
    };
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "RSVP conformance of " (report.device) ": " (verdict) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(report))
                main {
                    (summary(report))
                    (troubles(report))
                    (filter(report))
                    @for rfc in &report.rfcs { (chapter(report, rfc)) }
                }
                (legend())
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    document.into_string()
}

fn head(report: &Report<'_>) -> Markup {
    let bad: usize =
        Verdict::ALL.iter().filter(|one| !one.is_good(report.strict)).map(|one| report.counts.of(*one)).sum();
    let (verdict, class, word) = match report.conclusion {
        Conclusion::Passed => (Verdict::Pass, "pass", "Passed"),
        Conclusion::Failed => (Verdict::Fail, "fail", "Failed"),
        Conclusion::Open => (Verdict::Inconclusive, "inconclusive", "Not judged"),
    };
    html! {
        header {
            p.kind { "RSVP conformance report" }
            h1 { (report.device) }
            p.outcome.(class) {
                strong { (icon(verdict)) " " (word) }
                @if bad == 0 { ": none of " (report.counts.total()) " cases failed" }
                @else { ": " (bad) " of " (report.counts.total()) " cases failed" }
                @if report.counts.total() < report.planned {
                    ", " (report.planned - report.counts.total()) " were not run"
                }
            }
            dl.facts {
                div { dt { "Began" } dd { time { (report.began) } } }
                div { dt { "Took" } dd { (seconds(report.duration_ms)) } }
                div { dt { "Suite" } dd { "conformance " (report.suite) } }
                div { dt { "Held to" } dd { @if report.strict { "requirements and recommendations" } @else { "requirements" } } }
                div { dt { "Also as" } dd { a href="report.json" { "JSON" } ", " a href="junit.xml" { "JUnit" } } }
            }
        }
    }
}

/// What went wrong.
fn troubles(report: &Report<'_>) -> Markup {
    let worth_reading = [Verdict::Fail, Verdict::NotStrict, Verdict::Inconclusive];
    let troubles: Vec<_> = report.cases.iter().filter(|case| worth_reading.contains(&case.verdict)).collect();
    html! {
        @if !troubles.is_empty() {
            section {
                h2 { "What did not pass" }
                ul.troubles {
                    @for case in troubles {
                        li {
                            (badge(case.verdict)) " "
                            a href={ "#" (anchor(case.id)) } { (case.id) }
                            @if let Some(reason) = case.reason { p { (reason) } }
                        }
                    }
                }
            }
        }
    }
}

fn summary(report: &Report<'_>) -> Markup {
    let columns: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|verdict| *verdict == Verdict::Pass || report.counts.of(*verdict) > 0)
        .collect();
    let shares: Vec<&Share> = report.shares.iter().filter(|share| share.shown + share.broken > 0).collect();
    html! {
        section {
            h2 { "Summary" }
            h3 { "Cases" }
            div.wide { table {
                thead { (table_head("RFC", &columns)) }
                tbody {
                    @for rfc in &report.rfcs {
                        tr {
                            th scope="row" { a href={ "#" (anchor(rfc.rfc)) } { (title(rfc.rfc)) } }
                            (cells(&rfc.counts, &columns))
                        }
                    }
                }
                tfoot { tr.sum { th scope="row" { "All" } (cells(&report.counts, &columns)) } }
            } }
            @for rfc in &report.rfcs {
                details {
                    summary { "Sections of " (title(rfc.rfc)) }
                    div.wide { table {
                        thead { (table_head("Section", &columns)) }
                        tbody { @for section in &rfc.sections {
                            tr {
                                th scope="row" {
                                    a href={ "#" (anchor(rfc.rfc)) "-" (anchor(section.section)) } { (section_title(section.section)) }
                                }
                                (cells(&section.counts, &columns))
                            }
                        } }
                    } }
                }
            }
            @if !shares.is_empty() {
                h3 { "Requirements" }
                p { "Of the requirements that can be seen over the wire, how many the cases that passed show, and how many a case found broken." }
                div.wide { table {
                    thead { tr { th scope="col" { "Catalogue" } th scope="col" {} th scope="col" { "shown" } th scope="col" { "broken" } th scope="col" { "of" } } }
                    tbody {
                        @for share in shares {
                            tr {
                                th scope="row" { (title(&share.file)) }
                                td.graph { (bar(&[("pass", share.shown), ("fail", share.broken), ("rest", share.visible - share.shown - share.broken)])) }
                                td { (share.shown) " (" (format!("{:.0}", share.percent())) " %)" }
                                td { (share.broken) }
                                td { (share.visible) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

fn table_head(first: &str, columns: &[Verdict]) -> Markup {
    html! {
        tr {
            th scope="col" { (first) }
            th scope="col" {}
            th scope="col" { "cases" }
            @for verdict in columns { th scope="col" { (verdict) } }
        }
    }
}

fn cells(counts: &Counts, columns: &[Verdict]) -> Markup {
    let parts: Vec<(&str, usize)> =
        Verdict::ALL.iter().map(|verdict| (class(*verdict), counts.of(*verdict))).collect();
    html! {
        td.graph { (bar(&parts)) }
        td { (counts.total()) }
        @for verdict in columns {
            @let count = counts.of(*verdict);
            @if count == 0 { td.none { "0" } } @else { td.(class(*verdict)) { (count) } }
        }
    }
}

/// Parts of a whole, as wide as they are many. The numbers stand beside it.
fn bar(parts: &[(&str, usize)]) -> Markup {
    html! {
        span.bar aria-hidden="true" {
            @for (class, count) in parts { @if *count > 0 { span.(class) style={ "flex-grow:" (count) } {} } }
        }
    }
}

/// It shows itself only where its script runs.
fn filter(report: &Report<'_>) -> Markup {
    html! {
        form #filter hidden {
            h2 { "Cases" }
            div.fields {
                label { "Text " input type="search" name="text" placeholder="id, words, requirement" autocomplete="off"; }
                label { "RFC "
                    select name="rfc" {
                        option value="" { "all" }
                        @for rfc in &report.rfcs { option value=(rfc.rfc) { (title(rfc.rfc)) } }
                    }
                }
                button type="button" name="unfold" { "Unfold" }
                button type="button" name="fold" { "Fold" }
            }
            fieldset {
                legend { "Verdicts" }
                @for verdict in Verdict::ALL { @if report.counts.of(verdict) > 0 {
                    label { input type="checkbox" name="verdict" value=(class(verdict)) checked; (badge(verdict)) }
                } }
            }
            output aria-live="polite" {}
        }
    }
}

fn chapter(report: &Report<'_>, rfc: &Rfc<'_>) -> Markup {
    html! {
        section.chapter id=(anchor(rfc.rfc)) {
            h2 { (title(rfc.rfc)) }
            @for section in &rfc.sections {
                section.section id={ (anchor(rfc.rfc)) "-" (anchor(section.section)) } {
                    h3 { (section_title(section.section)) }
                    @for case in report.of_section(rfc.rfc, section.section) { (case::case(case)) }
                }
            }
        }
    }
}

fn legend() -> Markup {
    let meanings = Verdict::ALL.map(|verdict| (verdict, verdict.meaning()));
    html! {
        footer {
            h2 { "Verdicts" }
            dl.legend { @for (verdict, meaning) in meanings { div { dt { (badge(verdict)) } dd { (meaning) } } } }
        }
    }
}

fn badge(verdict: Verdict) -> Markup {
    html! { span.badge.(class(verdict)) { span aria-hidden="true" { (icon(verdict)) } " " (verdict) } }
}

/// Verdicts differ by more than a colour.
const fn icon(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✗",
        Verdict::NotStrict => "!",
        Verdict::Unsupported => "–",
        Verdict::Inconclusive => "?",
        Verdict::Skipped => "○",
    }
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::NotStrict => "not-strict",
        Verdict::Unsupported => "unsupported",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Skipped => "skipped",
    }
}

/// An id for the page.
fn anchor(id: &str) -> String {
    id.replace('/', "_")
}

/// `RFC 2205`, or what else a group of cases is called.
fn title(rfc: &str) -> String {
    match rfc.strip_prefix("rfc") {
        Some(number) if number.chars().all(|c| c.is_ascii_digit()) => format!("RFC {number}"),
        _ => sentence(rfc),
    }
}

fn section_title(section: &str) -> String {
    match section.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("Section {section}"),
        Some(first) if first.is_ascii_uppercase() => format!("Appendix {section}"),
        _ => sentence(section),
    }
}

fn sentence(name: &str) -> String {
    let name = name.replace('-', " ");
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn seconds(millis: u64) -> String {
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..120_000 => format!("{}.{} s", millis / 1000, millis / 100 % 10),
        _ => format!("{} min {} s", millis / 60_000, millis / 1000 % 60),
    }
}
