#!/usr/bin/env python3
"""Mail to MX hosts as a real DNS names them: Debian's nsd, and a private Exim that answers at several addresses.

The zones are below; what the sender is told of them, by report or by the queue, is what counts.
"""
from house import *
from private_exim import *

ONE, TWO, SIX = '127.0.0.41', '127.0.0.42', '::1'
DEAD, OURS = '127.0.0.49', '127.0.0.43'  # nobody listens there; we do
RESOLVER2, SILENT = '127.0.0.58', '127.0.0.59'  # nsd, too; and where no DNS is
PEER_PORT = free_port(ONE)
DNS_PORT = free_port(RESOLVER, socket.SOCK_STREAM, socket.SOCK_DGRAM)
ROOM = FOLDER / 'nsd'

HEAD = '$TTL 60\n@ SOA ns.hosts.test. master.hosts.test. 1 3600 600 86400 1\n@ NS ns.hosts.test.\n'
ZONES = {
    'hosts.test': f'''ns A {RESOLVER}
one A {ONE}
two A {TWO}
dead A {DEAD}
ours A {OURS}
alias CNAME one
empty TXT "no address"
''',
    'plain.example': '@ MX 10 one.hosts.test.\n',
    'dead-first.example': '@ MX 5 nowhere.hosts.test.\n@ MX 7 dead.hosts.test.\n@ MX 10 two.hosts.test.\n',
    'all-dead.example': '@ MX 5 dead.hosts.test.\n',
    # An MX should not be a CNAME (RFC 5321 section 5.1), and is: in its own zone, and across zones.
    'alias-near.example': f'@ MX 10 mx\nmx CNAME host\nhost A {TWO}\n',
    'alias-far.example': '@ MX 10 alias.hosts.test.\n',
    'alias.example': 'mail CNAME plain.example.\n',
    'bare.example': f'@ A {ONE}\n',
    'bare-six.example': f'@ AAAA {SIX}\n',
    'null.example': '@ MX 0 .\n',
    'addressless.example': '@ MX 10 empty.hosts.test.\n@ MX 20 nowhere.hosts.test.\n',
    # `localhost` is the house's own name.
    'loop-name.example': '@ MX 10 localhost.\n',
    'loop-address.example': '@ MX 10 ours.hosts.test.\n',
    'backup.example': '@ MX 10 one.hosts.test.\n@ MX 20 ours.hosts.test.\n@ MX 30 two.hosts.test.\n',
    'backup-dead.example': '@ MX 10 dead.hosts.test.\n@ MX 20 ours.hosts.test.\n@ MX 30 two.hosts.test.\n',
    'many.example': '@ MX 10 two.hosts.test.\n' + ''.join(
        f'@ MX {number} {"a" * 30}-{number}.{"b" * 30}.hosts.test.\n' for number in range(20, 60)),
    'servfail-host.example': '@ MX 10 mx.broken.example.\n@ MX 20 two.hosts.test.\n',
}
BROKEN = 'broken.example'  # nsd knows that it serves it, and has no data


def start_nsd():
    ROOM.mkdir()
    zones = ''
    for name in [*ZONES, BROKEN]:
        zones += f'zone:\n  name: {name}\n  zonefile: {ROOM}/{name}\n'
        if name in ZONES:
            (ROOM / name).write_text(HEAD + ZONES[name])
    (ROOM / 'nsd.conf').write_text(f'''server:
  ip-address: {RESOLVER}@{DNS_PORT}
  ip-address: {RESOLVER2}@{DNS_PORT}
  username: ""
  zonesdir: {ROOM}
  zonelistfile: {ROOM}/zones
  xfrdfile: {ROOM}/xfrd
  xfrdir: {ROOM}
  pidfile: {ROOM}/pid
  database: ""
  logfile: {ROOM}/log
  server-count: 1
remote-control:
  control-enable: no
{zones}''')
    process = subprocess.Popen(['nsd', '-d', '-c', str(ROOM / 'nsd.conf')], stderr=(ROOM / 'errors').open('w'))
    wait_until(lambda: answers(RESOLVER, DNS_PORT),
               lambda: 'nsd does not answer: ' + (ROOM / 'errors').read_text()[-200:])
    return process


def delivered(domain, address):
    """Sends to that domain; the message must arrive there."""
    subject = f'to-{domain}'
    house.submit(f'peer@{domain}', subject)
    exim.got(address, f'Subject: {subject} ')


