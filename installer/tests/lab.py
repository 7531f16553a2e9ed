#!/usr/bin/env python3
"""From a bare host to mail with the world, and the time of each step.

Two namespaces on one wire: the host, a bare Debian machine (`machine.py`), and the world (`world.py`), whose Postfix sends to nobody whose
certificate it can't verify. Neither has a way to anywhere else. What the host's owner does is done from the world, with curl. Once mail goes both
ways, DANE and MTA-STS are tried both ways (`transport.py`).

`lab.py run` goes the whole way and ends with the lab; `tls` lets testssl.sh and sslscan look at the host after that; `up` only makes the lab and
keeps it until it is told to end. `cargo xtask lab` makes what is named by the environment: WORK, a folder; BARE, a root; RELEASE, an unpacked archive.
"""
import atexit, html, json, os, re, shutil, signal, sys, time
from pathlib import Path
from urllib.parse import urlsplit
import transport
from machine import ADDRESS, CONFIG, WORK, Machine, wait_for
from world import (AUTHORITY, CA, DOMAIN, HOST, PEER, PEER_AT, PEER_HOST, RESOLVER, ROOM, World, is_at_peer, peer_log, publish, start_ca, start_dns,
                   start_peer)

BARE, RELEASE = Path(os.environ['BARE']), Path(os.environ['RELEASE'])
OWNER, PASSWORD = 'olga@meadow.test', 'clover under old oaks'
TO_PANEL, TO_ROUND_TRIP = 90, 600  # seconds, the most that is allowed


# ---- What the host's owner does -------------------------------------------------------------------------------------

def install(host, facts):
    """One command, which asks nothing: all three answers are said with it."""
    said = host.say('/release/install.sh', '--yes', '--hostname', HOST, '--domain', DOMAIN, '--admin', OWNER)
    link, fingerprint = re.search(r'\n  (https://\S+/setup/\S+)\n  SHA-256 ([0-9A-F:]{95})\n', said).groups()
    assert f'say https://{ADDRESS}/ instead' in said, 'its name leads nowhere yet'
    facts.update(link=link.replace(HOST, ADDRESS), fingerprint=fingerprint)


def browse(world, *words):
    """As a browser that keeps cookies, and was told to go on in spite of the certificate."""
    return world.curl('--insecure', '--cookie-jar', ROOM / 'cookies', '--cookie', ROOM / 'cookies', *words)


def open_link(world, facts):
    """The certificate is the one whose fingerprint was told; the form is there, and proposes what the installer was told."""
    shown = world.say('openssl', 's_client', '-connect', f'{ADDRESS}:443')
    fingerprint = world.say('openssl', 'x509', '-noout', '-fingerprint', '-sha256', given=shown).strip().split('=')[1]
    assert fingerprint == facts['fingerprint'], f'{fingerprint} is shown, {facts["fingerprint"]} was told'
    page = browse(world, facts['link'])
    facts['form'] = {name: html.unescape(value) for name, value in re.findall(r'<input\b[^>]*?\bname="(\w+)"[^>]*?\bvalue="([^"]*)"', page)}
    proposed = [facts['form'].get(name) for name in ('host_name', 'domain', 'address')]
    assert proposed == [HOST, DOMAIN, OWNER], proposed


def set_up(world, facts):
    """Two fields are left for a person to fill in: name and password."""
    facts['form'].update(name='Olga', password=PASSWORD)
    action = urlsplit(facts['link'])._replace(query='').geturl()
    fields = [word for name, value in facts['form'].items() for word in ('--data-urlencode', f'{name}={value}')]
    said = browse(world, '--dump-header', '-', '--output', '/dev/null', *fields, action)
    assert re.match(r'HTTP/\S+ 303', said), said
    overview = browse(world, '--location', f'https://{ADDRESS}/')
    assert '<h1' in overview and 'name="password"' not in overview, overview[:400]
    assert browse(world, '--write-out', '%{http_code}', '--output', '/dev/null', facts['link']) != '200', 'the link is good twice'


def publish_records(world, host):
    """What the house says that it wants, all of it and nothing else."""
    publish(world, host.relais('dns', 'records', DOMAIN, '--zone-file'))
    wait_for('the records', lambda: world.say('dig', '+short', DOMAIN, 'MX').strip() == f'10 {HOST}.')
    assert re.search(r'flags:[a-z ]* ad', world.say('dig', '+dnssec', HOST, 'A')), 'the zone is signed'


def trust_lab(host):
    """A lab's CA and its root of the DNS are none that the world knows, its address is for documents alone; this step no real host has."""
    (host.root / 'etc/relais/lab.pem').write_text((ROOM / 'root.pem').read_text() + (ROOM / 'trusted.pem').read_text())
    shutil.copy(ROOM / 'anchor', host.root / 'etc/relais/lab.anchor')
    config = host.root / CONFIG.lstrip('/')
    config.write_text(f'{config.read_text()}\n[tls]\nextra_roots = "/etc/relais/lab.pem"\n'
                      f'[resolver]\nservers = ["{RESOLVER}"]\ntrust_anchor = "/etc/relais/lab.anchor"\n')
    host.say('chown', 'relais:', '/etc/relais/lab.pem', '/etc/relais/lab.anchor', CONFIG)
    host.say('systemctl', 'restart', 'relais')
    wait_for('the server', lambda: host.listens(443))
    host.relais('settings', 'set', 'dns.addresses', ADDRESS)


