//! The secrets of an installation: passwords of the databases' roles, nkeys of the message server's users, seals of page marks. How they
//! are made, and how they are changed while everything runs.

use std::collections::BTreeMap;

use anyhow::Context as _;
use aws_lc_rs::rand;
use nkeys::{KeyPair, KeyPairType};
use steward_chassis::{
    db::{app_role, owner_role, platform_role},
    issuer::DevIssuer,
};

use crate::{accounts::variable, services};

/// Entries by secret and name: `intake` → `database-password` → the password. On Kubernetes the secret is called `steward-intake`.
pub type Keyring = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// Passwords of a service's three roles.
const PASSWORDS: [&str; 3] = ["database-password", "platform-password", "owner-password"];
/// Seed with which a service or the command signs in to the message server.
const SEED: &str = "nats-seed";
/// What seals the page marks of a service.
const CURSOR: &str = "cursor-secret";
/// The secret with the public nkeys; public, but it must fit the seeds.
const NATS: &str = "nats";
/// Users of the message server that are no service: who makes streams, and who watches the server.
const USERS: [&str; 2] = ["streams", "sys"];
/// Bytes of randomness in a password or seal, written in hexadecimal digits so that they need no escaping anywhere.
const RANDOM_BYTES: usize = 24;

/// What can be changed while everything runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Passwords of the databases' roles.
    Databases,
    /// Nkeys of the message server's users.
    Messages,
    /// Seals of page marks.
    Cursors,
}

impl Kind {
    fn of(entry: &str) -> Option<Self> {
        match entry {
            SEED => Some(Self::Messages),
            CURSOR => Some(Self::Cursors),
            _ if PASSWORDS.contains(&entry) => Some(Self::Databases),
            _ => None,
        }
    }
}

/// A line that was put before one that still works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// Secret and entry: `intake/database-password`.
    pub name: String,
    /// The new line.
    pub line: String,
    /// Who signs in with it.
    pub owner: Owner,
}

/// Who signs in with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// That role of the database.
    Role(String),
    /// A user of the message server.
    User,
}

/// What is being changed and has another half.
///
/// # Errors
/// When an entry is no text.
pub fn new_lines(ring: &Keyring) -> anyhow::Result<Vec<New>> {
    let mut new = Vec::new();
    for (of, secret) in ring {
        for (name, entry) in secret.iter().filter(|(_, entry)| lines(entry).count() > 1) {
            let owner = match name.as_str() {
                "database-password" => Owner::Role(app_role(of)),
                "platform-password" => Owner::Role(platform_role(of)),
                "owner-password" => Owner::Role(owner_role(of)),
                SEED => Owner::User,
                _ => continue,
            };
            let line = std::str::from_utf8(first_line(entry)).with_context(|| format!("{of}/{name} is no text"))?;
            new.push(New { name: format!("{of}/{name}"), line: line.to_owned(), owner });
        }
    }
    Ok(new)
}

/// Adds what is missing and leaves what is there.
///
/// * `trial`: also the key of the development issuer, which production refuses.
///
/// # Errors
/// When the machine has no randomness, or a seed that is there cannot be read.
pub fn complete(ring: &mut Keyring, trial: bool) -> anyhow::Result<()> {
    for service in services::all() {
        let secret = ring.entry(service.name.to_owned()).or_default();
        for name in PASSWORDS.iter().chain([&CURSOR, &SEED]) {
            if !secret.contains_key(*name) {
                secret.insert((*name).to_owned(), new_line(name)?);
            }
        }
    }
    for user in USERS {
        let secret = ring.entry(user.to_owned()).or_default();
        if !secret.contains_key(SEED) {
            secret.insert(SEED.to_owned(), new_line(SEED)?);
        }
    }
    let superuser = ring.entry("postgres".to_owned()).or_default();
    if superuser.is_empty() {
        superuser.insert("password".to_owned(), password()?);
    }
    if trial && !ring.contains_key("issuer") {
        let key = DevIssuer::generate("dev")?.pkcs8().to_vec();
        ring.insert("issuer".to_owned(), BTreeMap::from([("issuer.der".to_owned(), key)]));
    }
    publish(ring)
}

/// Puts a new line before the one in use; both work until [`retire`]. What has two lines already stays as it is, and is named: which of the
/// two its other half has taken is not known here, so neither may go.
///
/// # Errors
/// When the machine has no randomness, or a seed cannot be read.
pub fn rotate(ring: &mut Keyring, kinds: &[Kind]) -> anyhow::Result<Vec<String>> {
    let mut left = Vec::new();
    for (of, secret) in ring.iter_mut() {
        for (name, entry) in secret.iter_mut().filter(|(name, _)| Kind::of(name).is_some_and(|it| kinds.contains(&it)))
        {
            if lines(entry).count() > 1 {
                left.push(format!("{of}/{name}"));
                continue;
            }
            let mut lines = new_line(name)?;
            lines.push(b'\n');
            lines.extend(first_line(entry));
            *entry = lines;
        }
    }
    publish(ring)?;
    Ok(left)
}

