#!/bin/sh
# Installs Relais on Debian 12 or 13, Ubuntu 22.04 or 24.04; upgrades it, and takes it away again.
#
# It looks first and changes nothing until it knows what it finds (`--preflight` stops there). What is done is not done twice: a
# second run finds everything in place. docs/installing.md is the manual.
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 022

here=$(cd "$(dirname "$0")" && pwd)
config=/etc/relais/relais.toml
data=/var/lib/relais
state=/var/lib/relais-install # root's: firewall openings of ours, and what was there before the last upgrade
unit=/etc/systemd/system/relais.service
program=/usr/local/bin/relais
packaged=no
if [ "$here" = /usr/share/relais ]; then
	packaged=yes
	program=/usr/bin/relais
	unit=/lib/systemd/system/relais.service
fi
ports='25 465 587 143 993 110 995 4190 80 443'
# Before the first release there was no such clock.
first_day=1767225600
# Tests name others.
smtp_probe=${RELAIS_PROBE_SMTP:-gmail-smtp-in.l.google.com:25}
blocklists=${RELAIS_PROBE_BLOCKLISTS:-zen.spamhaus.org bl.spamcop.net}

usage() {
	cat <<'END'
install.sh [--hostname NAME] [--domain NAME] [--admin ADDRESS] [--yes]
install.sh --preflight | --upgrade | --uninstall [--purge] [--yes]

  --hostname NAME   the host's own name, like mx.example.org
  --domain NAME     the first domain whose mail is kept here, like example.org
  --admin ADDRESS   who looks after this house, like ann@example.org
  --yes             ask nothing: what isn't said is as proposed
  --preflight       only look, and say what would be in the way
  --upgrade         put this version in place; goes back by itself where it fails
  --database-saved  with --upgrade, on PostgreSQL: you have a dump of the database
  --uninstall       take the program away; mail and settings stay
  --purge           with --uninstall: mail and settings go, too
END
}

# ---- What is said ---------------------------------------------------------------------------------------------------

warnings=0
stops=0
changes=0
step=
done_so_far=
temporary=
server=

say() { printf '%s\n' "$*"; }

# A finding, and what to do about it.
ok() { printf 'ok       %s\n' "$1"; }
warn() {
	warnings=$((warnings + 1))
	printf 'warning  %s\n         -> %s\n' "$1" "$2"
}
stop() {
	stops=$((stops + 1))
	printf 'stop     %s\n         -> %s\n' "$1" "$2"
}

# What is being done: named where it fails.
begin() { step=$1; }
changed() {
	changes=$((changes + 1))
	done_so_far="$done_so_far
  - $1"
	printf 'done     %s\n' "$1"
}
same() { printf 'as was   %s\n' "$1"; }

die() {
	printf 'install.sh: %s\n' "$1" >&2
	exit 1
}

misused() {
	printf 'install.sh: %s (--help says more)\n' "$1" >&2
	exit 64
}

ended() {
	code=$?
	trap - EXIT
	[ -z "$server" ] || stop_here
	[ -z "$temporary" ] || rm -rf "$temporary"
	if [ "$code" -ne 0 ] && [ -n "$step" ]; then
		{
			say
			say "It ended while it was to $step."
			if [ -n "$done_so_far" ]; then
				say "Done before that:$done_so_far"
			else
				say 'Nothing was changed before that.'
			fi
			say 'Mend what is said above and run the same command again: what is done is not done twice.'
		} >&2
	fi
	exit "$code"
}
trap ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- What is there --------------------------------------------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }
has_systemd() { [ -d /run/systemd/system ]; }
as_relais() { runuser -u relais -- "$@"; }

# The processes of the installed program, also where its file was replaced meanwhile.
running() { find /proc/[0-9]*/exe -maxdepth 0 \( -lname "$program" -o -lname "$program (deleted)" \) 2>/dev/null; }

# Where no systemd stops it, whoever started it must.
expect_no_foreground() { has_systemd || [ -z "$(running)" ] || die 'the server runs in the foreground: end it first'; }

# shellcheck disable=SC1091 # it is there where this runs
os_release() { (. /etc/os-release 2>/dev/null && eval "printf '%s' \"\${$1:-}\""); }

# Where the data are, as relais.toml says where it is there already.
data_directory() {
	found=
	if [ -f "$config" ]; then
		found=$(sed -n "s/^data *= *\\([\"']\\)\\([^\"']*\\)\\1 *\\(#.*\\)\\{0,1\\}\$/\\2/p" "$config" | head -n 1)
	fi
	printf '%s' "${found:-$data}"
}

free_mib() {
	folder=$1
	while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
	df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024) }'
}

