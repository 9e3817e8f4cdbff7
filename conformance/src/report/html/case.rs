//! One case on the page.

use std::collections::HashMap;

use maud::{Markup, html};

use crate::report::html::{anchor, badge, seconds};
use crate::report::{Case, Line, What, captures, folder};
use crate::verdict::{Difference, Failure, Verdict};

/// How many lines of a transcript the page holds, of a case that passed and of another: the page has to stay one that a
/// browser can show. All of them are in the capture.
const LINES: usize = 60;
const LINES_OF_TROUBLE: usize = 400;

/// How long the description of a packet may be, in characters: in few words, and object by object.
const WORDS: usize = 400;
const OBJECTS: usize = 4000;

pub(super) fn case(case: &Case<'_>) -> Markup {
    let is_trouble = matches!(case.verdict, Verdict::Fail | Verdict::NotStrict | Verdict::Inconclusive);
    let name = case.id.rsplit('/').next().unwrap_or(case.id);
    let ids: Vec<&str> = case.requirements.iter().map(|clause| clause.id).collect();
    html! {
        details.case id=(anchor(case.id)) open[is_trouble] data-verdict=(super::class(case.verdict)) data-ids=(ids.join(" ")) {
            summary {
                (badge(case.verdict))
                h4 { (name) }
                span.time { (seconds(case.duration_ms)) }
            }
            div.body {
                p { (case.text) }
                ul.clauses {
                    @for clause in &case.requirements {
                        li {
                            span.level { (clause.level) } " " (clause.text)
                            " " small { (clause.id) ", section " (clause.section) ", " (clause.role) }
                        }
                    }
                }
                @if let Some(failure) = case.failure { (self::failure(failure)) }
                @else if let Some(reason) = case.reason { p.reason { (reason) } }
                @if let Some(dump) = case.dump {
                    details { summary { h5 { "What the device said of its state" } } pre tabindex="0" { (dump) } }
                }
                (transcript(case, is_trouble))
                p.source {
                    small {
                        code { (case.id) } " in " code { "conformance/" (case.file) } ", "
                        a href={ (folder::CAPTURES) "/" (captures::file_name(case.id)) } { "capture" }
                    }
                }
            }
        }
    }
}

fn failure(Failure { about, expected, came, difference, place }: &Failure) -> Markup {
    html! {
        dl.failure {
            @if let Some(about) = about { div { dt { "About" } dd { (about) } } }
            div.expected { dt { "Expected" } dd { pre tabindex="0" { (expected) } } }
            div.came { dt { "Came" } dd { pre tabindex="0" { (came) } } }
            @if let Some(difference) = difference {
                div.difference { dt { "First difference" } dd { (self::difference(difference)) } }
            }
            @if let Some(place) = place { div { dt { "At" } dd { code { (place) } } } }
        }
    }
}

/// Both texts, marked from where they part.
fn difference(Difference { expected, came }: &Difference) -> Markup {
    let same = expected.chars().zip(came.chars()).take_while(|(one, other)| one == other);
    let same: usize = same.map(|(c, _)| c.len_utf8()).sum();
    let parted = |text: &str| html! { (text[..same]) mark { (text[same..]) } };
    html! {
        pre tabindex="0" {
            span.side { "expected " } (parted(expected)) "\n"
            span.side { "came     " } (parted(came))
        }
    }
}

fn transcript(case: &Case<'_>, is_trouble: bool) -> Markup {
    let most = if is_trouble { LINES_OF_TROUBLE } else { LINES };
    let packets = case.transcript.iter().filter(|line| line.packet.is_some()).count();
    // As in the capture, packets are counted from 1.
    let (mut seen, mut number) = (HashMap::new(), 0);
    html! {
        @if !case.transcript.is_empty() {
            details.transcript open[is_trouble] {
                summary { h5 { "Transcript" } " " small { (packets) " packets" } }
                ol {
                    @for (place, line) in case.transcript.iter().take(most).enumerate() {
                        @if case.devices > 1 && (place == 0 || case.transcript[place - 1].device != line.device) {
                            li.device { "Device " (line.device) }
                        }
                        (self::line(&mut number, line, &mut seen))
                    }
                }
                @if case.transcript.len() > most {
                    p.reason { "And " (case.transcript.len() - most) " more lines: the capture has all packets." }
                }
            }
        }
    }
}

/// A line, with its packet taken apart; where the same message was there before, it says where.
fn line<'a>(number: &mut usize, line: &Line<'a>, seen: &mut HashMap<&'a [u8], usize>) -> Markup {
    let way = match line.what {
        What::ToDevice => "to",
        What::FromDevice => "from",
        What::Note => "note",
    };
    let Some(packet) = line.packet else {
        return html! { li.note { span.time { (line.time()) } " " (line.text) } };
    };
    *number += 1;
    let before = *seen.entry(&packet.message).or_insert(*number);
    html! {
        li.(way) {
            details {
                summary {
                    span.time { (line.time()) } " "
                    span.way { (line.from) " → " (line.to.as_deref().unwrap_or_default()) } " "
                    span.what { (beginning(&line.text, WORDS)) }
                }
                pre tabindex="0" {
                    "#" (number) " " (line.headers().unwrap_or_default()) "\n"
                    @if before == *number { (beginning(&rsvp_decode::describe(&packet.message), OBJECTS)) }
                    @else { "The same message as #" (before) "." }
                }
            }
        }
    }
}

/// A text, or what there is room for.
fn beginning(text: &str, most: usize) -> Markup {
    match text.char_indices().nth(most) {
        Some((end, _)) => html! { (text[..end]) "… and " (text.len() - end) " more characters" },
        None => html! { (text) },
    }
}
