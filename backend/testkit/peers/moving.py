#!/usr/bin/env python3
"""Mail that is brought along: 10,000 messages of a Dovecot's over IMAP, killed on the way; its Maildir, mbox, and all of it taken out again."""
import hashlib, http.client, mailbox, pwd, random, re
from urllib.parse import quote as escaped
from house import *

COUNTS = {'INBOX': 6_000, 'Work/Entwürfe': 3_000, 'Sent': 1_000}
SPELT = {'INBOX': '', 'Work/Entwürfe': '.Work.Entw&APw-rfe', 'Sent': '.Sent'}
OLD, OLD_PASSWORD = 'old', f'old-{UNSPEAKABLE}'
PORTS = {'imap': free_port('127.0.0.1'), 'imaps': free_port('127.0.0.1')}
ROOM = FOLDER / 'dovecot'
MAILDIR = ROOM / 'mail/old/Maildir'
LETTERS = 'FRST'
NOBODY = 'nobody'


def fill():
    """A Maildir as years leave it: dates, flags, keywords, sizes of all kinds, the same message twice."""
    chance = random.Random(7)
    for name, count in COUNTS.items():
        folder = MAILDIR / SPELT[name]
        for part in ('cur', 'new', 'tmp'):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / 'dovecot-keywords').write_text('0 $Forwarded\n1 Important\n')
        for number in range(count):
            body = f'Number {number}\r\nFrom here on\r\n>From there\r\n' * (1 + number % 40)
            if number % 997 == 0:
                body += 'x' * 70 + '\r\n' + ('y' * 70 + '\r\n') * 12_000
            octets = message(f'{"same" if number in (1, 2) else number}', body=body)
            if number in (1, 2):
                octets = b'Subject: twice\r\n\r\nthe same\r\n'
            flags = ''.join(letter for letter in LETTERS if chance.random() < 0.4)
            flags += ''.join(letter for letter in 'ab' if chance.random() < 0.1)
            at = 1_000_000_000 + number * 61
            path = folder / f'cur/{at}.M{number}.old:2,{flags}'
            path.write_bytes(octets.replace(b'\r\n', b'\n'))
            os.utime(path, (at, at))
    owner = pwd.getpwnam(NOBODY)
    for path in [ROOM / 'mail', *(ROOM / 'mail').rglob('*')]:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def start_dovecot():
    ROOM.mkdir()
    os.chmod(ROOM, 0o755)
    fill()
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 30, '-subj', '/CN=Old CA',
        '-keyout', ROOM / 'ca.key', '-out', ROOM / 'ca.pem')
    run('openssl', 'req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-keyout', ROOM / 'key.pem',
        '-out', ROOM / 'request.pem')
    (ROOM / 'names').write_text('subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n')
    run('openssl', 'x509', '-req', '-in', ROOM / 'request.pem', '-CA', ROOM / 'ca.pem', '-CAkey', ROOM / 'ca.key',
        '-CAcreateserial', '-days', 30, '-extfile', ROOM / 'names', '-out', ROOM / 'cert.pem')
    (ROOM / 'people').write_text(f'{OLD}:{{PLAIN}}{OLD_PASSWORD}::::::\n')
    config = ROOM / 'dovecot.conf'
    config.write_text(f'''base_dir = {ROOM}/run
state_dir = {ROOM}/run/state
instance_name = old
log_path = {ROOM}/log
listen = 127.0.0.1
protocols = imap
ssl = required
ssl_cert = <{ROOM}/cert.pem
ssl_key = <{ROOM}/key.pem
auth_mechanisms = plain login
mail_location = maildir:~/Maildir
mail_uid = {NOBODY}
mail_gid = {pwd.getpwnam(NOBODY).pw_gid}
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = passwd-file
  args = {ROOM}/people
}}
userdb {{
  driver = static
  args = home={ROOM}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = .
  prefix = INBOX.
  mailbox Sent {{
    special_use = \\Sent
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {PORTS['imap']}
  }}
  inet_listener imaps {{
    port = {PORTS['imaps']}
    ssl = yes
  }}
}}
''')
    process = subprocess.Popen(['dovecot', '-F', '-c', config])
    wait_until(lambda: answers('127.0.0.1', PORTS['imaps']), lambda: 'Dovecot does not serve')
    return process


def old():
    context = ssl.create_default_context(cafile=ROOM / 'ca.pem')
    session = imaplib.IMAP4_SSL('localhost', PORTS['imaps'], ssl_context=context, timeout=60)
    session.login(OLD, OLD_PASSWORD)
    return session


