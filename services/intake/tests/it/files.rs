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
