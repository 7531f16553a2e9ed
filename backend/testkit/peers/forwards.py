#!/usr/bin/python3
"""What is sent on: a stranger's mail for an address of ours that leads to a private Postfix, whose OpenDKIM checks it there; pyspf, dkimpy and
authheaders look at what arrived. And a blocklist that is asked while the stranger speaks.

relais is started once more for it, behind a PROXY header that says where the stranger is, and is told of a DNS of our own. Needs root, as Postfix does.
"""
import re
from house import *
from private_postfix import Postfix

sys.path.pop(0)  # the scripts beside this one must not stand for dnspython's `dns`
try:
    import authheaders, dkim, spf
except ImportError as missing:
    print(f'skip forwards (no python3 {missing.name})')
    sys.exit(0)

AUTHOR, PEER, STRANGER, LISTED = 'far.example', 'with.example', '192.0.2.7', '192.0.2.99'
ADDRESS = '127.0.0.4'
PEER_PORT, DOOR, MILTER = free_port(ADDRESS), free_port('127.0.0.1'), free_port('127.0.0.1')
ROOM = FOLDER / 'forwards'
LIST = 'lists.example'
ADDRESSES = {PEER: ADDRESS, f'99.2.0.192.{LIST}': '127.0.0.2'}
TEXTS = {
    AUTHOR: f'v=spf1 ip4:{STRANGER} -all',
    f'_dmarc.{AUTHOR}': 'v=DMARC1; p=reject',
    f'99.2.0.192.{LIST}': 'Sent junk on Monday',
}


def start_postfix():
    return Postfix(ROOM, f'''myhostname = mx.{PEER}
virtual_mailbox_domains = {PEER}
virtual_mailbox_maps = inline:{{ peer@{PEER}=peer/ }}
smtpd_milters = inet:127.0.0.1:{MILTER}
smtpd_recipient_restrictions = reject_unauth_destination
''', f'{ADDRESS}:{PEER_PORT} inet n - n - - smtpd\n')


def start_opendkim():
    """Verifies alone, by the keys of our DNS; relais's own are not trusted for being on loopback."""
    (ROOM / 'dns').write_text(''.join(f'{name} {text}\n' for name, text in TEXTS.items() if '_domainkey' in name))
    (ROOM / 'none').write_text('')
    (ROOM / 'opendkim.conf').write_text(f'''Mode v
UserID root
Socket inet:{MILTER}@127.0.0.1
TestDNSData {ROOM}/dns
InternalHosts {ROOM}/none
AlwaysAddARHeader yes
AuthservID opendkim.{PEER}
''')
    process = subprocess.Popen(['opendkim', '-f', '-x', str(ROOM / 'opendkim.conf')], stdin=subprocess.DEVNULL)
    wait_until(lambda: answers('127.0.0.1', MILTER), lambda: 'opendkim does not answer')
    return process


def make_key():
    path = ROOM / 'author.pem'
    run('openssl', 'genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', path)
    public = subprocess.run(['openssl', 'pkey', '-in', path, '-pubout', '-outform', 'DER'], capture_output=True).stdout
    TEXTS[f'a._domainkey.{AUTHOR}'] = f'v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}'
    return path.read_bytes()


def publish(domain):
    """What relais wants of its own domain's DNS: the keys; and that its host may send."""
    zone = house.tell('dns', 'records', domain, '--zone-file')
    for line in zone.splitlines():
        found = re.match(r'(\S*_domainkey\S*)\s.*\bTXT\s+(.*)', line)
        if found:
            name = found.group(1).rstrip('.').lower()
            name = name if name.endswith(domain) else f'{name}.{domain}'
            TEXTS[name] = ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', found.group(2))).replace('\\', '')
    assert any(name.endswith(f'_domainkey.{domain}') for name in TEXTS), zone
    TEXTS[domain] = 'v=spf1 ip4:127.0.0.1 -all'


def look_up(name, kind, *_more, **_other):
    """As pyspf asks."""
    text = TEXTS.get(name.rstrip('.').lower())
    return [((name, kind), [text.encode()])] if text and kind == 'TXT' else []


def dnsfunc(name, timeout=5):
    """As dkimpy and authheaders ask: for a key in octets, for a policy in text."""
    found = TEXTS.get((name if isinstance(name, str) else name.decode()).rstrip('.').lower())
    return found and (found if isinstance(name, str) and '_dmarc' in name else found.encode())


def say(peer, *lines):
    """A session of a stranger at `peer`: its answers."""
    with socket.create_connection(('127.0.0.1', DOOR), timeout=60) as door:
        door.sendall(f'PROXY TCP4 {peer} 127.0.0.1 4711 25\r\n'.encode())
        file, told = door.makefile('rb'), []

        def answer():
            while True:
                line = file.readline().decode()
                if line[3:4] != '-':
                    return line.rstrip()
        assert answer().startswith('220')
        for line in (f'EHLO mx.{AUTHOR}', *lines, 'QUIT'):
            door.sendall(line.encode() if isinstance(line, str) and line.endswith('\r\n') else f'{line}\r\n'.encode())
            told.append(answer())
        return told[1:-1]


