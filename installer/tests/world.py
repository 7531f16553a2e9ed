"""The world around a host, in a namespace of its own: the DNS (BIND: a signed root and zones, a resolver that validates), Pebble as the CA, and a Postfix."""
import atexit, json, os, pwd, re, shutil, subprocess, tempfile, time
from pathlib import Path
from machine import wait_for

AUTHORITY, RESOLVER, CA, PEER_AT, CLIENT = (f'192.0.2.{number}' for number in (53, 54, 80, 30, 100))
DOMAIN, HOST = 'meadow.test', 'mx.meadow.test'
# The peer's domains: one that says nothing of its TLS, one with TLSA records, one with an MTA-STS policy, which stands at its own host.
PEER, DANE, STS = 'peer.test', 'dane.test', 'sts.test'
PEER_HOST, POLICY_HOST = f'mx.{PEER}', f'mta-sts.{STS}'
REVERSE = '2.0.192.in-addr.arpa'
SIGNED, UNSIGNED = ('.', DOMAIN, DANE), (PEER, STS, REVERSE)
ROOM = Path(tempfile.mkdtemp(prefix='relais-lab.'))
ROOM.chmod(0o755)  # Postfix's own users read there

# The world's first process waits at its standard input, and ends, with all others there, when whoever made it does.
BOOT = r'''
mount --make-rprivate /
mount --bind "$1" /etc/resolv.conf
ip link set lo up
echo ready
exec cat >/dev/null
'''


