"""What the checks of other filters share: a house that asks them, mail for them, and a load under which they are killed."""
import statistics
from house import *

STRANGER = 'stranger@elsewhere.example'


class Filter:
    """A program that is asked about messages: started, killed and started again."""
    def __init__(self, command, is_there):
        self.command, self.is_there, self.process = [str(word) for word in command], is_there, None
        self.log = FOLDER / f'{Path(self.command[0]).name}.log'

    def start(self):
        with self.log.open('a') as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        # rspamd builds its tables at each start.
        wait_until(self.is_there, lambda: f'{self.command[0]} is not there: {self.log.read_text(errors="replace")[-300:]}', 120)

    def signal(self, number):
        """To it and its workers."""
        os.killpg(self.process.pid, number)

    def kill(self):
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait(30)


def set_all(house, **settings):
    """Settings by their name behind `filters.`."""
    for name, value in settings.items():
        house.tell('settings', 'set', f'filters.{name}', str(value))


def attached(subject, name, octets):
    """A message with an attachment in base64."""
    lines = [
        f'From: {STRANGER}', f'To: {kit.LOGIN}', f'Subject: {subject}', 'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=b1', '', '--b1', 'Content-Type: text/plain', '', 'See there.', '--b1',
        f'Content-Type: application/octet-stream; name="{name}"', f'Content-Disposition: attachment; filename="{name}"',
        'Content-Transfer-Encoding: base64', '', base64.encodebytes(octets).decode().replace('\n', '\r\n').strip(), '--b1--', '']
    return '\r\n'.join(lines).encode()


def give(house, octets, to=None):
    """As another host, at port 25: code and words of the answer to the message's end."""
    with smtplib.SMTP(HOST, house.ports['smtp'], local_hostname='client.example', timeout=60) as session:
        session.ehlo_or_helo_if_needed()
        for code, words in (session.mail(STRANGER), session.rcpt(to or kit.LOGIN)):
            assert code == 250, (code, words)
        code, words = session.data(octets)
        return code, words.decode()


def submit(house, octets, to=None):
    """As the first person, at the door for submission."""
    login, password = house.people[0]
    with smtplib.SMTP(HOST, house.ports['submission'], timeout=60) as session:
        session.starttls(context=house.context)
        session.login(login, password)
        session.mail(login)
        session.rcpt(to or login)
        code, words = session.data(octets)
        return code, words.decode()


def state(house, kind):
    """The filter as the system's page and the API show it, looked at now."""
    socket_path = next(house.folder.rglob('control.sock'))
    said = run('curl', '-sS', '--max-time', 30, '--unix-socket', socket_path, 'http://localhost/api/v1/system')
    return next(one for one in json.loads(said)['filters'] if one['kind'] == kind)


def marks(mailbox='INBOX'):
    """Of each message there: its subject, and what its X-Relais-Filters says."""
    found = []
    with imap() as session:
        must(session.select(mailbox, readonly=True))
        if not must(session.search(None, 'ALL'))[0]:
            return found
        for part in must(session.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (SUBJECT X-RELAIS-FILTERS)])')):
            if isinstance(part, tuple):
                text = part[1].decode().replace('\r\n\t', ' ')
                fields = dict(line.split(': ', 1) for line in text.split('\r\n') if ': ' in line)
                found.append((fields['Subject'].split()[0], fields.get('X-Relais-Filters', '')))
    return found


def newest_mark():
    """What the newest message's X-Relais-Filters says."""
    with imap() as session:
        must(session.select('INBOX', readonly=True))
        found = must(session.fetch('*', '(BODY.PEEK[HEADER.FIELDS (X-RELAIS-FILTERS)])'))[0]
        return found[1].decode() if isinstance(found, tuple) else ''


def under_load(house, harm, mend, sides=4, before=2, between=4):
    """Sends from several sides without a pause while a filter comes to harm and is mended. Gives a row a message, (when it began, how
    long it took, code, subject), and when harm and its mending began and ended."""
    rows, stop = [], threading.Event()

    def send(side):
        number = 0
        while not stop.is_set():
            subject, began = f'load-{side}-{number}', time.monotonic()
            code, _words = give(house, message(subject, author=STRANGER))
            rows.append((began, time.monotonic() - began, code, subject))
            number += 1
    threads = [threading.Thread(target=send, args=(side,), daemon=True) for side in range(sides)]
    for thread in threads:
        thread.start()
    time.sleep(before)
    harming = time.monotonic()
    harm()
    harmed = time.monotonic()
    time.sleep(between)
    mending = time.monotonic()
    mend()
    mended = time.monotonic()
    try:
        # It rests 10 seconds at most.
        time.sleep(before)
        wait_until(lambda: rows[-1][2] == 250 and '=unanswered' not in newest_mark(), lambda: f'it was not asked again: {rows[-3:]}', 20)
        time.sleep(before)
    finally:
        stop.set()
        for thread in threads:
            thread.join(90)
    return rows, harming, harmed, mending, mended


def keeps_its_promise(house, harm, mend, kind, when_down, patience=5):
    """Under load, a filter that comes to harm defers or is passed by with a mark, as it was set; then it is asked again. Each message
    that was taken is there once, and says truly whether it was looked at."""
    empty('INBOX')
    rows, harming, harmed, mending, mended = under_load(house, harm, mend)
    codes = {code for *_, code, _subject in rows}
    assert codes == ({250} if when_down == 'pass' else {250, 451}), codes
    down = [row for row in rows if harmed < row[0] and row[0] + row[1] < mending]
    assert len(down) > 10 and all(took < patience for _, took, *_ in down), down[:3]
    taken = {subject: (began, took) for began, took, code, subject in rows if code == 250}
    found = marks()
    assert sorted(subject for subject, _ in found) == sorted(taken), 'what was taken is not what is there'
    result = {}
    for subject, mark in found:
        result[subject] = next(part.split('=')[1].split()[0] for part in mark.split('; ') if part.startswith(kind))
    for subject, (began, took) in taken.items():
        if harmed < began and began + took < mending:
            assert when_down == 'pass' and result[subject] == 'unanswered', (subject, result[subject])
        elif began + took < harming:
            assert result[subject] != 'unanswered', subject
    back = [began for began, _, code, subject in rows if began > mending and code == 250 and result[subject] != 'unanswered']
    assert back, 'it was not asked again'
    deferred, unseen = sum(code == 451 for *_, code, _s in rows), sum(mark == 'unanswered' for mark in result.values())
    typical = statistics.median(took for _, took, *_ in down)
    print(f'     {kind} {when_down}: {len(rows)} messages, {deferred} deferred, {unseen} taken unseen, none lost; while down '
          f'{typical * 1000:.0f} ms a message (longest {max(took for _, took, *_ in down) * 1000:.0f}); '
          f'asked again {max(0, min(back) - mended):.1f} s after it was back', flush=True)
