#!/usr/bin/env python3
"""The installer, run for real: in machines of their own (`machine.py`). What it leaves is looked at from outside.

A check is a function under @check, in the order in which somebody's host would live through them. Each prints `ok NAME`, `FAIL NAME (why)` or
`skip NAME (why)`; the last line counts them. `cargo xtask installer` makes what is named by the environment: WORK, a folder; BARE and
TAKEN, roots without and with a mail server; WALLED, one with firewalld; RELEASE and NEXT, two unpacked archives; PACKAGE and NEXT_PACKAGE.
"""
import hashlib, os, re, shutil, subprocess, sys, tempfile, time
from pathlib import Path
from machine import ADDRESS, CONFIG, DATA, HOST, PATIENCE, STATE, WORK, Machine, digest, wait_for

BARE, TAKEN, WALLED = (Path(os.environ[root]) for root in ('BARE', 'TAKEN', 'WALLED'))
RELEASE, NEXT = Path(os.environ['RELEASE']), Path(os.environ['NEXT'])
PACKAGE, NEXT_PACKAGE = Path(os.environ['PACKAGE']), Path(os.environ['NEXT_PACKAGE'])
FLAGS = ['--hostname', HOST, '--domain', 'example.org', '--admin', 'ann@example.org', '--yes']
INSTALL, UPGRADE = '/release/install.sh', ['/next/install.sh', '--upgrade', '--yes']

_checks = []
FOLDERS = {'release': RELEASE, 'next': NEXT}


class Skipped(Exception):
    pass


def check(name):
    def register(function):
        _checks.append((name, function))
        return function
    return register


_kept = {}


def machine(name):
    """A machine that several checks live on, started by the first of them."""
    if name not in _kept:
        make = {'host': lambda: Machine(BARE, FOLDERS), 'container': lambda: Machine(BARE, FOLDERS, has_systemd=False),
                'taken': lambda: Machine(TAKEN, FOLDERS, has_systemd=False), 'package': lambda: Machine(BARE, FOLDERS),
                'walled': lambda: Machine(WALLED, FOLDERS)}
        try:
            _kept[name] = make[name]()
        except AssertionError as error:
            _kept[name] = error
    if isinstance(_kept[name], AssertionError):
        raise Skipped(f'this machine starts no other one: {_kept[name]}')
    return _kept[name]


def done_with(name):
    _kept.pop(name).end()


def release_with(machine, name, program):
    """The next archive, with another program in it and a checksum that fits."""
    folder = machine.root / name
    shutil.copytree(NEXT, folder)
    (folder / 'relais').write_text(program)
    (folder / 'relais').chmod(0o755)
    sums = [line for line in (folder / 'SHA256SUMS').read_text().splitlines() if not line.endswith('  relais')]
    sums.append(hashlib.sha256(program.encode()).hexdigest() + '  relais')
    (folder / 'SHA256SUMS').write_text('\n'.join(sums) + '\n')
    return [f'/{name}/install.sh', '--upgrade', '--yes']


# ---- The script itself ----------------------------------------------------------------------------------------------

@check('shellcheck finds nothing')
def shellcheck():
    if not shutil.which('shellcheck'):
        raise Skipped('no shellcheck')
    scripts = [RELEASE / 'install.sh', *(Path(__file__).parents[1] / 'debian').iterdir()]
    subprocess.run(['shellcheck', *scripts], check=True)


@check('--help says what there is, and a wrong word is told')
def words():
    host = machine('host')
    assert '--preflight' in host.say(INSTALL, '--help')
    host.say(INSTALL, '--nonsense', fails=64)
    host.say(INSTALL, '--hostname', 'no_name', fails=64)
    host.say(INSTALL, '--purge', fails=64)
    assert 'say --hostname' in host.say(INSTALL, fails=64), 'nobody is there to be asked'


# ---- Preflight ------------------------------------------------------------------------------------------------------

