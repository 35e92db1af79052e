//! Files: photos, documents, short videos, voice notes.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use steward_chassis::{
    Call, Error, Executed, Result, Work,
    http::{Allowed, Body, Path, Problems, Versioned},
};
use utoipa::ToSchema;

use super::permission;
use crate::{
    app::App,
    domain::{
        FileId,
        file::{Command, Facts, File, MediaType, Particulars},
    },
    store,
};

/// What is taken, for whoever sends something else.
const TYPES: &str = "image/jpeg, image/png, image/webp, image/heic, image/heif, application/pdf, video/mp4, video/quicktime, audio/mp4 \
                     (m4a), audio/aac, audio/amr, audio/mpeg (mp3) or audio/ogg";

/// A file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "file_id": "0198f001-0000-7000-8000-000000000601", "content_type": "image/jpeg", "size_bytes": 182044,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "stored_at": "2026-11-23T08:00:00Z", "version": 1
}))]
pub struct FileView {
    /// Its id.
    pub file_id: FileId,
    /// Its media type.
    pub content_type: MediaType,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// SHA-256 of its content, 64 hexadecimal digits.
    pub sha256: String,
    /// When it was stored.
    pub stored_at: DateTime<Utc>,
    /// Its version.
    pub version: i32,
}

fn view(found: &Executed<File>, file: &Particulars) -> FileView {
    FileView {
        file_id: found.state.id,
        content_type: file.media_type,
        size_bytes: file.size_bytes,
        sha256: file.sha256.clone(),
        stored_at: found.changed_at,
        version: found.version.get(),
    }
}

/// Store a file
///
/// The body is the file. Its first bytes must show the type that `Content-Type` says. An owner's file can be seen by
/// that owner and the staff of their estates, a file of staff by the staff of the same estates; what proves that a service request is done, by its
/// owner, too.
#[utoipa::path(
    post, path = "/v1/files", tag = "files",
    request_body(description = "The content; a picture, a document or a voice note at most 5 MiB, a video at most 20 MiB, unless the company sets it otherwise", content(
        (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"), (Vec<u8> = "image/heic"),
        (Vec<u8> = "image/heif"), (Vec<u8> = "application/pdf"), (Vec<u8> = "video/mp4"), (Vec<u8> = "video/quicktime"),
        (Vec<u8> = "audio/mp4"), (Vec<u8> = "audio/aac"), (Vec<u8> = "audio/amr"), (Vec<u8> = "audio/mpeg"),
        (Vec<u8> = "audio/ogg"),
    )),
    responses((status = 201, description = "The file", body = FileView), Problems),
    security(("bearer" = ["file.store"])),
)]
pub async fn store_file(
    State(app): State<App>,
    call: Allowed<permission::StoreFiles>,
    Body { bytes, content_type }: Body,
) -> Result<Versioned<FileView>> {
    let declared = MediaType::declared(&content_type).ok_or(Error::UnsupportedMediaType(TYPES))?;
    let most = app.config.most_bytes(declared.purpose());
    if bytes.len() > most {
        return Err(Error::TooLarge(most));
    }
    let command = Command::Store {
        declared,
        fits: declared.begins(&bytes),
        size_bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        sha256: hex(&Sha256::digest(&bytes)),
    };
    let id: FileId = app.core.clock.new_id().into();
    let file = Arc::new((command, bytes));
    let stored = app
        .core
        .engine
        .transact(&call, move |work| {
            let file = Arc::clone(&file);
            Box::pin(async move { keep(work, id, &file.0, &file.1).await })
        })
        .await?;
    let file = stored.state.particulars.as_ref().ok_or(Error::NotFound)?;
    let location = format!("/v1/files/{}", stored.state.id);
    Ok(Versioned::created(view(&stored, file), stored.version, location).replayed(stored.replayed))
}