# Names and addresses by DNS alone: what /etc/hosts says is no news to the world. Nor is what systemd-resolved makes up of the host's own
# name: for this question its servers are asked themselves.
dns() {
	# shellcheck disable=SC2016 # the inner shell expands it
	if [ -f /run/systemd/resolve/resolv.conf ] && grep -q '^nameserver 127\.0\.0\.53' /etc/resolv.conf 2>/dev/null; then
		timeout 8 unshare --mount sh -c 'mount --bind /run/systemd/resolve/resolv.conf /etc/resolv.conf && exec getent -s dns "$@"' \
			getent "$@" 2>/dev/null || true
	else
		timeout 8 getent -s dns "$@" 2>/dev/null || true
	fi
}

public_addresses() {
	for address in $(hostname -I 2>/dev/null || true); do
		case $address in
		10.* | 127.* | 169.254.* | 192.168.* | 172.1[6-9].* | 172.2[0-9].* | 172.3[01].*) ;;
		100.6[4-9].* | 100.[7-9][0-9].* | 100.1[01][0-9].* | 100.12[0-7].*) ;;
		fe80:* | f[cd]*) ;;
		*) printf '%s\n' "$address" ;;
		esac
	done
}

# The name of an address whose own address it is (forward-confirmed).
reverse_name() {
	name=$(dns hosts "$1" | awk '{ print $2; exit }')
	if [ -n "$name" ] && dns ahosts "$name" | awk '{ print $1 }' | grep -qxF "$1"; then
		printf '%s' "$name"
	fi
}

# ---- Preflight ------------------------------------------------------------------------------------------------------

check_root() {
	if [ "$(id -u)" -eq 0 ]; then
		ok 'root'
	else
		stop 'not root: a service user, low ports and the firewall need it' "sudo $0"
	fi
}

check_distribution() {
	distribution="$(os_release ID) $(os_release VERSION_ID)"
	case $distribution in
	'debian 12' | 'debian 13' | 'ubuntu 22.04' | 'ubuntu 24.04') ok "distribution: $(os_release PRETTY_NAME)" ;;
	*) stop "distribution: $(os_release PRETTY_NAME) is none that this script knows" \
		'Debian 12 or 13, Ubuntu 22.04 or 24.04; elsewhere go by docs/operating.md' ;;
	esac
	case $(uname -m) in
	x86_64 | aarch64) ok "architecture: $(uname -m)" ;;
	*) stop "architecture: $(uname -m)" 'x86_64 or aarch64 are needed' ;;
	esac
	if has_systemd; then
		ok 'systemd runs, and will keep the server running'
	else
		warn 'no systemd runs here (a container?): nothing will start the server by itself' \
			'at the end it is said how to run it in the foreground'
	fi
}

check_memory() {
	memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
	if [ "$memory" -lt 240 ]; then
		stop "memory: $memory MiB" 'take a host with 512 MiB or more'
	elif [ "$memory" -lt 480 ]; then
		warn "memory: $memory MiB, enough for a few people" '512 MiB or more leave room for bursts of mail'
	else
		ok "memory: $memory MiB"
	fi
}

check_disk() {
	where=$(data_directory)
	room=$(free_mib "$where")
	if [ "$room" -lt 1024 ]; then
		stop "disk: $room MiB free for $where" 'make room: 1 GiB is the least, and all mail comes on top of it'
	elif [ "$room" -lt 5120 ]; then
		warn "disk: $room MiB free for $where" 'mail fills that soon: below 100 MiB new mail is put off'
	else
		ok "disk: $room MiB free for $where"
	fi
	room=$(free_mib "$(dirname "$program")")
	[ "$room" -ge 400 ] || stop "disk: $room MiB free for $(dirname "$program")" 'make room: 400 MiB are needed for the program'
}

check_clock() {
	if [ "$(date +%s)" -lt "$first_day" ]; then
		stop "clock: $(date -u '+%F %T') UTC, which is past" \
			'set it (timedatectl set-ntp true): certificates, log-ins and mail depend on it'
	elif has_systemd && has timedatectl && [ "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)" = no ]; then
		warn "clock: $(date -u '+%F %T') UTC, kept by no time server" \
			'timedatectl set-ntp true (package systemd-timesyncd); a clock that drifts breaks second factors first'
	else
		ok "clock: $(date -u '+%F %T') UTC"
	fi
}

# The inodes of the sockets that listen at port $1.
listening() {
	awk -v port=":$(printf '%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }' \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null | sort -u
}

# The way to be rid of program $1 of package $2 and unit $3.
how_to_remove() {
	case "$1 $2" in
	*postfix*) say 'Postfix: apt-get remove postfix (or only stop it: systemctl disable --now postfix)' ;;
	*exim*) say 'Exim: apt-get remove exim4-base exim4-config (or only stop it: systemctl disable --now exim4)' ;;
	*sendmail*) say 'Sendmail: apt-get remove sendmail-bin (or only stop it: systemctl disable --now sendmail)' ;;
	*dovecot*) say 'Dovecot: apt-get remove dovecot-core (or only stop it: systemctl disable --now dovecot.socket dovecot)' ;;
	*nginx*) say 'nginx: systemctl disable --now nginx (or give it other ports)' ;;
	*apache2*) say 'Apache: systemctl disable --now apache2 (or give it other ports)' ;;
	*docker*) say 'a container that publishes the port: docker ps shows it' ;;
	*)
		if [ -n "$3" ]; then
			say "systemctl disable --now $3"
		elif [ -n "$2" ]; then
			say "apt-get remove $2"
		else
			say "end it: ps $4"
		fi
		;;
	esac
}

