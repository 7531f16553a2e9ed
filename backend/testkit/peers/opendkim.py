#!/usr/bin/env python3
"""Debian's OpenDKIM as a milter: it signs what our people send, and says of strangers' mail whether its signature holds."""
from filtered import *

ROOM = FOLDER / 'opendkim'
SOCKET, PORT_ = ROOM / 'sock', free_port('127.0.0.1')


def prepare(domain):
    ROOM.mkdir()
    run('opendkim-genkey', '-b', 2048, '-d', domain, '-s', 'milter', '-D', ROOM)
    record = ''.join(part for part in (ROOM / 'milter.txt').read_text().split('"')[1::2])
    (ROOM / 'dns').write_text(f'milter._domainkey.{domain} {record}\n')
    (ROOM / 'nobody').write_text('192.0.2.0/24\n')
    for name, at in (('unix', f'local:{SOCKET}'), ('tcp', f'inet:{PORT_}@127.0.0.1')):
        # Nobody is inside but who has logged in.
        (ROOM / f'{name}.conf').write_text(f'''Mode sv
Socket {at}
Domain {domain}
Selector milter
KeyFile {ROOM}/milter.private
InternalHosts {ROOM}/nobody
TestDNSData {ROOM}/dns
AlwaysAddARHeader yes
AuthservID milter.example
RequireSafeKeys no
Background no
UserID root
PidFile {ROOM}/{name}.pid
''')


@check('what our people send is signed by it, what strangers give is verified')
def _():
    for at, name in ((f'unix:{SOCKET}', 'unix'), (f'127.0.0.1:{PORT_}', 'tcp')):
        set_all(house, milters=at)
        code, words = submit(house, message(f'signed-{name}'))
        assert code == 250, words
        signed = wait_for('INBOX', f'signed-{name}')
        assert b'DKIM-Signature: v=1; a=rsa-sha256;' in signed and b's=milter' in signed and b'X-Relais-Filters: milter=pass' in signed, signed
        for octets, result in ((signed, b'pass'), (signed.replace(b'Pr\xc3\xbcfung', b'Pr\xc3\xa4fung'), b'fail'), (message(f'plain-{name}'), b'none')):
            empty('INBOX')
            code, words = give(house, octets)
            assert code == 250, words
            subject = f'plain-{name}' if result == b'none' else f'signed-{name}'
            got = wait_for('INBOX', subject)
            field = got[got.index(b'Authentication-Results: milter.example'):].split(b'\r\nDKIM-Signature', 1)[0]
            assert b'dkim=' + result in field, (result, got[:900])


@check('a large message goes through it in pieces')
def _():
    body = '\r\n'.join('A line of a large body, which is quite long indeed.' for _ in range(20000))
    code, words = submit(house, message('large', body=body))
    assert code == 250, words
    signed = wait_for('INBOX', 'large')
    code, words = give(house, signed.replace(b'Subject: large', b'Subject: large', 1))
    assert code == 250, words
    both = wait_until(lambda: (found := hits('INBOX', 'SUBJECT', 'large')) and len(found) == 2 and found, lambda: 'the second is not there')
    with imap() as session:
        must(session.select('INBOX', readonly=True))
        got = must(session.fetch(both[-1], '(BODY.PEEK[])'))[0][1]
    assert b'dkim=pass' in got[:3000], got[:1500]


@check('its state is shown')
def _():
    found = state(house, 'milter')
    assert found['is_up'] and found['version'] == 'milter 6' and found['asked'] > 3, found


@check('killed under load: mail is put off, and taken when it is back')
def _():
    keeps_its_promise(house, milter.kill, milter.start, 'milter', 'defer')


@check('killed under load, set to pass: mail is taken with a mark')
def _():
    set_all(house, milters_down='pass')
    keeps_its_promise(house, milter.kill, milter.start, 'milter', 'pass')


why = why_not('opendkim', 'opendkim-genkey', 'curl')
if why:
    print(f'skip opendkim ({why})')
    sys.exit(0)
house = House('')
prepare(house.people[0][0].split('@')[1])
other = Filter(['opendkim', '-f', '-x', ROOM / 'unix.conf'], SOCKET.exists)
milter = Filter(['opendkim', '-f', '-x', ROOM / 'tcp.conf'], lambda: answers('127.0.0.1', PORT_))
other.start()
milter.start()
try:
    main('opendkim')
finally:
    house.stop()
    other.kill()
    milter.kill()