def order(world, host):
    """Afterwards the host's doors show a certificate that the world trusts, under its name and under the domain's service names."""
    for name, value in (('acme.directory_url', 'https://ca.test/dir'), ('acme.contact', OWNER), ('acme.enabled', 'true')):
        host.relais('settings', 'set', name, value)
    wait_for('a certificate', lambda: 'Verify return code: 0 (ok)' in world.say(
        'openssl', 's_client', '-connect', f'{HOST}:465', '-servername', HOST, '-verify_hostname', HOST, '-CAfile', ROOM / 'trusted.pem', fails=None), 120)
    world.curl('--cacert', ROOM / 'trusted.pem', '--output', '/dev/null', f'https://{HOST}/sign-in')
    policy = f'https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt'
    wait_for('the policy', lambda: f'mx: {HOST}' in world.say('curl', '-sS', '--cacert', ROOM / 'trusted.pem', policy, fails=None), 60)


# The lab has neither lists of bad hosts nor the big mail hosts that are tried to see whether port 25 is open.
ABSENT = {'blocklist', 'port-out'}


def check(host, subject):
    """What is not green, each as the check's name and what is said of it."""
    said = []

    def is_checked():
        said.append(host.say('runuser', '-u', 'relais', '--', 'relais', 'dns', 'check', subject, '--json', fails=None))
        return said[-1].startswith('{')

    wait_for('a check: each rests for ten seconds', is_checked)
    report = json.loads(said[-1])
    odd = [(found['check'], f'{found["about"]}: {found["verdict"]}, {found["says"]}') for found in report['findings'] if found['verdict'] != 'good']
    print(f'     {subject}: {len(report["findings"])} checks, {len(odd)} not green', flush=True)
    return odd


def be_checked(world, host):
    """The domain is all green at once; of the host a TLSA record is wanted only once its zone is seen to be signed."""
    assert not (odd := check(host, DOMAIN)), odd
    assert 'dane' in dict(check(host, 'host')), 'the zone is signed'
    publish(world, host.relais('dns', 'records', 'host', '--zone-file'))
    odd = check(host, 'host')
    assert {name for name, _ in odd} <= ABSENT, odd


def mail_in(world):
    """The peer takes it from a neighbour, finds our MX and gives it to nobody but us."""
    world.send(f'smtp://{PEER_HOST}:25', f'pia@{PEER}', OWNER, 'from the world')
    wait_for('mail from the peer', lambda: 'status=sent' in peer_log(), 60)
    line = next((line for line in peer_log().splitlines() if 'TLS connection established to' in line), 'nothing')
    assert f'Verified TLS connection established to {HOST}' in line, line
    print('     ' + line.split(': ', 1)[1])


def fetch(world):
    url = f'imaps://{HOST}/INBOX'
    known = ('--cacert', ROOM / 'trusted.pem', '--user', f'{OWNER}:{PASSWORD}')
    found = world.curl(*known, url, '--request', 'SEARCH SUBJECT "from the world"')
    number = re.search(r'\* SEARCH (\d+)', found)
    assert number, found
    got = world.curl(*known, f'{url};MAILINDEX={number[1]}')
    assert 'with ESMTPS' in got and 'Good morning.' in got, got
    assert re.search(rf'^Authentication-Results: {re.escape(HOST)};', got, re.M) and 'iprev=pass' in got, got


def mail_out(world):
    world.send(f'smtps://{HOST}:465', OWNER, f'pia@{PEER}', 'to the world', '--user', f'{OWNER}:{PASSWORD}')
    wait_for('mail at the peer', lambda: is_at_peer('to the world'), 60)
    got = next(path.read_text() for path in (ROOM / 'postfix/mail/pia/new').glob('*'))
    assert re.search(rf'from {re.escape(HOST)} \({re.escape(HOST)} \[{ADDRESS}\]\)\s+\(using TLSv1\.3', got), got
    # By dkimpy, with the records that the house wanted and the world's DNS has.
    assert 'signature ok' in world.say('dkimverify', given=got[got.index('DKIM-Signature:'):]), got


# ---- The whole way --------------------------------------------------------------------------------------------------

class Steps:
    """Each prints its time; the first that fails ends the way."""

    def __init__(self):
        self.started_at = time.monotonic()

    def do(self, name, act, *given):
        began_at = time.monotonic()
        try:
            act(*given)
        except Exception as error:  # whatever a step stumbles over is its failure
            print(f'FAIL {name} ({type(error).__name__}: {str(error).strip()[-1500:]})', flush=True)
            for log in (ROOM / 'postfix/log', ROOM / 'world.log', WORK / 'machine.log'):
                if log.exists():
                    shutil.copy(log, WORK / f'lab-{log.name}.failed')
            print(f'     the logs: {WORK}/lab-*.failed', flush=True)
            sys.exit(1)
        print(f'ok   {name} ({time.monotonic() - began_at:.1f} s)', flush=True)

    def within(self, seconds, what):
        took = time.monotonic() - self.started_at
        mark = 'ok  ' if took < seconds else 'FAIL'
        print(f'{mark} {what}: {took:.1f} s of {seconds}', flush=True)