# Who listens at port $1: sets pid, name, package and service.
find_listener() {
	pid='' name='' package='' service=''
	for inode in $(listening "$1"); do
		pid=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" 2>/dev/null | head -n 1 | cut -d / -f 3)
		[ -z "$pid" ] || break
	done
	[ -n "$pid" ] || return 0
	name=$(cat "/proc/$pid/comm" 2>/dev/null || true)
	file=$(readlink "/proc/$pid/exe" 2>/dev/null || true)
	service=$(sed -n 's|.*/\([^/]*\.service\)\(/.*\)\{0,1\}$|\1|p' "/proc/$pid/cgroup" 2>/dev/null | head -n 1)
	if [ "$pid" = 1 ] && has_systemd; then
		service=$(systemctl list-sockets --no-legend --no-pager 2>/dev/null |
			awk -v port=":$1" '$1 ~ port "$" { print $2; exit }')
		name="systemd for $service"
		package=
	else
		package=$(dpkg-query -S "$file" 2>/dev/null | head -n 1 | cut -d : -f 1 || true)
	fi
}

check_ports() {
	free='' ours='' taken=''
	for port in $ports; do
		if [ -z "$(listening "$port")" ]; then
			free="$free $port"
			continue
		fi
		find_listener "$port"
		if [ -n "$pid" ] && running | grep -qx "/proc/$pid/exe"; then
			ours="$ours $port"
		else
			taken="$taken $port"
		fi
	done
	[ -z "$free" ] || ok "ports free:$free"
	[ -z "$ours" ] || ok "ports that relais serves:$ours"
	for port in $taken; do
		find_listener "$port"
		who=${name:-'a program of another namespace'}
		what="port $port is taken by $who${package:+ (package $package)}${pid:+, process $pid}"
		way=$(how_to_remove "$name" "$package" "$service" "$pid")
		# Whoever runs relais beside another program has told relais.toml so.
		if [ -n "$ours" ]; then warn "$what" "$way"; else stop "$what" "$way"; fi
	done
}

check_port_25_out() {
	host=${smtp_probe%:*}
	port=${smtp_probe##*:}
	# shellcheck disable=SC2016 # bash expands it
	if timeout 8 bash -c 'exec 3<>"/dev/tcp/$1/$2" && read -r -t 6 line <&3 && [[ $line == 220* ]]' bash "$host" "$port" 2>/dev/null; then
		ok "port 25 out: $host answers"
	else
		warn "port 25 out: $host doesn't answer, so mail won't reach other hosts directly" \
			'ask your provider to open it; until then send through a relay ([[delivery.relay]] in relais.toml)'
	fi
}

check_resolver() {
	if grep -q '^nameserver' /etc/resolv.conf 2>/dev/null; then
		ok "DNS: asked at $(awk '/^nameserver/ { printf "%s%s", sep, $2; sep = ", " }' /etc/resolv.conf)"
	else
		stop 'DNS: /etc/resolv.conf names no server' 'name one: no mail leaves a host that finds no others'
	fi
}

check_reverse_dns() {
	addresses=$(public_addresses)
	if [ -z "$addresses" ]; then
		warn 'reverse DNS: no interface has a public address (NAT?), so it could not be asked' \
			'the address that the world sees should have a name (PTR) that leads back to it'
		return 0
	fi
	for address in $addresses; do
		found=$(reverse_name "$address")
		if [ -n "$found" ]; then
			ok "reverse DNS: $address is $found, and back"
			proposed_host=${proposed_host:-$found}
		else
			warn "reverse DNS: $address has no name (PTR) that leads back to it" \
				"set it at your provider to the host's name, with an A or AAAA record of that name: many hosts refuse mail without it"
		fi
	done
}

check_blocklists() {
	for address in $(public_addresses); do
		case $address in *:*) continue ;; esac
		turned=$(say "$address" | awk -F . '{ print $4 "." $3 "." $2 "." $1 }')
		for list in $blocklists; do
			# RFC 5782 section 5: 127.0.0.2 is always listed and 127.0.0.1 never; a resolver that a list turns away gets neither right.
			listed=$(dns ahostsv4 "2.0.0.127.$list")
			unlisted=$(dns ahostsv4 "1.0.0.127.$list")
			if [ -z "$listed" ] || [ -n "$unlisted" ]; then
				warn "blocklist $list: it doesn't answer this host's resolver" \
					'many lists refuse public resolvers; look there by hand, or use a resolver of your own'
			elif [ -n "$(dns ahostsv4 "$turned.$list")" ]; then
				warn "blocklist $list: $address is listed" \
					"ask $list for removal, or your provider for another address, before you send mail"
			else
				ok "blocklist $list: $address is not listed"
			fi
		done
	done
}

