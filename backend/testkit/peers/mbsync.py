#!/usr/bin/env python3
"""mbsync, which logs in by SCRAM where it may, with a mailbox of 2,000 messages: down, changed on both sides, up, and then nothing to do."""
import hashlib
from kit import *

COUNT = 2_000
BOX = 'round-trip'
MAILDIR = FOLDER / 'mail'


def mbsync():
    return run('mbsync', '-V', '-c', FOLDER / 'mbsyncrc', 'all', patience=600)


def near():
    return [path for part in ('new', 'cur') for path in (MAILDIR / BOX / part).iterdir()]


def far(what, *criteria):
    with imap() as session:
        must(session.select(BOX, readonly=True))
        numbers = must(session.search(None, *criteria))[0].replace(b' ', b',').decode()
        return must(session.fetch(numbers, what)) if numbers else []


def digests():
    """What the mailbox holds on both sides, without the field that mbsync adds near by."""
    bodies = [part[1] for part in far('(BODY.PEEK[])', 'ALL') if isinstance(part, tuple)]
    strip = lambda octets: b'\n'.join(line for line in octets.replace(b'\r\n', b'\n').split(b'\n')
                                     if not line.startswith(b'X-TUID:'))
    digest = lambda octets: hashlib.sha256(strip(octets)).hexdigest()
    return sorted(map(digest, bodies)), sorted(digest(path.read_bytes()) for path in near())


@check('mbsync-2000-down', 'mbsync')
def _():
    with imap() as session:
        session.delete(BOX)
        must(session.create(BOX))
        for number in range(COUNT):
            must(session.append(BOX, None, None, message(f'mail-{number}', body=f'Number {number}\r\n' * (number % 50 + 1))))
    MAILDIR.mkdir()
    config = FOLDER / 'mbsyncrc'
    config.write_text(f'''IMAPAccount far
Host {HOST}
Port {PORT['imaps']}
User "{LOGIN}"
Pass "{app_password("mbsync")}"
SSLType IMAPS
CertificateFile {CA}

IMAPStore far
Account far

MaildirStore near
Path {MAILDIR}/
SubFolders Verbatim

Channel all
Far :far:{BOX}
Near :near:{BOX}
Create Both
Expunge Both
SyncState *
''')
    config.chmod(0o600)
    mbsync()
    assert len(near()) == COUNT, len(near())
    there, here = digests()
    assert there == here


@check('mbsync-2000-changes-both-ways', 'mbsync')
def _():
    for path in near()[:300]:
        path.rename(path.parent.parent / 'cur' / (path.name.split(':2,')[0] + ':2,FS'))
    for path in near()[:100]:
        path.unlink()
    for number in range(50):
        (MAILDIR / BOX / f'new/{number}.1.checks').write_bytes(message(f'near-{number}').replace(b'\r\n', b'\n'))
    with imap() as session:
        must(session.select(BOX))
        must(session.store('1501:1700', '+FLAGS.SILENT', r'(\Answered)'))
        must(session.store('1901:2000', '+FLAGS.SILENT', r'(\Deleted)'))
        must(session.expunge())
    mbsync()
    there, here = digests()
    assert there == here, (len(there), len(here))
    assert len(far('(UID)', 'ANSWERED')) == sum('R' in path.name.split(':2,')[-1] for path in near())
    assert len(far('(UID)', 'FLAGGED')) == sum('F' in path.name.split(':2,')[-1] for path in near())


@check('mbsync-2000-nothing-to-do', 'mbsync')
def _():
    state = lambda: sorted(path.name for path in near())
    before, flags = state(), sorted(far('(UID FLAGS)', 'ALL'))
    said = mbsync()
    assert state() == before
    assert sorted(far('(UID FLAGS)', 'ALL')) == flags
    words = said.replace(',', ' ').replace(':', ' ').split()
    assert not any(word.startswith('+') and word.strip('+') not in ('0', '') for word in words), said[-300:]
    with imap() as session:
        must(session.delete(BOX))


main('mbsync')
