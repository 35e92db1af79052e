//! Photos and documents.

use steward_intake::Intake;
use steward_proto::intake as pb;
use steward_testkit::{kernel::Role, with};
use uuid::Uuid;

const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF a leaking tap";

#[tokio::test]
async fn a_photo_comes_back_as_it_was_stored() {
    with::<Intake>(async |kit| {
        let estate = Uuid::from_u128(7);
        let technician = kit.client_of(&kit.staff_of(Role::Technician, &[estate]));
        let stored = technician.upload("/v1/files", "image/jpeg", JPEG.to_vec()).key("photo").await;
        let file = stored.created();
        assert_eq!(
            (file["size_bytes"].as_u64(), file["content_type"].as_str()),
            (Some(JPEG.len() as u64), Some("image/jpeg"))
        );
        let again = technician.upload("/v1/files", "image/jpeg", JPEG.to_vec()).key("photo").await;
        assert_eq!((again.created(), again.header("idempotency-replayed")), (file.clone(), "true"));
        assert_eq!(kit.count("intake", "file_content").await, 1);

        let path = stored.header("location").to_owned();
        assert_eq!(technician.get(&path).await.ok(), file);
        let content = technician.get(&format!("{path}/content")).await;
        assert_eq!((content.status, content.bytes.as_slice()), (200, JPEG));
        assert_eq!(
            (content.header("content-type"), content.header("x-content-type-options")),
            ("image/jpeg", "nosniff")
        );
        let etag = content.header("etag").to_owned();
        assert_eq!(etag.trim_matches('"'), file["sha256"].as_str().unwrap());
        assert_eq!(technician.get(&format!("{path}/content")).header("if-none-match", &etag).await.status, 304);

        let neighbour = kit.client_of(&kit.staff_of(Role::Supervisor, &[Uuid::from_u128(8)]));
        let _ = neighbour.get(&path).await.problem(404, "not-found");
        let _ = neighbour.get(&format!("{path}/content")).await.problem(404, "not-found");
        let told = kit.published::<pb::FileStored>().await;
        assert_eq!((told.len(), told[0].sha256.as_str()), (1, file["sha256"].as_str().unwrap()));
    })
    .await;
}

#[tokio::test]
async fn owners_see_what_they_stored_themselves() {
    with::<Intake>(async |kit| {
        let owner = kit.owner(Uuid::from_u128(5));
        let stored = owner.upload("/v1/files", "image/png", b"\x89PNG\r\n\x1a\n....".to_vec()).await;
        let path = stored.header("location").to_owned();
        let _ = stored.created();
        let _ = owner.get(&path).await.ok();
        let _ = kit.owner(Uuid::from_u128(6)).get(&path).await.problem(404, "not-found");
        let _ = kit.client(Role::Handler).get(&path).await.ok();
        let elsewhere = kit.client_of(&kit.staff_of(Role::Handler, &[Uuid::from_u128(8)]));
        let _ = elsewhere.get(&path).await.problem(404, "not-found");
    })
    .await;
}

#[tokio::test]
async fn what_phones_record_is_taken_and_no_browser_runs_it() {
    with::<Intake>(async |kit| {
        let owner = kit.owner(Uuid::from_u128(5));
        let recorded: [(&str, &[u8], &str, &str); 6] = [
            ("image/heic", b"\0\0\0\x24ftypheic\0\0\0\0mif1", "image/heic", "inline; filename=\"{}.heic\""),
            ("video/mp4", b"\0\0\0\x18ftypmp42\0\0\0\0isom", "video/mp4", "inline; filename=\"{}.mp4\""),
            ("video/quicktime", b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime", "inline; filename=\"{}.mov\""),
            ("audio/x-m4a", b"\0\0\0\x1cftypM4A \0\0\0\0", "audio/mp4", "inline; filename=\"{}.m4a\""),
            ("audio/amr", b"#!AMR\n\x3c", "audio/amr", "inline; filename=\"{}.amr\""),
            ("application/pdf", b"%PDF-1.7", "application/pdf", "attachment; filename=\"{}.pdf\""),
        ];
        for (declared, bytes, kind, disposition) in recorded {
            let stored = owner.upload("/v1/files", declared, bytes.to_vec()).await;
            let file = stored.created();
            assert_eq!(file["content_type"], kind);
            let content = owner.get(&format!("{}/content", stored.header("location"))).await;
            assert_eq!((content.header("content-type"), content.bytes.as_slice()), (kind, bytes));
            let id = file["file_id"].as_str().unwrap();
            assert_eq!(content.header("content-disposition"), disposition.replace("{}", id));
            assert_eq!(content.header("x-content-type-options"), "nosniff");
            assert_eq!(content.header("content-security-policy"), "default-src 'none'; sandbox");
        }
        let film = [b"\0\0\0\x18ftypmp42".as_slice(), &vec![0; (20 << 20) - 12]].concat();
        let longer = [film.as_slice(), b"x"].concat();
        let _ = owner.upload("/v1/files", "video/mp4", longer).await.problem(413, "body-too-large");
        assert_eq!(owner.upload("/v1/files", "video/mp4", film).await.created()["size_bytes"], 20 << 20);
        let html = b"<script>alert(1)</script>".to_vec();
        let _ = owner.upload("/v1/files", "video/mp4", html).await.problem(422, "intake/file-type-mismatch");
    })
    .await;
}

#[tokio::test]
async fn only_what_is_a_picture_or_pdf_is_stored() {
    with::<Intake>(async |kit| {
        let desk = kit.client(Role::Receptionist);
        let send = |kind: &'static str, bytes: Vec<u8>| desk.upload("/v1/files", kind, bytes);
        let _ = send("image/png", JPEG.to_vec()).await.problem(422, "intake/file-type-mismatch");
        let _ = send("image/jpeg", b"<script>".to_vec()).await.problem(422, "intake/file-type-mismatch");
        let _ = send("image/jpeg", Vec::new()).await.problem(422, "intake/file-empty");
        let _ = send("image/svg+xml", b"<svg/>".to_vec()).await.problem(415, "unsupported-media-type");
        let largest = [JPEG, &vec![0; (5 << 20) - JPEG.len()]].concat();
        let _ = send("image/jpeg", [largest.as_slice(), b"x"].concat()).await.problem(413, "body-too-large");
        assert_eq!(send("image/jpeg", largest).await.created()["size_bytes"], 5 << 20);
        let _ =
            kit.client(Role::Analyst).upload("/v1/files", "image/jpeg", JPEG.to_vec()).await.problem(403, "forbidden");
    })
    .await;
}
