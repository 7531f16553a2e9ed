#!/usr/bin/env python3
"""haproxy before our doors: it says whose the connection is (PROXY, versions 1 and 2), and does TLS in our place.

The client comes from an address of its own, so that it can't be confused with haproxy's: Received names it for mail,
the log for IMAP.
"""
from house import *

CLIENT, CLIENT6 = '127.0.0.21', '::1'
FRONT = '127.0.0.6'
# Our doors behind it. `proxied` ones begin with PROXY's header, `open` ones take a log-in without TLS.
DOORS = {name: free_port('127.0.0.1') for name in
         ('smtp-proxied', 'imap-proxied', 'imaps-proxied', 'imap-open', 'submission-open', 'pop3-open')}
# Its own: to which of ours, how, and whether it does TLS.
FRONTS = {
    'smtp-v1': ('smtp-proxied', 'send-proxy', False),
    'smtp-v2': ('smtp-proxied', 'send-proxy-v2', False),
    'imap-v1': ('imap-proxied', 'send-proxy', False),
    'imap-v2': ('imap-proxied', 'send-proxy-v2', False),
    'imaps-v2': ('imaps-proxied', 'send-proxy-v2', False),
    'imap-tls': ('imap-open', 'send-proxy-v2', True),
    'submission-tls': ('submission-open', 'send-proxy-v2', True),
    'pop3-tls': ('pop3-open', 'send-proxy-v2', True),
}
PORTS = {name: free_port(FRONT) for name in FRONTS}
ROOM = FOLDER / 'haproxy'


def settings():
    return ''.join(f'''[[listen]]
protocol = "{name.split('-')[0]}"
at = "127.0.0.1:{port}"
proxy = true
plain_login = {str(name.endswith('open')).lower()}

''' for name, port in DOORS.items())


def start_haproxy():
    ROOM.mkdir()
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 30, '-subj', '/CN=localhost',
        '-addext', 'subjectAltName=DNS:localhost', '-keyout', ROOM / 'pair.pem.key', '-out', ROOM / 'pair.pem')
    proxies = ''.join(f'''listen {name}
    bind {FRONT}:{PORTS[name]}{f' ssl crt {ROOM}/pair.pem' if is_tls else ''}
    {f'bind [::1]:{PORTS[name]}' if not is_tls else ''}
    server relais 127.0.0.1:{DOORS[door]} {how}
''' for name, (door, how, is_tls) in FRONTS.items())
    config = ROOM / 'haproxy.cfg'
    config.write_text(f'''global
    stats socket {ROOM}/stats.sock
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
{proxies}
backend watched
    option smtpchk EHLO haproxy.example
    server v1 127.0.0.1:{DOORS['smtp-proxied']} send-proxy check inter 300ms
    server v2 127.0.0.1:{DOORS['smtp-proxied']} send-proxy-v2 check inter 300ms
''')
    process = subprocess.Popen(['haproxy', '-db', '-f', str(config)], stderr=(ROOM / 'errors').open('w'))
    wait_until(lambda: answers(FRONT, PORTS['smtp-v1']), lambda: (ROOM / 'errors').read_text(), 30)
    return process


def logged(*texts):
    def look():
        return next((line for line in house.log.read_text().splitlines() if all(text in line for text in texts)), None)
    return wait_until(look, lambda: f'no line with {texts} in our log')


def deliver(front, subject, source=CLIENT, at=FRONT, starttls=False):
    with smtplib.SMTP(at, PORTS[front], timeout=30, source_address=(source, 0)) as session:
        if starttls:
            session._host = HOST  # which is in the certificate; haproxy's address isn't
            session.starttls(context=house.context)
        session.sendmail('stranger@elsewhere.example', [LOGIN], message(subject))
    return wait_for('INBOX', subject).split(b'for <', 1)[0].decode()


for version in ('v1', 'v2'):
    @check(f'haproxy-{version}-smtp-tells-the-client')
    def _(version=version):
        received = deliver(f'smtp-{version}', f'proxied-{version}')
        assert f'[{CLIENT}]' in received and FRONT not in received, received

    @check(f'haproxy-{version}-smtp-tells-a-client-of-ipv6')
    def _(version=version):
        received = deliver(f'smtp-{version}', f'proxied-six-{version}', CLIENT6, '::1')
        assert f'[IPv6:{CLIENT6}]' in received, received

    @check(f'haproxy-{version}-imap-tells-the-client')
    def _(version=version):
        source = f'127.0.0.3{version[1]}'
        with socket.create_connection((FRONT, PORTS[f'imap-{version}']), 30, (source, 0)) as raw:
            converse(upgraded(raw))
        logged('log-in refused', f'peer.ip={source}')


