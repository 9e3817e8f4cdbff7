//! What is in the messages.

use rsvp_core::wire::{ClassNum, ErrorSpec, Flowspec, MessageType, Object, RawObject, Session, Style};

use crate::alter::Alteration;
use crate::alter::fault::{Hears, Rewrites, change_each, change_objects, count, find};
use crate::alter::kinds::kind;
use crate::alter::memory::{AsksAgain, Echoes, KeepsIgnored};

pub(super) const KINDS: &[Alteration] = &[
    kind("order", "rfc2205-3.1-01", "TIME_VALUES stands in front of SESSION and RSVP_HOP", || {
        Box::new(Rewrites(|_, objects| {
            if let (Some(from), Some(to)) =
                (find(objects, ClassNum::TIME_VALUES), find(objects, ClassNum::SESSION))
            {
                let moved = objects.remove(from);
                objects.insert(to, moved);
            }
        }))
    }),
    kind("session-flags", "rfc2205-3.8-02", "the E_Police flag of SESSION is inverted in a Path", || {
        Box::new(Rewrites(|kind, objects| {
            if kind == MessageType::PATH {
                change_each(objects, ClassNum::SESSION, |object| {
                    if let Object::Session(session) = object {
                        session.flags ^= Session::E_POLICE;
                    }
                });
            }
        }))
    }),
    kind("hop-address", "rfc2205-3.1.3-05", "RSVP_HOP names an address that is not of the interface", || {
        Box::new(Rewrites(|_, objects| change_address(objects, ClassNum::RSVP_HOP)))
    }),
    kind("hop-kept", "rfc2205-3.1.3-05", "a Path is passed on with the RSVP_HOP that it came with", || {
        Box::new(Echoes::new(ClassNum::RSVP_HOP, MessageType::PATH))
    }),
    kind("lih", "rfc2205-3.1.4-03", "a Resv does not return the LIH of the Path", || {
        Box::new(Rewrites(|kind, objects| {
            if kind == MessageType::RESV {
                change_lih(objects);
            }
        }))
    }),
    kind("resv-tear-lih", "rfc2205-3.1.6-05", "a ResvTear does not return the LIH of the Path", || {
        Box::new(Rewrites(|kind, objects| {
            if kind == MessageType::RESV_TEAR {
                change_lih(objects);
            }
        }))
    }),
    kind("time-values", "rfc2205-3.7-04", "TIME_VALUES states three times the refresh period", || {
        Box::new(Rewrites(|_, objects| {
            change_each(objects, ClassNum::TIME_VALUES, |object| {
                if let Object::TimeValues(ms) = object {
                    *ms = ms.saturating_mul(3);
                }
            });
        }))
    }),
    kind("error-code", "rfc2205-B-01", "errors are reported with another code", || {
        Box::new(Rewrites(|_, objects| {
            change_error(objects, |error| {
                if error.code != 0 {
                    error.code = if error.code == 1 { 2 } else { 1 };
                }
            });
        }))
    }),
    kind("error-value", "rfc2205-B-03", "errors are reported with another value", || {
        Box::new(Rewrites(|_, objects| change_error(objects, |error| error.value ^= 1)))
    }),
    kind("error-node", "rfc2205-A.5-04", "the Error Node Address is another one", || {
        Box::new(Rewrites(|_, objects| change_address(objects, ClassNum::ERROR_SPEC)))
    }),
    kind("in-place", "rfc2205-3.1.8-07", "the flag InPlace of a ResvErr is inverted", || {
        Box::new(Rewrites(|kind, objects| {
            if kind == MessageType::RESV_ERR {
                change_error(objects, |error| error.flags ^= ErrorSpec::IN_PLACE);
            }
        }))
    }),
    kind("style", "rfc2205-1.3-06", "FF becomes SE and the other way round", || {
        Box::new(Rewrites(|kind, objects| {
            if kind == MessageType::RESV && count(objects, ClassNum::FILTER_SPEC) == 1 {
                change_each(objects, ClassNum::STYLE, |object| {
                    if let Object::Style(style) = object {
                        *style = match style {
                            Style::Ff => Style::Se,
                            Style::Se => Style::Ff,
                            Style::Wf => Style::Wf,
                        };
                    }
                });
            }
        }))
    }),
    kind("scope-missing", "rfc2205-3.4-02", "SCOPE is missing in a WF Resv", || {
        Box::new(Rewrites(|_, objects| objects.retain(|object| object.class != ClassNum::SCOPE.0)))
    }),
    kind(
        "last-request",
        "rfc2205-2.2-01",
        "a merged Resv asks for what was asked last, not for the most",
        || Box::new(Echoes::new(ClassNum::FLOWSPEC, MessageType::RESV)),
    ),
    kind("half-flowspec", "rfc2205-2.2-01", "a Resv asks for less than was asked for", || {
        Box::new(Rewrites(|kind, objects| {
            if kind == MessageType::RESV {
                halve(objects);
            }
        }))
    }),
    kind("descriptor-lost", "rfc2205-1.4-02", "the last of several FF flow descriptors is missing", || {
        Box::new(Rewrites(|kind, objects| {
            if kind == MessageType::RESV && has_filters(objects, Style::Ff) {
                objects.pop();
                objects.pop_if(|last| last.class == ClassNum::FLOWSPEC.0);
            }
        }))
    }),
    kind(
        "filter-lost",
        "rfc2205-1.4-03",
        "the last of several filters of an SE reservation is missing",
        || {
            Box::new(Rewrites(|kind, objects| {
                if kind == MessageType::RESV && has_filters(objects, Style::Se) {
                    objects.pop();
                }
            }))
        },
    ),
    kind("adspec-kept", "rfc2205-2.1-04", "ADSPEC is passed on as it came", || {
        Box::new(Echoes::new(ClassNum::ADSPEC, MessageType::PATH))
    }),
    kind("adspec-lost", "rfc2205-2.1-04", "ADSPEC is not passed on", || {
        Box::new(Rewrites(|_, objects| objects.retain(|object| object.class != ClassNum::ADSPEC.0)))
    }),
    kind("policy-lost", "rfc2205-2.7-02", "POLICY_DATA is not passed on", || {
        Box::new(Rewrites(|_, objects| objects.retain(|object| object.class != ClassNum::POLICY_DATA.0)))
    }),
    kind("confirm-lost", "rfc2205-3.1.4-09", "RESV_CONFIRM is not passed on", || {
        Box::new(Rewrites(|kind, objects| {
            if kind == MessageType::RESV {
                objects.retain(|object| object.class != ClassNum::RESV_CONFIRM.0);
            }
        }))
    }),
    kind("confirm-repeated", "rfc2205-2.6-03", "RESV_CONFIRM is repeated in refreshes", || {
        Box::new(AsksAgain::default())
    }),
    kind(
        "unknown-lost",
        "rfc2205-3.10-04",
        "an object of an unknown class 11bbbbbb is not passed on",
        || Box::new(Rewrites(|_, objects| objects.retain(|object| object.class < 0xc0))),
    ),
    kind("unknown-kept", "rfc2205-3.10-03", "an object of an unknown class 10bbbbbb is passed on", || {
        Box::new(KeepsIgnored::default())
    }),
    kind(
        "unknown-taken",
        "rfc2205-3.10-01",
        "a message with an object of an unknown class 0bbbbbbb is taken",
        || {
            Box::new(Hears(|packet| {
                change_objects(packet, |_, objects| {
                    objects.retain(|object| ClassNum(object.class).is_known() || object.class >= 0x80);
                });
            }))
        },
    ),
];

