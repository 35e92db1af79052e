//! Making and changing the secrets of an installation, in a folder or in the cluster this runs in.

mod cluster;
mod folder;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use steward_admin::keyring::{self, Keyring, Kind};

use cluster::Cluster;

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make what is missing; what is there stays.
    New {
        #[command(flatten)]
        place: Place,
        /// Also the key of the development issuer, which production refuses.
        #[arg(long)]
        trial: bool,
    },
    /// Put a new line before the one in use. Both work until `retire`; databases take the new one with the next `steward provision`.
    Rotate {
        #[command(flatten)]
        place: Place,
        /// Which of them; all when not given.
        #[arg(long = "only", value_enum)]
        only: Vec<Kind>,
    },
    /// Take away the old lines.
    Retire {
        #[command(flatten)]
        place: Place,
    },
}

/// Where the secrets are.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Place {
    /// A folder with one folder for each secret and one file for each entry.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Secrets `steward-…` of the namespace that this runs in, under the service account of its pod.
    #[arg(long)]
    cluster: bool,
}

/// Does it.
///
/// # Errors
/// When the place cannot be read or written.
#[expect(clippy::print_stdout, reason = "progress; names only")]
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let place = match &command {
        Command::New { place, .. } | Command::Rotate { place, .. } | Command::Retire { place } => place,
    };
    let cluster = if place.folder.is_none() { Some(Cluster::of_this_pod()?) } else { None };
    let known = match (&place.folder, &cluster) {
        (Some(folder), _) => folder::load(folder)?,
        (None, Some(cluster)) => cluster.load().await?,
        (None, None) => Keyring::new(),
    };
    let mut ring = known.clone();
    match &command {
        Command::New { trial, .. } => keyring::complete(&mut ring, *trial)?,
        Command::Rotate { only, .. } if only.is_empty() => {
            keyring::rotate(&mut ring, &[Kind::Databases, Kind::Messages, Kind::Cursors])?;
        }
        Command::Rotate { only, .. } => keyring::rotate(&mut ring, only)?,
        Command::Retire { .. } => keyring::retire(&mut ring),
    }
    for (name, entries) in ring.iter().filter(|(name, entries)| known.get(*name) != Some(*entries)) {
        match (&place.folder, &cluster) {
            (Some(folder), _) => folder::save(folder, name, entries)?,
            (None, Some(cluster)) => cluster.save(name, entries, known.contains_key(name)).await?,
            (None, None) => {}
        }
        println!("{name} is written");
    }
    Ok(())
}