def upgraded(raw):
    """Up to the handshake, one command at a time: octets that came too early would be TLS's."""
    read_line(raw)
    raw.sendall(b'a STARTTLS\r\n')
    assert read_line(raw).startswith(b'a OK')
    return house.context.wrap_socket(raw, server_hostname=HOST)


def converse(session):
    session.sendall(b'b LOGIN nobody-here wrong\r\n')
    assert read_line(session).startswith(b'b NO')
    session.sendall(b'c LOGIN "%s" "%s"\r\n' % (LOGIN.encode(), PASSWORD.encode()))
    assert read_line(session).startswith(b'c OK')


def read_line(stream):
    line = b''
    while not line.endswith(b'\r\n'):
        octet = stream.recv(1)
        assert octet, f'the connection ended after {line}'
        line += octet
    return line


@check('haproxy-passes-starttls')
def _():
    received = deliver('smtp-v2', 'proxied-starttls', starttls=True)
    assert f'[{CLIENT}]' in received and 'with ESMTPS' in received, received


@check('haproxy-passes-our-tls')
def _():
    with socket.create_connection((FRONT, PORTS['imaps-v2']), 30, ('127.0.0.33', 0)) as raw:
        session = house.context.wrap_socket(raw, server_hostname=HOST)
        read_line(session)
        converse(session)
    logged('log-in refused', 'peer.ip=127.0.0.33')


# haproxy does TLS; we see a connection in the clear, and take its log-in.

def its_tls():
    return ssl.create_default_context(cafile=ROOM / 'pair.pem')


@check('haproxy-does-tls-for-imap')
def _():
    with socket.create_connection((FRONT, PORTS['imap-tls']), 30, ('127.0.0.34', 0)) as raw:
        session = its_tls().wrap_socket(raw, server_hostname=HOST)
        assert b'LOGINDISABLED' not in read_line(session)
        converse(session)
    logged('log-in refused', 'peer.ip=127.0.0.34')


@check('haproxy-does-tls-for-submission')
def _():
    with socket.create_connection((FRONT, PORTS['submission-tls']), 30, (CLIENT, 0)) as raw:
        session = smtplib.SMTP(timeout=30)
        session.sock, session.file = its_tls().wrap_socket(raw, server_hostname=HOST), None
        assert session.getreply()[0] == 220
        session.login(LOGIN, PASSWORD)
        session.sendmail(LOGIN, [LOGIN2], message('by-its-tls', to=LOGIN2))
        session.quit()
    received = wait_for('INBOX', 'by-its-tls', LOGIN2, PASSWORD2).decode()
    assert 'with ESMTPA' in received, received[:500]


@check('haproxy-does-tls-for-pop3')
def _():
    with socket.create_connection((FRONT, PORTS['pop3-tls']), 30, (CLIENT, 0)) as raw:
        session = its_tls().wrap_socket(raw, server_hostname=HOST)
        for said in ('', f'USER {LOGIN}\r\n', f'PASS {PASSWORD}\r\n', 'STAT\r\n', 'QUIT\r\n'):
            session.sendall(said.encode())
            assert read_line(session).startswith(b'+OK'), said


# Its checks of health greet us by themselves: PROXY UNKNOWN in version 1, LOCAL in version 2.

def health():
    with socket.socket(socket.AF_UNIX) as stats:
        stats.connect(str(ROOM / 'stats.sock'))
        stats.sendall(b'show stat\n')
        said = stats.makefile().read()
    head, *rows = (line.split(',') for line in said.removeprefix('# ').splitlines() if line)
    rows = [dict(zip(head, row)) for row in rows]
    facts = ('status', 'check_status', 'check_code', 'chkfail')
    return {row['svname']: [row[fact] for fact in facts]
            for row in rows if row['pxname'] == 'watched' and row['svname'] != 'BACKEND'}


@check('haproxy-finds-us-healthy')
def _():
    wanted = ['UP', 'L7OK', '221', '0']  # to QUIT
    wait_until(lambda: health() == {'v1': wanted, 'v2': wanted}, lambda: str(health()))


@check('no-proxy-header-no-greeting')
def _():
    with socket.create_connection(('127.0.0.1', DOORS['smtp-proxied']), 30) as stranger:
        stranger.sendall(b'EHLO stranger.example\r\n')
        assert stranger.recv(100) == b''


reason = why_not('haproxy')
if reason:
    print(f'skip haproxy ({reason})')
    sys.exit(0)
house = House(settings())
(LOGIN, PASSWORD), (LOGIN2, PASSWORD2), *_rest = house.people
haproxy = start_haproxy()
try:
    main('haproxy')
finally:
    haproxy.terminate()
    haproxy.wait(30)
    house.stop()
