//! PostgreSQL and NATS servers of a test's own, for tests that kill them.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use crate::{db::new_id, wait::within};

/// A free port of this machine, below the range from which the kernel serves connections: it is still free when what was killed
/// comes back.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    (0..1000)
        .map(|_| 20_000 + (new_id().as_u128() % 12_000) as u16)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

/// A child process that is killed when it is dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts it, its output in that file.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("log file");
        let copy = file.try_clone().expect("log file");
        Self(command.stdin(Stdio::null()).stdout(file).stderr(copy).spawn().expect("start"))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it without warning (SIGKILL), and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Asks it to stop (SIGTERM), and waits; whether it ended well.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn stop(&mut self) -> bool {
        self.stop_by("-TERM")
    }

    fn stop_by(&mut self, signal: &str) -> bool {
        let _ = Command::new("kill").arg(signal).arg(self.id().to_string()).status();
        self.0.wait().expect("wait").success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A NATS server with JetStream.
#[derive(Debug)]
pub struct Nats {
    /// Its URL.
    pub url: String,
    port: u16,
    folder: TempDir,
    /// Its configuration file and what that takes from the environment, when it is guarded.
    guard: Option<(PathBuf, Vec<(String, String)>)>,
    process: Option<Process>,
}

impl Nats {
    /// Starts one that lets everybody do everything.
    #[must_use]
    pub fn start() -> Self {
        Self::start_as("nats", None)
    }

    /// Starts one with that configuration, which is read again whenever it starts.
    #[must_use]
    pub fn start_configured(configuration: &Path) -> Self {
        Self::start_as("nats", Some((configuration.to_owned(), Vec::new())))
    }

    /// Starts one with TLS and rights, as in production.
    ///
    /// * `environment`: what the configuration takes from there.
    #[must_use]
    pub fn start_guarded(configuration: &Path, environment: Vec<(String, String)>) -> Self {
        Self::start_as("tls", Some((configuration.to_owned(), environment)))
    }

    fn start_as(scheme: &str, guard: Option<(PathBuf, Vec<(String, String)>)>) -> Self {
        let port = free_port();
        let mut this = Self {
            url: format!("{scheme}://127.0.0.1:{port}"),
            port,
            folder: TempDir::new().expect("folder"),
            guard,
            process: None,
        };
        this.restart();
        this
    }

    /// Starts it anew with other values from the environment, as after a change of keys.
    ///
    /// # Panics
    /// When it is not guarded.
    pub fn restart_with(&mut self, environment: Vec<(String, String)>) {
        self.kill();
        self.guard.as_mut().expect("a guarded server").1 = environment;
        self.restart();
    }

    /// Starts it again on the same port and store.
    pub fn restart(&mut self) {
        let program = std::env::var("STEWARD_TEST_NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
        let mut command = Command::new(program);
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-js", "-sd"]).arg(self.store());
        if let Some((configuration, environment)) = &self.guard {
            command.arg("-c").arg(configuration).envs(environment.iter().map(|(name, value)| (name, value)));
        }
        self.process = Some(Process::start(&mut command, &self.folder.path().join("nats.log")));
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Keeps a copy of its store. It does not work meanwhile.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn back_up(&mut self) {
        self.kill();
        copy_folder(&self.store(), &self.folder.path().join("backup"));
        self.restart();
    }

    /// Kills it and starts it with the copy of its store.
    ///
    /// # Panics
    /// When there is none.
    pub fn restore(&mut self) {
        self.kill();
        copy_folder(&self.folder.path().join("backup"), &self.store());
        self.restart();
    }

    /// Kills it, destroys its store and starts it empty.
    ///
    /// # Panics
    /// When the store cannot be removed.
    pub fn wipe(&mut self) {
        self.kill();
        std::fs::remove_dir_all(self.store()).expect("remove store");
        self.restart();
    }
}

/// A PostgreSQL server with durable commits.
#[derive(Debug)]
pub struct Postgres {
    /// URL of the superuser.
    pub url: String,
    port: u16,
    folder: TempDir,
    /// Its data, in the folder; other data after a restore.
    data: PathBuf,
    /// Whether it keeps all of its write-ahead log.
    archives: bool,
    process: Option<Process>,
}

impl Postgres {
    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// When it cannot.
    #[must_use]
    pub fn start() -> Self {
        Self::make(false)
    }

    /// The same, with its write-ahead log archived: it can be backed up, and restored to any moment after that.
    ///
    /// # Panics
    /// When it cannot.
    #[must_use]
    pub fn start_archiving() -> Self {
        Self::make(true)
    }

    fn make(archives: bool) -> Self {
        let port = free_port();
        let (url, folder) = (format!("postgres://postgres@127.0.0.1:{port}/postgres"), TempDir::new().expect("folder"));
        let data = folder.path().join("data");
        let mut this = Self { url, port, folder, data, archives, process: None };
        give_to_server(this.folder.path());
        let made = this
            .program("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(&this.data)
            .stdout(Stdio::null())
            .status()
            .expect("initdb");
        assert!(made.success(), "initdb");
        this.restart();
        this
    }

    fn program(&self, name: &str) -> Command {
        let bin = std::env::var_os("STEWARD_TEST_PG_BIN");
        self.as_server(&bin.map_or_else(|| name.into(), |bin| PathBuf::from(bin).join(name)))
    }

    /// A command under the user who owns the data.
    fn as_server(&self, program: &Path) -> Command {
        let mut command = match server_user() {
            // PostgreSQL refuses to run as root.
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups", "--"])
                    .arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir(self.folder.path());
        command
    }

    /// Starts it again on the same port and data.
    pub fn restart(&mut self) {
        self.start_with(&[]);
    }

    fn start_with(&mut self, more: &[String]) {
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "max_connections=200".to_owned(),
        ];
        if self.archives {
            let archive = self.archive();
            settings.push("archive_mode=on".to_owned());
            settings.push(format!(
                "archive_command=mkdir -p {archive} && cp %p {archive}/%f.part && mv {archive}/%f.part {archive}/%f"
            ));
        }
        let mut command = self.program("postgres");
        command.arg("-D").arg(&self.data).args(["-p", &self.port.to_string()]);
        for setting in settings.iter().chain(more) {
            command.args(["-c", setting]);
        }
        self.process =
            Some(Process::start(&mut command, &std::env::temp_dir().join(format!("steward-pg-{}.log", self.port))));
    }

    fn archive(&self) -> String {
        self.folder.path().join("archive").display().to_string()
    }

    fn backup(&self) -> PathBuf {
        self.folder.path().join("backup")
    }

    /// Copies its data while it works, as pg_basebackup does, which not every build of PostgreSQL has.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn back_up(&self) {
        let mut connection = PgConnection::connect(&self.url).await.expect("connect");
        sqlx::query("SELECT pg_backup_start('test', true)")
            .execute(&mut connection)
            .await
            .expect("start of the backup");
        self.copy(&self.data, &self.backup());
        let label: String = sqlx::query_scalar("SELECT labelfile FROM pg_backup_stop()")
            .fetch_one(&mut connection)
            .await
            .expect("end of the backup");
        self.place("backup_label", &label);
        // Not part of a backup: that a server runs, and its log, which is in the archive.
        std::fs::remove_file(self.backup().join("postmaster.pid")).expect("a process id");
        let log = self.backup().join("pg_wal");
        std::fs::remove_dir_all(&log).and_then(|()| std::fs::create_dir(&log)).expect("empty the log");
        give_to_server(&log);
    }

    fn copy(&self, from: &Path, to: &Path) {
        // Files come and go under a running server, and cp complains; what it missed stands in the log.
        let _ = self.as_server(Path::new("cp")).arg("-a").args([from, to]).stderr(Stdio::null()).status();
        assert!(to.join("global/pg_control").exists(), "{} was not copied", from.display());
    }

    fn place(&self, name: &str, text: &str) {
        let file = self.backup().join(name);
        std::fs::write(&file, text).expect("write");
        give_to_server(&file);
    }

    /// Stops it and brings it back as it was at that moment, from its backup and its archive.
    ///
    /// # Panics
    /// When it cannot; also when nothing was done after that moment: then it may be a wrong one.
    pub async fn restore(&mut self, to: DateTime<Utc>) {
        self.stop();
        self.place("recovery.signal", "");
        self.data = self.folder.path().join("restored");
        self.copy(&self.backup(), &self.data);
        self.recover(&self.archive(), to).await;
    }

    async fn recover(&mut self, archive: &str, to: DateTime<Utc>) {
        self.start_with(&[
            format!("restore_command=cp {archive}/%f %p"),
            format!("recovery_target_time={}", to.format("%F %T%.6f+00")),
            "recovery_target_action=promote".to_owned(),
        ]);
        self.is_promoted().await;
    }

    /// Has another server, which follows it by its archive, take its place with all that was committed.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn fail_over(&mut self) {
        self.back_up().await;
        self.stop();
        self.place("standby.signal", "");
        self.data = self.folder.path().join("standby");
        self.copy(&self.backup(), &self.data);
        self.start_with(&[format!("restore_command=cp {}/%f %p", self.archive())]);
        within(Duration::from_secs(60), "the standby takes over", || async {
            let mut connection = PgConnection::connect(&self.url).await.ok()?;
            sqlx::query("SELECT pg_promote(false)").execute(&mut connection).await.ok()
        })
        .await;
        self.is_promoted().await;
    }

    /// Ends all sessions and stops; it archives the rest of its log first.
    fn stop(&mut self) {
        let process = self.process.take();
        assert!(process.is_some_and(|mut process| process.stop_by("-INT")), "PostgreSQL stopped");
    }

    async fn is_promoted(&self) {
        within(Duration::from_secs(60), "PostgreSQL takes orders", || async {
            let mut connection = PgConnection::connect(&self.url).await.ok()?;
            let restoring: bool =
                sqlx::query_scalar("SELECT pg_is_in_recovery()").fetch_one(&mut connection).await.ok()?;
            (!restoring).then_some(())
        })
        .await;
    }

    /// Another server with what this one had at that moment, from its backup and its archive; this one works on.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn restored_beside(&self, to: DateTime<Utc>) -> Self {
        let mut connection = PgConnection::connect(&self.url).await.expect("connect");
        let segment: String = sqlx::query_scalar("SELECT pg_walfile_name(pg_switch_wal())")
            .fetch_one(&mut connection)
            .await
            .expect("the rest of the log");
        within(Duration::from_secs(60), "the log is archived", || async {
            Path::new(&self.archive()).join(&segment).exists().then_some(())
        })
        .await;
        let (port, folder) = (free_port(), TempDir::new().expect("folder"));
        give_to_server(folder.path());
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let data = folder.path().join("data");
        self.copy(&self.backup(), &data);
        let mut this = Self { url, port, folder, data, archives: false, process: None };
        let signal = this.data.join("recovery.signal");
        std::fs::write(&signal, "").expect("write");
        give_to_server(&signal);
        this.recover(&self.archive(), to).await;
        this
    }

    /// Puts the place of the other server's schema of that name into this one's, as `pg_dump` and `psql` do.
    ///
    /// # Panics
    /// When it cannot.
    pub fn take_schema(&self, name: &str, from: &Self) {
        let file = self.folder.path().join("schema.sql");
        let dump = self.program("pg_dump").arg(&from.url).args(["--schema", name, "--file"]).arg(&file).status();
        assert!(dump.expect("pg_dump").success(), "pg_dump");
        let drop = format!("DROP SCHEMA {name} CASCADE");
        let load = self
            .program("psql")
            .arg(&self.url)
            .args(["--quiet", "--no-psqlrc", "--output=/dev/null", "-v", "ON_ERROR_STOP=1", "-1", "-c", &drop, "-f"])
            .arg(&file)
            .stderr(Stdio::null())
            .status();
        assert!(load.expect("psql").success(), "psql");
    }

    /// From now on asks everybody but the superuser for a password.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn demand_passwords(&mut self) {
        let rules = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(self.data.join("pg_hba.conf"), rules).expect("write pg_hba.conf");
        let _ =
            Command::new("kill").args(["-HUP", &self.process.as_ref().expect("a server").id().to_string()]).status();
    }

    /// Kills the server and all its processes, as a machine that fails would.
    pub fn kill(&mut self) {
        if let Some(process) = &mut self.process {
            // The children first: a postmaster that dies leaves them for a moment, and they hold the shared memory.
            let _ = Command::new("pkill").args(["-KILL", "-P", &process.id().to_string()]).status();
            process.kill();
        }
        self.process = None;
        std::thread::sleep(Duration::from_millis(300));
        let _ = std::fs::remove_file(self.data.join("postmaster.pid"));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_file(std::env::temp_dir().join(format!("steward-pg-{}.log", self.port)));
    }
}

/// Makes one folder what the other is.
fn copy_folder(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-a").args([from, to]).status().expect("cp");
    assert!(copied.success(), "{} was not copied", from.display());
}

/// Gives a file or folder to the user under whom PostgreSQL runs.
fn give_to_server(path: &Path) {
    if let Some(user) = server_user() {
        let owned = Command::new("chown").arg(&user).arg(path).status().expect("chown");
        assert!(owned.success(), "chown to {user}");
    }
}

/// The user under whom PostgreSQL runs when the tests run as root.
fn server_user() -> Option<String> {
    std::env::var("STEWARD_TEST_PG_USER").ok().filter(|user| !user.is_empty() && is_root())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