def stopped(host, *words):
    before = host.tree()
    said = host.say(INSTALL, *FLAGS, fails=1)
    for word in words:
        assert word in said, f'no "{word}" in {said}'
    assert 'Nothing was changed.' in said
    assert host.tree() == before, 'something was changed'


@check('not root: nothing is changed')
def not_root():
    host = machine('host')
    before = host.tree()
    said = host.say(INSTALL, *FLAGS, user=65534, fails=1)
    assert 'stop     not root' in said and f'sudo {INSTALL}' in said, said
    assert host.tree() == before


@check('a distribution that it does not know')
def distribution():
    host = machine('host')
    release = host.root / 'usr/lib/os-release'
    kept = release.read_text()
    release.write_text('ID=fedora\nVERSION_ID=42\nPRETTY_NAME="Fedora Linux 42"\n')
    try:
        stopped(host, 'stop     distribution: Fedora Linux 42')
    finally:
        release.write_text(kept)


@check('too little disk')
def disk():
    host = machine('host')
    host.say('mount', '-t', 'tmpfs', '-o', 'size=200m', 'tmpfs', '/var/lib')
    try:
        stopped(host, 'stop     disk: 200 MiB free for /var/lib/relais')
    finally:
        host.say('umount', '/var/lib')


@check("a configuration whose data directory is somebody else's: not taken, not emptied")
def foreign_data():
    host = machine('host')
    config, theirs = host.root / 'etc/relais', host.root / 'srv/theirs'
    config.mkdir()
    theirs.mkdir()
    (config / 'relais.toml').write_text("data = '/srv/theirs' # by hand\n")
    (theirs / 'letter').write_text('kept\n')
    try:
        stopped(host, "stop     data: /srv/theirs holds what is not relais's")
        said = host.say(INSTALL, '--uninstall', '--purge', '--yes', fails=1)
        assert "/srv/theirs holds what is not relais's: nothing was changed" in said, said
        assert (theirs / 'letter').read_text() == 'kept\n' and (config / 'relais.toml').is_file()
    finally:
        shutil.rmtree(config)
        shutil.rmtree(theirs)


@check('a damaged archive')
def damaged():
    host = machine('host')
    program = host.root / 'release/relais'
    octets = bytearray(program.read_bytes())
    octets[-1] ^= 1
    program.write_bytes(octets)
    try:
        stopped(host, 'is not as it was released')
    finally:
        shutil.copy(RELEASE / 'relais', program)


@check('a checkout, and no cargo to build it')
def no_cargo():
    host = machine('host')
    (host.root / 'checkout/installer').mkdir(parents=True)
    (host.root / 'checkout/Cargo.toml').touch()
    shutil.copy(RELEASE / 'install.sh', host.root / 'checkout/installer')
    said = host.say('/checkout/installer/install.sh', *FLAGS, fails=1)
    assert 'no cargo to build one' in said and 'https://rustup.rs' in said, said
    shutil.rmtree(host.root / 'checkout')


@check('port 25 taken by Postfix: named, with its package and the way to remove it')
def postfix():
    host = machine('taken')
    host.say('sh', '-c', 'postconf -e inet_interfaces=loopback-only myhostname=mx.example.org && postfix start')
    wait_for('Postfix', lambda: host.listens(25))
    stopped(host, 'stop     port 25 is taken by master (package postfix)', 'apt-get remove postfix')
    host.say('postfix', 'stop')
    wait_for('its end', lambda: not host.listens(25))
    said = host.say(INSTALL, '--preflight')
    assert 'ports free: 25 465 587' in said, said
    done_with('taken')


@check("a port taken by a systemd socket: the socket's unit is named")
def socket_unit():
    host = machine('host')
    host.say('sh', '-c', 'printf "[Socket]\\nListenStream=110\\nAccept=yes\\n" >/run/systemd/system/old.socket;'
                         'printf "[Service]\\nExecStart=/bin/true\\n" >/run/systemd/system/old@.service; systemctl daemon-reload; systemctl start old.socket')
    stopped(host, 'port 110 is taken by systemd for old.socket', 'systemctl disable --now old.socket')
    host.say('systemctl', 'stop', 'old.socket')


