//! Register files, good and broken.

use super::*;

const COLUMNS: &[Column] = &[
    Column { name: "code", aliases: &["编码"], required: true },
    Column { name: "name", aliases: &["姓名"], required: true },
    Column { name: "area", aliases: &["面积"], required: false },
    Column { name: "on", aliases: &["日期"], required: false },
    Column { name: "at", aliases: &["时间"], required: false },
    Column { name: "skills", aliases: &["技能"], required: false },
];

fn csv(text: &str) -> Result<Sheet> {
    Sheet::read(text.as_bytes(), "text/csv", COLUMNS)
}

fn faults<T: std::fmt::Debug>(result: Result<T>) -> Vec<(u32, String, &'static str)> {
    match result {
        Err(Error::Sheet(faults)) => faults.into_iter().map(|fault| (fault.row, fault.column, fault.code)).collect(),
        other => panic!("{other:?}"),
    }
}

/// A workbook with one sheet, its parts stored without compression.
fn workbook(sheet: &str) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let link = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{RELS}/{kind}\" Target=\"{target}\"/>")
    };
    let links = |links: &str| format!("<Relationships xmlns=\"{PACKAGE}\">{links}</Relationships>");
    let sheets = "<sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets>";
    let formats = "<xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"20\"/>";
    let of_book = link("r1", "worksheet", "worksheets/sheet1.xml") + &link("r2", "styles", "styles.xml");
    let size = "<dimension ref=\"A1:XFD1048576\"/>";
    let parts = [
        ("_rels/.rels", links(&link("r1", "officeDocument", "xl/workbook.xml"))),
        ("xl/workbook.xml", format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELS}\">{sheets}</workbook>")),
        ("xl/_rels/workbook.xml.rels", links(&of_book)),
        (
            "xl/styles.xml",
            format!("<styleSheet xmlns=\"{MAIN}\"><cellXfs count=\"3\">{formats}</cellXfs></styleSheet>"),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{MAIN}\">{size}<sheetData>{sheet}</sheetData></worksheet>"),
        ),
    ];
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, body) in &parts {
        let offset = u32::try_from(bytes.len()).unwrap();
        let size = u32::try_from(body.len()).unwrap().to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(crc32(body.as_bytes()).to_le_bytes());
        common.extend([size, size].concat());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        bytes.extend([b"PK\x03\x04".as_slice(), &common, name.as_bytes(), body.as_bytes()].concat());
        directory.extend(
            [b"PK\x01\x02\x14\x00".as_slice(), &common, &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat(),
        );
    }
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    let (size, offset) = (u32::try_from(directory.len()).unwrap(), u32::try_from(bytes.len()).unwrap());
    bytes.extend(directory);
    bytes.extend(
        [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &size.to_le_bytes(), &offset.to_le_bytes(), &[0, 0]]
            .concat(),
    );
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

fn text(cell: &str, text: &str) -> String {
    format!("<c r=\"{cell}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

#[test]
fn csv_is_read_in_all_the_ways_it_is_kept() {
    let plain = "编码,姓名,面积\nE1,\"王,\n先生\",90.5\n\n E2 ,李\u{3000},\n";
    let with_mark = [b"\xef\xbb\xbf", plain.as_bytes()].concat();
    let (gb, _, _) = encoding_rs::GB18030.encode(plain);
    let crlf = plain.replace('\n', "\r\n").replace("王,\r\n", "王,\n");
    for bytes in [plain.as_bytes(), &with_mark, &gb, crlf.as_bytes()] {
        let sheet = Sheet::read(bytes, "text/csv", COLUMNS).unwrap();
        let rows = sheet
            .each(|row| Some((row.required("code")?.to_owned(), row.required("name")?.to_owned(), row.decimal("area"))))
            .unwrap();
        assert_eq!(rows[0], Numbered { row: 2, value: ("E1".to_owned(), "王,\n先生".to_owned(), Some(90.5)) });
        assert_eq!(rows[1].row, 4);
        assert_eq!(rows[1].value, ("E2".to_owned(), "李".to_owned(), None));
    }
}

#[test]
fn a_workbook_is_read_as_people_see_it_whatever_size_it_claims() {
    let header = ["编码", "姓名", "面积", "日期", "时间"];
    let letters = ["A", "B", "C", "D", "E"];
    let header: String = header.iter().zip(letters).map(|(word, letter)| text(&format!("{letter}1"), word)).collect();
    let rows = format!(
        "<row r=\"1\">{header}</row><row r=\"3\"><c r=\"A3\"><v>13800138000</v></c>{}<c r=\"C3\"><v>90.5</v></c>\
         <c r=\"D3\" s=\"1\"><v>46266</v></c><c r=\"E3\" s=\"2\"><v>0.354166666666667</v></c></row>",
        text("B3", " 王 ")
    );
    let sheet = Sheet::read(&workbook(&rows), XLSX, COLUMNS).unwrap();
    let rows = sheet
        .each(|row| {
            let (code, name) = (row.required("code"), row.required("name"));
            let (area, on, at) = (row.decimal("area"), row.date("on"), row.time("at"));
            Some((code?.to_owned(), name?.to_owned(), area, on?.to_string(), at?.to_string()))
        })
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].row, 3);
    let expected = ("13800138000", "王", Some(90.5), "2026-09-01", "08:30:00");
    let value = &rows[0].value;
    assert_eq!((value.0.as_str(), value.1.as_str(), value.2, value.3.as_str(), value.4.as_str()), expected);
}

#[test]
fn broken_files_are_refused_as_a_whole() {
    let many = format!("code,name\n{}", "a,b\n".repeat(MAX_ROWS + 1));
    let cases = [
        ("", "empty_file"),
        ("\n\n", "empty_file"),
        ("code,name\n", "no_rows"),
        ("PK\u{3}\u{4}", "not_a_sheet"),
        ("a\0b", "not_a_sheet"),
        (many.as_str(), "too_many_rows"),
    ];
    for (file, code) in cases {
        assert_eq!(faults(csv(file)), [(1, String::new(), code)], "{}", &file[..file.len().min(20)]);
    }
    assert_eq!(faults(Sheet::read(b"code,name\n", XLSX, COLUMNS))[0].2, "not_a_sheet");
    assert_eq!(faults(Sheet::read(b"\x80\xff\xff", "text/csv", COLUMNS))[0].2, "not_a_sheet");
    assert!(matches!(Sheet::read(b"", "image/png", COLUMNS), Err(Error::UnsupportedMediaType(_))));
    assert!(Sheet::read(format!("code,name\n{}", "a,b\n".repeat(MAX_ROWS)).as_bytes(), "text/csv", COLUMNS).is_ok());
}

#[test]
fn faults_of_the_header_are_all_told() {
    let told = faults(csv("编码,CODE,颜色\na,b,c\n"));
    let expected = [
        (1, "CODE".to_owned(), "repeated_column"),
        (1, "颜色".to_owned(), "unknown_column"),
        (1, "姓名".to_owned(), "missing_column"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn faults_of_all_cells_are_told_by_row_and_column_as_written() {
    let sheet =
        csv("编码,姓名,面积,日期,时间,技能\n,王,很大,明天,25:00,水电；电梯\nE2,,1,2026年9月1日,8:30,\n").unwrap();
    let result = sheet.each(|row| {
        let code = row.required("code");
        let name = row.required("name");
        let (area, on, at) = (row.decimal("area"), row.date("on"), row.time("at"));
        if row.number() == 2 {
            assert_eq!(row.list("skills"), ["水电", "电梯"]);
        }
        Some((code?, name?, area, on, at))
    });
    let Err(Error::Sheet(found)) = &result else { panic!("{result:?}") };
    assert!(found.iter().all(|fault| !fault.detail.contains("明天") && !fault.detail.contains("很大")));
    let expected = [
        (2, "编码".to_owned(), "missing"),
        (2, "面积".to_owned(), "not_a_number"),
        (2, "日期".to_owned(), "not_a_date"),
        (2, "时间".to_owned(), "not_a_time"),
        (3, "姓名".to_owned(), "missing"),
    ];
    assert_eq!(faults(result), expected);
    assert_eq!(faults(csv("code,name\na,b,c\n"))[0].2, "no_header");
}
