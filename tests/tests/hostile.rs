//! What hostile bodies cost a process in memory: `deploy/bench/run hostile`. It prints figures.
#![expect(clippy::unwrap_used, reason = "a measurement fails loudly")]

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Write as _},
    time::Duration,
};

use futures::future::join_all;
use steward_e2e::processes::System;
use steward_kernel::Role;
use steward_testkit::{db::new_id, servers::Postgres};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// Files that are sent at the same time, of so many bytes.
const FILES: (usize, usize) = (60, 5 << 20);
/// How long who stops one byte before the end waits for an answer.
const SLOW: Duration = Duration::from_secs(6);
/// Rows of the workbook, and characters of the one text that all of them have.
const CELLS: (u32, usize) = (20_000, 20_000);

/// One upload.
#[derive(Clone)]
struct Body<'a> {
    path: &'static str,
    media: &'static str,
    bytes: &'a [u8],
    /// Whether its last byte never comes.
    is_slow: bool,
}

/// Sends it, and gives the status of the answer; 0: none.
async fn send(port: u16, token: &str, body: Body<'_>) -> u16 {
    let Body { path, media, bytes, is_slow } = body;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: steward\r\nauthorization: Bearer {token}\r\ncontent-type: {media}\r\ncontent-length: {}\r\n\
         idempotency-key: {}\r\nconnection: close\r\n\r\n",
        bytes.len(),
        new_id()
    );
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let sent = if is_slow { &bytes[..bytes.len() - 1] } else { bytes };
    // Who is refused may find the connection closed while still sending.
    let _ = connection.write_all(head.as_bytes()).await;
    let _ = connection.write_all(sent).await;
    let mut answer = Vec::new();
    let patience = if is_slow { SLOW } else { SLOW * 10 };
    let _ = tokio::time::timeout(patience, connection.read_to_end(&mut answer)).await;
    let status = answer.get(9..12).and_then(|status| std::str::from_utf8(status).ok()?.parse().ok());
    status.unwrap_or(0)
}

/// The most that a process has had in memory, in MiB.
fn most(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() >> 10
}

/// A workbook whose cells all have the same long text.
fn workbook() -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let (rows, text) = (CELLS.0, "长".repeat(CELLS.1));
    let cells: String =
        (1..=rows).map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\" t=\"s\"><v>0</v></c></row>")).collect();
    let link = format!("<Relationship Id=\"r1\" Type=\"{RELS}/worksheet\" Target=\"worksheets/sheet1.xml\"/>");
    let sheets = "<sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets>";
    let parts = [
        ("xl/workbook.xml", format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELS}\">{sheets}</workbook>")),
        ("xl/_rels/workbook.xml.rels", format!("<Relationships>{link}</Relationships>")),
        ("xl/sharedStrings.xml", format!("<sst><si><t>{text}</t></si></sst>")),
        ("xl/worksheets/sheet1.xml", format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{cells}</sheetData></worksheet>")),
    ];
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, part) in parts {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(part.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Has a new process of intake take so many bodies at once, and says what that cost.
async fn measure(system: &mut System, what: &str, tokens: &[String], body: Body<'_>, count: usize) {
    system.service_mut("intake").kill();
    system.start("intake");
    let intake = system.service("intake");
    system.is_ready(intake).await;
    let (id, port) = (intake.id().unwrap(), intake.port());
    let before = most(id);
    let sends = (0..count).map(|n| send(port, &tokens[n % tokens.len()], body.clone()));
    let mut answers = BTreeMap::<u16, usize>::new();
    for status in join_all(sends).await {
        *answers.entry(status).or_default() += 1;
    }
    let answers: Vec<_> = answers.into_iter().map(|(status, count)| format!("{count} × {status}")).collect();
    let line = format!("{what}: {before} → {} MiB; answers {} (0: none)", most(id), answers.join(", "));
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; deploy/bench/run hostile"]
async fn memory_under_hostile_bodies() {
    let postgres = Postgres::start();
    let mut system = System::prepare(&postgres.url).await;
    system.start("intake");
    let mut photo = b"\x89PNG\r\n\x1a\n".to_vec();
    photo.resize(FILES.1, 0);
    let photo = Body { path: "/v1/files", media: "image/png", bytes: &photo, is_slow: false };
    let slow = Body { is_slow: true, ..photo.clone() };
    let desks: Vec<_> = (0..12).map(|n| system.token_of(Role::Receptionist, &format!("desk-{n}"))).collect();
    let one = &desks[..1];
    let what = format!("{} files of {} MiB", FILES.0, FILES.1 >> 20);
    measure(&mut system, &format!("{what}, stopped one byte before their end, one caller"), one, slow.clone(), FILES.0)
        .await;
    measure(&mut system, &format!("{what}, stopped one byte before their end, twelve callers"), &desks, slow, FILES.0)
        .await;
    measure(&mut system, &format!("{what} at once, one caller"), one, photo.clone(), FILES.0).await;
    measure(&mut system, &format!("{what} at once, twelve callers"), &desks, photo, FILES.0).await;
    let book = workbook();
    let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let book = Body { path: "/v1/residents/import", media, bytes: &book, is_slow: false };
    let what = format!("a workbook of {} kB whose cells share one long text", book.bytes.len() >> 10);
    let admin = [system.token(Role::Admin)];
    measure(&mut system, &what, &admin, book, 1).await;
}
