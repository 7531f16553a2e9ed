#!/usr/bin/env python3
"""Debian's rspamd beside a house that asks it about every message that comes in. It has no rules but its own test patterns."""
from filtered import *

ROOM = FOLDER / 'rspamd'
AT = f'127.0.0.1:{free_port("127.0.0.1")}'


def gtube(letter):
    """rspamd's patterns: X rejects, Y adds a header, Z rewrites the subject."""
    return letter + 'JS*C4JDBQADN1.NSBN3*2IDNEN*' + 'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'


def prepare():
    ROOM.mkdir()
    shutil.chown(ROOM, '_rspamd')
    (ROOM / 'rspamd.conf').write_text(f'''options {{
  pidfile = "{ROOM}/pid";
  tempdir = "{ROOM}";
  control_socket = "{ROOM}/control.sock mode=0600";
  enable_test_patterns = true;
  dns {{ nameserver = "127.0.0.1:9"; timeout = 0.1s; retransmits = 1; }}
}}
logging {{ type = "console"; level = "info"; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
worker "normal" {{ bind_socket = "{AT}"; count = 2; }}
''')


def is_there():
    asked = subprocess.run(['curl', '-s', '--max-time', '2', f'http://{AT}/ping'], capture_output=True)
    return asked.stdout.startswith(b'pong')


@check('GTUBE is refused, and the sender hears how to reach us')
def _():
    code, words = give(house, message('gtube', author=STRANGER, body=gtube('X')))
    assert code == 554 and words == '5.7.1 Gtube pattern. If it is none, write to postmaster@localhost', (code, words)
    assert not hits('INBOX', 'SUBJECT', 'gtube') and not hits('Junk', 'SUBJECT', 'gtube')


@check('what it would mark goes into Junk, with its score and symbols')
def _():
    for letter, action, subject in (('Y', 'add-header', 'marked'), ('Z', 'rewrite-subject', 'rewritten')):
        code, words = give(house, message(subject, author=STRANGER, body=gtube(letter)))
        assert code == 250, words
        found = wait_for('Junk', subject)
        assert f'X-Relais-Filters: rspamd={action} score='.encode() in found and b'symbols=GTUBE' in found, found[:600]


@check('what it has nothing against comes into INBOX, and what our people send is not shown to it')
def _():
    code, words = give(house, message('clean', author=STRANGER))
    assert code == 250, words
    assert b'X-Relais-Filters: rspamd=no-action score=0.0 of=15.0' in wait_for('INBOX', 'clean')
    code, words = submit(house, message('ours', body=gtube('X')))
    assert code == 250, words
    assert b'X-Relais-Filters' not in wait_for('INBOX', 'ours')


@check('it is told of the session')
def _():
    # It logs what its headers said.
    log = wait_until(lambda: [line for line in rspamd.log.read_text(errors='replace').splitlines() if 'rspamd_task_write_log' in line and STRANGER in line],
                     lambda: 'its log has no such line')
    assert any(f'from: <{STRANGER}>' in line and kit.LOGIN in line and 'ip: 127.0.0.1' in line and 'qid: <' in line for line in log), log[-1]


@check('its state is shown')
def _():
    found = state(house, 'rspamd')
    assert found['is_up'] and found['version'].startswith('rspamd/') and found['asked'] >= 3 and found['latency_ms'] is not None, found


@check('killed under load: mail is taken with a mark')
def _():
    keeps_its_promise(house, rspamd.kill, rspamd.start, 'rspamd', 'pass')


@check('killed under load, set to defer: mail is put off')
def _():
    set_all(house, rspamd_down='defer')
    keeps_its_promise(house, rspamd.kill, rspamd.start, 'rspamd', 'defer')


why = why_not('rspamd', 'curl')
if why:
    print(f'skip rspamd ({why})')
    sys.exit(0)
prepare()
rspamd = Filter(['rspamd', '-f', '-u', '_rspamd', '-g', '_rspamd', '-c', ROOM / 'rspamd.conf'], is_there)
rspamd.start()
house = House('')
try:
    set_all(house, rspamd=AT)
    main('rspamd')
finally:
    house.stop()
    rspamd.kill()