def held(session, name, with_dates=True):
    """What a mailbox holds, in its order: content, flags, date of each message."""
    spelt = name.encode('utf-7').decode().replace('+', '&') if not name.isascii() else name
    must(session.select(f'"{spelt}"', readonly=True))
    found = []
    for part in must(session.fetch('1:*', '(UID FLAGS INTERNALDATE BODY.PEEK[])')):
        if isinstance(part, tuple):
            flags = set(re.search(rb'FLAGS \(([^)]*)\)', part[0])[1].lower().split()) - {rb'\recent'}
            date = imaplib.Internaldate2tuple(part[0])
            found.append((hashlib.sha256(part[1]).hexdigest(), tuple(sorted(flags)), time.mktime(date) if with_dates else 0))
    return found


def there(name):
    with old() as session:
        return held(session, 'INBOX' if name == 'INBOX' else 'INBOX.' + name.replace('/', '.'))


def here(name, person=0):
    with imap(*house.people[person]) as session:
        return held(session, name)


def same(person=0):
    for name in COUNTS:
        wanted, got = there(name), here(name, person)
        assert len(wanted) == len(got), f'{name}: {len(wanted)} there, {len(got)} here'
        different = [pair for pair in zip(sorted(wanted), sorted(got)) if pair[0] != pair[1]]
        assert not different, f'{name}: {len(different)} differ: {different[0]}'


def begin(wait=(), host='localhost', port=None, security='tls'):
    return subprocess.run(
        [os.environ['RELAIS'], '--config', house.folder / 'relais.toml', 'import', 'imap', house.people[0][0], '--host', host,
         '--port', str(port or PORTS['imaps']), '--security', security, '--user', OLD, *wait],
        input=OLD_PASSWORD.encode() + b'\n', capture_output=True, timeout=600)


def standing():
    return house.ask('import', 'status', house.people[0][0])


def bring():
    """Brings all that is new, and tells what that was."""
    done = begin(['--wait'])
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-300:]
    return standing()


@check('moving-nothing-inside-is-reached', 'dovecot')
def _():
    done = begin(['--wait'])
    assert done.returncode == 1, done.stdout
    assert 'no address of the public internet' in done.stdout.decode(), done.stdout
    house.tell('settings', 'set', 'imports.allow_internal', '127.0.0.0/8, ::1')


@check('moving-killed-on-the-way', 'dovecot')
def _():
    begin()
    wait_until(lambda: standing()['brought'] > 1_500, lambda: f'nothing comes: {standing()}')
    house.process.kill()
    house.process.wait()
    config = house.folder / 'relais.toml'
    house.process = subprocess.Popen([os.environ['RELAIS'], '--config', config, 'serve'], stderr=house.log.open('a'),
                                     stdout=subprocess.DEVNULL)
    # A demo's authority ends with the demo; what is served now is signed by itself.
    kit.TLS = ssl._create_unverified_context()
    wait_until(lambda: answers('127.0.0.1', house.ports['imaps']), lambda: 'the house did not come back')
    assert standing()['state'] == 'stopped', standing()
    assert len(here('INBOX')) < COUNTS['INBOX']


@check('moving-goes-on-where-it-was', 'dovecot')
def _():
    begun = time.monotonic()
    shown = bring()
    print(f'     {shown["brought"]} messages, {shown["brought_octets"]} octets in {time.monotonic() - begun:.1f} s', flush=True)
    assert shown['state'] == 'done' and shown['refused'] == 0, shown
    assert shown['brought'] + shown['already'] == shown['found'] == sum(COUNTS.values()), shown
    assert shown['already'] > 1_500, shown
    same()


@check('moving-brings-nothing-twice', 'dovecot')
def _():
    shown = bring()
    assert (shown['brought'], shown['flags_changed'], shown['gone']) == (0, 0, 0), shown
    assert shown['already'] == sum(COUNTS.values()), shown


@check('moving-brings-what-changed', 'dovecot')
def _():
    with old() as session:
        must(session.append('INBOX', '(Important \\Seen)', None, message('new')))
        must(session.append('INBOX.Sent', None, None, message('sent')))
        must(session.select('INBOX'))
        must(session.store('10', 'FLAGS', '(\\Flagged Important)'))
        must(session.store('11', 'FLAGS', '()'))
        must(session.store('5999', '+FLAGS', '(\\Deleted)'))
        must(session.uid('EXPUNGE', must(session.fetch('5999', '(UID)'))[0].split()[-1].rstrip(b')').decode()))
    shown = bring()
    assert (shown['brought'], shown['gone']) == (2, 1), shown
    assert 1 <= shown['flags_changed'] <= 3, shown
    gone = set(here('INBOX')) - set(there('INBOX'))
    assert len(gone) == 1 and set(there('INBOX')) <= set(here('INBOX')), gone
    assert sorted(here('Sent')) == sorted(there('Sent'))