check_firewall() {
	if ufw_runs; then
		ok "firewall: ufw is active; it will be opened for ports $ports"
	elif firewalld_runs; then
		ok "firewall: firewalld is active; it will be opened for ports $ports"
	else
		ok 'firewall: none of this host is active; a firewall of the provider is yours to open'
	fi
}

# Where the program comes from: sets source to beside, checkout or package.
check_source() {
	source=
	if [ "$packaged" = yes ]; then
		source=package
		ok "program: $($program version 2>&1)"
	elif [ -f "$here/relais" ]; then
		source=beside
		if ! [ -f "$here/SHA256SUMS" ] || ! (cd "$here" && grep -E '  (relais|relais\.service|install\.sh)$' SHA256SUMS | sha256sum --check --status); then
			stop "program: $here is not as it was released (SHA256SUMS)" 'fetch and unpack the archive again'
		elif ! offered=$("$here/relais" version 2>&1); then
			stop "program: $here/relais doesn't run here: $offered" "take the archive for $(uname -m)"
		else
			ok "program: $offered, its checksum is right"
		fi
	elif [ -f "$here/../Cargo.toml" ]; then
		source=checkout
		if find_cargo; then
			ok "program: will be built from this checkout with $cargo (a quarter of an hour; 4 GiB of disk)"
		else
			stop 'program: there is no binary beside this script, and no cargo to build one' \
				'take a release archive; or install Rust (https://rustup.rs) and gcc, as the user who calls sudo'
		fi
	else
		stop "program: neither a binary nor a checkout is beside $0" 'unpack the whole release archive'
	fi
}

# The caller's own: root seldom has one.
find_cargo() {
	builder=${SUDO_USER:-root}
	home=$(getent passwd "$builder" | cut -d : -f 6)
	for cargo in "$home/.cargo/bin/cargo" /root/.cargo/bin/cargo /usr/local/cargo/bin/cargo /usr/bin/cargo; do
		if [ -x "$cargo" ]; then return 0; fi
	done
	return 1
}

# Whether directory $1 holds something of somebody else's: it is neither taken nor emptied, whatever relais.toml says.
is_foreign() {
	[ -d "$1" ] && [ "$(stat -L -c %U "$1")" != relais ] \
		&& [ -n "$(find -H "$1" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit)" ]
}

check_config() {
	if [ -f "$config" ]; then ok "configuration: $config is there and stays as it is"; fi
	where=$(data_directory)
	if is_foreign "$where"; then
		stop "data: $where holds what is not relais's" "name a directory of its own in $config; relais's mail from elsewhere is put there once relais is installed, and: chown -R relais: $where"
	fi
}

preflight() {
	say 'Before anything is changed:'
	check_root
	check_distribution
	check_memory
	check_disk
	check_clock
	check_source
	if [ "$1" = install ]; then
		check_ports
		check_firewall
		check_resolver
		check_port_25_out
		check_reverse_dns
		check_blocklists
	fi
	check_config
	say
	if [ "$stops" -gt 0 ]; then
		say "$stops in the way, $warnings to look at. Nothing was changed."
		exit 1
	fi
	say "Nothing is in the way, $warnings to look at."
}

# ---- Questions ------------------------------------------------------------------------------------------------------

is_name() { printf '%s' "$1" | grep -qE '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$'; }
is_address() { is_name "${1#*@}" && printf '%s' "$1" | grep -qE '^[^@ "<>]+@[^@]+$'; }

# Sets answer: what was said by a flag, or at the terminal, or what is proposed.
ask() {
	answer=$1 question=$2 proposal=$3 fits=$4
	if [ -z "$answer" ] && [ "$yes" = yes ]; then answer=$proposal; fi
	while [ -z "$answer" ] || ! "$fits" "$answer"; do
		[ -z "$answer" ] || say "\"$answer\" won't do."
		[ "$yes" = no ] || die "$question: say it by a flag"
		printf '%s%s: ' "$question" "${proposal:+ [$proposal]}"
		read -r answer || die 'no answer: nothing was changed'
		answer=${answer:-$proposal}
	done
}

questions() {
	if [ -f "$config" ]; then
		# It was all said before.
		hostname=$(sed -n 's/^hostname *= *"\([^"]*\)".*/\1/p' "$config" | head -n 1)
		admin=${admin:-$(sed -n 's/^# Looked after by \(.*\); the first domain is .*/\1/p' "$config")}
		domain=${domain:-$(sed -n 's/^# Looked after by .*; the first domain is \(.*\)\.$/\1/p' "$config")}
		yes=yes
	elif [ "$yes" = no ] && [ ! -t 0 ] && ! { [ -n "$hostname" ] && [ -n "$domain" ] && [ -n "$admin" ]; }; then
		misused 'nobody is here to be asked: say --hostname, --domain and --admin, or --yes'
	fi
	if [ -z "$proposed_host" ]; then
		proposed_host=$(timeout 5 hostname -f 2>/dev/null || true)
		is_name "$proposed_host" || proposed_host=
	fi
	ask "$hostname" "This host's own name, like mx.example.org" "$proposed_host" is_name
	hostname=$answer
	ask "$domain" 'The first domain whose mail is kept here' "$(propose_domain)" is_name
	domain=$answer
	ask "$admin" 'The address of who looks after it' "postmaster@$domain" is_address
	admin=$answer
	check_name
}

