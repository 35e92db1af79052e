//! Files that cost far more than they weigh.

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::{
    Error,
    sheet::{Column, Layout, Sheet, XLSX},
};

const LAYOUT: Layout = Layout { name: "residents", columns: &[Column::must("unit"), Column::must("name")] };
const HEAD: &str = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>unit</t></is></c><c r="B1" t="inlineStr"><is><t>name</t></is></c></row>"#;

/// A workbook with one sheet, deflated, and with further parts.
fn workbook(sheet: &str, behind: &str, further: &[(String, Vec<u8>)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let link = format!("<Relationship Id=\"r1\" Type=\"{RELS}/worksheet\" Target=\"worksheets/sheet1.xml\"/>");
    let sheets = "<sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets>";
    let parts = [
        ("xl/workbook.xml", format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELS}\">{sheets}</workbook>")),
        ("xl/_rels/workbook.xml.rels", format!("<Relationships>{link}</Relationships>")),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{HEAD}{sheet}</sheetData>{behind}</worksheet>"),
        ),
    ];
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let parts = parts.into_iter().map(|(name, body)| (name.to_owned(), body.into_bytes()));
    for (name, body) in parts.chain(further.iter().cloned()) {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(&body).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn shared(texts: &str) -> (String, Vec<u8>) {
    ("xl/sharedStrings.xml".to_owned(), format!("<sst>{texts}</sst>").into_bytes())
}

/// Rows from the second on, each with the cell that is made for its number.
fn rows(count: u32, cell: impl Fn(u32) -> String) -> String {
    (2..count + 2).map(|row| format!("<row r=\"{row}\">{}</row>", cell(row))).collect()
}

fn fault(bytes: &[u8], media: &str) -> &'static str {
    match Sheet::read(bytes, media, &LAYOUT) {
        Err(Error::Sheet(faults)) => faults[0].code,
        other => panic!("{:?}", other.map(|sheet| sheet.len())),
    }
}

/// Small files that would take gigabytes, or hours.
fn hostile() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let long = "长".repeat(20_000);
    let one = [shared(&format!("<si><t>{long}</t></si>"))];
    let attributes: String = (0..1_000).map(|n| format!(" a{n}=\"\"")).collect();
    let named = |count: usize| (0..count).map(|n| (format!("docProps/{n}.xml"), b"<a/>".to_vec())).collect::<Vec<_>>();
    let text = |place: &str, text: &str| format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let merged = "<mergeCells><mergeCell ref=\"A2:A40000\"/></mergeCells>";
    let filled = text("A2", &long);
    let down = rows(40_000, |row| if row == 2 { filled.clone() } else { text(&format!("B{row}"), "x") });
    let apart = rows(50_000, |row| text(&format!("GR{row}"), "x"));
    let many = rows(20_000, |row| format!("<c r=\"A{row}\" t=\"s\"><v>0</v></c>"));
    let inline = format!("<row r=\"2\">{}</row>", text("A2", &"x".repeat(64 << 20)));
    let values: String = (0..200).map(|_| " b=\">\"").collect();
    vec![
        ("many cells with one long text", XLSX, workbook(&many, "", &one)),
        ("a long text in merged cells", XLSX, workbook(&down, merged, &[])),
        ("rows with nothing but their last column", XLSX, workbook(&apart, "", &[])),
        ("shared texts of 100 MiB", XLSX, workbook("", "", &[shared(&"<si><t>xx</t></si>".repeat(100 << 16))])),
        ("shared texts of one byte", XLSX, workbook("", "", &[shared(&"<si><t/></si>".repeat(2 << 20))])),
        ("a text of 64 MiB", XLSX, workbook(&inline, "", &[])),
        ("an element with many attributes", XLSX, workbook(&format!("<row{attributes}/>"), "", &[])),
        ("attributes that seem to end it", XLSX, workbook(&format!("<row{values}/>"), "", &[])),
        (
            "attributes behind the end of another",
            XLSX,
            workbook(&format!("<row></row'><row x=\"'>\"{values}/>"), "", &[]),
        ),
        ("attributes behind what looks like a comment", XLSX, workbook(&format!("<!--> ' --><row{values}/>"), "", &[])),
        ("many parts", XLSX, workbook("", "", &named(3_000))),
        ("a picture of 64 MiB", XLSX, workbook("", "", &[("xl/media/a.png".to_owned(), vec![0; 64 << 20])])),
        ("a row of commas", "text/csv", format!("unit,name\n{}", ",".repeat(10 << 20)).into_bytes()),
        ("rows of commas", "text/csv", format!("unit,name\n{}", (",".repeat(199) + "x\n").repeat(50_000)).into_bytes()),
    ]
}

