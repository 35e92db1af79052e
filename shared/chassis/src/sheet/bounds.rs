//! What a file may cost while it is read: a few thousand bytes can claim to be gigabytes.

use std::io::{Cursor, Read as _, Write};

use zip::ZipArchive;

use super::CellError;
use crate::Result;

/// Most bytes of memory that all cells of a file take.
pub(super) const MAX_HELD: usize = 64 << 20;
/// Most files within a workbook.
const MAX_PARTS: usize = 2_000;
/// Most bytes of all parts of a workbook together, unpacked.
const MAX_UNPACKED: u64 = 160 << 20;
/// Most bytes of one part that has rows.
const MAX_SHEET: u64 = 96 << 20;
/// Most bytes of the texts that cells share.
const MAX_SHARED: u64 = 24 << 20;
/// Most bytes of what says how the workbook is made up, and of a picture or the like.
const MAX_OTHER: u64 = 8 << 20;
/// Most bytes of one text, comment or mark-up in XML: a cell of Excel has at most 32,767 characters.
const MAX_RUN: usize = 256 << 10;
/// Most attributes of one element: each is compared with all before it.
const MAX_ATTRIBUTES: usize = 128;

pub(super) fn too_large() -> crate::Error {
    CellError::of_file("too_large", "too_large", &[])
}

/// What may still be taken into memory.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: MAX_HELD }
    }

    /// Takes some of it.
    pub(super) fn take(&mut self, bytes: usize) -> Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(too_large)?;
        Ok(())
    }

    /// Takes what a row costs.
    pub(super) fn take_row(&mut self, cells: &[String]) -> Result<()> {
        self.take(size_of_val(cells) + cells.iter().map(String::capacity).sum::<usize>())
    }

    /// Takes what a cell costs that is written to a row.
    pub(super) fn set(&mut self, cells: &mut Vec<String>, column: usize, text: String) -> Result<()> {
        let before = cells.capacity();
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        let places = cells.capacity().saturating_sub(before);
        self.take(places * size_of::<String>() + text.capacity())?;
        if let Some(place) = cells.get_mut(column) {
            *place = text;
        }
        Ok(())
    }
}

/// Unpacks a workbook once without keeping it, before anything of it is believed: how much comes out, and whether an XML reader can hold each
/// piece of it.
///
/// # Errors
/// `too_large`, and `not_an_xlsx` for what is no archive.
pub(super) fn check_unpacked(bytes: &[u8]) -> Result<()> {
    let not_xlsx = || CellError::of_file("not_a_sheet", "not_an_xlsx", &[]);
    if !bytes.starts_with(b"PK") {
        return Err(not_xlsx());
    }
    // Its directory is read whole as soon as the archive is opened.
    if bytes.windows(4).filter(|four| four == b"PK\x01\x02").count() > MAX_PARTS {
        return Err(too_large());
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| not_xlsx())?;
    let mut left = MAX_UNPACKED;
    for place in 0..archive.len() {
        // What cannot be unpacked here cannot be read later either.
        let Ok(part) = archive.by_index(place) else { continue };
        let (most, mut meter) = (most_of(part.name()).min(left), Meter::of(part.name()));
        // Fails where the part is damaged, which is for the reader to say, or as soon as a bound is passed.
        let _ = std::io::copy(&mut part.take(most + 1), &mut meter);
        if meter.broken || meter.bytes > most {
            return Err(too_large());
        }
        left = left.saturating_sub(meter.bytes);
    }
    Ok(())
}

fn most_of(part: &str) -> u64 {
    let name = part.to_ascii_lowercase();
    match name.as_str() {
        "xl/sharedstrings.xml" => MAX_SHARED,
        "xl/workbook.xml" | "xl/styles.xml" => MAX_OTHER,
        name if name.ends_with(".xml") => MAX_SHEET,
        _ => MAX_OTHER,
    }
}

/// Where a reader of XML stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In no XML.
    Elsewhere,
    Text,
    /// Behind `<`.
    Opening,
    /// Behind `<!`.
    Declaring,
    Element,
    /// In the value of an attribute, until this quote.
    Value(u8),
    /// In what ends so: the end of an element, a comment, literal text, a processing instruction.
    Until(&'static [u8]),
}

/// Follows what is unpacked, and stops it at the first piece that costs too much.
#[derive(Debug)]
struct Meter {
    bytes: u64,
    at: At,
    /// Bytes of the piece so far, and its last three.
    run: usize,
    last: [u8; 3],
    attributes: usize,
    broken: bool,
}

impl Meter {
    fn of(part: &str) -> Self {
        let name = part.to_ascii_lowercase();
        let at = if name.ends_with(".xml") || name.ends_with(".rels") { At::Text } else { At::Elsewhere };
        Self { bytes: 0, at, run: 0, last: [0; 3], attributes: 0, broken: false }
    }

    fn turn(&mut self, at: At) {
        (self.at, self.run, self.attributes) = (at, 0, 0);
    }

    fn follow(&mut self, byte: u8) {
        self.run += 1;
        self.last.rotate_left(1);
        self.last[2] = byte;
        self.attributes += usize::from(byte == b'=' && matches!(self.at, At::Element | At::Value(_)));
        match (self.at, byte) {
            (At::Text, b'<') => self.turn(At::Opening),
            (At::Opening, b'!') => self.at = At::Declaring,
            (At::Opening, b'?') => self.at = At::Until(b"?>"),
            (At::Opening, b'/') => self.at = At::Until(b">"),
            (At::Declaring, b'-') => self.at = At::Until(b"-->"),
            (At::Declaring, b'[') => self.at = At::Until(b"]]>"),
            // Workbooks declare no types.
            (At::Declaring, _) => self.broken = true,
            (At::Opening | At::Element, b'>') => self.turn(At::Text),
            (At::Opening | At::Element, b'"' | b'\'') => self.at = At::Value(byte),
            (At::Opening, _) => self.at = At::Element,
            (At::Value(quote), byte) if byte == quote => self.at = At::Element,
            // `<!-->` is the beginning of a comment, not a whole one.
            (At::Until(end), b'>') if self.last.ends_with(end) && (end.len() < 3 || self.run > 5) => {
                self.turn(At::Text)
            }
            (At::Elsewhere | At::Text | At::Element | At::Value(_) | At::Until(_), _) => {}
        }
        self.broken |= self.run > MAX_RUN || self.attributes > MAX_ATTRIBUTES;
    }
}

impl Write for Meter {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if self.at != At::Elsewhere {
            piece.iter().for_each(|byte| self.follow(*byte));
        }
        if self.broken { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(piece.len()) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "bounds_tests.rs"]
mod tests;
