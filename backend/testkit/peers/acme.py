#!/usr/bin/env python3
"""Certificates by ACME: Debian's pebble as the CA, its challtestsrv as the DNS, and relais as a house of its own.

The CA finds its proofs at the house's own doors. Its certificates live for a minute and a half, so that they are renewed while
the checks watch. DNS-01 has no provider here: backend/certs/tests plays it against the same pebble.
"""
import imaplib, urllib.error, urllib.request
from house import *

NAME = 'mx.house.test'
LIFE = 90  # seconds
BOUND = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'
LOOPBACK = '127.0.0.1'
NAMES = ('dns', 'management', 'ca', 'ca-management', 'http', 'https', 'smtp', 'submission', 'submissions', 'imap', 'imaps',
         'pop3', 'pop3s')
# All at once, lest two get the same.
AT = dict(zip(NAMES, (free_port(LOOPBACK, socket.SOCK_STREAM, socket.SOCK_DGRAM) for _ in NAMES)))
ROOM = FOLDER / 'acme'
MAIL = {'smtp': 'smtp', 'submission': 'smtp', 'submissions': None, 'imap': 'imap', 'imaps': None, 'pop3': 'pop3', 'pop3s': None,
        'https': None}
ANY = ssl.create_default_context()
ANY.check_hostname, ANY.verify_mode = False, ssl.CERT_NONE


def make_roots():
    """A CA for the directory itself, and the directory's certificate."""
    ROOM.mkdir()
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 30, '-subj', '/CN=directory CA', '-keyout',
        ROOM / 'root.key', '-out', ROOM / 'root.pem')
    run('openssl', 'req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-keyout', ROOM / 'pebble.key', '-out',
        ROOM / 'pebble.csr')
    (ROOM / 'names').write_text('subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n')
    run('openssl', 'x509', '-req', '-in', ROOM / 'pebble.csr', '-CA', ROOM / 'root.pem', '-CAkey', ROOM / 'root.key', '-days', 30,
        '-CAcreateserial', '-extfile', ROOM / 'names', '-out', ROOM / 'pebble.pem')


def start_dns():
    process = subprocess.Popen(
        ['pebble-challtestsrv', '-dns01', f'{LOOPBACK}:{AT["dns"]}', '-management', f'{LOOPBACK}:{AT["management"]}', '-http01', '',
         '-https01', '', '-tlsalpn01', '', '-defaultIPv6', ''], stdout=(ROOM / 'dns.log').open('w'), stderr=subprocess.STDOUT)
    wait_until(lambda: answers(LOOPBACK, AT['management']), lambda: 'challtestsrv does not answer')
    return process


def start_ca(bad_nonces=5, bound=False):
    (ROOM / 'pebble.json').write_text(json.dumps({'pebble': {
        'listenAddress': f'{LOOPBACK}:{AT["ca"]}', 'managementListenAddress': f'{LOOPBACK}:{AT["ca-management"]}',
        'certificate': str(ROOM / 'pebble.pem'), 'privateKey': str(ROOM / 'pebble.key'), 'httpPort': AT['http'],
        'tlsPort': AT['https'], 'certificateValidityPeriod': LIFE, 'externalAccountBindingRequired': bound,
        'externalAccountMACKeys': {'kid-1': BOUND}}}))
    environment = dict(os.environ, PEBBLE_VA_NOSLEEP='1', PEBBLE_AUTHZREUSE='0', PEBBLE_WFE_NONCEREJECT=str(bad_nonces))
    process = subprocess.Popen(
        ['pebble', '-config', str(ROOM / 'pebble.json'), '-dnsserver', f'{LOOPBACK}:{AT["dns"]}', '-strict'], env=environment,
        stdout=(ROOM / 'pebble.log').open('a'), stderr=subprocess.STDOUT)
    wait_until(lambda: answers(LOOPBACK, AT['ca']), lambda: 'pebble does not answer: ' + (ROOM / 'pebble.log').read_text()[-200:])
    return process


def dns(act, **what):
    body = json.dumps(what).encode()
    with urllib.request.urlopen(f'http://{LOOPBACK}:{AT["management"]}/{act}', body, timeout=10) as answer:
        assert answer.status == 200


class Relais:
    """A house that serves under a name of its own."""
    def __init__(self):
        doors = ''.join(f'[[listen]]\nprotocol = "{door}"\nat = "{LOOPBACK}:{AT[door]}"\n\n' for door in MAIL if door != 'https')
        self.config, self.log = ROOM / 'relais.toml', ROOM / 'relais.log'
        self.config.write_text(f'''hostname = "{NAME}"
data = "{ROOM}/data"

{doors}
[tls]
extra_roots = "{ROOM}/root.pem"

[resolver]
servers = ["{LOOPBACK}:{AT['dns']}"]

[operations]
at = ""

[web]
at = ["{LOOPBACK}:{AT['https']}"]
plain_at = ["{LOOPBACK}:{AT['http']}"]
''')
        self.process = subprocess.Popen([os.environ['RELAIS'], '--config', str(self.config), 'serve'], stdout=self.log.open('w'),
                                        stderr=subprocess.STDOUT)
        wait_until(lambda: all(answers(LOOPBACK, AT[door]) for door in (*MAIL, 'http')), lambda: 'relais did not start: ' + self.log.read_text()[-300:])

    def tell(self, *words, given=None):
        return run(os.environ['RELAIS'], '--config', self.config, *words, given=given)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def start_tls(door, connection):
    """STARTTLS, as each language says it."""
    lines = connection.makefile('rwb', buffering=0)

    def say(text, agrees):
        lines.write(text + b'\r\n')
        while (line := lines.readline()) and line[3:4] == b'-':
            pass
        assert line.startswith(agrees), line
    lines.readline()
    if MAIL[door] == 'smtp':
        say(b'EHLO checks', b'250')
        say(b'STARTTLS', b'220')
    else:
        say(b'a STARTTLS' if MAIL[door] == 'imap' else b'STLS', b'a OK' if MAIL[door] == 'imap' else b'+OK')