def failed(domain, *texts):
    """Sends to that domain; a report with these texts must come at once."""
    house.submit(f'peer@{domain}', f'to-{domain}')
    wait_for_report('Action: failed', f'peer@{domain}', *texts)


def deferred(domain, *texts):
    """Sends to that domain; the queue must tell of an attempt with these texts. Gives the message's id."""
    house.submit(f'peer@{domain}', f'to-{domain}')
    return waits(domain, *texts)


def waits(domain, *texts, attempts=1):
    def look():
        for row in house.ask('queue', 'list', '--destination', domain)['rows']:
            shown, *_others = house.ask('queue', 'show', row['id'])['recipients']
            last = shown['last_reply'] or ''
            if shown['state'] == 'waiting' and shown['attempts'] >= attempts and all(text in last for text in texts):
                return row['id']
        return None
    return wait_until(look, lambda: f'the queue has {house.ask("queue", "list", "--destination", domain)["rows"]}')


@check('mx')
def _():
    delivered('plain.example', ONE)


@check('dead-and-unknown-mx-hosts-are-passed-over')
def _():
    delivered('dead-first.example', TWO)


@check('mx-that-is-a-cname')
def _():
    delivered('alias-near.example', TWO)
    delivered('alias-far.example', ONE)


@check('domain-that-is-a-cname')
def _():
    delivered('mail.alias.example', ONE)


@check('no-mx-but-an-address')
def _():
    delivered('bare.example', ONE)
    delivered('bare-six.example', SIX)


@check('more-mx-hosts-than-udp-carries')
def _():
    delivered('many.example', TWO)


@check('null-mx')
def _():
    failed('null.example', 'Status: 5.1.10', 'null MX')


@check('no-such-domain')
def _():
    failed('nowhere.plain.example', 'Status: 5.1.2', 'does not exist')


@check('mx-hosts-without-addresses')
def _():
    failed('addressless.example', 'Status: 5.4.4')


@check('ourselves-as-the-only-mx')
def _():
    failed('loop-name.example', 'Status: 5.4.6', 'comes back to this host')
    failed('loop-address.example', 'Status: 5.4.6', 'comes back to this host')


@check('ourselves-among-the-mx-hosts')
def _():
    delivered('backup.example', ONE)
    message_id = deferred('backup-dead.example', '4.4.1', 'dead.hosts.test')
    # RFC 5321 section 5.1: a host that is worse than ourselves is none.
    assert 'backup-dead.example' not in exim.main_log()
    house.tell('queue', 'remove', message_id)


@check('nobody-answers')
def _():
    message_id = deferred('all-dead.example', '4.4.1', 'refused')
    wait_for_report('Action: delayed', 'peer@all-dead.example', '4.4.1')
    house.tell('queue', 'remove', message_id)


@check('an-address-that-dns-owes-is-passed-over')
def _():
    delivered('servfail-host.example', TWO)


@check('dns-fails-and-recovers')
def _():
    message_id = deferred(BROKEN, '4.4.3', BROKEN)
    wait_for_report('Action: delayed', f'peer@{BROKEN}', '4.4.3')
    (ROOM / BROKEN).write_text(HEAD + '@ MX 10 one.hosts.test.\n')
    nsd.send_signal(signal.SIGHUP)

    def is_sent():
        house.tell('queue', 'retry', message_id)
        return f'peer@{BROKEN}' in exim.main_log()
    wait_until(is_sent, lambda: waits(BROKEN))
    exim.got(ONE, f'Subject: to-{BROKEN} ')


@check('no-dns-at-all')
def _():
    nsd.terminate()
    nsd.wait(30)
    deferred('late.example', '4.4.3', 'late.example')


reason = why_not('nsd') or why_no_exim()
if reason:
    print(f'skip dns ({reason})')
    sys.exit(0)
nsd = start_nsd()
house = House(f'''[resolver]
servers = ["{SILENT}:{DNS_PORT}", "{RESOLVER}:{DNS_PORT}", "{RESOLVER2}:{DNS_PORT}"]

[delivery]
port = {PEER_PORT}
delay_notice_hours = 0

[[listen]]
protocol = "smtp"
at = "{OURS}:{PEER_PORT}"
''')
exim = Exim('mx.hosts.test', ['*.example'], [ONE, TWO, SIX], PEER_PORT)
try:
    main('dns')
finally:
    exim.stop()
    nsd.terminate()
    nsd.wait(30)
    house.stop()
