//! How people spell what they look for, and what is compared then.

use unicode_normalization::UnicodeNormalization as _;

/// Fewest digits of a telephone number to look for: fewer would list the register.
const LEAST_DIGITS: usize = 4;
/// Digits from the end that a whole number shares with another spelling of it: what stands before may be a country or area code.
const SHARED: usize = 8;

/// A telephone number to look for. Compared from its end, since country code, trunk zero and separators come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneSearch {
    /// Its digits from the last to the first.
    backwards: String,
}

/// There is too little to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at least {LEAST_DIGITS} digits")]
pub struct TooFewDigits;

impl PhoneSearch {
    /// In any spelling.
    ///
    /// # Errors
    /// When it has too few digits.
    pub fn of(asked: &str) -> Result<Self, TooFewDigits> {
        let digits: String = asked.nfkc().filter(char::is_ascii_digit).collect();
        // A whole number may begin with the zeros of a trunk or a country code; of an ending every zero counts.
        let significant = if digits.len() > SHARED { digits.trim_start_matches('0') } else { &digits };
        let backwards: String = significant.chars().rev().collect();
        if backwards.len() < LEAST_DIGITS { Err(TooFewDigits) } else { Ok(Self { backwards }) }
    }

    /// Its digits from the last to the first.
    #[must_use]
    pub fn backwards(&self) -> &str {
        &self.backwards
    }

    /// What whatever may be the same number begins with when it is read backwards.
    #[must_use]
    pub fn shared(&self) -> &str {
        self.backwards.get(..SHARED).unwrap_or(&self.backwards)
    }
}

/// How a name begins: without spaces, in half width and small letters.
#[must_use]
pub fn name_key(asked: &str) -> String {
    let plain: String = asked.nfkc().filter(|c| !c.is_whitespace()).collect();
    plain.to_lowercase()
}

/// The words of a search, in half width and small letters: spaces of any kind part them.
#[must_use]
pub fn words(asked: &str) -> Vec<String> {
    let plain: String = asked.nfkc().collect();
    plain.to_lowercase().split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_backwards_in_any_spelling() {
        let end = "10000000931";
        for spelling in ["13900000001", "139 0000 0001", "１３９－００００－０００１"] {
            let search = PhoneSearch::of(spelling).unwrap();
            assert_eq!((search.backwards(), search.shared()), (end, "10000000"), "{spelling}");
        }
        assert_eq!(PhoneSearch::of("0086 13900000001").unwrap().backwards(), "1000000093168");
        assert_eq!(PhoneSearch::of("（021）62345678").unwrap().backwards(), "8765432612");
        assert_eq!(PhoneSearch::of("001"), Err(TooFewDigits));
        assert_eq!(PhoneSearch::of("0001").unwrap().backwards(), "1000");
        assert_eq!(PhoneSearch::of("尾号 5678").unwrap().shared(), "8765");
    }

    #[test]
    fn a_name_is_looked_for_by_its_beginning_however_it_is_spaced() {
        assert_eq!(name_key(" 陈　家 "), "陈家");
        assert_eq!(name_key("ＬＩ Ｗｅｉ"), "liwei");
    }

    #[test]
    fn words_are_parted_by_any_space() {
        assert_eq!(words(" 月卡　续费 ＶＩＰ"), ["月卡", "续费", "vip"]);
    }
}