# Whether the world finds this host by its name.
check_name() {
	addresses=$(public_addresses)
	[ -n "$addresses" ] || return 0
	if ! dns ahosts "$hostname" | awk '{ print $1 }' | grep -qxF "$addresses"; then
		found_at=$(printf '%s' "$addresses" | head -n 1)
		warn "$hostname does not lead to this host yet" "give it an A or AAAA record: $(printf '%s' "$addresses" | tr '\n' ' ')"
	fi
}

# mx.example.org is a host of example.org, mostly.
propose_domain() {
	case ${hostname#*.} in
	*.*) say "${hostname#*.}" ;;
	*) say "$hostname" ;;
	esac
}

# ---- Steps of the installation --------------------------------------------------------------------------------------

make_user() {
	begin 'make the service user'
	if getent passwd relais >/dev/null; then
		same 'service user relais'
	else
		useradd --system --user-group --no-create-home --home-dir "$data" --shell /usr/sbin/nologin relais
		changed 'service user relais'
	fi
}

# Directory $1 of user $2, for nobody else.
make_directory() {
	begin "make $1"
	if [ "$(stat -L -c '%a %U %G' "$1" 2>/dev/null)" = "700 $2 $2" ]; then
		same "directory $1"
	else
		install -d -m 700 -o "$2" -g "$2" "$1"
		changed "directory $1, for $2 alone"
	fi
}

# Sets candidate: the program that is to be in place.
find_candidate() {
	case $source in
	package) candidate=$program ;;
	beside) candidate=$here/relais ;;
	checkout)
		begin 'build the program'
		checkout=$(dirname "$here")
		say "Building it, as $builder:"
		(cd "$checkout" && runuser -u "$builder" -- "$cargo" build --release --locked --package relais --target-dir "$checkout/target")
		candidate=$checkout/target/release/relais
		;;
	esac
}

# Puts file $1 to $2 with mode $3, whole or not at all.
place() {
	install -m "$3" "$1" "$2.new"
	mv -f "$2.new" "$2"
}

place_program() {
	begin "put the program to $program"
	if [ "$source" = package ] || cmp -s "$candidate" "$program"; then
		same "program $program ($("$program" version))"
	elif [ -e "$program" ]; then
		die "$program is another version ($("$program" version)): say --upgrade, which can go back"
	else
		place "$candidate" "$program" 755
		changed "program $program ($("$program" version))"
		restart=yes
	fi
}

write_config() {
	begin "write $config"
	if [ -f "$config" ]; then
		same "configuration $config"
		return 0
	fi
	{
		cat <<-END
			# What relais must know before its database opens; docs/configuration.md explains every key. All else is set in the panel.
			# "relais check-config" says what is wrong with it; "systemctl reload relais" reads it anew.
			hostname = "$hostname"
			data = "$data"

			# Looked after by $admin; the first domain is $domain.
		END
		if [ ! -e /proc/net/if_inet6 ]; then
			say
			say '# This host has no IPv6: its doors are those of IPv4.'
			say 'web = { at = ["0.0.0.0:443"], plain_at = ["0.0.0.0:80"] }'
			while read -r protocol port; do
				say
				say '[[listen]]'
				say "protocol = \"$protocol\""
				say "at = \"0.0.0.0:$port\""
			done <<-END
				smtp 25
				submissions 465
				submission 587
				imap 143
				imaps 993
				pop3 110
				pop3s 995
				sieve 4190
			END
		fi
	} >"$temporary/relais.toml"
	install -m 600 -o relais -g relais "$temporary/relais.toml" "$config.new"
	mv -f "$config.new" "$config"
	as_relais "$program" check-config >/dev/null
	changed "configuration $config"
	restart=yes
}

place_unit() {
	begin 'tell systemd'
	if [ "$packaged" = no ] && [ -d "$(dirname "$unit")" ]; then
		if cmp -s "$here/relais.service" "$unit"; then
			same "unit $unit"
		else
			place "$here/relais.service" "$unit" 644
			changed "unit $unit"
			restart=yes
		fi
	fi
	if has_systemd; then
		systemctl daemon-reload
		if systemctl is-enabled --quiet relais 2>/dev/null; then
			same 'started with the host'
		else
			systemctl enable --quiet relais
			changed 'started with the host'
		fi
	fi
}

ufw_runs() { has ufw && ufw status 2>/dev/null | grep -q '^Status: active'; }
firewalld_runs() { has firewall-cmd && firewall-cmd --quiet --state 2>/dev/null; }

