//! What somebody may have meant.

/// How alike two texts have to be to be taken for each other.
const ALIKE: f64 = 0.7;
const MOST: usize = 5;

/// Those of `known` that are nearest to `asked`: first those that contain it, then those that are spelt alike.
pub(crate) fn near<'a>(asked: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let asked = asked.to_lowercase();
    let likeness = |known: &str| {
        if known.to_lowercase().contains(&asked) {
            2.0
        } else {
            strsim::normalized_damerau_levenshtein(&asked, known)
        }
    };
    let mut known: Vec<(f64, &str)> = known.into_iter().map(|known| (likeness(known), known)).collect();
    known.retain(|(likeness, _)| *likeness >= ALIKE);
    known.sort_by(|one, other| other.0.total_cmp(&one.0));
    known.into_iter().take(MOST).map(|(_, known)| known).collect()
}

/// `did you mean …`, or else `otherwise`.
pub(crate) fn suggestion<'a>(
    asked: &str,
    known: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    match &near(asked, known)[..] {
        [] => otherwise.to_owned(),
        near => format!("did you mean {}?", near.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contains_it_comes_before_what_is_spelt_alike() {
        let known = ["rfc2205-3.1-01", "rfc2205-3.1-011", "rfc2961-4.1-01", "service-2-01"];
        assert_eq!(near("rfc2205-3.1-01", known), ["rfc2205-3.1-01", "rfc2205-3.1-011", "rfc2961-4.1-01"]);
        assert_eq!(near("RFC2205-3.1-10", known)[0], "rfc2205-3.1-01");
        assert_eq!(suggestion("nonsense", known, "see `list`"), "see `list`");
    }
}
