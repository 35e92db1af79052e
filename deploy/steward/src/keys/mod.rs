//! Making and changing the secrets of an installation, in a folder or in the cluster this runs in.

mod cluster;
mod folder;
mod halves;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use steward_admin::keyring::{self, Keyring, Kind};

use cluster::{Cluster, Versions};
use halves::Halves;

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
    /// Put a new line before the one in use. Both work until `retire`; databases take the new one with the next `steward provision`. What is
    /// being changed already stays as it is, so that this can be repeated.
    Rotate {
        #[command(flatten)]
        place: Place,
        /// Which of them; all when not given.
        #[arg(long = "only", value_enum)]
        only: Vec<Kind>,
    },
    /// Take away the old lines, once the databases and the message server take the new ones; it tries each.
    Retire {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        halves: Halves,
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
        Command::New { place, .. } | Command::Rotate { place, .. } | Command::Retire { place, .. } => place,
    };
    let cluster = if place.folder.is_none() { Some(Cluster::of_this_pod()?) } else { None };
    // One run at a time in a folder, until this ends; in a cluster, who comes second is refused as it writes.
    let _turn = place.folder.as_deref().map(folder::enter).transpose()?;
    let (known, versions) = match (&place.folder, &cluster) {
        (Some(folder), _) => (folder::load(folder)?, Versions::new()),
        (None, Some(cluster)) => cluster.load().await?,
        (None, None) => <(Keyring, Versions)>::default(),
    };
    if let Command::Retire { halves, .. } = &command {
        halves.take_new_lines(&known).await?;
    }
    let mut ring = known.clone();
    let left = change(&mut ring, &command)?;
    for (name, entries) in ring.iter().filter(|(name, entries)| known.get(*name) != Some(*entries)) {
        match (&place.folder, &cluster) {
            (Some(folder), _) => folder::save(folder, name, entries)?,
            (None, Some(cluster)) => cluster.save(name, entries, versions.get(name)).await?,
            (None, None) => {}
        }
        println!("{name} is written");
    }
    anyhow::ensure!(
        left.is_empty(),
        "left as they are, since an earlier change of them was not ended: {}. When everything has taken the new line, `steward keys retire`, then rotate",
        left.join(", ")
    );
    Ok(())
}

/// Makes the change; names what is left out of it.
fn change(ring: &mut Keyring, command: &Command) -> anyhow::Result<Vec<String>> {
    match command {
        Command::New { trial, .. } => keyring::complete(ring, *trial)?,
        Command::Rotate { only, .. } if only.is_empty() => {
            return keyring::rotate(ring, &[Kind::Databases, Kind::Messages, Kind::Cursors]);
        }
        Command::Rotate { only, .. } => return keyring::rotate(ring, only),
        Command::Retire { .. } => keyring::retire(ring),
    }
    Ok(Vec::new())
}
