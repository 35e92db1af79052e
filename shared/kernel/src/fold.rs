//! What is written differently and means the same: width, case, script and the spaces between.
//!
//! For comparing what people typed with what is known (headers of sheets, rooms, references). What is stored and shown stays as it was written.

use std::{collections::HashMap, sync::LazyLock};

use unicode_normalization::UnicodeNormalization as _;

/// Traditional characters, each followed by its simplified one: OpenCC's `TSCharacters` (Apache-2.0), those that map one to one.
const PAIRS: &str = include_str!("../traditional.txt");

static SIMPLIFIED: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let characters: Vec<char> = PAIRS.chars().filter(|c| *c != '\n').collect();
    characters.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))).collect()
});

/// The character in simplified script.
#[must_use]
pub fn simplified(character: char) -> char {
    match SIMPLIFIED.get(&character).copied().unwrap_or(character) {
        // Both are in use for an account, whatever the script.
        '帐' => '账',
        other => other,
    }
}

/// The text in one width, trimmed: codes and numbers as machines write them.
#[must_use]
pub fn narrowed(text: &str) -> String {
    let composed: String = text.nfkc().filter(|c| !is_unseen(*c)).collect();
    composed.trim().to_owned()
}

/// The text in one width, case and script, without spaces.
#[must_use]
pub fn folded(text: &str) -> String {
    let composed = text.nfkc().flat_map(char::to_lowercase).map(simplified);
    composed.filter(|c| !c.is_whitespace() && !c.is_control() && !is_unseen(*c)).collect()
}

/// Characters that take no room: marks of order and joiners that come along with what was copied.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_case_script_and_spaces_make_no_difference() {
        for (written, meant) in [
            ("１號樓", "1号楼"),
            ("1 号楼", "1号楼"),
            ("１号楼\u{a0}", "1号楼"),
            ("Ｂlock\u{3000}A", "blocka"),
            ("御溪花園", "御溪花园"),
            ("帳號", "账号"),
            ("帐号", "账号"),
            ("手机号\u{200b}", "手机号"),
        ] {
            assert_eq!(folded(written), meant, "{written}");
        }
        assert_ne!(folded("101"), folded("0101"));
    }

    #[test]
    fn what_is_simplified_stays() {
        assert_eq!(SIMPLIFIED.len(), 2985);
        for simple in SIMPLIFIED.values() {
            assert_eq!(folded(&simplified(*simple).to_string()), folded(&simple.to_string()));
        }
    }
}
