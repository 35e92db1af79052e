//! Texts that people wrote, bounded and clean.

use icu_properties::props::{
    BinaryProperty as _, DefaultIgnorableCodePoint, EnumeratedProperty as _, GeneralCategory, GeneralCategoryGroup,
};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More characters than allowed.
    #[error("must have at most {max} characters")]
    TooLong {
        /// Most characters.
        max: usize,
    },
    /// A control character other than line feed and tab.
    #[error("must not contain control characters")]
    Control,
}

/// A text of 1 to `MAX` characters in NFC, trimmed, without control characters (line feed and tab are allowed).
///
/// Line ends become line feeds: web forms and mails send CRLF. Width and script are kept as the person wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

/// Whether a text shows anything: more than white space, format characters, and marks without a letter to stand on.
#[must_use]
pub fn is_visible(text: &str) -> bool {
    text.chars().any(shows)
}

fn shows(c: char) -> bool {
    /// White as a space, though a symbol by its category.
    const BRAILLE_BLANK: char = '\u{2800}';
    let has_no_form = || {
        let category = GeneralCategory::for_char(c);
        [
            GeneralCategoryGroup::Mark,
            GeneralCategoryGroup::Separator,
            GeneralCategoryGroup::Control,
            GeneralCategoryGroup::Format,
        ]
        .iter()
        .any(|group| group.contains(category))
            || DefaultIgnorableCodePoint::for_char(c)
    };
    c.is_ascii_graphic() || !(c.is_ascii() || c.is_whitespace() || c == BRAILLE_BLANK || has_no_form())
}

/// Whether a character changes nothing but the direction in which its neighbours are shown: one that is left open turns around what stands
/// behind the text.
#[must_use]
pub const fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line: a name, a reason code's remark, a title. At most 200 characters.
pub type Line = Text<200>;
/// Words as spoken, an answer, a plan. At most 4,000 characters.
pub type Words = Text<4000>;

impl<const MAX: usize> Text<MAX> {
    /// Cleans and checks.
    ///
    /// # Errors
    /// [`TextFault`] says what to mend.
    pub fn try_new(raw: &str) -> Result<Self, TextFault> {
        let text: String = raw.trim().replace("\r\n", "\n").replace('\r', "\n").nfc().collect();
        if text.is_empty() {
            return Err(TextFault::Empty);
        }
        if text.chars().count() > MAX {
            return Err(TextFault::TooLong { max: MAX });
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(TextFault::Control);
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextFault;
    fn try_from(raw: String) -> Result<Self, TextFault> {
        Self::try_new(&raw)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl<const MAX: usize> std::fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<const MAX: usize> utoipa::PartialSchema for Text<MAX> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX))
            .description(Some("Trimmed; without control characters other than line feed and tab (CRLF becomes LF)."))
            .into()
    }
}

impl<const MAX: usize> utoipa::ToSchema for Text<MAX> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("Text{MAX}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_composed() {
        assert_eq!(Line::try_new("  e\u{301}tage ").map(String::from), Ok("étage".to_owned()));
    }

    #[test]
    fn line_ends_of_any_system_are_line_feeds_and_other_control_characters_are_refused() {
        assert_eq!(Words::try_new("漏水\r\n很急\r\t三楼\r\n").map(String::from), Ok("漏水\n很急\n\t三楼".to_owned()));
        for bad in ["漏\0水", "漏\u{1b}水", "漏\u{85}水"] {
            assert_eq!(Words::try_new(bad), Err(TextFault::Control));
        }
    }

    #[test]
    fn a_text_of_spaces_format_characters_and_marks_shows_nothing() {
        let blanks = [
            "",
            " \u{3000}\t",
            "\u{200b}\u{200b}\u{200b}",
            "\u{feff}",
            "\u{ad}",
            "\u{202e}",
            "\u{3164}",
            "\u{2800}",
            "\u{301}",
            "\u{fe0f}",
            "\u{e0041}",
        ];
        for blank in blanks {
            assert!(!is_visible(blank), "{blank:?}");
        }
        for text in ["。", "1", "漏\u{200b}水", "é", "👍", "👨‍👩‍👧", "ก้", "\u{e000}"] {
            assert!(is_visible(text), "{text:?}");
        }
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert!(Text::<4>::try_new("电梯漏水").is_ok());
        assert_eq!(Text::<4>::try_new("电梯又漏水"), Err(TextFault::TooLong { max: 4 }));
    }

    #[test]
    fn white_space_alone_is_refused_and_lines_are_not() {
        assert_eq!(Line::try_new(" \u{3000} "), Err(TextFault::Empty));
        assert!(Words::try_new("第一行\n第二行").is_ok());
    }
}