@check('port 25 out, reverse DNS and a blocklist that cannot be asked are warnings')
def no_network():
    said = machine('host').say(INSTALL, '--preflight')
    for word in ('warning  port 25 out', f'warning  reverse DNS: {ADDRESS} has no name', "warning  blocklist list.example: it doesn't answer"):
        assert word in said, f'no "{word}" in {said}'
    assert 'Nothing is in the way' in said


ZONE = '$TTL 60\n@ SOA ns.example.org. m.example.org. 1 3600 600 86400 1\n@ NS ns.example.org.\n'
ZONES = {
    'example.org': f'ns A 127.0.0.1\nmx A {ADDRESS}\n',
    '2.0.192.in-addr.arpa': '25 PTR mx.example.org.\n',
    'list.example': '2.0.0.127 A 127.0.0.2\n',
}
GREETER = '''import socket
door = socket.create_server(("192.0.2.25", 2525))
while True:
    guest, _ = door.accept()
    guest.sendall(b"220 mx.elsewhere.example ESMTP\\r\\n")
    guest.close()
'''


@check('with DNS and port 25 out they are well; a listed address is told')
def network():
    if not shutil.which('nsd'):
        raise Skipped('no nsd')
    host = machine('host')
    room = Path(tempfile.mkdtemp(prefix='nsd.', dir=WORK))
    zones = ''.join(f'zone:\n  name: {name}\n  zonefile: {room}/{name}\n' for name in ZONES)
    (room / 'nsd.conf').write_text(f'server:\n  ip-address: 127.0.0.1\n  username: ""\n  zonesdir: {room}\n  pidfile: ""\n  database: ""\n'
                                   f'  xfrdfile: {room}/xfrd\n  zonelistfile: {room}/list\nremote-control:\n  control-enable: no\n{zones}')
    for listed in (False, True):
        for name, zone in ZONES.items():
            more = '25.2.0.192 A 127.0.0.4\n' if listed and name == 'list.example' else ''
            (room / name).write_text(ZONE + zone + more)
        beside = [host.start_beside(shutil.which('nsd'), '-d', '-c', room / 'nsd.conf'), host.start_beside(sys.executable, '-c', GREETER)]
        try:
            wait_for('DNS', lambda: ADDRESS in host.say('getent', 'ahosts', HOST, fails=None))
            wait_for('the greeter', lambda: host.listens(2525))
            said = host.say(INSTALL, '--preflight')
        finally:
            for process in beside:
                process.terminate()
                process.wait()
        verdict = f'warning  blocklist list.example: {ADDRESS} is listed' if listed else f'ok       blocklist list.example: {ADDRESS} is not listed'
        for word in ('ok       port 25 out: 192.0.2.25 answers', f'ok       reverse DNS: {ADDRESS} is {HOST}, and back', verdict):
            assert word in said, f'no "{word}" in {said}'
    shutil.rmtree(room)


# ---- A host's life --------------------------------------------------------------------------------------------------

@check("the unit is as hardened as it says: below 2.0 by systemd's own measure")
def unit():
    host = machine('host')
    if '--offline' not in host.say('systemd-analyze', '--help'):
        raise Skipped('its systemd-analyze is too old to measure a file')
    measured = host.say('systemd-analyze', 'security', '--offline=yes', '--threshold=20', '--no-pager', '/release/relais.service')
    print('     ' + measured.strip().splitlines()[-1].strip('→ '))