/// Takes away all lines but the first.
pub fn retire(ring: &mut Keyring) {
    for secret in ring.values_mut() {
        for (_, entry) in secret.iter_mut().filter(|(name, _)| Kind::of(name).is_some()) {
            *entry = first_line(entry).to_vec();
        }
    }
}

/// Writes down the public nkeys that belong to the seeds in use.
fn publish(ring: &mut Keyring) -> anyhow::Result<()> {
    let mut public = BTreeMap::new();
    for (user, secret) in ring.iter() {
        if let Some(seed) = secret.get(SEED) {
            let seed = std::str::from_utf8(first_line(seed)).context("a seed is text")?;
            let pair =
                KeyPair::from_seed(seed).map_err(|_| anyhow::anyhow!("{user}: {SEED} is not the seed of an nkey"))?;
            public.insert(variable(user), pair.public_key().into_bytes());
        }
    }
    ring.insert(NATS.to_owned(), public);
    Ok(())
}

fn new_line(name: &str) -> anyhow::Result<Vec<u8>> {
    if name != SEED {
        return password();
    }
    let mut raw = [0; 32];
    fill(&mut raw)?;
    let pair = KeyPair::new_from_raw(KeyPairType::User, raw).context("an nkey could not be made")?;
    Ok(pair.seed().context("an nkey could not be written")?.into_bytes())
}

fn password() -> anyhow::Result<Vec<u8>> {
    let mut raw = [0; RANDOM_BYTES];
    fill(&mut raw)?;
    Ok(raw.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes())
}

fn fill(raw: &mut [u8]) -> anyhow::Result<()> {
    rand::fill(raw).map_err(|_| anyhow::anyhow!("this machine has no randomness"))
}

fn first_line(entry: &[u8]) -> &[u8] {
    lines(entry).next().unwrap_or_default()
}

fn lines(entry: &[u8]) -> impl Iterator<Item = &[u8]> {
    entry.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'a>(ring: &'a Keyring, secret: &str, name: &str) -> &'a str {
        std::str::from_utf8(&ring[secret][name]).unwrap()
    }

    fn public(seed: &str) -> String {
        KeyPair::from_seed(seed).unwrap().public_key()
    }

    #[test]
    fn what_is_there_stays_and_what_is_missing_comes() {
        let mut ring = Keyring::from([("intake".to_owned(), [(CURSOR.to_owned(), b"mine".to_vec())].into())]);
        complete(&mut ring, false).unwrap();
        assert_eq!(text(&ring, "intake", CURSOR), "mine");
        assert_eq!(ring["intake"].len(), 5);
        assert_eq!(ring[NATS].len(), 7);
        assert!(!ring.contains_key("issuer"), "only for trials");
        let before = ring.clone();
        complete(&mut ring, false).unwrap();
        assert_eq!(ring, before);
        complete(&mut ring, true).unwrap();
        assert!(ring.contains_key("issuer"));
    }

    #[test]
    fn a_change_keeps_the_old_line_until_it_is_retired() {
        let mut ring = Keyring::new();
        complete(&mut ring, false).unwrap();
        let before = ring.clone();
        assert!(rotate(&mut ring, &[Kind::Databases, Kind::Messages]).unwrap().is_empty());
        let old = text(&before, "dispatch", "database-password");
        let (new, kept) = text(&ring, "dispatch", "database-password").split_once('\n').unwrap();
        assert!(kept == old && new != old);
        let changes = new_lines(&ring).unwrap();
        assert_eq!(changes.len(), 15 + 7);
        let name = "dispatch/database-password".to_owned();
        let owner = Owner::Role("steward_dispatch".to_owned());
        assert!(changes.contains(&New { name, line: new.to_owned(), owner }));
        let new = new.to_owned();
        assert_eq!(ring["dispatch"][CURSOR], before["dispatch"][CURSOR]);
        let seed = text(&ring, "streams", SEED).lines().next().unwrap();
        assert_eq!(text(&ring, NATS, "STREAMS_NKEY"), public(seed));

        // Once more before the databases have taken the new line: the old one is still in use. What a run that broke off left out comes now.
        ring.get_mut("intake").unwrap().insert(PASSWORDS[0].to_owned(), b"one line".to_vec());
        let again = ring.clone();
        let left = rotate(&mut ring, &[Kind::Databases]).unwrap();
        assert_eq!((left.len(), left[0].as_str()), (14, "complaint/database-password"));
        assert_eq!(ring["dispatch"], again["dispatch"]);
        assert!(text(&ring, "intake", "database-password").ends_with("\none line"));
        retire(&mut ring);
        assert!(new_lines(&ring).unwrap().is_empty());
        assert_eq!(text(&ring, "dispatch", "database-password"), new);
        assert_eq!(text(&ring, NATS, "STREAMS_NKEY"), public(text(&ring, "streams", SEED)));
    }
}
