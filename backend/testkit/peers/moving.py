#!/usr/bin/env python3
"""Mail that is brought along: 10,000 messages of a Dovecot's over IMAP, by the command line, a page and the API; its
Maildir, mbox; each killed on the way; and all of it taken out again, with contacts."""
import hashlib, http.client, http.cookiejar, io, mailbox, pwd, random, re, urllib.error, urllib.request, zipfile
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
MOVING = '/panel/account/moving'
CARD = b'BEGIN:VCARD\r\nVERSION:4.0\r\nUID:of-old\r\nFN:Ann Lee\r\nEMAIL:ann@old.example\r\nEND:VCARD\r\n'


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


def newcomer(name):
    """Adds a person without mail; gives which of the house's people they are."""
    address, password = f'{name}@{house.people[0][0].split("@")[1]}', f'{name}-{UNSPEAKABLE}'
    run(os.environ['RELAIS'], '--config', house.folder / 'relais.toml', 'account', 'add', address, given=f'{password}\n'.encode())
    house.people.append((address, password))
    return len(house.people) - 1


def revive():
    """Kills the house, and starts it again."""
    house.process.kill()
    house.process.wait()
    config = house.folder / 'relais.toml'
    house.process = subprocess.Popen([os.environ['RELAIS'], '--config', config, 'serve'], stderr=house.log.open('a'),
                                     stdout=subprocess.DEVNULL)
    # A demo's authority ends with the demo; what is served now is signed by itself.
    kit.TLS = ssl._create_unverified_context()
    wait_until(lambda: answers('127.0.0.1', house.ports['imaps']), lambda: 'the house did not come back')


class Browser:
    """A person's, signed in, with its cookies."""
    EDGE = 'the-edge-of-the-parts'

    def __init__(self, login, password):
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=kit.TLS), cookies)
        shown = self.post('/sign-in', '/sign-in', name=login, password=password)
        assert 'name="password"' not in shown, shown[-300:]

    def ask(self, path, body=None, kind=None):
        headers = {'Accept-Language': 'en', **({'Content-Type': kind} if kind else {})}
        request = urllib.request.Request(f'https://localhost:{house.ports["panel"]}{path}', body, headers)
        with self.opener.open(request, timeout=600) as answer:
            return answer.read()

    def token(self, page):
        return re.search(r'name="csrf" value="([^"]+)"', self.ask(page).decode())[1]

    def post(self, page, path, **fields):
        """Sends the form of a page; gives the page that it leads to."""
        form = '&'.join(f'{name}={escaped(str(value), safe="")}' for name, value in {'csrf': self.token(page), **fields}.items())
        return self.ask(path, form.encode(), 'application/x-www-form-urlencoded').decode()

    def bring(self, octets, into=''):
        """Sends a file of mail."""
        def head(name, more=''):
            return f'--{self.EDGE}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        before = head('csrf') + self.token(MOVING) + '\r\n' + head('mailbox') + into + '\r\n' + head('file', '; filename="mail"')
        body = before.encode() + octets + f'\r\n--{self.EDGE}--\r\n'.encode()
        return self.ask(MOVING + '/file', body, f'multipart/form-data; boundary={self.EDGE}').decode()


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
    revive()
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


@check('moving-contacts-by-the-command-line', 'dovecot')
def _():
    person, brought, taken = house.people[1][0], FOLDER / 'brought.vcf', FOLDER / 'taken.vcf'
    brought.write_bytes(CARD)
    before = house.tell('export', person, '--vcard', FOLDER / 'before.vcf')
    assert before.startswith('0 contacts') and not (FOLDER / 'before.vcf').exists(), before
    for _ in range(2):
        said = house.tell('import', 'vcard', person, brought)
        assert said.startswith('1 contacts kept, 0 left out'), said
    assert house.tell('export', person, '--vcard', taken).startswith('1 contacts')
    assert b'EMAIL:ann@old.example\r\n' in taken.read_bytes(), taken.read_bytes()
    # What is there isn't written over.
    run(os.environ['RELAIS'], '--config', house.folder / 'relais.toml', 'export', person, '--vcard', taken, fails=True)


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
    assert '1 contacts kept' in said, said
    house.tell('export', third, '--vcard', FOLDER / 'third.vcf')
    assert (FOLDER / 'third.vcf').read_bytes() == (out / 'contacts.vcf').read_bytes()
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