def leaf(door, name=NAME):
    """The certificate that this door shows for that name: DER."""
    with socket.create_connection((LOOPBACK, AT[door]), timeout=10) as connection:
        if MAIL[door]:
            start_tls(door, connection)
        with ANY.wrap_socket(connection, server_hostname=name) as tls:
            return tls.getpeercert(binary_form=True)


def said(certificate, *what):
    return run('openssl', 'x509', '-inform', 'DER', '-noout', *what, given=certificate)


def is_pebbles(certificate):
    return 'Pebble' in said(certificate, '-issuer')


def shown_everywhere(name=NAME):
    """What all doors show, where that is one certificate; else nothing."""
    leaves = {leaf(door, name) for door in MAIL}
    return leaves.pop() if len(leaves) == 1 else None


def wait_for_leaf(fits, what, patience=60):
    def look():
        found = shown_everywhere()
        return found if found and fits(found) else None
    return wait_until(look, lambda: f'{what}: {relais.log.read_text(errors="replace")[-250:]}', patience)


@check('self-signed-from-the-first-start', 'openssl')
def _():
    first = shown_everywhere()
    assert first and not is_pebbles(first)
    try:
        urllib.request.urlopen(f'http://{LOOPBACK}:{AT["http"]}/.well-known/acme-challenge/none', timeout=10)
    except urllib.error.HTTPError as error:
        assert error.code == 404, error.code
    else:
        raise AssertionError('there is a proof that nobody asked for')


@check('http-01-at-all-doors-without-restart', 'openssl')
def _():
    # One name leads elsewhere: it holds up no other.
    relais.tell('domain', 'add', 'house.test')
    dns('add-a', host='autoconfig.house.test.', addresses=['127.0.0.99'])
    relais.tell('settings', 'set', 'acme.directory_url', f'https://localhost:{AT["ca"]}/dir')
    relais.tell('settings', 'set', 'acme.contact', 'ann@house.test')
    relais.tell('settings', 'set', 'acme.enabled', 'true')
    found = wait_for_leaf(is_pebbles, 'no certificate')
    names = said(found, '-ext', 'subjectAltName')
    assert f'DNS:{NAME}' in names and 'DNS:mta-sts.house.test' in names and 'DNS:autodiscover.house.test' in names, names
    assert 'autoconfig' not in names, names


@check('renewed-at-all-doors-and-no-connection-dropped', 'openssl')
def _():
    relais.tell('account', 'add', 'ann@house.test', given=b'a password of ann\n')
    before = wait_for_leaf(is_pebbles, 'no certificate')
    session = imaplib.IMAP4_SSL(LOOPBACK, AT['imaps'], ssl_context=ANY)
    session.login('ann@house.test', 'a password of ann')
    kept = session.sock.getpeercert(binary_form=True)
    for _ in range(2):
        after = wait_for_leaf(lambda found: found != before and is_pebbles(found), 'not renewed', LIFE * 2)
        assert said(after, '-serial') != said(before, '-serial')
        before = after
        must(session.select('INBOX', readonly=True))
    assert session.sock.getpeercert(binary_form=True) == kept
    session.logout()


@check('ca-down-and-back', 'openssl')
def _():
    global ca
    before = wait_for_leaf(is_pebbles, 'no certificate')
    ca.terminate()
    ca.wait(30)
    # The old one is shown as long as it lasts, then the self-signed one; when the CA is back, with all accounts forgotten and half
    # of all nonces bad, a new account is opened and a new certificate comes.
    wait_until(lambda: 'no certificate' in relais.log.read_text(), lambda: 'the CA is not missed', LIFE)
    ca = start_ca(bad_nonces=50)
    wait_for_leaf(lambda found: found != before and is_pebbles(found), 'no new one', 300)


@check('tls-alpn-01', 'openssl')
def _():
    before = wait_for_leaf(is_pebbles, 'no certificate')
    relais.tell('settings', 'set', 'acme.challenge', 'tls-alpn-01')
    wait_for_leaf(lambda found: found != before and is_pebbles(found), 'not renewed', LIFE * 2)


ca = servers = relais = None
if reason := why_not('pebble', 'pebble-challtestsrv'):
    print(f'skip acme ({reason})')
    sys.exit(0)
try:
    make_roots()
    servers, ca = start_dns(), start_ca()
    relais = Relais()
    main('acme')
finally:
    if relais:
        relais.stop()
    for process in (ca, servers):
        if process:
            process.kill()
            process.wait()
