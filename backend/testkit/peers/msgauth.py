#!/usr/bin/python3
"""Signatures and seals against other programs': dkimpy, authheaders and OpenDKIM verify ours, we verify theirs.

Our side is the example `msgauth` of relais-msgauth, which is told of a DNS in a table; MSGAUTH names it. Theirs are told of the same.
It runs with Debian's own Python, which has Debian's libraries.
"""
from kit import *

import importlib.util, json

sys.path.pop(0)  # the scripts beside this one must not stand for dnspython's `dns`

MSGAUTH = os.environ.get('MSGAUTH', '')
DOMAIN, NOW = 'example.org', int(time.time())
ROOM = FOLDER / 'msgauth'
ROOM.mkdir()

PLAIN = '''From: Ann <ann@example.org>\r
To: b@example.net\r
Subject: A  letter\r
 in two lines\r
Date: Fri, 11 Jul 2003 21:00:37 -0700\r
Message-ID: <1@example.org>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
\r
Hello  world \r
\r
'''
# Each a message that canonicalisation may stumble over.
BODIES = {
    'plain': 'Hello\r\n', 'empty': '', 'no line end': 'Hello', 'one empty line': '\r\n',
    'empty lines behind': 'a\r\n\r\n\r\n', 'blanks behind': 'a\r\n \r\n', 'a tab behind': 'a\r\n\t\r\n\r\n', 'blanks alone': ' \r\n',
    'blanks inside': 'a \t b\t\r\n c\r\n',
}


def with_library(title, name):
    """Registers a check that needs this library of Python's, and is given it; without it, it is skipped."""
    def register(function):
        if importlib.util.find_spec(name) is None:
            return check(title, f'python3-{name}')(function)
        return check(title)(lambda: function(importlib.import_module(name)))
    return register


def key(kind, bits=2048):
    """A private key in PEM, and its record."""
    path = ROOM / f'{kind}{bits}.pem'
    if not path.exists():
        options = ('RSA', '-pkeyopt', f'rsa_keygen_bits:{bits}') if kind == 'rsa' else ('ed25519',)
        run('openssl', 'genpkey', '-algorithm', *options, '-out', path)
    public = subprocess.run(['openssl', 'pkey', '-in', path, '-pubout', '-outform', 'DER'], capture_output=True).stdout
    public = public if kind == 'rsa' else public[-32:]
    return path, f'v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}'


def signer(kind, domain=DOMAIN):
    return {'algorithm': kind, 'domain': domain, 'selector': kind, 'pem': key(kind)[0].read_text()}


def dns(domain=DOMAIN):
    return {f'{kind}._domainkey.{domain}': [key(kind)[1]] for kind in ('rsa', 'ed25519')}


def dnsfunc(table):
    """As dkimpy and authheaders ask: for a key in octets, for a policy in text."""
    def ask(name, timeout=5):
        is_text = isinstance(name, str)
        found = table.get((name if is_text else name.decode()).rstrip('.').lower())
        return found and (found[0] if is_text and '_dmarc' in name else found[0].encode())
    return ask


def ours(act, message, **more):
    done = subprocess.run([MSGAUTH], input=json.dumps({'act': act, 'message': message, 'now': NOW, **more}).encode(), capture_output=True, timeout=60)
    if done.returncode:
        raise AssertionError(done.stderr.decode())
    return json.loads(done.stdout)


def messages():
    header = PLAIN.split('\r\n\r\n')[0] + '\r\n\r\n'
    return [PLAIN] + [header + body for body in BODIES.values()]


@with_library('dkimpy verifies what we sign, with both keys at once', 'dkim')
def _(dkim):
    for message in messages():
        signed = ours('sign', message, signers=[signer('rsa'), signer('ed25519')])['message'].encode()
        for index in (0, 1):
            assert dkim.DKIM(signed).verify(idx=index, dnsfunc=dnsfunc(dns())), (index, message)
        assert not dkim.verify(signed + b'x\r\n', dnsfunc=dnsfunc(dns()))


@with_library('we verify what dkimpy signs', 'dkim')
def _(dkim):
    nacl = importlib.util.find_spec('nacl') is not None
    for message in messages():
        for header in (b'simple', b'relaxed'):
            for body in (b'simple', b'relaxed'):
                for kind in ('rsa', 'ed25519') if nacl else ('rsa',):
                    private = key(kind)[0].read_bytes()
                    if kind == 'ed25519':
                        der = subprocess.run(['openssl', 'pkey', '-in', key(kind)[0], '-outform', 'DER'], capture_output=True).stdout
                        private = base64.b64encode(der[-32:])
                    field = dkim.sign(message.encode(), kind.encode(), DOMAIN.encode(), private, canonicalize=(header, body), signature_algorithm=f'{kind}-sha256'.encode())
                    found = ours('verify', field.decode() + message, dns=dns())['dkim']
                    assert found == [['pass', DOMAIN, 'Good']], (found, header, body, message)
                    if message.endswith('\r\nHello\r\n'):
                        found = ours('verify', field.decode() + message.replace('Hello', 'Hullo'), dns=dns())['dkim']
                        assert found == [['fail', DOMAIN, 'BodyChanged']], found


@with_library('dkimpy validates our seals, one upon the other', 'dkim')
def _(dkim):
    table = dns('list.example') | dns()
    message = ours('sign', PLAIN, signers=[signer('rsa')])['message']
    for hop in (1, 2, 3):
        message = ours('seal', message, dns=table, signers=[signer('rsa', 'list.example')])['message']
        state, results, why = dkim.arc_verify(message.encode(), dnsfunc=dnsfunc(table))
        assert state == dkim.CV_Pass, (hop, state, why)
        found = ours('verify', message, dns=table)
        assert found['arc'] == ['pass', 'Good'] and found['dkim'][0][0] == 'pass', found
    state, _results, _why = dkim.arc_verify(message.replace('letter', 'lette').encode(), dnsfunc=dnsfunc(table))
    assert state == dkim.CV_Fail, state