def begin_and_kill(kind, path, person, whom):
    """Brings files, and kills the one or the other once some are here."""
    login, password = house.people[person]
    session = imap(login, password)
    command = subprocess.Popen([os.environ['RELAIS'], '--config', house.folder / 'relais.toml', 'import', kind, login, path],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def came():
        return int(re.search(rb'MESSAGES (\d+)', must(session.status('INBOX', '(MESSAGES)'))[0])[1])
    wait_until(came, lambda: 'nothing comes')
    if whom == 'command':
        command.kill()
    else:
        revive()
    assert command.wait(60) != 0, 'it was through before it was killed'
    session.shutdown()
    assert 0 < len(here('INBOX', person)) < COUNTS['INBOX']


def goes_on(kind, path, person, total):
    """Begun again, it brings what is missing, and nothing twice."""
    said = house.tell('import', kind, house.people[person][0], path)
    filed, already, left_out = map(int, re.match(r'(\d+) messages filed, (\d+) were here already, (\d+) left out', said).groups())
    print(f'     {said.strip()}', flush=True)
    assert filed > 0 and already > 0 and left_out == 0 and filed + already == total, said
    same(person)
    again = house.tell('import', kind, house.people[person][0], path)
    assert again.startswith('0 messages filed'), again


@check('moving-mbox-killed-on-the-way', 'dovecot')
def _():
    out = FOLDER / 'out'
    total = sum(len(mailbox.mbox(file, create=False)) for file in out.rglob('*.mbox'))
    for whom in ('house', 'command'):
        person = newcomer(f'mbox-{whom}')
        begin_and_kill('mbox', out, person, whom)
        goes_on('mbox', out, person, total)


@check('moving-maildir-killed-on-the-way', 'dovecot')
def _():
    # moving-brings-what-changed put two messages into it and took one out.
    for whom in ('house', 'command'):
        person = newcomer(f'maildir-{whom}')
        begin_and_kill('maildir', MAILDIR, person, whom)
        goes_on('maildir', MAILDIR, person, sum(COUNTS.values()) + 1)


@check('moving-begun-by-the-page', 'dovecot')
def _():
    person = newcomer('page')
    browser = Browser(*house.people[person])
    shown = browser.post(MOVING, MOVING, host='localhost', port=PORTS['imaps'], security='tls', user=OLD, password=OLD_PASSWORD)
    assert 'The mail is being brought.' in shown, shown[-300:]
    wait_until(lambda: b'All mail was brought' in browser.ask(MOVING), lambda: 'the page does not say that all is here', 300)
    same(person)
    # What they take out comes in again by the page of somebody else, and once.
    zipped = browser.ask(MOVING + '/mail.zip')
    with zipfile.ZipFile(io.BytesIO(zipped)) as files:
        assert files.testzip() is None and {'INBOX.mbox', 'Work/Entwürfe.mbox', 'Sent.mbox'} <= set(files.namelist())
        # As other programs pack it: deflated, below a folder.
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as others:
            for name in files.namelist():
                others.writestr(f'mail/{name}', files.read(name))
            others.writestr('mail/contacts.vcf', CARD)
    other = newcomer('zip')
    browser = Browser(*house.people[other])
    shown = browser.bring(zipped)
    assert 'here already: 0.' in shown and 'Left out: 0.' in shown, shown[-300:]
    same(other)
    shown = browser.bring(packed.getvalue())
    assert 'Messages brought: 0;' in shown and 'Contacts kept: 1.' in shown, shown[-300:]
    same(other)


@check('moving-begun-by-the-api', 'dovecot')
def _():
    person = newcomer('api')
    key = re.search(r'relais_[\w-]+', house.tell('key', 'add', house.people[person][0], 'moving', '--scope', '*'))[0]

    def ask(body=None):
        headers = {'Authorization': f'Bearer {key}', **({'Content-Type': 'application/json'} if body else {})}
        request = urllib.request.Request(f'https://localhost:{house.ports["panel"]}/api/v1/me/import', body, headers)
        with urllib.request.urlopen(request, timeout=60, context=kit.TLS) as answer:
            return json.loads(answer.read())
    form = {'host': 'localhost', 'port': PORTS['imaps'], 'user': OLD, 'password': OLD_PASSWORD}
    assert ask(json.dumps(form).encode())['state'] == 'running'
    wait_until(lambda: ask()['state'] != 'running', lambda: f'it does not end: {ask()}', 300)
    shown = ask()
    assert shown['state'] == 'done' and shown['refused'] == 0, shown
    same(person)


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
