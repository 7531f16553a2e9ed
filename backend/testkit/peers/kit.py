"""What the checks in this folder share: whom they talk to, how they are counted, and the mail they make.

A check is a function under @check. It passes unless it raises; each prints `ok NAME`, `FAIL NAME (why)` or
`skip NAME (why)`, and the last line counts them. The house is named by the environment: HOST, CA, LOGIN, PASSWORD,
LOGIN2, PASSWORD2 and a port for each door (IMAPS_PORT and so on).
"""
import base64, imaplib, importlib, itertools, os, secrets, shutil, ssl, subprocess, sys, tempfile, time
from pathlib import Path

HOST, CA = os.environ['HOST'], os.environ['CA']
LOGIN, PASSWORD = os.environ['LOGIN'], os.environ['PASSWORD']
LOGIN2, PASSWORD2 = os.environ['LOGIN2'], os.environ['PASSWORD2']
PORT = {door: int(os.environ[f'{door.upper()}_PORT'])
        for door in ('smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s')}
# In passwords, subjects and bodies: relais's log is searched for it at the end.
UNSPEAKABLE = 'unspeakable'
TLS = ssl.create_default_context(cafile=CA)

_folder = tempfile.TemporaryDirectory(prefix='relais-peers.')
FOLDER = Path(_folder.name)
(FOLDER / 'home').mkdir()
# No client may find, or leave, anything in the home of who runs this.
os.environ.update(HOME=str(FOLDER / 'home'), LC_ALL='C.UTF-8', TZ='UTC')
# So that the programs of other users (getmail's deliveries) get through.
os.chmod(FOLDER, 0o755)

_checks = []


def check(name, *programs):
    """Registers a check that needs these programs."""
    def register(function):
        _checks.append((name, programs, function))
        return function
    return register


def main(title):
    """Runs all checks in their order and ends the program."""
    passed = failed = 0
    for name, programs, function in _checks:
        missing = [program for program in programs if not shutil.which(program)]
        if missing:
            print(f'skip {name} (no {" ".join(missing)})', flush=True)
            continue
        try:
            function()
        except Exception as error:  # whatever a check stumbles over is its failure
            failed += 1
            print(f'FAIL {name} ({type(error).__name__}: {str(error).strip()[-300:]})', flush=True)
        else:
            passed += 1
            print(f'ok   {name}', flush=True)
    print(f'{title}: {passed} passed, {failed} failed', flush=True)
    sys.exit(1 if failed else 0)


def run(*command, given=None, fails=False, patience=120):
    """Runs a program and gives what it said; with `fails` it must end badly, or with one of those exit codes."""
    command = [str(word) for word in command]
    done = subprocess.run(command, input=given, capture_output=True, timeout=patience)
    said = (done.stdout + done.stderr).decode('utf-8', 'replace')
    wanted = done.returncode in fails if isinstance(fails, tuple) else (done.returncode != 0) == fails
    if not wanted:
        raise AssertionError(f'{command[0]} ended with {done.returncode}: {said.strip()[-250:]}')
    return said


def app_password(name, *more):
    """One more of the first person's passwords for programs that choose SCRAM by themselves; a house without any has only the own."""
    if 'RELAIS' not in os.environ:
        return PASSWORD
    words = ('--config', os.environ['RELAIS_CONFIG'], 'account', 'app-password', 'add', LOGIN, '--name', name,
             *more)
    return run(os.environ['RELAIS'], *words).strip()


def from_pypi(package, module):
    """Brings a library from there, for this run alone. Gives what a check of it needs beside programs: nothing, or a name that no
    program has, so that the check is skipped and says so."""
    folder = FOLDER / 'python'
    try:
        run(sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, package)
        sys.path.insert(0, str(folder))
        importlib.import_module(module)
    except (AssertionError, ImportError, FileNotFoundError):
        return (f'{package} from PyPI',)
    return ()