fn change_error(objects: &mut [RawObject], mut change: impl FnMut(&mut ErrorSpec)) {
    change_each(objects, ClassNum::ERROR_SPEC, |object| {
        if let Object::ErrorSpec(error) = object {
            change(error);
        }
    });
}

/// Whether a message is of this style, and has several filters, of which one is its last object.
fn has_filters(objects: &[RawObject], style: Style) -> bool {
    let is_of_style = find(objects, ClassNum::STYLE)
        .is_some_and(|at| Object::decode(&objects[at]) == Ok(Object::Style(style)));
    let ends_so = objects.last().is_some_and(|last| last.class == ClassNum::FILTER_SPEC.0);
    is_of_style && ends_so && count(objects, ClassNum::FILTER_SPEC) > 1
}

/// Changes the LIH of RSVP_HOP.
fn change_lih(objects: &mut [RawObject]) {
    change_each(objects, ClassNum::RSVP_HOP, |object| {
        if let Object::RsvpHop(hop) = object {
            hop.lih ^= 1;
        }
    });
}

/// Changes the address in front of the last four octets of the first object of a class.
fn change_address(objects: &mut [RawObject], class: ClassNum) {
    if let Some(place) = find(objects, class)
        && let Some(octet) = objects[place].contents.iter_mut().rev().nth(4)
    {
        *octet ^= 1;
    }
}

/// Halves the rates of all token buckets.
fn halve(objects: &mut [RawObject]) {
    change_each(objects, ClassNum::FLOWSPEC, |object| {
        if let Object::Flowspec(Flowspec::ControlledLoad(tspec) | Flowspec::Guaranteed(tspec, _)) = object {
            tspec.rate /= 2.0;
        }
    });
}
