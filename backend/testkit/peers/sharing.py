#!/usr/bin/env python3
"""Folders that the first person shares with the second: IMAPClient (from PyPI) gives rights and hears of changes, mbsync carries them both
ways, mutt reads in them."""
from kit import *

NEEDED = from_pypi('IMAPClient==3.0.1', 'imapclient')
if not NEEDED:
    from imapclient import IMAPClient
if 'RELAIS' not in os.environ:
    NEEDED = ('shared mailboxes in this house',)

BOX = 'Team/Offers'
SHARED = f'Other Users/{LOGIN}/{BOX}'


def client(login=LOGIN, password=PASSWORD):
    session = IMAPClient(HOST, PORT['imaps'], ssl_context=TLS, timeout=60)
    session.login(login, password)
    return session


@check('imapclient-shares-and-hears', *NEEDED)
def _():
    with client() as owner, client(LOGIN2, PASSWORD2) as other:
        for name in ('Team/Offers', 'Team'):
            if owner.folder_exists(name):
                owner.delete_folder(name)
        owner.create_folder(BOX)
        assert not other.folder_exists(SHARED), 'what is not shared is seen'
        owner.setacl(BOX, LOGIN2, 'lrswite')
        acl = {who.decode().strip('"'): rights.decode() for who, rights in owner.getacl(BOX)}
        assert acl[LOGIN2].replace('d', '') == 'lrswite', acl
        others = other.namespace().other
        assert others and others[0][0] == 'Other Users/', others
        assert [name for _, _, name in other.list_folders('Other Users/')] and other.folder_exists(SHARED)
        for number in range(20):
            owner.append(BOX, message(f'offer-{number}'))
        assert other.select_folder(SHARED)[b'EXISTS'] == 20
        owner.select_folder(BOX)
        # IDLE of one hears what the other does.
        owner.idle()
        other.add_flags(other.search()[:3], [b'\\Flagged'])
        heard = []
        wait_until(lambda: heard.extend(owner.idle_check(timeout=1)) or sum(b'\\Flagged' in str(one).encode() for one in heard) >= 3,
                   lambda: f'IDLE heard only {heard}', 20)
        owner.idle_done()
        # What is read is each one's own.
        other.add_flags(other.search()[:5], [b'\\Seen'])
        assert len(other.search('UNSEEN')) == 15 and len(owner.search('UNSEEN')) == 20
        assert other.folder_status(SHARED, ['UNSEEN'])[b'UNSEEN'] == 15


def near(folder):
    return [path for part in ('new', 'cur') for path in (folder / part).iterdir()]


@check('mbsync-shared-both-ways', 'mbsync', *NEEDED)
def _():
    maildir, config = FOLDER / 'shared-mail', FOLDER / 'shared-mbsyncrc'
    maildir.mkdir()
    config.write_text(f'''IMAPAccount far
Host {HOST}
Port {PORT['imaps']}
User "{LOGIN2}"
Pass "{PASSWORD2}"
AuthMechs PLAIN
SSLType IMAPS
CertificateFile {CA}

IMAPStore far
Account far

MaildirStore near
Path {maildir}/
SubFolders Verbatim

Channel all
Far ":far:{SHARED}"
Near :near:offers
Create Near
Expunge Both
SyncState *
''')
    config.chmod(0o600)
    sync = lambda: run('mbsync', '-V', '-c', config, 'all')
    sync()
    folder = maildir / 'offers'
    assert len(near(folder)) == 20, len(near(folder))
    # mbsync reads \Seen as the second person has it.
    assert sum('S' in path.name.split(':2,')[-1] for path in near(folder)) == 5
    for path in sorted(near(folder))[:4]:
        path.unlink()
    (folder / 'new/1.1.checks').write_bytes(message('from-near').replace(b'\r\n', b'\n'))
    sync()
    assert len(hits(BOX, 'ALL')) == 17 == len(near(folder)), (len(hits(BOX, 'ALL')), len(near(folder)))
    assert hits(BOX, 'SUBJECT', 'from-near')
    before = sorted(path.name for path in near(folder))
    sync()
    assert sorted(path.name for path in near(folder)) == before


@check('mutt-reads-a-shared-folder', 'mutt', 'tmux', *NEEDED)
def _():
    with client() as owner:
        owner.append(BOX, message('for-mutt-shared', body='words of a shared folder'))
    settings = ('set imap_authenticators = "plain"', 'set imap_delim_chars = "/"', 'set sort = reverse-date-received')
    with mutt(SHARED, LOGIN2, PASSWORD2, *settings) as terminal:
        terminal.shows('for-mutt-shared')
        terminal.keys('Enter')
        terminal.shows('words of a shared folder')
        terminal.keys('i')
        terminal.shows('for-mutt-shared')
        terminal.keys('q')
        found = ('SUBJECT', 'for-mutt-shared')
        wait_until(lambda: hits(SHARED, 'SEEN', *found, login=LOGIN2, password=PASSWORD2), lambda: 'what mutt read is not marked', 10)
        assert not hits(BOX, 'SEEN', *found), "the owner's mark was set"


@check('imapclient-ends-sharing', *NEEDED)
def _():
    with client() as owner, client(LOGIN2, PASSWORD2) as other:
        owner.setacl(BOX, LOGIN2, '-lrswite')
        assert not other.folder_exists(SHARED) and not other.namespace().other
        for name in ('Team/Offers', 'Team'):
            owner.delete_folder(name)


main('sharing')