# What was opened by us stands in $state/opened, so that only that is closed again.
open_firewall() {
	begin 'open the firewall'
	opened=
	for port in $ports; do
		if ufw_runs; then
			ufw status | grep -qE "^$port(/tcp)? +ALLOW" && continue
			ufw allow "$port/tcp" comment relais >/dev/null
			say "ufw $port" >>"$state/opened"
			opened="$opened $port"
		elif firewalld_runs; then
			firewall-cmd --quiet --permanent --query-port="$port/tcp" && continue
			firewall-cmd --quiet --permanent --add-port="$port/tcp"
			firewall-cmd --quiet --add-port="$port/tcp"
			say "firewalld $port" >>"$state/opened"
			opened="$opened $port"
		fi
	done
	if [ -n "$opened" ]; then changed "firewall opened:$opened"; else same 'firewall'; fi
}

close_firewall() {
	begin 'close the firewall'
	[ -f "$state/opened" ] || return 0
	while read -r which port; do
		case $which in
		ufw) ! has ufw || ufw --force delete allow "$port/tcp" >/dev/null ;;
		firewalld)
			! has firewall-cmd || firewall-cmd --quiet --permanent --remove-port="$port/tcp" || true
			! firewalld_runs || firewall-cmd --quiet --remove-port="$port/tcp" || true
			;;
		esac
	done <"$state/opened"
	rm -f "$state/opened"
	changed 'firewall closed where it was opened for relais'
}

sendmail_leads_here() { update-alternatives --query sendmail 2>/dev/null | grep -qxF "Alternative: $program"; }

offer_sendmail() {
	begin 'offer sendmail to other programs'
	if [ -e /usr/sbin/sendmail ] && [ "$(readlink /usr/sbin/sendmail)" != /etc/alternatives/sendmail ]; then
		owner=$(dpkg-query -S "$(readlink -f /usr/sbin/sendmail)" 2>/dev/null | cut -d : -f 1 || true)
		same "/usr/sbin/sendmail is ${owner:-another program}'s: cron's mail goes its way"
	elif sendmail_leads_here; then
		same '/usr/sbin/sendmail'
	else
		update-alternatives --quiet --install /usr/sbin/sendmail sendmail "$program" 60 \
			--slave /usr/lib/sendmail sendmail-lib "$program" \
			--slave /usr/bin/mailq mailq "$program" --slave /usr/bin/newaliases newaliases "$program"
		changed '/usr/sbin/sendmail: mail of cron and others reaches the postmaster'
	fi
}

# ---- The server -----------------------------------------------------------------------------------------------------

# What no systemd does: the server as its own user, with the one capability that it needs.
foreground() {
	printf 'setpriv --reuid=relais --regid=relais --init-groups --no-new-privs --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service --bounding-set=-all,+net_bind_service %s serve' "$program"
}

start_here() {
	expect_no_foreground
	rm -f "$(data_directory)/control.sock"
	# shellcheck disable=SC2046 # words
	(umask 077 && exec $(foreground)) >"$temporary/log" 2>&1 &
	server=$!
	tries=0
	until [ -S "$(data_directory)/control.sock" ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
			show_log
			stop_here
			return 1
		fi
		sleep 0.2
	done
}

stop_here() {
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=
}

start() {
	if has_systemd; then
		systemctl reset-failed relais 2>/dev/null || true
		systemctl restart relais && return 0
		show_log
		return 1
	fi
	start_here
}

# Its last words, for whoever must mend it.
show_log() {
	if has_systemd; then
		journalctl --no-pager --lines=20 --unit=relais >&2 || true
	else
		tail -n 20 "$temporary/log" >&2
	fi
}

halt() {
	if has_systemd; then
		systemctl stop relais
	elif [ -n "$server" ]; then
		stop_here
	fi
}

# A message through every door.
try_doors() {
	for word in first second; do
		as_relais "$program" self-test && return 0
		[ "$word" = second ] || sleep 2
	done
	show_log
	return 1
}

# The house is opened with all doors shut, and its database brought to this version.
open_house() { as_relais "$program" domain list --limit 1 >/dev/null; }

# ---- Acts -----------------------------------------------------------------------------------------------------------

install_relais() {
	preflight install
	say
	questions
	say
	restart=no
	temporary=$(mktemp -d)
	find_candidate
	make_user
	make_directory /etc/relais relais
	make_directory "$(data_directory)" relais
	make_directory "$state" root
	# So that a run that is broken off is gone on with to its end.
	if ! [ -x "$program" ] || ! [ -f "$config" ]; then : >"$state/unfinished"; fi
	place_program
	write_config
	place_unit
	open_firewall
	offer_sendmail
	if has_systemd && ! systemctl is-active --quiet relais; then restart=yes; fi
	if [ "$restart" = no ] && [ ! -e "$state/unfinished" ]; then
		step=
		say
		if [ "$changes" -eq 0 ]; then
			say 'Nothing was changed: everything is as it should be.'
		else
			say 'The server itself is as it was.'
		fi
		how_to_go_on
		return 0
	fi
	: >"$state/unfinished"
	begin 'start the server'
	start
	! has_systemd || changed 'server started'
	begin 'try every door'
	say
	try_doors | tee "$temporary/doors" || true
	grep -q ' are well, 0 are not$' "$temporary/doors" || die 'not every door is well'
	begin 'make the link for the first owner'
	link=$(as_relais "$program" setup-link --domain "$domain" --address "$admin" 2>"$temporary/why" || true)
	halt_here
	rm -f "$state/unfinished"
	step=
	say
	if [ -n "$link" ]; then
		say 'Open this link in a browser, once, within an hour. The browser will warn of the certificate, for it is our own until a real'
		say 'one is there: its SHA-256 fingerprint must be the one below.'
		say
		say "$link" | sed 's/^/  /'
		case $found_at in
		'') ;;
		*:*) say "Until $hostname leads here, say https://[$found_at]/ instead of https://$hostname/ (passkeys need the name)." ;;
		*) say "Until $hostname leads here, say https://$found_at/ instead of https://$hostname/ (passkeys need the name)." ;;
		esac
	else
		say "The house has an owner: https://$hostname/ ($(cat "$temporary/why"))"
	fi
	how_to_go_on
}