@check('a host is set up: every door, one link, the fingerprint')
def install():
    host = machine('host')
    host.say('sh', '-c', 'ufw --force enable && ufw allow 22/tcp && ufw allow 443/tcp', fails=None)
    _kept['before'] = host.tree()
    started_at = time.monotonic()
    said = host.say(INSTALL, *FLAGS)
    print(f'     it took {time.monotonic() - started_at:.1f} s')
    assert re.search(rf'\n  https://{HOST}/setup/\S+\?domain=example\.org&address=ann%40example\.org\n  SHA-256 ([0-9A-F]{{2}}:){{31}}', said), said
    for door in ('smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s'):
        for family in ('0.0.0.0', '[::]'):
            assert re.search(rf'^ok   {door} +{re.escape(family)}:', said, re.M), f'{door} {family}: {said}'
    assert ' are well, 0 are not' in said and 'FAIL' not in said, said
    assert host.say('systemctl', 'is-active', 'relais').strip() == 'active'
    assert host.say('systemctl', 'is-enabled', 'relais').strip() == 'enabled'


@check('what it made is for nobody else; the server has no power but one')
def modes():
    host = machine('host')
    expected = {'/etc/relais': '700 relais', CONFIG: '600 relais', DATA: '700 relais', f'{DATA}/relais.db': '600 relais', STATE: '700 root',
                '/usr/local/bin/relais': '755 root', f'{DATA}/control.sock': '600 relais'}
    for path, mode in expected.items():
        assert host.mode(path) == mode, f'{path}: {host.mode(path)}'
    status = host.say('sh', '-c', 'cat /proc/$(systemctl show -p MainPID --value relais)/status')
    fields = dict(line.split(':\t', 1) for line in status.splitlines() if ':\t' in line)
    assert {fields[name] for name in ('CapPrm', 'CapEff', 'CapBnd', 'CapAmb')} == {'0000000000000400'}, 'CAP_NET_BIND_SERVICE alone'
    assert fields['NoNewPrivs'] == '1' and fields['Seccomp'] == '2' and fields['Uid'].split()[0] != '0', status


@check('a second run changes nothing and says so')
def again():
    host = machine('host')
    before, since = host.tree(), host.say('systemctl', 'show', '-p', 'MainPID', 'relais')
    said = host.say(INSTALL, *FLAGS)
    assert 'Nothing was changed: everything is as it should be.' in said and '\ndone ' not in said, said
    assert host.tree() == before
    assert host.say('systemctl', 'show', '-p', 'MainPID', 'relais') == since, 'the server was started anew'
    assert 'Nothing was changed' in host.say(INSTALL, '--yes'), 'what was said once is remembered'


@check('systemctl reload reads the file anew')
def reload():
    host = machine('host')
    host.say('systemctl', 'reload', 'relais')
    assert 'read anew' in host.say('journalctl', '--no-pager', '--unit=relais')


@check("cron's mail reaches the postmaster by /usr/sbin/sendmail")
def cron():
    host = machine('host')
    host.relais('domain', 'add', 'example.org')
    host.relais('account', 'add', 'ann@example.org', given='unspeakable horse\n')
    host.say('sendmail', '-i', '-FCronDaemon', 'root', given='Subject: Cron\n\nit ran\n', user=65534)
    trace = lambda: host.relais('message', 'trace', f'postmaster@{HOST}')
    assert 'delivered' in trace(), trace()
    assert 'Relay denied' in host.say('/usr/sbin/sendmail', 'x@elsewhere.example', given='\n', user=65534, fails=69)
    host.say('newaliases')
    # The real cron: it does what is due after a boot at once.
    host.say('sh', '-c', 'echo "@reboot root echo by cron itself" >/etc/cron.d/test; rm -f /run/crond.reboot; systemctl restart cron')
    wait_for("cron's mail", lambda: trace().count('delivered') == 2)
    host.say('rm', '/etc/cron.d/test')


@check('the firewall is opened where it is active, for what was not open')
def firewall():
    host = machine('host')
    if 'Status: active' not in host.say('ufw', 'status', fails=None):
        raise Skipped('ufw has no power in this machine')
    opened = host.text(f'{STATE}/opened').split('\n')
    assert 'ufw 25' in opened and 'ufw 443' not in opened, opened
    assert re.search(r'^25/tcp +ALLOW', host.say('ufw', 'status'), re.M)