class World:
    """Everything that isn't the host."""

    def __init__(self):
        (ROOM / 'resolv.conf').write_text(f'nameserver {RESOLVER}\n')
        self.log = open(ROOM / 'world.log', 'ab')
        self.process = subprocess.Popen(
            ['unshare', '--mount', '--net', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-ec', BOOT, 'sh', ROOM / 'resolv.conf'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        assert self.process.stdout.readline() == b'ready\n', 'no namespaces can be made here'
        atexit.register(self.end)
        self.first = Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children').read_text().split()[0]

    def enter(self):
        return ['nsenter', '--target', self.first, '--mount', '--net', '--uts', '--pid']

    def wire_to(self, host):
        """The other end of the host's wire is here, with an address for each of those who live here."""
        subprocess.run(['nsenter', '--target', host.first(), '--net', 'ip', 'link', 'set', 'eth1', 'netns', self.first], check=True)
        for address in (AUTHORITY, RESOLVER, CA, PEER_AT, CLIENT):
            self.say('ip', 'address', 'add', f'{address}/24', 'dev', 'eth1')
        self.say('ip', 'link', 'set', 'eth1', 'up')

    def say(self, *command, given='', fails=False, patience=60):
        done = subprocess.run([*self.enter(), *map(str, command)], input=given, text=True, timeout=patience, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert fails is None or done.returncode == 0, f'{" ".join(map(str, command))} ended with {done.returncode}: {(done.stdout + done.stderr)[-1200:]}'
        return done.stdout

    def start(self, *command, **environment):
        return subprocess.Popen([*self.enter(), *map(str, command)], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                env=dict(os.environ, **environment))

    def wait_for_port(self, address, port):
        wait_for(f'{address}:{port}', lambda: f' {address}:{port} ' in self.say('ss', '-Hltn'))

    def curl(self, *words):
        return self.say('curl', '-sS', '--interface', CLIENT, '--max-time', 30, *words)

    def send(self, url, author, to, subject, *words):
        """A client's message, by a door that the world trusts."""
        day = time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())
        (ROOM / 'message').write_bytes(f'From: {author}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {day}\r\n\r\nGood morning.\r\n'.encode())
        self.curl('--cacert', ROOM / 'trusted.pem', *words, '--mail-from', author, '--mail-rcpt', to, '--upload-file', ROOM / 'message', url)

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()
        shutil.rmtree(ROOM, ignore_errors=True)


# ---- The world's DNS ------------------------------------------------------------------------------------------------

def zone_path(zone):
    return ROOM / 'dns' / ('root' if zone == '.' else zone)


def make_zones():
    """The host's own domain is as empty as a new domain is, and so are the peer's secrets; an address's name is its provider's business."""
    (ROOM / 'dns').mkdir()
    (ROOM / 'keys').mkdir()
    keys = {zone: subprocess.run(['dnssec-keygen', '-q', '-k', 'default', '-K', ROOM / 'keys', zone], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
            for zone in SIGNED}
    ds = ''.join(subprocess.run(['dnssec-dsfromkey', '-2', ROOM / 'keys' / keys[zone]], check=True, text=True, stdout=subprocess.PIPE).stdout
                 for zone in SIGNED if zone != '.')
    contents = {
        '.': f'ns.root-servers.test. A {AUTHORITY}\nca.test. A {CA}\n{ds}' + ''.join(f'{zone}. NS ns.root-servers.test.\n' for zone in (*SIGNED[1:], *UNSIGNED)),
        DOMAIN: '',
        PEER: f'@ MX 10 mx\nmx A {PEER_AT}\n',
        DANE: f'@ MX 10 mx\nmx A {PEER_AT}\n',
        STS: f'@ MX 10 {PEER_HOST}.\nmta-sts A {PEER_AT}\n',
        REVERSE: f'25 PTR {HOST}.\n30 PTR {PEER_HOST}.\n',
    }
    for zone, records in contents.items():
        zone_path(zone).write_text(f'$TTL 60\n@ SOA ns.root-servers.test. hostmaster.test. 1 3600 600 86400 1\n@ NS ns.root-servers.test.\n{records}')
    root_key = (ROOM / 'keys' / f'{keys["."]}.key').read_text()
    (ROOM / 'anchor').write_text(''.join(line for line in root_key.splitlines(True) if not line.startswith(';')))
    key = re.search(r'DNSKEY (\d+ \d+ \d+) (.+)', root_key)
    return f'trust-anchors {{ . static-key {key[1]} "{key[2].replace(" ", "")}"; }};'


def start_dns(world):
    anchor = make_zones()
    (ROOM / 'tsig').write_text(subprocess.run(['tsig-keygen', 'provider'], check=True, text=True, stdout=subprocess.PIPE).stdout)
    common = 'listen-on-v6 { none; }; empty-zones-enable no; notify no; pid-file none; session-keyfile none; lock-file none; '
    zones = ''.join(f'zone "{zone}" {{ type primary; file "{zone_path(zone)}"; allow-update {{ key provider; }}; '
                    + ('dnssec-policy default; ' if zone in SIGNED else '') + '};\n' for zone in (*SIGNED, *UNSIGNED))
    (ROOM / 'authority.conf').write_text(
        f'include "{ROOM}/tsig";\noptions {{ directory "{ROOM}/dns"; key-directory "{ROOM}/keys"; listen-on {{ {AUTHORITY}; }}; recursion no; {common}}};\n'
        f'controls {{ }};\n{zones}')
    (ROOM / 'hints').write_text(f'. 60 NS ns.root-servers.test.\nns.root-servers.test. 60 A {AUTHORITY}\n')
    (ROOM / 'resolver.conf').write_text(
        f'options {{ directory "{ROOM}"; listen-on {{ {RESOLVER}; }}; recursion yes; allow-recursion {{ any; }}; dnssec-validation yes; '
        f'max-cache-ttl 2; max-ncache-ttl 2; {common}}};\ncontrols {{ }};\n{anchor}\nzone "." {{ type hint; file "{ROOM}/hints"; }};\n')
    for name, address in (('authority', AUTHORITY), ('resolver', RESOLVER)):
        world.start('named', '-g', '-c', ROOM / f'{name}.conf')
        world.wait_for_port(address, 53)
    # A resolver that validates says so of the signed zone, and finds the unsigned one.
    wait_for('a proof of DNSSEC', lambda: re.search(r'flags:[a-z ]* ad', world.say('dig', f'@{RESOLVER}', '+dnssec', DOMAIN, 'SOA')))
    assert PEER_AT in world.say('dig', '+short', PEER_HOST, 'A')


def publish(world, records, zone=DOMAIN, instead_of=None):
    """As the provider of the zone does what its customer says: lines of a zone file, names whole. `instead_of`: a name and type that go before."""
    gone = [f'update delete {instead_of}'] if instead_of else []
    lines = [f'server {AUTHORITY}', f'zone {zone}.', *gone, *(f'update add {record}' for record in records.splitlines())]
    world.say('nsupdate', '-k', ROOM / 'tsig', given='\n'.join([*lines, 'send', '']))


# ---- The world's CA and its mail server -----------------------------------------------------------------------------

def openssl(*words):
    subprocess.run(['openssl', *map(str, words)], check=True, stderr=subprocess.DEVNULL)


def make_certificate(name):
    """Of the CA whom the world trusts already: it vouches for the CA's own door and for the peer."""
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', f'/CN={name}', '-keyout', ROOM / f'{name}.key', '-out', ROOM / f'{name}.csr')
    (ROOM / 'names').write_text(f'subjectAltName=DNS:{name}\nbasicConstraints=CA:FALSE\n')
    openssl('x509', '-req', '-in', ROOM / f'{name}.csr', '-CA', ROOM / 'root.pem', '-CAkey', ROOM / 'root.key', '-days', 30, '-CAcreateserial',
            '-extfile', ROOM / 'names', '-out', ROOM / f'{name}.pem')


def start_ca(world):
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 30, '-subj', '/CN=root of the lab', '-keyout', ROOM / 'root.key', '-out', ROOM / 'root.pem')
    for name in ('ca.test', PEER_HOST, POLICY_HOST):
        make_certificate(name)
    (ROOM / 'pebble.json').write_text(json.dumps({'pebble': {
        'listenAddress': f'{CA}:443', 'managementListenAddress': f'{CA}:15000', 'certificate': f'{ROOM}/ca.test.pem',
        'privateKey': f'{ROOM}/ca.test.key', 'httpPort': 80, 'tlsPort': 443, 'certificateValidityPeriod': 90 * 86400}}))
    world.start('pebble', '-config', ROOM / 'pebble.json', '-dnsserver', f'{RESOLVER}:53', '-strict', PEBBLE_WFE_NONCEREJECT='5')
    world.wait_for_port(CA, 15000)
    # What the world trusts: as long as Pebble runs, its roots are a real CA's.
    (ROOM / 'trusted.pem').write_text(world.say('curl', '-sS', '--cacert', ROOM / 'root.pem', '--connect-to', f'ca.test:15000:{CA}:15000', 'https://ca.test:15000/roots/0'))


def start_peer(world):
    room = ROOM / 'postfix'
    for part in ('etc', 'queue', 'data', 'mail'):
        (room / part).mkdir(parents=True)
    owner = pwd.getpwnam('nobody')
    os.chown(room / 'mail', owner.pw_uid, owner.pw_gid)
    os.chown(room / 'data', pwd.getpwnam('postfix').pw_uid, -1)
    (room / 'etc/main.cf').write_text(f'''compatibility_level = 3.6
config_directory = {room}/etc
queue_directory = {room}/queue
data_directory = {room}/data
maillog_file = {room}/log
maillog_file_prefixes = {room}
inet_interfaces = {PEER_AT}
inet_protocols = ipv4
myhostname = {PEER_HOST}
mydestination =
mynetworks = {CLIENT}/32
alias_maps =
alias_database =
biff = no
virtual_mailbox_domains = {PEER} {DANE} {STS}
virtual_mailbox_maps = inline:{{ pia@{PEER}=pia/, pia@{DANE}=pia/, pia@{STS}=pia/ }}
virtual_mailbox_base = {room}/mail
virtual_uid_maps = static:{owner.pw_uid}
virtual_gid_maps = static:{owner.pw_gid}
queue_run_delay = 2s
minimal_backoff_time = 2s
smtp_tls_security_level = secure
smtp_tls_CAfile = {ROOM}/trusted.pem
smtp_tls_loglevel = 1
smtpd_tls_security_level = may
smtpd_tls_chain_files = {ROOM}/{PEER_HOST}.key, {ROOM}/{PEER_HOST}.pem
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions = permit_mynetworks, reject_unknown_reverse_client_hostname
''')
    (room / 'etc/master.cf').write_text('''smtp inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
''')
    world.say('postfix', '-c', room / 'etc', 'start')
    world.wait_for_port(PEER_AT, 25)


def tell_peer(world, *settings):
    """From here on it does so: lines of main.cf. It forgets what it has looked up."""
    etc = ROOM / 'postfix/etc'
    if settings:
        world.say('postconf', '-c', etc, '-e', *settings)
    world.say('postfix', '-c', etc, 'reload')


def peer_log():
    return (ROOM / 'postfix/log').read_text()


def is_at_peer(subject):
    return any(f'Subject: {subject}\n' in path.read_text() for path in (ROOM / 'postfix/mail/pia/new').glob('*'))
