//! PostgreSQL and NATS servers of a test's own, for tests that kill them.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::db::new_id;

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
        let _ = Command::new("kill").arg("-TERM").arg(self.id().to_string()).status();
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
    process: Option<Process>,
}

impl Nats {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let port = free_port();
        let mut this = Self {
            url: format!("nats://127.0.0.1:{port}"),
            port,
            folder: TempDir::new().expect("folder"),
            process: None,
        };
        this.restart();
        this
    }

    /// Starts it again on the same port and store.
    pub fn restart(&mut self) {
        let program = std::env::var("STEWARD_TEST_NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
        let mut command = Command::new(program);
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-js", "-sd"]).arg(self.store());
        self.process = Some(Process::start(&mut command, &self.folder.path().join("nats.log")));
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process = None;
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
    process: Option<Process>,
}

impl Postgres {
    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// When it cannot.
    #[must_use]
    pub fn start() -> Self {
        let port = free_port();
        let folder = TempDir::new().expect("folder");
        if let Some(user) = server_user() {
            let owned = Command::new("chown").arg(&user).arg(folder.path()).status().expect("chown");
            assert!(owned.success(), "chown to {user}");
        }
        let mut this =
            Self { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), port, folder, process: None };
        let made = this
            .program("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(this.data())
            .stdout(Stdio::null())
            .status()
            .expect("initdb");
        assert!(made.success(), "initdb");
        this.restart();
        this
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let program =
            std::env::var_os("STEWARD_TEST_PG_BIN").map_or_else(|| name.into(), |bin| PathBuf::from(bin).join(name));
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
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data()).args([
            "-p",
            &self.port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "max_connections=200",
        ]);
        self.process =
            Some(Process::start(&mut command, &std::env::temp_dir().join(format!("steward-pg-{}.log", self.port))));
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
        let _ = std::fs::remove_file(self.data().join("postmaster.pid"));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_file(std::env::temp_dir().join(format!("steward-pg-{}.log", self.port)));
    }
}

/// The user under whom PostgreSQL runs when the tests run as root.
fn server_user() -> Option<String> {
    std::env::var("STEWARD_TEST_PG_USER").ok().filter(|user| !user.is_empty() && is_root())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