@check('an older installer does not put its program over another')
def other_version():
    said = machine('host').say('/next/install.sh', '--yes', fails=1)
    assert 'say --upgrade' in said and 'It ended while it was to put the program' in said, said


@check('an upgrade: a snapshot, the new program, every door')
def upgrade():
    host = machine('host')
    started_at = time.monotonic()
    said = host.say(*UPGRADE)
    print(f'     it took {time.monotonic() - started_at:.1f} s')
    assert 'are well, 0 are not' in said and 'is now relais' in said, said
    assert digest(host.root / 'usr/local/bin/relais') == digest(NEXT / 'relais')
    assert digest(host.root / f'{STATE}/before/relais'.lstrip('/')) == digest(RELEASE / 'relais')
    assert host.mode(f'{STATE}/before/relais.db') == '600 relais'
    assert 'ann@example.org' in host.relais('account', 'list')
    assert 'Nothing was changed' in host.say(*UPGRADE)


def serves_as_before(host, said):
    assert 'serves again: the upgrade was taken back' in said and 'are well, 0 are not' in said, said
    assert digest(host.root / 'usr/local/bin/relais') == digest(NEXT / 'relais')
    assert host.say('systemctl', 'is-active', 'relais').strip() == 'active'
    assert 'ann@example.org' in host.relais('account', 'list')
    assert host.relais('check-store') == 'The database is clean.\n'


WRONG = '''#!/bin/sh
case " $* " in
" version ") echo relais 9.9.9; exit ;;
%s
*" serve "*) echo this version does not serve >&2; exit 1 ;;
esac
exec /release/relais "$@"
'''


@check('a version that does not serve: it goes back, and what came in meanwhile stays')
def failed_upgrade():
    host = machine('host')
    said = host.say(*release_with(host, 'wrong', WRONG % ''), fails=1)
    serves_as_before(host, said)
    assert not list((host.root / STATE.lstrip('/')).glob('failed-*')), 'the database could be read: it was left as it was'


@check('one that had changed the database before: the snapshot comes back, nothing is thrown away')
def failed_migration():
    host = machine('host')
    step = ("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) "
            "VALUES (99999999, 'of the future', 1, x'00', 0)")
    changes = f'*" domain list "*) /release/relais "$@" && sqlite3 {DATA}/relais.db "{step}"; exit ;;'
    said = host.say(*release_with(host, 'future', WRONG % changes), fails=1)
    assert 'The database is the snapshot' in said, said
    serves_as_before(host, said)
    failed = list((host.root / STATE.lstrip('/')).glob('failed-*/relais.db'))
    assert len(failed) == 1, failed


@check('one that refuses the configuration: nothing is changed, nothing is stopped')
def refused_config():
    host = machine('host')
    since = host.say('systemctl', 'show', '-p', 'MainPID', 'relais')
    said = host.say(*release_with(host, 'strict', WRONG % '*" check-config "*) echo no such key >&2; exit 1 ;;'), fails=1)
    assert 'refuses the configuration; nothing was changed' in said, said
    assert host.say('systemctl', 'show', '-p', 'MainPID', 'relais') == since


@check('uninstalled: mail and settings stay, and all else goes')
def uninstall():
    host = machine('host')
    said = host.say(INSTALL, '--uninstall')
    assert 'both stay' in said, said
    assert not (host.root / 'usr/local/bin/relais').exists() and not (host.root / 'etc/systemd/system/relais.service').exists()
    assert not os.path.lexists(host.root / 'usr/sbin/sendmail') and not host.listens(25)
    assert host.mode(f'{DATA}/relais.db') == '600 relais' and host.mode(CONFIG) == '600 relais'
    status = host.say('ufw', 'status', fails=None)
    if 'Status: active' in status:
        assert '443/tcp' in status and '22/tcp' in status and '25/tcp' not in status, status
    assert 'Nothing was changed' in host.say(INSTALL, '--uninstall')


@check('installed again, mail is there')
def anew():
    host = machine('host')
    said = host.say('/next/install.sh', *FLAGS)
    assert f'The house has an owner: https://{HOST}/' in said or '/setup/' in said, said
    assert 'ann@example.org' in host.relais('account', 'list')


