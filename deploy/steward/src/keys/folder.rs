//! Secrets in a folder: one folder for each secret, one file for each entry, readable by their owner only.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use anyhow::Context as _;
use steward_admin::keyring::Keyring;

/// Makes the folder if there is none, and keeps others out as long as what is returned is held.
///
/// # Errors
/// When somebody else is at it, or it cannot be made.
pub(crate) fn enter(folder: &Path) -> anyhow::Result<fs::File> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(|| folder.display().to_string())?;
    let entered = fs::File::open(folder).with_context(|| folder.display().to_string())?;
    match entered.try_lock() {
        Ok(()) => Ok(entered),
        Err(fs::TryLockError::WouldBlock) => {
            anyhow::bail!("{}: another `steward keys` is at work here; repeat it afterwards", folder.display())
        }
        Err(fs::TryLockError::Error(fault)) => Err(fault).with_context(|| folder.display().to_string()),
    }
}

/// All that is there.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn load(folder: &Path) -> anyhow::Result<Keyring> {
    let mut ring = Keyring::new();
    for secret in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let secret = secret?;
        if !secret.file_type()?.is_dir() {
            continue;
        }
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(secret.path())? {
            let entry = entry?;
            let name = name(&entry.file_name())?;
            if !name.starts_with('.') {
                entries.insert(name, fs::read(entry.path())?);
            }
        }
        ring.insert(name(&secret.file_name())?, entries);
    }
    Ok(ring)
}

/// Writes one secret; a reader meets the old or the new text of an entry, never half of one.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn save(folder: &Path, secret: &str, entries: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<()> {
    let place = folder.join(secret);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&place)?;
    for (name, text) in entries {
        let new = place.join(format!(".{name}.new"));
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&new, place.join(name))?;
    }
    Ok(())
}

fn name(name: &std::ffi::OsStr) -> anyhow::Result<String> {
    Ok(name.to_str().context("a file name that is not text")?.to_owned())
}
