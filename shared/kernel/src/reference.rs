//! Short references that people quote: `C-261123-7K3QD4M`.
//!
//! A letter for the kind, the day at the place, six characters of Crockford's base 32 drawn from the id, and a check character, so that
//! a slip of the pen is noticed. Six characters give a thousand million values a day and kind: of a million of one day some five hundred
//! pairs are alike, of ten thousand one in twenty days. Nothing is refused for that: a search by reference then shows both, and who wants
//! it for themselves (a work order) draws anew.

use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: usize = 6;
/// Letters and digits of a whole one: kind, day, digits, check character.
const LENGTH: usize = 1 + 6 + DIGITS + 1;

/// The reference of a thing with this id, made on that day.
///
/// * `on`: the day where the thing is, as the people there would write it.
#[must_use]
pub fn reference(letter: char, id: Uuid, on: NaiveDate) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(id.as_bytes());
    let body: String = digest.iter().take(DIGITS).map(|byte| symbol(usize::from(*byte) % 32)).collect();
    let stem = format!("{letter}-{}-{body}", on.format("%y%m%d"));
    let check = check_character(&stem);
    format!("{stem}{check}")
}

/// Whether the check character of a reference is right; small letters and the look-alikes O, I and L are understood.
#[must_use]
pub fn is_plausible(text: &str) -> bool {
    let text = normalise(text);
    let Some(check) = text.chars().last() else { return false };
    let stem: String = text.chars().take(text.chars().count() - 1).collect();
    stem.chars().count() == "C-261123-".len() + DIGITS && check_character(&stem) == check
}

/// As it stands in the register: capital letters, look-alikes mended behind the letter of the kind.
#[must_use]
pub fn normalise(text: &str) -> String {
    text.trim().to_ascii_uppercase().char_indices().map(|(at, c)| if at > 0 { mended(c) } else { c }).collect()
}

/// A look-alike as the character of the alphabet that it was meant to be.
const fn mended(c: char) -> char {
    match c {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

/// By what a list is searched for a reference: how its letters and digits begin when they are read backwards.
///
/// So any spelling finds it: full width, small letters, look-alikes, without hyphens, only its last part. A text without letters and digits
/// finds nothing.
#[must_use]
pub fn search_key(text: &str) -> String {
    let written: String = text.nfkc().filter(char::is_ascii_alphanumeric).collect();
    // Of a whole reference the first is the letter of the kind; of a part all are of the alphabet.
    let kind = usize::from(written.len() == LENGTH);
    let plain = written.char_indices().map(|(at, c)| if at < kind { c } else { mended(c.to_ascii_uppercase()) });
    let ending: String = plain.rev().collect::<String>().to_ascii_uppercase();
    // No reference has a hyphen when it is read so.
    if ending.is_empty() { "-".to_owned() } else { ending }
}

/// Weights rise from one position to the next, and all are odd and so prime to 32: every single wrong character changes the sum.
fn check_character(stem: &str) -> char {
    let sum: usize = stem
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .enumerate()
        .map(|(at, byte)| {
            (2 * at + 1) * ALPHABET.iter().position(|symbol| *symbol == byte).unwrap_or(usize::from(byte) % 32)
        })
        .sum();
    symbol(sum % 32)
}

fn symbol(value: usize) -> char {
    char::from(ALPHABET[value % 32])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_reference_names_kind_and_day() {
        let on = "2026-11-23".parse().unwrap();
        let text = reference('C', Uuid::nil(), on);
        assert!(text.starts_with("C-261123-"), "{text}");
        assert!(is_plausible(&text));
        assert!(is_plausible(&text.to_lowercase()));
    }

    #[test]
    fn any_spelling_of_a_reference_and_its_last_part_looks_for_the_same() {
        let whole = "M4DQ3K7321162C";
        for spelling in [
            "C-261123-7K3QD4M",
            "c2611237k3qd4m",
            " C 261123 7K3QD4M ",
            "Ｃ－２６１１２３－７Ｋ３ＱＤ４Ｍ",
            "C—261123—7k3qd4m",
            "编号：C-2611Z3-7K3QD4M".replace('Z', "2").as_str(),
        ] {
            assert_eq!(search_key(spelling), whole, "{spelling}");
        }
        assert_eq!(search_key("7k3qd4m"), "M4DQ3K7");
        assert_eq!(search_key("o1l4"), "4110");
        assert_eq!(search_key("261123-7K3QD4M"), "M4DQ3K7321162");
        for nothing in ["", "-", "％", "%", "电梯"] {
            assert_eq!(search_key(nothing), "-", "{nothing}");
        }
    }

    #[test]
    fn of_a_million_of_one_day_hardly_any_two_are_alike() {
        let on = "2026-11-23".parse().unwrap();
        let all: std::collections::HashSet<_> =
            (0..1_000_000_u128).map(|id| reference('S', Uuid::from_u128(id), on)).collect();
        // 10^12 / 2 pairs over 32^6 values: 466, and a spread of 22.
        assert!((340..600).contains(&(1_000_000 - all.len())), "{}", all.len());
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_noticed(id in any::<u128>(), place in 9_usize..15, other in 0_usize..32) {
            let on = "2026-11-23".parse().unwrap();
            let right = reference('S', Uuid::from_u128(id), on);
            let mut wrong: Vec<char> = right.chars().collect();
            prop_assume!(wrong[place] != symbol(other));
            wrong[place] = symbol(other);
            prop_assert!(!is_plausible(&wrong.into_iter().collect::<String>()));
        }
    }
}
