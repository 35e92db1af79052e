//! Register files, good and broken.

use chrono::NaiveDate;

use super::*;

const LAYOUT: Layout = Layout {
    name: "residents",
    columns: &[
        Column::must("unit"),
        Column::must("name"),
        Column::may("area_m2"),
        Column::may("since_on"),
        Column::may("starts_at"),
        Column::may("skills"),
        Column::may("building"),
        Column::may("role"),
    ],
};

fn bounds() -> std::ops::RangeInclusive<NaiveDate> {
    NaiveDate::from_ymd_opt(1920, 1, 1).unwrap()..=NaiveDate::from_ymd_opt(2028, 12, 31).unwrap()
}

fn csv(text: &str) -> Result<Sheet> {
    Sheet::read(text.as_bytes(), "text/csv", &LAYOUT)
}

fn faults<T: std::fmt::Debug>(result: Result<T>) -> Vec<(u32, String, &'static str)> {
    match result {
        Err(Error::Sheet(faults)) => faults.into_iter().map(|fault| (fault.row, fault.column, fault.code)).collect(),
        other => panic!("{other:?}"),
    }
}

/// Numbers of the rows, and their units and names.
fn read(sheet: &Sheet) -> Vec<(u32, String, String)> {
    let rows = sheet.each(|row| Some((row.required("unit")?.to_owned(), row.required("name")?.to_owned()))).unwrap();
    rows.into_iter().map(|row| (row.row, row.value.0, row.value.1)).collect()
}

fn noted(sheet: &Sheet) -> Vec<(u32, &str, &str)> {
    sheet.notes().iter().map(|note| (note.row, note.column.as_str(), note.code.as_str())).collect()
}

/// A workbook with one sheet, its parts stored without compression.
///
/// * `properties`: of the book.
/// * `behind`: what stands behind the cells.
fn workbook_of(sheet: &str, properties: &str, behind: &str) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let link = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{RELS}/{kind}\" Target=\"{target}\"/>")
    };
    let links = |links: &str| format!("<Relationships xmlns=\"{PACKAGE}\">{links}</Relationships>");
    let sheets = "<sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets>";
    let formats =
        "<xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"20\"/><xf numFmtId=\"22\"/><xf numFmtId=\"46\"/>";
    let of_book = link("r1", "worksheet", "worksheets/sheet1.xml") + &link("r2", "styles", "styles.xml");
    let size = "<dimension ref=\"A1:XFD1048576\"/>";
    let parts = [
        ("_rels/.rels", links(&link("r1", "officeDocument", "xl/workbook.xml"))),
        ("xl/workbook.xml", format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELS}\">{properties}{sheets}</workbook>")),
        ("xl/_rels/workbook.xml.rels", links(&of_book)),
        (
            "xl/styles.xml",
            format!("<styleSheet xmlns=\"{MAIN}\"><cellXfs count=\"5\">{formats}</cellXfs></styleSheet>"),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{MAIN}\">{size}<sheetData>{sheet}</sheetData>{behind}</worksheet>"),
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

/// A row of a sheet with these texts from column A on; empty ones are left out.
fn row_of(number: u32, texts: &[&str]) -> String {
    let cells = texts.iter().zip('A'..).filter(|(words, _)| !words.is_empty());
    let cells: String = cells.map(|(words, letter)| text(&format!("{letter}{number}"), words)).collect();
    format!("<row r=\"{number}\">{cells}</row>")
}