def go(world, host):
    facts, steps = {}, Steps()
    steps.do('install.sh, no question asked', install, host, facts)
    steps.do('the link, behind the certificate that was told', open_link, world, facts)
    steps.do('owner, password and domain; the panel', set_up, world, facts)
    steps.within(TO_PANEL, 'from the command to the panel')
    steps.do("the lab's own CA and DNS trusted, the server started anew", trust_lab, host)
    steps.do('records that the house wants, published in a signed zone', publish_records, world, host)
    steps.do('a certificate by ACME', order, world, host)
    steps.do('all checks of the domain and of the host are green', be_checked, world, host)
    steps.do('mail comes in, over TLS that Postfix verified', mail_in, world)
    steps.do('it is fetched by IMAP', fetch, world)
    steps.do('mail goes out, over TLS, and its signature is good', mail_out, world)
    steps.within(TO_ROUND_TRIP, 'from the command to mail both ways')
    for name, act in transport.steps(world, host, OWNER, PASSWORD):
        steps.do(name, act)


# ---- Strangers who grade TLS ----------------------------------------------------------------------------------------

DOORS = {25: 'smtp', 587: 'smtp', 465: None, 143: 'imap', 993: None, 110: 'pop3', 995: None, 443: None}
MODERN = {'TLSv1.2', 'TLSv1.3'}
SEVERE = {'MEDIUM', 'HIGH', 'CRITICAL'}
# The lab's CA can't be asked what it revoked. The order is the client's, who knows whether its machine is quick at AES: all suites are AEAD, with
# keys of their own for each connection.
EXCUSED = {'cert_revocation', 'cipher_order'}


def look_at_protocols(world, port, starttls):
    path = ROOM / f'sslscan-{port}.xml'
    world.say('sslscan', f'--xml={path}', *([f'--starttls-{starttls}'] if starttls else []), '--no-ciphersuites', f'--sni-name={HOST}', f'{ADDRESS}:{port}', patience=300)
    spoken = {f'{kind.upper()}v{version}' for kind, version, enabled in re.findall(r'<protocol type="(\w+)" version="([\d.]+)" enabled="(\d)"', path.read_text())
              if enabled == '1'}
    assert spoken == MODERN, f'{spoken} are spoken'


def grade(world, port, starttls):
    """Newer testssl.sh gives a grade, which must be an A; all of them give findings, none of which may be severe."""
    path = ROOM / f'testssl-{port}.json'
    world.say('testssl', '--quiet', '--color', 0, '--warnings', 'batch', '--add-ca', ROOM / 'trusted.pem', '--ip', ADDRESS, '--jsonfile', path,
              *(['--starttls', starttls] if starttls else []), f'{HOST}:{port}', fails=None, patience=900)
    findings = json.loads(path.read_text())
    shutil.copy(path, WORK / path.name)
    grades = [entry['finding'] for entry in findings if entry['id'] == 'overall_grade']
    bad = [f'{entry["id"]}: {entry["finding"]}' for entry in findings if entry['severity'] in SEVERE and entry['id'] not in EXCUSED]
    assert len(findings) > 50, f'it looked at {len(findings)} things only'
    assert not bad and all(given.startswith('A') for given in grades), f'{grades} {bad}'
    print(f'     port {port}: {len(findings)} findings, grade {grades or "not given by this version"}', flush=True)


def be_graded(world):
    steps = Steps()
    for port, starttls in DOORS.items():
        steps.do(f'sslscan at port {port}: TLS 1.2 and 1.3 only', look_at_protocols, world, port, starttls)
    for port, starttls in DOORS.items():
        steps.do(f'testssl.sh at port {port}', grade, world, port, starttls)


def main(act):
    """The host stands on a wire into the world, and the world answers it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    world = World()
    host = Machine(BARE, {'release': RELEASE}, resolver=RESOLVER, probe=f'{PEER_AT}:25')
    world.wire_to(host)
    start_dns(world)
    start_ca(world)
    start_peer(world)
    print(f'     the lab is up: DNS {AUTHORITY} and {RESOLVER}, CA {CA}, peer {PEER_AT}, host {ADDRESS}', flush=True)
    if act == 'up':
        stay(world, host)
    go(world, host)
    if act == 'tls':
        be_graded(world)


def stay(world, host):
    print(f'     into the world: {" ".join(world.enter())}\n     onto the host: nsenter --target {host.first()} --all --root --wdns=/\n'
          f'     what is published: nsupdate -k {ROOM}/tsig, at {AUTHORITY}; whom to trust: {ROOM}/trusted.pem\n'
          '     to its end: cargo xtask lab down', flush=True)
    running = WORK / 'lab.pid'
    running.write_text(str(os.getpid()))
    atexit.register(running.unlink)
    signal.pause()


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else 'run')