def send_on(subject):
    """A signed message of the author's, through relais; as it stands at Postfix, with CRLF, and the reverse path it came by."""
    octets = message(subject, author=f'ann@{AUTHOR}', to=f'away@{domain}', body='Nothing new here.').replace(b'8bit', b'7bit')
    signed = dkim.sign(octets, b'a', AUTHOR.encode(), key, canonicalize=(b'relaxed', b'simple')) + octets
    text = signed.decode()
    told = say(STRANGER, f'MAIL FROM:<ann@{AUTHOR}>', f'RCPT TO:<away@{domain}>', 'DATA', text + '.\r\n')
    assert [line[:3] for line in told] == ['250', '250', '354', '250'], told

    got = postfix.wait_for('peer', f'Subject: {subject}').replace(b'\n', b'\r\n')
    path = re.search(rb'^Return-Path: <(.*)>', got, re.M).group(1).decode()
    # What Postfix and its filter put on top says nothing of what came.
    return got, path


@check('spf, dkim, dmarc and arc pass at a postfix behind us', 'opendkim')
def _():
    got, path = send_on('sent-on')
    assert path.startswith('SRS0=') and path.endswith(f'=ann@{domain}'), path
    assert b'SRS0' in got.split(b'\r\n', 1)[0] and got.count(b'Return-Path:') == 1, got[:500]
    field = re.search(rb'Authentication-Results: opendkim.*?(?=\r\n\S)', got, re.S).group(0)
    assert b'dkim=pass' in field and f'header.d={AUTHOR}'.encode() in field, field
    result, why = spf.check2(i='127.0.0.1', s=path, h='localhost')
    assert result == 'pass', (result, why)
    # From here on as it left us: without what was added above our seal.
    sent = got[got.index(b'ARC-Seal:'):]
    assert dkim.verify(sent, dnsfunc=dnsfunc)
    state, _results, reason = dkim.arc_verify(sent, dnsfunc=dnsfunc)
    assert state == dkim.CV_Pass, (state, reason)
    said = authheaders.authenticate_message(sent, f'mx.{PEER}', spf=False, arc=True, dnsfunc=dnsfunc)
    for method in ('dkim=pass', 'dmarc=pass', 'arc=pass'):
        assert method in said, said
    seal = re.search(rb'ARC-Authentication-Results: i=1;.*?(?=\r\n\S)', sent, re.S).group(0)
    for found in (f'spf=pass smtp.mailfrom=ann@{AUTHOR}', 'dmarc=pass'):
        assert found.encode() in seal, seal


@check('a bounce to the rewritten path goes back to its sender, and nothing else does')
def _():
    _got, path = send_on('sent-on-again')
    told = say(STRANGER, 'MAIL FROM:<>', f'RCPT TO:<{path}>', 'RSET', f'MAIL FROM:<x@{AUTHOR}>', f'RCPT TO:<{path}>')
    assert [line[:3] for line in told] == ['250', '250', '250', '250', '550'], told


@check('a host that a list names hears which and why, and reaches postmaster')
def _():
    told = say(LISTED, f'MAIL FROM:<x@{AUTHOR}>', f'RCPT TO:<away@{domain}>')
    assert told[1].startswith('250'), told
    house.tell('settings', 'set', 'junk.refusing_blocklists', LIST)
    told = say(LISTED, f'MAIL FROM:<x@{AUTHOR}>', f'RCPT TO:<away@{domain}>', f'RCPT TO:<postmaster@{domain}>')
    assert told[1].startswith(f'550 5.7.1 The blocklist {LIST} names {LISTED} (Sent junk on Monday)'), told
    assert told[2].startswith('250'), told
    told = say(STRANGER, f'MAIL FROM:<x@{AUTHOR}>', f'RCPT TO:<away@{domain}>')
    assert told[1].startswith('250'), told


why = why_not('postfix', 'opendkim', 'openssl')
if why:
    print(f'skip forwards ({why})')
    sys.exit(0)
spf.DNSLookup = look_up
house = House(f'''[resolver]
servers = ["{serve_dns(ADDRESSES, TEXTS)}"]

[delivery]
port = {PEER_PORT}

[[listen]]
protocol = "smtp"
at = "127.0.0.1:{DOOR}"
proxy = true
''')
domain = house.people[0][0].split('@')[1]
postfix = opendkim = None
try:
    postfix = start_postfix()
    key = make_key()
    publish(domain)
    opendkim = start_opendkim()
    house.tell('settings', 'set', 'junk.greylisting', 'false')
    house.tell('alias', 'add', f'away@{domain}', f'peer@{PEER}')
    main('forwards')
finally:
    if postfix:
        postfix.stop()
    house.stop()
    if opendkim:
        opendkim.kill()