fn utf_16(text: &str, big: bool, marked: bool) -> Vec<u8> {
    let units = marked.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn a_table_is_read_in_every_encoding_that_clerks_programs_write() {
    let simplified = "房号,姓名,建筑面积\n0101,陈家骏,90.5\n0102,李芷晴（租客），已开通,\n";
    let traditional = "房號,姓名,建築面積\n0101,陳家駿,90.5\n0102,李芷晴（租客），已開通,\n";
    for (text, name) in [(simplified, "陈家骏"), (traditional, "陳家駿")] {
        let (gb, _, _) = encoding_rs::GB18030.encode(text);
        let (big5, _, lost) = encoding_rs::BIG5.encode(text);
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        let mut files = vec![text.as_bytes().to_vec(), marked, gb.into_owned()];
        files.extend(
            [(false, false), (false, true), (true, false), (true, true)].map(|(big, mark)| utf_16(text, big, mark)),
        );
        if !lost {
            files.push(big5.into_owned());
        }
        assert_eq!(files.len(), if text == traditional { 8 } else { 7 }, "simplified characters are not in Big5");
        for (n, file) in files.iter().enumerate() {
            let sheet = Sheet::read(file, "text/csv", &LAYOUT).unwrap_or_else(|error| panic!("file {n}: {error:?}"));
            assert_eq!(read(&sheet)[0], (2, "0101".to_owned(), name.to_owned()), "file {n}");
        }
    }
    // Names that are good characters in both encodings: the header decides.
    for (encoding, text) in [(encoding_rs::BIG5, "房號,姓名\n1,王\n"), (encoding_rs::GB18030, "房号,姓名\n1,王\n")]
    {
        let (file, _, _) = encoding.encode(text);
        assert_eq!(read(&Sheet::read(&file, "text/csv", &LAYOUT).unwrap())[0].2, "王");
    }
}

#[test]
fn a_table_is_read_with_every_separator() {
    for separator in [",", ";", "\t", "|"] {
        let text = format!("房号{separator}姓名{separator}技能\n101{separator}王{separator}\"水电;电梯\"\n");
        for text in [text.clone(), format!("sep={separator}\n{text}")] {
            let sheet = csv(&text).unwrap();
            let rows = sheet.each(|row| Some((row.required("name")?, row.list("skills")))).unwrap();
            let first = if text.starts_with("sep") { 3 } else { 2 };
            assert_eq!((rows[0].row, rows[0].value.0), (first, "王"), "{separator}");
            assert_eq!(rows[0].value.1, ["水电", "电梯"]);
        }
    }
    assert_eq!(
        faults(csv("颜色;形状\n红;圆\n"))[..2],
        [(1, "颜色".to_owned(), "unknown_column"), (1, "形状".to_owned(), "unknown_column")]
    );
}

#[test]
fn rows_are_counted_as_people_see_them_whatever_the_line_end() {
    let plain = "房号,姓名\n101,\"王,\n先生\"\n\n 102 ,李\u{3000}\n,\n103,赵\n";
    let expected = [(2, "101", "王,\n先生"), (4, "102", "李"), (6, "103", "赵")];
    let mixed = plain.replacen('\n', "\r\n", 2).replacen("李\u{3000}\n", "李\u{3000}\r", 1);
    for text in [plain.to_owned(), plain.replace('\n', "\r\n"), plain.replace('\n', "\r"), mixed] {
        let rows = read(&csv(&text).unwrap());
        let rows: Vec<_> = rows.iter().map(|(number, unit, name)| (*number, unit.as_str(), name.as_str())).collect();
        assert_eq!(rows, expected, "{text:?}");
    }
}

#[test]
fn a_title_a_sum_and_columns_for_remarks_are_left_out_and_said_so() {
    let title = "御溪花园住户登记表\n制表日期：2026年11月,\n\n序号,房号*,姓名\n(必填),备注\n1,101,王,\n2,102,李,欠费\n合计,2,,\n,,\n";
    // The second line of the header's cell is a cell of several lines only in quotes.
    let title = title.replace("姓名\n(必填)", "\"姓名\n(必填)\"");
    let sheet = csv(&title).unwrap();
    assert_eq!(read(&sheet), [(5, "101".to_owned(), "王".to_owned()), (6, "102".to_owned(), "李".to_owned())]);
    let expected = [
        (1, "", "left_out_title"),
        (2, "", "left_out_title"),
        (4, "序号", "left_out_column"),
        (4, "备注", "left_out_column"),
        (7, "", "left_out_sum"),
    ];
    assert_eq!(noted(&sheet), expected);
    let note = SheetNote::new(&sheet.notes()[4], Language::ZhHans);
    assert_eq!((note.row, note.detail.as_str()), (7, "是合计行，未读取"));
    for sum in ["小计", "總計", "Total", "合计："] {
        assert_eq!(csv(&format!("房号,姓名\n101,王\n{sum},\n")).unwrap().len(), 1, "{sum}");
    }
    assert_eq!(faults(csv("登记表\n颜色,房号\n红,101\n"))[0], (2, "颜色".to_owned(), "unknown_column"));
}

#[test]
fn merged_cells_of_a_workbook_count_for_all_their_rows() {
    let rows = row_of(1, &["一号楼住户表"])
        + &row_of(2, &["楼栋", "房号", "姓名"])
        + &row_of(3, &["1号楼", "101", "王"])
        + &row_of(4, &["", "102", "李"])
        + &row_of(5, &["", "103", "赵"])
        + &row_of(6, &["2号楼", "101", "钱"])
        + &row_of(7, &["合计", "4"]);
    let merged = "<mergeCells count=\"3\"><mergeCell ref=\"A1:C1\"/><mergeCell ref=\"A3:A5\"/><mergeCell ref=\"B7:C1048576\"/></mergeCells>";
    let sheet = Sheet::read(&workbook_of(&rows, "", merged), XLSX, &LAYOUT).unwrap();
    let buildings = sheet.each(|row| Some((row.text("building")?, row.required("unit")?))).unwrap();
    let buildings: Vec<_> = buildings.iter().map(|row| (row.row, row.value.0, row.value.1)).collect();
    assert_eq!(buildings, [(3, "1号楼", "101"), (4, "1号楼", "102"), (5, "1号楼", "103"), (6, "2号楼", "101")]);
    assert_eq!(noted(&sheet), [(1, "", "left_out_title"), (7, "", "left_out_sum")]);
}

#[test]
fn workbooks_of_both_date_systems_are_read_as_excel_shows_them() {
    let cell = |letter: &str, style: u32, value: &str| format!("<c r=\"{letter}2\" s=\"{style}\"><v>{value}</v></c>");
    let header = row_of(1, &["房号", "姓名", "入住日期", "开始"]);
    let with = |properties: &str, date: (u32, &str), time: (u32, &str)| {
        let cells = text("A2", "101") + &text("B2", "王") + &cell("C", date.0, date.1) + &cell("D", time.0, time.1);
        let sheet =
            Sheet::read(&workbook_of(&format!("{header}<row r=\"2\">{cells}</row>"), properties, ""), XLSX, &LAYOUT);
        let sheet = sheet.unwrap();
        let rows = sheet
            .each(|row| Some((row.date("since_on", &bounds())?.to_string(), row.time("starts_at")?.num_minutes())));
        rows.unwrap().remove(0).value
    };
    let old_mac = "<workbookPr date1904=\"1\"/>";
    for (properties, date, time, expected) in [
        ("", (1, "45413"), (2, "0.333333333333333"), ("2024-05-01", 480)),
        (old_mac, (1, "43951"), (2, "0.333333333333333"), ("2024-05-01", 480)),
        (old_mac, (1, "44904"), (2, "0.5"), ("2026-12-10", 720)),
        // With a time of day; rounded up to midnight; a whole day in hours.
        ("", (3, "45413.75"), (4, "1"), ("2024-05-01", 1440)),
        (old_mac, (3, "43951.75"), (4, "1"), ("2024-05-01", 1440)),
        ("", (1, "45412.99999999"), (2, "0"), ("2024-05-01", 0)),
        ("", (0, "20240501"), (2, "0"), ("2024-05-01", 0)),
    ] {
        let (day, minutes) = with(properties, date, time);
        assert_eq!((day.as_str(), minutes), expected, "{properties} {date:?}");
    }
}

#[test]
fn days_that_cannot_be_meant_are_refused_with_the_bounds() {
    let sheet = csv("房号,姓名,入住日期\n101,王,2099-01-01\n102,李,1900-01-01\n103,赵,20240501\n").unwrap();
    let result = sheet.each(|row| {
        let (on, is_empty) = (row.date("since_on", &bounds()), row.text("since_on").is_none());
        (on.is_some() || is_empty).then_some(on)
    });
    let Err(Error::Sheet(found)) = &result else { panic!("{result:?}") };
    assert_eq!(found[0].told(Language::ZhHans).detail, "应在 1920-01-01 至 2028-12-31 之间；请检查年份");
    let column = "入住日期".to_owned();
    assert_eq!(faults(result), [(2, column.clone(), "date_out_of_bounds"), (3, column, "date_out_of_bounds")]);
}

#[test]
fn broken_files_are_refused_as_a_whole() {
    let many = format!("unit,name\n{}", "a,b\n".repeat(MAX_ROWS + 1));
    let cases = [
        ("", "empty_file"),
        ("\n\n", "empty_file"),
        ("unit,name\n", "no_rows"),
        ("unit,name\n合计,\n", "no_rows"),
        ("PK\u{3}\u{4}", "not_a_sheet"),
        ("a\0b", "not_a_sheet"),
        ("a\u{1}b", "not_a_sheet"),
        (many.as_str(), "too_many_rows"),
    ];
    for (file, code) in cases {
        assert_eq!(faults(csv(file)), [(1, String::new(), code)], "{}", &file[..file.len().min(20)]);
    }
    assert_eq!(faults(Sheet::read(b"unit,name\n", XLSX, &LAYOUT))[0].2, "not_a_sheet");
    assert_eq!(faults(Sheet::read(b"\x80\xff\xff", "text/csv", &LAYOUT))[0].2, "not_a_sheet");
    assert!(matches!(Sheet::read(b"", "image/png", &LAYOUT), Err(Error::UnsupportedMediaType(_))));
    assert!(csv(&format!("unit,name\n{}", "a,b\n".repeat(MAX_ROWS))).is_ok());
}

#[test]
fn faults_of_the_header_are_all_told() {
    let told = csv("房号,UNIT,颜色\na,b,c\n");
    let Err(Error::Sheet(found)) = &told else { panic!("{told:?}") };
    assert_eq!(found[0].told(Language::ZhHant).detail, "此欄出現兩次，另一欄是「房号」；請刪除其中一欄");
    let expected = [
        (1, "UNIT".to_owned(), "repeated_column"),
        (1, "颜色".to_owned(), "unknown_column"),
        (1, "姓名".to_owned(), "missing_column"),
    ];
    assert_eq!(faults(told), expected);
}

#[test]
fn faults_of_all_cells_are_told_by_row_and_column_as_written() {
    let sheet = csv("房号,姓名,建筑面积,入住日期,开始,技能,身份\n,王,很大,明天,25:00,水电；电梯,国王\nE2,,1,2026年9月1日,8:30,,户主\n").unwrap();
    let result = sheet.each(|row| {
        let (unit, name) = (row.required("unit"), row.required("name"));
        let (area, on, at) = (row.decimal("area_m2"), row.date("since_on", &bounds()), row.time("starts_at"));
        let role = row.word("role", "resident_role");
        if row.number() == 2 {
            assert_eq!(row.list("skills"), ["水电", "电梯"]);
        } else {
            assert_eq!(role, Some("owner"));
        }
        Some((unit?, name?, area, on, at))
    });
    let Err(Error::Sheet(found)) = &result else { panic!("{result:?}") };
    assert!(found.iter().all(|fault| !fault.detail.contains("明天") && !fault.detail.contains("国王")));
    let role = found.iter().find(|fault| fault.code == "unknown_word").unwrap();
    assert_eq!(role.detail, "must be one of: agent, co_owner, family, owner, tenant");
    assert_eq!(role.told(Language::ZhHans).detail, "应为以下之一：代理人, 共有人, 家属, 业主, 租客");
    let expected = [
        (2, "房号".to_owned(), "missing"),
        (2, "建筑面积".to_owned(), "not_a_number"),
        (2, "入住日期".to_owned(), "not_a_date"),
        (2, "开始".to_owned(), "not_a_time"),
        (2, "身份".to_owned(), "unknown_word"),
        (3, "姓名".to_owned(), "missing"),
    ];
    assert_eq!(faults(result), expected);
    assert_eq!(faults(csv("unit,name\na,b,c\n"))[0].2, "no_header");
}

#[test]
fn a_cell_that_shows_nothing_is_refused_and_marks_of_direction_change_nothing() {
    let sheet = csv("unit,name,\u{200e}建筑面积\u{200e}\n\u{202d}101\u{202c},\u{200f}王\u{202e}一,\u{feff}\n").unwrap();
    let read = sheet.each(|row| Some((row.text("unit")?, row.text("name")?, row.text("area_m2"))));
    assert_eq!(read.unwrap()[0].value, ("101", "王一", None));

    let sheet = csv("unit,name,area_m2\n101,\u{200b},\u{ad}\n\u{202e},王,\u{3164}\n102,王\u{200b},\n").unwrap();
    let read =
        sheet.each(|row| Some((row.required("unit").map(str::to_owned), row.required("name").map(str::to_owned))));
    let found = [(2, "name"), (2, "area_m2"), (3, "unit"), (3, "area_m2")];
    assert_eq!(faults(read), found.map(|(row, column)| (row, column.to_owned(), "nothing_to_see")));
}