@check('purged: nothing is left')
def purge():
    host = machine('host')
    assert 'say --yes if you mean it' in host.say(INSTALL, '--uninstall', '--purge', fails=64)
    host.say(INSTALL, '--uninstall', '--purge', '--yes')
    before, after = _kept['before'], host.tree()
    # Backups that the tools for users keep, and the order of rules that were opened and closed.
    lively = {'/etc/passwd-', '/etc/shadow-', '/etc/group-', '/etc/gshadow-', '/etc/subuid-', '/etc/subgid-'}
    own = lambda path: path in lively or path.startswith(('/wrong', '/future', '/strict', '/etc/ufw/'))
    differs = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path) and not own(path)}
    assert not differs, sorted(differs)
    done_with('host')


# ---- Where no systemd runs ------------------------------------------------------------------------------------------

@check('asked at a terminal, where no systemd runs: all else is done, and the way to run it is told')
def container():
    host = machine('container')
    said = host.converse([HOST, '', 'ann', 'ann@example.org'], INSTALL)
    assert 'kept here [example.org]: ' in said and 'after it [postmaster@example.org]: ' in said and '"ann" won\'t do.' in said, said
    assert 'warning  no systemd runs here' in said and 'are well, 0 are not' in said and '/setup/' in said, said
    assert not host.listens(25), 'nothing was left running'
    way = re.search(r'^  (setpriv .* serve)$', said, re.M).group(1)
    assert 'Nothing was changed' in host.say(INSTALL, *FLAGS)
    server = subprocess.Popen([*host._enter(), *way.split()], stdin=subprocess.DEVNULL, stdout=host.log, stderr=host.log)
    try:
        wait_for('the server', lambda: host.listens(993))
        assert 'are well, 0 are not' in host.relais('self-test')
        assert 'runs in the foreground: end it first' in host.say(*UPGRADE, fails=1)
        assert 'ports that relais serves: 25' in host.say(INSTALL, '--preflight')
    finally:
        host.say('sh', '-c', 'for one in /proc/[0-9]*; do [ "$(cat $one/comm)" != relais ] || kill ${one#/proc/}; done')
        server.wait(PATIENCE)
    assert 'is now relais' in host.say(*UPGRADE)
    said = host.say(*release_with(host, 'wrong', WRONG % ''), fails=1)
    assert 'serves again' in said and digest(host.root / 'usr/local/bin/relais') == digest(NEXT / 'relais'), said
    host.say(INSTALL, '--uninstall', '--purge', '--yes')
    assert not (host.root / DATA.lstrip('/')).exists() and not (host.root / 'etc/relais').exists()


@check('broken off in the midst: what was done is said, and the same command goes on from there')
def broken_off():
    host = machine('container')
    config = host.root / CONFIG.lstrip('/')
    config.parent.mkdir()
    config.write_text(f'hostname = "{HOST}"\ndata = "{DATA}"\nno_such_key = 1\n')
    said = host.say(INSTALL, *FLAGS, fails=1)
    for words in ('unknown field `no_such_key`', 'It ended while it was to start the server.', '  - service user relais\n', 'run the same command again'):
        assert words in said, f'no "{words}" in {said}'
    config.write_text(config.read_text().replace('no_such_key = 1\n', ''))
    said = host.say(INSTALL, *FLAGS)
    assert 'are well, 0 are not' in said and '/setup/' in said and 'done     service user' not in said, said
    assert f'Until {HOST} leads here, say https://{ADDRESS}/ instead' in said, said
    assert 'Nothing was changed' in host.say(INSTALL, *FLAGS)
    done_with('container')


# ---- The package ----------------------------------------------------------------------------------------------------