@with_library('we validate the seals of dkimpy, and seal upon them', 'dkim')
def _(dkim):
    table = dns('list.example')
    message = PLAIN.encode()
    for chain in ('none', 'pass'):
        found = f'Authentication-Results: mx.list.example; spf=pass smtp.mailfrom=ann@example.org; arc={chain}\r\n'
        fields = dkim.arc_sign(found.encode() + message, b'rsa', b'list.example', key('rsa')[0].read_bytes(), b'mx.list.example')
        message = b''.join(fields) + message
        assert ours('verify', message.decode(), dns=table)['arc'] == ['pass', 'Good'], chain
    message = ours('seal', message.decode(), dns=table, signers=[signer('rsa', 'list.example')])['message']
    assert dkim.arc_verify(message.encode(), dnsfunc=dnsfunc(table))[0] == dkim.CV_Pass
    assert ours('verify', message.replace('Hello', 'Hullo'), dns=table)['arc'][0] == 'fail'


@with_library('authheaders finds what we find: DKIM, ARC and DMARC', 'authheaders')
def _(authheaders):
    table = dns() | dns('list.example') | {'_dmarc.example.org': ['v=DMARC1; p=reject']}
    signed = ours('sign', PLAIN, signers=[signer('rsa')])['message']
    sealed = ours('seal', signed, dns=table, signers=[signer('rsa', 'list.example')])['message']
    changed = signed.replace('Hello', 'Hullo')
    for message in (PLAIN, signed, sealed, changed):
        said = authheaders.authenticate_message(message.encode(), 'mx.relais.example', spf=False, arc=True, dnsfunc=dnsfunc(table))
        found = ours('verify', message, dns=table)
        state = {method: result for method, result in (part.strip().split()[0].split('=') for part in said.split(';')[1:] if '=' in part)}
        assert state.get('dmarc', 'none') == found['dmarc'], (found, said)
        # Of an unsigned message authheaders says that its signature fails.
        assert not found['dkim'] or state['dkim'] == found['dkim'][0][0], (said, found)
        assert state.get('arc', 'none') == found['arc'][0], (said, found)


def opendkim(mode, message, *options):
    """What OpenDKIM's own test mode would add to a message: the field's value."""
    path, conf = ROOM / 'message', ROOM / 'opendkim.conf'
    path.write_bytes(message.replace('\r\n', '\n').encode())
    conf.write_text('\n'.join((f'Mode {mode}', 'UserID root', *options, '')))
    done = subprocess.run(['opendkim', '-x', conf, '-vvv', '-t', path], capture_output=True, timeout=60)
    said = (done.stdout + done.stderr).decode('utf-8', 'replace')
    assert "hvalue='" in said, said
    return said.split("hvalue='", 1)[1].split("'\n", 1)[0]


@check('OpenDKIM verifies what we sign', 'opendkim')
def _():
    (ROOM / 'dns').write_text(''.join(f'{name} {texts[0]}\n' for name, texts in dns().items()))
    options = (f'TestDNSData {ROOM}/dns', 'AlwaysAddARHeader yes')
    for message in messages():
        if not message.endswith('\n'):
            continue  # it adds a line end of its own
        signed = ours('sign', message, signers=[signer('rsa')])['message']
        said = opendkim('v', signed, *options)
        assert 'dkim=pass (2048-bit key) header.d=example.org' in said, (said, message)
        assert 'dkim=fail' in opendkim('v', signed.replace('Subject: A', 'Subject: B'), *options)


@check('we verify what OpenDKIM signs', 'opendkim')
def _():
    for canonicalization in ('simple/simple', 'relaxed/simple', 'simple/relaxed', 'relaxed/relaxed'):
        for message in (message for message in messages() if message.endswith('\n')):
            field = opendkim('s', message, f'Domain {DOMAIN}', 'Selector rsa', f'KeyFile {key("rsa")[0]}', f'Canonicalization {canonicalization}', 'SignatureAlgorithm rsa-sha256', 'RequireSafeKeys no')
            signed = 'DKIM-Signature: ' + field.replace('\r\n', '\n').replace('\n', '\r\n') + '\r\n' + message
            found = ours('verify', signed, dns=dns())['dkim']
            assert found == [['pass', DOMAIN, 'Good']], (found, signed)


@with_library('keys below 1,024 bits and sha1 are refused, whatever dkimpy makes of them', 'dkim')
def _(dkim):
    path, record = key('rsa', 512)
    table = {f'short._domainkey.{DOMAIN}': [record]}
    field = dkim.sign(PLAIN.encode(), b'short', DOMAIN.encode(), path.read_bytes())
    found = ours('verify', field.decode() + PLAIN, dns=table)['dkim'][0]
    assert found[0] == 'permerror' and 'Short(512)' in found[2], found
    field = dkim.sign(PLAIN.encode(), b'rsa', DOMAIN.encode(), key('rsa')[0].read_bytes(), signature_algorithm=b'rsa-sha1')
    found = ours('verify', field.decode() + PLAIN, dns=dns())['dkim'][0]
    assert found[0] == 'permerror' and 'Sha1' in found[2], found


if not MSGAUTH:
    print('skip msgauth (only for relais)')
    sys.exit(0)
main('msgauth')