class Terminal:
    """A program at a terminal that nobody looks at; use it under `with`."""
    def __init__(self, command):
        self.socket = f'relais-{secrets.token_hex(4)}'
        self.tmux('new-session', '-d', '-x', '100', '-y', '30', command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(['tmux', '-L', self.socket, 'kill-server'], capture_output=True)

    def tmux(self, *words):
        return run('tmux', '-L', self.socket, '-f', '/dev/null', *words)

    def keys(self, *names):
        self.tmux('send-keys', *names)

    def shows(self, text, patience=30):
        """Waits until the screen shows it."""
        def screen():
            return self.tmux('capture-pane', '-p')
        wait_until(lambda: text in screen(), lambda: f'{text!r} never came; the screen: {" / ".join(screen().split())[-200:]}', patience)


def mutt(mailbox, login, password, *settings):
    """mutt with a mailbox open, and more lines of a muttrc."""
    config = FOLDER / f'muttrc-{next(_numbers)}'
    config.write_text('\n'.join((
        f'set folder = "imaps://{HOST}:{PORT["imaps"]}/"', f'set spoolfile = "+{mailbox}"', f'set imap_user = "{login}"',
        f'set imap_pass = "{password}"', f'set ssl_ca_certificates_file = "{CA}"', 'set wait_key = no', 'set sleep_time = 0',
        'set header_cache = ""', *settings, '')))
    return Terminal(f'mutt -F {config}')


def curl(*arguments, fails=False):
    """curl as the first person."""
    return run('curl', '-sS', '--max-time', 30, '--cacert', CA, '-u', f'{LOGIN}:{PASSWORD}', *arguments, fails=fails)


def url(door, rest='', scheme=None):
    return f'{scheme or door}://{HOST}:{PORT[door]}/{rest}'


def tell_no_secrets(log, *passwords):
    """A log in which a secret stands, as it is or in base64 behind whatever came before it, in letters or as octets' numbers,
    is a failure."""
    for secret in (UNSPEAKABLE, *passwords):
        forms = [secret]
        for before in range(3):
            whole = base64.b64encode(b'\0' * before + secret.encode() + b'\0' * (-(before + len(secret)) % 3)).decode()
            # The letters that hold bits of neighbours say nothing.
            forms.append(whole[(0, 2, 3)[before]:len(whole) - (0, 3, 2)[(before + len(secret)) % 3]])
        forms += [', '.join(map(str, form.encode())) for form in forms]
        for line in log.splitlines():
            assert not any(form in line for form in forms), f'a secret is told: {line}'


_numbers = itertools.count(1)


def message(subject, author=None, to=None, body=f'Grüße aus der Prüfung, {UNSPEAKABLE}'):
    """A message as octets, with CRLF."""
    author, to = author or LOGIN, to or LOGIN
    lines = [
        f'From: {author}', f'To: {to}', f'Subject: {subject} {UNSPEAKABLE}', 'Date: Mon, 23 Nov 2026 10:00:00 +0000',
        f'Message-ID: <{subject}.{os.getpid()}.{next(_numbers)}@checks.example>', 'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit', '', body, '']
    return '\r\n'.join(lines).encode()


def message_file(subject, **more):
    path = FOLDER / f'{subject}.eml'
    path.write_bytes(message(subject, **more))
    return path


def imap(login=None, password=None):
    """A logged-in session over TLS; use it under `with`."""
    session = imaplib.IMAP4_SSL(HOST, PORT['imaps'], ssl_context=TLS, timeout=60)
    session.login(login or LOGIN, password or PASSWORD)
    return session


def hits(mailbox, *criteria, login=None, password=None):
    """The numbers of the messages that fit, newest view."""
    with imap(login, password) as session:
        must(session.select(f'"{mailbox}"', readonly=True))
        return must(session.search(None, *criteria))[0].split()


def wait_until(look, otherwise, patience=60):
    """Looks again and again until there is something, and gives that; `otherwise` says what to tell of nothing."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        seen = look()
        if seen:
            return seen
        time.sleep(0.1)
    raise AssertionError(otherwise())


def wait_for(mailbox, subject, login=None, password=None, patience=30):
    """Waits until a message with that subject is there, and gives it whole."""
    def look():
        with imap(login, password) as session:
            must(session.select(f'"{mailbox}"', readonly=True))
            found = must(session.search(None, 'SUBJECT', f'"{subject}"'))[0].split()
            return must(session.fetch(found[-1], '(BODY.PEEK[])'))[0][1] if found else None
    return wait_until(look, lambda: f'no {subject} in {mailbox}', patience)


def empty(mailbox, login=None, password=None):
    with imap(login, password) as session:
        must(session.select(f'"{mailbox}"'))
        if must(session.search(None, 'ALL'))[0]:
            must(session.store('1:*', '+FLAGS.SILENT', r'(\Deleted)'))
            must(session.expunge())


def append(mailbox, *messages, login=None, password=None):
    with imap(login, password) as session:
        for octets in messages:
            must(session.append(f'"{mailbox}"', None, None, octets))


def must(answer):
    """The data of an imaplib answer that must be OK."""
    kind, data = answer
    assert kind == 'OK', f'{kind} {data}'
    return data