/// Stores a file and its content, unless this is a repetition.
async fn keep(work: &mut Work, id: FileId, command: &Command, bytes: &[u8]) -> Result<Executed<File>> {
    let actor = work.call.actor.clone();
    let home = match actor.resident.filter(|_| actor.is_only_owner()) {
        Some(resident) => store::file::home_of(&mut work.tx, resident).await?,
        None => Vec::new(),
    };
    let stored = work.execute::<File>(id, command, &Facts { actor, home }).await?;
    if !stored.replayed {
        store::file::write_content(&mut work.tx, id, bytes).await?;
    }
    Ok(stored)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A file that the caller may see.
async fn visible(app: &App, call: &Call, id: FileId) -> Result<(Executed<File>, Particulars)> {
    let found = app.core.engine.load::<File>(call, id).await?;
    let file = found.state.particulars.clone().ok_or(Error::NotFound)?;
    if file.is_visible_to(&call.actor) || proves_to_owner(app, call, id, &file).await? {
        Ok((found, file))
    } else {
        Err(Error::NotFound)
    }
}

/// Whether the file shows an owner that work on a case of theirs is done. What another owner has stored never does, whoever names it.
async fn proves_to_owner(app: &App, call: &Call, id: FileId, file: &Particulars) -> Result<bool> {
    let Some(resident) = call.actor.resident.filter(|_| call.actor.is_only_owner() && file.resident.is_none()) else {
        return Ok(false);
    };
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let proves = store::case::proves_to(&mut tx, resident, id).await?;
    tx.rollback().await?;
    Ok(proves)
}

/// Read about a file
///
/// What it is, without its content.
#[utoipa::path(
    get, path = "/v1/files/{file_id}", tag = "files",
    params(("file_id" = FileId, Path, description = "The file")),
    responses((status = 200, description = "The file", body = FileView), Problems),
    security(("bearer" = ["file.read"])),
)]
pub async fn get_file(
    State(app): State<App>,
    call: Allowed<permission::ReadFiles>,
    Path(file_id): Path<FileId>,
) -> Result<Versioned<FileView>> {
    let (found, file) = visible(&app, &call, file_id).await?;
    Ok(Versioned::ok(view(&found, &file), found.version))
}

/// Read a file's content
///
/// The bytes as they were stored; they never change, so they may be kept.
#[utoipa::path(
    get, path = "/v1/files/{file_id}/content", tag = "files",
    params(("file_id" = FileId, Path, description = "The file")),
    responses(
        (status = 200, description = "The content", content(
            (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"), (Vec<u8> = "image/heic"),
        (Vec<u8> = "image/heif"), (Vec<u8> = "application/pdf"), (Vec<u8> = "video/mp4"), (Vec<u8> = "video/quicktime"),
        (Vec<u8> = "audio/mp4"), (Vec<u8> = "audio/aac"), (Vec<u8> = "audio/amr"), (Vec<u8> = "audio/mpeg"),
        (Vec<u8> = "audio/ogg"),
        )),
        Problems,
    ),
    security(("bearer" = ["file.read"])),
)]
pub async fn get_file_content(
    State(app): State<App>,
    call: Allowed<permission::ReadFiles>,
    Path(file_id): Path<FileId>,
) -> Result<Response> {
    let (_, file) = visible(&app, &call, file_id).await?;
    let mut tx = app.core.db.begin(call.tenant()).await?;
    let content = store::file::read_content(&mut tx, file_id).await?.ok_or(Error::NotFound)?;
    tx.rollback().await?;
    let (ending, place) =
        (file.media_type.ending(), if file.media_type.is_shown_in_place() { "inline" } else { "attachment" });
    let headers = [
        (header::CONTENT_TYPE, file.media_type.as_str().to_owned()),
        (header::CONTENT_DISPOSITION, format!("{place}; filename=\"{file_id}.{ending}\"")),
        (header::ETAG, format!("\"{}\"", file.sha256)),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
        // Whatever somebody managed to store, no browser runs it.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    Ok((headers, content).into_response())
}