halt_here() { [ -z "$server" ] || stop_here; }

how_to_go_on() {
	if has_systemd; then
		say
		say "The log: journalctl -u relais. A new link for the first owner: runuser -u relais -- $program setup-link"
	else
		say
		say 'No systemd runs here, so nothing serves now. To run the server in the foreground:'
		say
		say "  $(foreground)"
	fi
}

upgrade() {
	{ [ -x "$program" ] && [ -f "$config" ]; } || die "nothing is installed here that could be upgraded: run $0 without --upgrade"
	preflight upgrade
	say
	begin 'look at the new version'
	temporary=$(mktemp -d)
	before=$state/before
	if [ "$packaged" = yes ]; then
		# The package's own preinst has kept the program that was there.
		old=$state/previous
		[ -f "$old" ] || die 'the version before is not known: systemctl restart relais'
		candidate=$program
	else
		old=$program
		find_candidate
	fi
	if cmp -s "$candidate" "$old"; then
		step=
		rm -f "$state/previous"
		say "Nothing was changed: $("$program" version) is what is here."
		return 0
	fi
	expect_no_foreground
	house=$(data_directory)
	if ! grep -qE '^database *= *"postgres' "$config"; then
		database=$house/relais.db
		[ -f "$database" ] || die "there is no database $database, of which a snapshot could be made"
		needed=$(du -cm "$database" "$database-wal" "$candidate" 2>/dev/null | tail -n 1 | cut -f 1)
		[ "$(free_mib "$state")" -gt "$((needed + 200))" ] || die "there is no room for a snapshot of the database ($needed MiB) in $state"
	elif [ "$saved" = no ]; then
		die 'the database is PostgreSQL'"'"'s: make a dump (pg_dump), and say --database-saved'
	else
		database=
	fi
	# The candidate judges the configuration as it will: by its own user, from where that can run it.
	install -m 755 "$candidate" "$program.new"
	if ! as_relais "$program.new" check-config; then
		rm -f "$program.new"
		die 'the new version refuses the configuration; nothing was changed'
	fi

	was=$("$old" version)
	begin "stop $was and make a snapshot"
	make_directory "$state" root
	rm -rf "$before.new"
	install -d -m 700 "$before.new"
	install -m 755 "$old" "$before.new/relais"
	# From here on a signal ends what it meets, not the script: it fails, and what fails is taken back.
	trap : INT TERM
	trap 'exec >/dev/null 2>&1' HUP
	halt
	if ! copy_database "$before.new"; then
		# The package has put the new one there.
		if [ "$packaged" = yes ]; then place "$old" "$program" 755; fi
		rm -f "$program.new"
		start
		die "there is no snapshot of the database: $was serves on"
	fi
	rm -rf "$before"
	mv "$before.new" "$before"
	say "snapshot of $was: $before"

	begin 'put the new version in place'
	mv -f "$program.new" "$program"
	kept_unit=
	if [ "$packaged" = no ] && [ -f "$unit" ] && ! cmp -s "$here/relais.service" "$unit"; then
		kept_unit=$temporary/relais.service
		cp -a "$unit" "$kept_unit"
		place "$here/relais.service" "$unit" 644
		! has_systemd || systemctl daemon-reload
	fi
	# No door is open yet: no mail is lost where this fails.
	if open_house && start && try_doors; then
		halt_here
		step=
		rm -f "$state/previous"
		say
		say "$was is now $("$program" version). What was before lies in $before until the next upgrade."
		has_systemd || how_to_go_on
		return 0
	fi
	go_back
}

