//! From the bytes of a CSV file to its text, whatever program has written it.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// The texts that the bytes may be, the likeliest first; none when they are no text.
///
/// UTF-8, and UTF-16 with a mark, can be told apart from all else. GB18030 and Big5 often can't in a short file: then both are possible, and who
/// knows what words to expect decides.
pub(super) fn decoded(bytes: &[u8]) -> Vec<String> {
    let texts = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => one(encoding, bytes.get(mark..).unwrap_or_default()),
        None if bytes.starts_with(b"PK") => Vec::new(),
        None if bytes.contains(&0) => utf_16(bytes),
        None => {
            let utf_8 = one(UTF_8, bytes);
            if utf_8.is_empty() { chinese(bytes) } else { utf_8 }
        }
    };
    // Text has no control characters but those that part it.
    let is_text = |text: &String| !text.chars().any(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t' | '\u{85}'));
    texts.into_iter().filter(is_text).map(|text| with_plain_line_ends(&text)).collect()
}

fn one(encoding: &'static Encoding, bytes: &[u8]) -> Vec<String> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(|text| text.into_owned()).into_iter().collect()
}

/// Without a byte order mark: the zeros of commas, digits and line ends show on which side of each pair they stand, few of other characters on the
/// other one.
fn utf_16(bytes: &[u8]) -> Vec<String> {
    if !bytes.len().is_multiple_of(2) {
        return Vec::new();
    }
    let zeros = |side: usize| bytes.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let order = if zeros(0) > zeros(1) { [UTF_16BE, UTF_16LE] } else { [UTF_16LE, UTF_16BE] };
    order.into_iter().flat_map(|encoding| one(encoding, bytes)).collect()
}

fn chinese(bytes: &[u8]) -> Vec<String> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    let order = if guess == BIG5 { [BIG5, GB18030] } else { [GB18030, BIG5] };
    order.into_iter().flat_map(|encoding| one(encoding, bytes)).collect()
}

/// Line ends of Windows and of old Macs become line feeds, in cells too.
fn with_plain_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}