@check('the package: unpacked, set up, upgraded, removed, purged')
def package():
    host = machine('package')
    for package in (PACKAGE, NEXT_PACKAGE):
        shutil.copy(package, host.root)
    said = host.say('dpkg', '-i', f'/{PACKAGE.name}')
    assert 'Now say: sudo /usr/share/relais/install.sh' in said, said
    said = host.say('/usr/share/relais/install.sh', *FLAGS)
    assert 'are well, 0 are not' in said and '/setup/' in said, said
    assert 'Nothing was changed' in host.say('/usr/share/relais/install.sh', *FLAGS)
    assert host.say('systemctl', 'show', '-p', 'FragmentPath', '--value', 'relais').strip().endswith('/lib/systemd/system/relais.service')
    said = host.say('dpkg', '-i', f'/{NEXT_PACKAGE.name}')
    assert 'is now relais' in said and 'are well, 0 are not' in said, said
    assert digest(host.root / 'usr/bin/relais') == digest(NEXT / 'relais')
    host.say('dpkg', '--remove', 'relais')
    assert not host.listens(25) and host.mode(f'{DATA}/relais.db') == '600 relais'
    said = host.say('dpkg', '-i', f'/{NEXT_PACKAGE.name}')
    assert 'are well, 0 are not' in said, said
    host.say('dpkg', '--purge', 'relais')
    for path in (DATA, STATE, '/etc/relais', '/usr/bin/relais'):
        assert not (host.root / path.lstrip('/')).exists(), path
    assert 'relais' not in host.text('/etc/passwd')
    done_with('package')


# ---- Behind firewalld -----------------------------------------------------------------------------------------------

@check('firewalld: opened and closed for what was not open, now and after its next start')
def firewalld():
    host = machine('walled')
    if host.say('firewall-cmd', '--state', fails=None).strip() != 'running':
        raise Skipped('firewalld does not run in this machine: its journal says why')
    for when in ([], ['--permanent']):
        host.say('firewall-cmd', *when, '--add-port=443/tcp')
    neighbour(host)
    opened = lambda *when: set(host.say('firewall-cmd', *when, '--list-ports').split())
    theirs, ours = {'443/tcp'}, {f'{port}/tcp' for port in (25, 80, 110, 143, 465, 587, 993, 995, 4190)}
    assert 'firewalld is active' in host.say(INSTALL, *FLAGS)
    assert opened() == opened('--permanent') == theirs | ours, opened()
    assert reaches(host, 25)
    before = host.tree()
    assert 'Nothing was changed' in host.say(INSTALL, *FLAGS) and host.tree() == before
    host.say('firewall-cmd', '--remove-port=25/tcp')
    assert not reaches(host, 25), 'whoever is outside meets the firewall'
    host.say('systemctl', 'restart', 'firewalld')
    assert reaches(host, 25)
    host.say(INSTALL, '--uninstall')
    assert opened() == opened('--permanent') == theirs, opened()
    done_with('walled')


def neighbour(host):
    """The other end of the machine's wire, away from it."""
    for line in ('netns add outside', 'link set eth1 netns outside', '-n outside addr add 192.0.2.1/24 dev eth1', '-n outside link set eth1 up'):
        host.say('ip', *line.split())


def reaches(host, port):
    return 'open' in host.say('ip', 'netns', 'exec', 'outside', 'bash', '-c', f'exec 3<>/dev/tcp/{ADDRESS}/{port} && echo open', fails=None)


def main(wanted):
    counts = {'ok': 0, 'FAIL': 0, 'skip': 0}
    for name, function in _checks:
        if wanted not in name:
            continue
        try:
            function()
            mark, why = 'ok', ''
        except Skipped as reason:
            mark, why = 'skip', f' ({reason})'
        except Exception as error:  # whatever a check stumbles over is its failure
            mark, why = 'FAIL', f' ({type(error).__name__}: {str(error).strip()[-1500:]})'.replace('\n', '\n     ')
        counts[mark] += 1
        print(f'{mark:4} {name}{why}', flush=True)
    print(f'installer: {counts["ok"]} passed, {counts["FAIL"]} failed', flush=True)
    sys.exit(1 if counts['FAIL'] else 0)


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else '')