# With its log: the server has ended, or the copy would be torn.
copy_database() {
	[ -n "$database" ] || return 0
	for suffix in '' -wal -shm; do
		[ ! -f "$database$suffix" ] || cp -a -H --reflink=auto "$database$suffix" "$1/" || return 1
	done
}

go_back() {
	say
	say "The new version doesn't do: going back to $was."
	begin "go back to $was (all that is needed lies in $before)"
	halt || true
	place "$before/relais" "$program" 755
	if [ -n "$kept_unit" ]; then
		place "$kept_unit" "$unit" 644
		! has_systemd || systemctl daemon-reload
	fi
	# What came in meanwhile is kept, where the old version can read it.
	if [ -n "$database" ] && ! open_house 2>/dev/null; then
		failed=$state/failed-$(date -u +%Y%m%dT%H%M%SZ)
		install -d -m 700 "$failed"
		for suffix in '' -wal -shm; do
			[ ! -f "$database$suffix" ] || mv "$database$suffix" "$failed/"
			[ ! -f "$before/relais.db$suffix" ] || cp -a --remove-destination "$before/relais.db$suffix" "$database$suffix"
		done
		say "The database is the snapshot; what the new version made of it lies in $failed."
	fi
	start
	try_doors
	halt_here
	step=
	die "$was serves again: the upgrade was taken back"
}

uninstall() {
	[ "$(id -u)" -eq 0 ] || die 'only root can do that'
	house=$(data_directory)
	if [ "$purge" = yes ]; then
		! is_foreign "$house" || die "$house holds what is not relais's: nothing was changed"
		say "These go for good: $(du -sh "$house" 2>/dev/null | cut -f 1) of mail in $house, the settings in /etc/relais, snapshots in $state."
		if [ "$yes" = no ]; then
			[ -t 0 ] || misused 'say --yes if you mean it'
			printf 'Type "purge" if you mean it: '
			read -r answer || answer=
			[ "$answer" = purge ] || die 'nothing was changed'
		fi
	fi
	begin 'stop the server'
	expect_no_foreground
	if has_systemd && systemctl cat relais >/dev/null 2>&1; then
		systemctl disable --quiet --now relais
		changed 'server stopped'
	fi
	close_firewall
	begin 'take sendmail back'
	if sendmail_leads_here; then
		update-alternatives --quiet --remove sendmail "$program"
		changed '/usr/sbin/sendmail'
	fi
	begin 'remove the program'
	if [ "$packaged" = no ]; then
		for file in "$program" "$unit"; do
			if [ -e "$file" ]; then
				rm -f "$file"
				changed "$file removed"
			fi
		done
	fi
	! has_systemd || systemctl daemon-reload
	if [ "$purge" = yes ]; then
		begin 'remove mail and settings'
		# Only what is below is ours, where the directory is a mount of its own or a link.
		for folder in "$house" "$data" /etc/relais "$state"; do
			[ -d "$folder" ] || continue
			find -H "$folder" -mindepth 1 -delete
			rmdir "$folder" 2>/dev/null || true
		done
		if getent passwd relais >/dev/null; then userdel relais; fi
		changed 'mail, settings and service user removed'
	else
		say "Mail is in $house, settings are in /etc/relais: both stay. ($0 --uninstall --purge removes them.)"
	fi
	step=
	[ "$changes" -gt 0 ] || say 'Nothing was changed: nothing of it was here.'
}

# What the package does when it is unpacked: all but questions, doors and the start.
prepare() {
	make_user
	make_directory /etc/relais relais
	make_directory "$data" relais
	make_directory "$state" root
	offer_sendmail
	step=
}

# ---- The command line -----------------------------------------------------------------------------------------------

act=install yes=no purge=no saved=no
hostname='' domain='' admin='' proposed_host='' found_at=''
while [ $# -gt 0 ]; do
	case $1 in
	--hostname | --domain | --admin)
		[ $# -gt 1 ] || misused "$1 lacks its value"
		value=$(printf '%s' "$2" | tr '[:upper:]' '[:lower:]')
		case $1 in
		--hostname) hostname=$value ;;
		--domain) domain=$value ;;
		--admin) admin=$2 ;;
		esac
		shift
		;;
	--yes) yes=yes ;;
	--preflight) act=preflight ;;
	--upgrade) act=upgrade ;;
	--uninstall) act=uninstall ;;
	--purge) purge=yes ;;
	--database-saved) saved=yes ;;
	--prepare) act=prepare ;;
	--help | -h)
		usage
		exit 0
		;;
	*) misused "$1 is not known" ;;
	esac
	shift
done
[ "$purge" = no ] || [ "$act" = uninstall ] || misused '--purge goes with --uninstall'
for name in "$hostname" "$domain"; do
	[ -z "$name" ] || is_name "$name" || misused "$name is no name of a host or domain"
done
[ -z "$admin" ] || is_address "$admin" || misused "$admin is no address"

case $act in
install) install_relais ;;
preflight) preflight install ;;
upgrade) upgrade ;;
uninstall) uninstall ;;
prepare) prepare ;;
esac
