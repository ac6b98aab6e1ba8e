//! What may be the name of a member or a room, and which names look the same.

/// Most characters in the name of a member or a room.
const MAX_NAME: usize = 32;

/// Returns the name without blanks around it, if it is one: 1 to 32 characters, some of them visible, and none that
/// controls a terminal or the direction of the text around it.
pub(crate) fn parse(name: &str) -> Option<&str> {
    let name = name.trim();
    let fits = name.chars().nth(MAX_NAME).is_none();
    (fits && !name.contains(controls) && !key(name).is_empty()).then_some(name)
}

/// Returns the same text for names that differ in case or in invisible characters only.
pub(crate) fn key(name: &str) -> String {
    name.chars().filter(|c| !is_invisible(*c)).flat_map(char::to_lowercase).collect()
}

fn controls(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether it shows nothing: blanks, joiners (which emoji are made with), fillers, selectors of variants, tags.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'
                ..='\u{180f}'
        )
        || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_32_characters_after_trimming() {
        assert_eq!(parse("  Ada \n"), Some("Ada"));
        assert_eq!(parse(&"é".repeat(32)), Some(&*"é".repeat(32)));
        assert_eq!(parse(&"e".repeat(33)), None);
        assert_eq!(parse(""), None);
        assert_eq!(parse(" \t "), None);
    }

    #[test]
    fn a_name_that_controls_or_shows_nothing_is_none() {
        for name in [
            "a\u{1b}[2Jb",
            "a\nb",
            "\u{202e}nimda",
            "a\u{2066}b",
            "\u{200b}",
            "\u{3164}",
            "\u{e0041}",
        ] {
            assert_eq!(parse(name), None, "{name:?}");
        }
        assert_eq!(parse("👩‍🚀"), Some("👩‍🚀"));
    }

    #[test]
    fn names_that_look_the_same_are_the_same() {
        for same in ["Ada L", "ada l", "A\u{200d}daL", "ADA  L"] {
            assert_eq!(key(same), "adal", "{same:?}");
        }
        assert_ne!(key("Ada"), key("Äda"));
    }
}
