#!/usr/bin/env python3
"""Debian's ClamAV, with signatures written by hand, beside a house that asks it about every message."""
from filtered import *

import io, zipfile

ROOM = FOLDER / 'clamav'
SOCKET, PORT_ = ROOM / 'clamd.sock', free_port('127.0.0.1')
# In pieces, so that no scanner takes this file for one.
EICAR = r'X5O!P%@AP[4\PZX54(P^)7CC)7}$' + 'EICAR-STANDARD-ANTIVIRUS-' + 'TEST-FILE!$H+H*'
NAME = 'Relais.Eicar.UNOFFICIAL'
MIB = 1024 * 1024


def prepare():
    (ROOM / 'db').mkdir(parents=True)
    # Name, any kind of file, at its beginning, the octets.
    (ROOM / 'db/relais.ndb').write_text(f'Relais.Eicar:0:0:{EICAR.encode().hex()}\n')
    (ROOM / 'clamd.conf').write_text(f'''LocalSocket {SOCKET}
TCPSocket {PORT_}
TCPAddr 127.0.0.1
DatabaseDirectory {ROOM}/db
TemporaryDirectory {ROOM}
LogFile {ROOM}/log
Foreground yes
FixStaleSocket yes
StreamMaxLength 2M
''')


def zipped(octets, name):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, octets)
    return out.getvalue()


def is_there():
    return SOCKET.exists() and answers('127.0.0.1', PORT_)


@check('EICAR is found in base64, in a zip, in a zip in a zip; the sender hears its name')
def _():
    virus = EICAR.encode()
    for name, octets in (('plain.com', virus), ('one.zip', zipped(virus, 'plain.com')), ('two.zip', zipped(zipped(virus, 'plain.com'), 'one.zip'))):
        octets = attached('eicar', name, octets)
        # Whatever field comes first: ClamAV must take it for mail.
        for whole in (octets, b'X-Odd: 1\r\n' + octets):
            for send in (give, submit):
                whole = whole.replace(STRANGER.encode(), house.people[0][0].encode()) if send is submit else whole
                code, words = send(house, whole)
                assert code == 554 and words == f'5.7.1 The message holds a virus: {NAME}', (name, send, code, words)
    code, words = give(house, attached('harmless', 'two.zip', zipped(zipped(b'nothing', 'a'), 'b')))
    assert code == 250, words
    assert b'X-Relais-Filters: clamav=clean' in wait_for('INBOX', 'harmless')


@check('over TCP, and into Junk where it is set so')
def _():
    set_all(house, clamd=f'127.0.0.1:{PORT_}', virus='junk')
    code, words = give(house, attached('kept', 'a.zip', zipped(EICAR.encode(), 'a.com')))
    assert code == 250, words
    assert f'X-Relais-Filters: clamav=virus name="{NAME}"'.encode() in wait_for('Junk', 'kept')
    set_all(house, virus='refuse')


@check('what is larger than clamd takes, or than we show it, is taken, and says so')
def _():
    for at in (f'127.0.0.1:{PORT_}', f'unix:{SOCKET}'):
        set_all(house, clamd=at, message_octets='25 MiB')
        empty('INBOX')
        code, words = give(house, attached('beyond-its-own', 'a', os.urandom(3 * MIB)))
        assert code == 250, words
        assert b'X-Relais-Filters: clamav=too-large\r\n' in wait_for('INBOX', 'beyond-its-own')
    set_all(house, message_octets='1 MiB')
    code, words = give(house, attached('beyond-ours', 'a', os.urandom(MIB)))
    assert code == 250, words
    assert b'X-Relais-Filters: clamav=too-large\r\n' in wait_for('INBOX', 'beyond-ours')


@check('its state is shown: version, and why it is down')
def _():
    found = state(house, 'clamav')
    assert found['is_up'] and found['version'].startswith('ClamAV ') and found['asked'] > 5, found
    clamd.kill()
    found = state(house, 'clamav')
    assert not found['is_up'] and found['last_trouble'].startswith('ClamAV cannot be connected to: '), found
    clamd.start()
    assert state(house, 'clamav')['is_up']


@check('killed under load: mail is put off, and taken when it is back')
def _():
    keeps_its_promise(house, clamd.kill, clamd.start, 'clamav', 'defer')


@check('killed under load, set to pass: mail is taken with a mark')
def _():
    set_all(house, clamd_down='pass')
    keeps_its_promise(house, clamd.kill, clamd.start, 'clamav', 'pass')


@check('frozen under load: it is not waited for again and again')
def _():
    set_all(house, timeout=1)
    keeps_its_promise(house, lambda: clamd.signal(signal.SIGSTOP), lambda: clamd.signal(signal.SIGCONT), 'clamav', 'pass', patience=3)


why = why_not('clamd', 'curl')
if why:
    print(f'skip clamav ({why})')
    sys.exit(0)
prepare()
clamd = Filter(['clamd', '-c', ROOM / 'clamd.conf'], is_there)
clamd.start()
house = House('')
try:
    set_all(house, clamd=f'unix:{SOCKET}')
    main('clamav')
finally:
    house.stop()
    clamd.kill()