@check('moving-starttls', 'dovecot')
def _():
    done = begin(['--wait'], port=PORTS['imap'], security='starttls')
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-300:]
    # Another port is another place to it; what stands here is found by its content all the same.
    assert standing()['brought'] == 0, standing()


@check('moving-maildir-of-dovecot', 'dovecot')
def _():
    person = house.people[1][0]
    begun = time.monotonic()
    said = house.tell('import', 'maildir', person, MAILDIR)
    print(f'     {said.strip()} in {time.monotonic() - begun:.1f} s', flush=True)
    same(1)
    assert ' 0 left out' in said and said.startswith(f'{sum(COUNTS.values()) + 1} messages filed'), said
    again = house.tell('import', 'maildir', person, MAILDIR)
    assert again.startswith('0 messages filed'), again


def pieces(person):
    """All mail of a person as the API gives it, some MiB at once: (mailbox, content, flags, date) of each message."""
    at, last, found = f'/api/v1/people/{escaped(person)}/mail', '', []
    while True:
        door = http.client.HTTPConnection('localhost')
        door.sock = socket.socket(socket.AF_UNIX)
        door.sock.connect(str(next(house.folder.rglob('control.sock'))))
        door.request('GET', at + last)
        answer = door.getresponse()
        row = answer.read()
        assert answer.status == 200, row
        if not row:
            return found
        while row:
            line, row = row.split(b'\n', 1)
            told = json.loads(line)
            octets, row = row[:told['size_octets']], row[told['size_octets']:]
            flags = tuple(sorted(flag.lower().encode() for flag in told['flags']))
            # A mailbox without messages is a line of its own.
            if not told.get('is_mailbox'):
                found.append((told['mailbox'], hashlib.sha256(octets).hexdigest(), flags, told['internal_date']))
            last = f'?mailbox={escaped(told["mailbox"])}&uid={told.get("uid", 2**32 - 1)}'


@check('moving-api-gives-all-of-it', 'dovecot')
def _():
    found = pieces(house.people[1][0])
    for name in COUNTS:
        got = sorted((content, flags, float(at)) for mailbox, content, flags, at in found if mailbox == name)
        assert got == sorted(here(name, 1)), f'{name}: {len(got)}'


@check('moving-mbox-there-and-back', 'dovecot')
def _():
    out, person = FOLDER / 'out', house.people[1][0]
    begun = time.monotonic()
    said = house.tell('export', person, '--mbox', out)
    print(f'     {said.strip()} in {time.monotonic() - begun:.1f} s', flush=True)
    box = mailbox.mbox(out / 'INBOX.mbox', create=False)
    assert len(box) == len(here('INBOX', 1)), len(box)
    seen = sum('R' in each.get_flags() for each in box)
    assert seen == sum(rb'\seen' in flags for _, flags, _ in here('INBOX', 1)), seen
    third = house.people[2][0]
    begun = time.monotonic()
    said = house.tell('import', 'mbox', third, out)
    print(f'     {said.strip()} in {time.monotonic() - begun:.1f} s', flush=True)
    same(2)
    assert house.tell('import', 'mbox', third, out).startswith('0 messages filed')


@check('moving-maildir-taken-out', 'dovecot')
def _():
    out, person = FOLDER / 'out-maildir', house.people[1][0]
    house.tell('export', person, '--maildir', out)
    box = mailbox.Maildir(out, create=False)
    folders = ['Archive', 'Drafts', 'Junk', 'Sent', 'Trash', 'Work', 'Work.Entw&APw-rfe']
    assert sorted(box.list_folders()) == folders, box.list_folders()
    digests = sorted(hashlib.sha256((out / name.relative_to(out)).read_bytes()).hexdigest() for name in (out / 'cur').iterdir())
    assert digests == sorted(content for content, _, _ in here('INBOX', 1))
    assert len(box) == len(digests)


if why := why_not('dovecot'):
    print(f'skip moving ({why})')
    sys.exit()
dovecot = start_dovecot()
try:
    house = House(f'[tls]\nextra_roots = "{ROOM}/ca.pem"\n')
    try:
        # A demo's people have mail of their own.
        for person in house.people:
            for name in ('INBOX', 'Sent'):
                empty(name, *person)
        main('moving')
    finally:
        house.stop()
finally:
    dovecot.terminate()
    dovecot.wait()