#[test]
fn what_costs_more_than_it_weighs_is_refused() {
    for (what, media, bytes) in hostile() {
        assert_eq!(fault(&bytes, media), "too_large", "{what}: {} bytes", bytes.len());
    }
}

#[test]
fn what_a_company_keeps_is_read() {
    let texts: String =
        (0..50_000).map(|n| format!("<si><r><rPr><sz val=\"9\"/></rPr><t>住户{n}</t></r></si>")).collect();
    let cell = |row: u32| {
        let n = row - 2;
        format!("<c r=\"A{row}\"><v>{row}</v></c><c r=\"B{row}\" t=\"s\" s=\"3\"><v>{n}</v></c>")
    };
    let beside = [
        shared(&texts),
        ("customXml/item1.xml".to_owned(), b"<!-- a = b --><a><![CDATA[ <b c=\"d\"> ]]></a>".to_vec()),
        ("xl/media/logo.png".to_owned(), vec![0; 1 << 20]),
    ];
    let sheet = Sheet::read(&workbook(&rows(50_000, cell), "", &beside), XLSX, &LAYOUT).unwrap();
    assert_eq!(sheet.len(), 50_000);
    let last = sheet.each(|row| row.required("name").map(str::to_owned)).unwrap().pop().unwrap();
    assert_eq!((last.row, last.value.as_str()), (50_001, "住户49999"));
}

/// What the cells of a sheet take is what was counted, or less.
#[test]
fn the_budget_counts_what_is_kept() {
    let cells = |row: u32| {
        (0..row % 40)
            .map(|n| format!("<c r=\"{}{row}\"><v>{n}</v></c>", char::from(b'A' + (n % 26) as u8)))
            .collect::<String>()
    };
    let mut budget = Budget::new();
    let (kept, _) = super::super::read::xlsx(&workbook(&rows(2_000, cells), "", &[]), &mut budget).unwrap();
    let held: usize = kept
        .iter()
        .map(|(_, cells)| cells.capacity() * size_of::<String>() + cells.iter().map(String::capacity).sum::<usize>())
        .sum();
    assert!(held <= MAX_HELD - budget.left, "{held} {}", MAX_HELD - budget.left);
}

#[test]
fn a_header_is_repeated_in_short() {
    let file = format!("unit,{}\n1,2\n", "颜".repeat(60_000));
    match Sheet::read(file.as_bytes(), "text/csv", &LAYOUT) {
        Err(Error::Sheet(faults)) => {
            assert!(faults.iter().all(|fault| fault.column.chars().count() <= 101), "{}", faults.len())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_file_is_read_at_a_time_and_holds_its_turn() {
    let small = || Sheet::read(b"unit,name\n1,2\n", "text/csv", &LAYOUT);
    let (sheet, turn) = super::super::aside(small).await.unwrap();
    assert_eq!(sheet.len(), 1);
    let mut second = Box::pin(super::super::aside(small));
    assert!(futures::poll!(&mut second).is_pending());
    drop(turn);
    assert_eq!(second.await.unwrap().0.len(), 1);
}
