#!/usr/bin/env python3
"""Mail programs of other people, driven without a person: they send, they fetch, they are refused where they must be."""
import imaplib, os
from kit import *


# curl and gsasl: each door with each kind of TLS.

@check('curl-imap-starttls', 'curl')
def _():
    assert 'INBOX' in curl('--ssl-reqd', url('imap'))


@check('curl-imaps', 'curl')
def _():
    assert 'INBOX' in curl(url('imaps'))


def gsasl(protocol, mechanism, password, *arguments, fails=False):
    """Logs in after STARTTLS. It ends with 0 also where it finds no mechanism."""
    port = PORT['submission' if protocol == 'smtp' else protocol]
    said = run('gsasl', f'--{protocol}', f'--connect={HOST}:{port}', f'--x509-ca-file={CA}', '-m', mechanism,
               '-a', LOGIN, '-p', password, *arguments, given=b'', fails=fails)
    assert ('Client authentication finished' in said) != fails, said[-300:]


for protocol in ('imap', 'smtp'):
    for mechanism in ('PLAIN', 'LOGIN'):
        @check(f'gsasl-{protocol}-{mechanism}', 'gsasl')
        def _(protocol=protocol, mechanism=mechanism):
            gsasl(protocol, mechanism, PASSWORD)


# SCRAM takes app passwords, which only relais's command line makes. Debian's curl knows no SCRAM.

if 'RELAIS' in os.environ:
    APP_PASSWORD = app_password('clients')

    for protocol in ('imap', 'smtp'):
        @check(f'gsasl-{protocol}-SCRAM-SHA-256', 'gsasl')
        def _(protocol=protocol):
            gsasl(protocol, 'SCRAM-SHA-256', APP_PASSWORD, '--no-cb')

        @check(f'gsasl-{protocol}-SCRAM-SHA-256-PLUS', 'gsasl')
        def _(protocol=protocol):
            gsasl(protocol, 'SCRAM-SHA-256-PLUS', APP_PASSWORD)

        @check(f'gsasl-{protocol}-talked-out-of-PLUS', 'gsasl')
        def _(protocol=protocol):
            gsasl(protocol, 'SCRAM-SHA-256', APP_PASSWORD, fails=True)

        @check(f'gsasl-{protocol}-own-password-by-SCRAM', 'gsasl')
        def _(protocol=protocol):
            gsasl(protocol, 'SCRAM-SHA-256-PLUS', PASSWORD, fails=True)

    for door, scheme in (('imaps', 'imaps'), ('pop3s', 'pop3s'), ('submissions', 'smtps')):
        @check(f'curl-{door}-app-password', 'curl')
        def _(door=door, scheme=scheme):
            run('curl', '-sS', '--max-time', 30, '--cacert', CA, '-u', f'{LOGIN}:{APP_PASSWORD}',
                url(door, scheme=scheme), *(('-X', 'NOOP') if scheme == 'smtps' else ()))


    TOKEN = app_password('token', '--token')

    for mechanism in ('OAUTHBEARER', 'XOAUTH2'):
        for door, scheme in (('imaps', 'imaps'), ('pop3s', 'pop3s'), ('submissions', 'smtps')):
            @check(f'curl-{door}-{mechanism}', 'curl')
            def _(door=door, scheme=scheme, mechanism=mechanism):
                for token, fails in ((TOKEN, False), ('relais_mail_wrong', True)):
                    run('curl', '-sS', '--max-time', 30, '--cacert', CA, '-u', LOGIN, '--oauth2-bearer', token,
                        '--login-options', f'AUTH={mechanism}', url(door, scheme=scheme),
                        *(('-X', 'NOOP') if scheme == 'smtps' else ()), fails=fails)

    @check('imaplib-XOAUTH2')
    def _():
        session = imaplib.IMAP4_SSL(HOST, PORT['imaps'], ssl_context=TLS, timeout=60)
        session.authenticate('XOAUTH2', lambda _: f'user={LOGIN}\1auth=Bearer {TOKEN}\1\1'.encode())
        assert session.select('INBOX')[0] == 'OK'
        session.logout()


@check('curl-imap-append', 'curl')
def _():
    curl('-T', message_file('curl-append'), url('imaps', 'INBOX'))
    wait_for('INBOX', 'curl-append')


@check('curl-submission', 'curl')
def _():
    curl('--ssl-reqd', url('submission', scheme='smtp'), '--mail-from', LOGIN, '--mail-rcpt', LOGIN,
         '-T', message_file('curl-587'))
    wait_for('INBOX', 'curl-587')


@check('curl-submissions', 'curl')
def _():
    curl(url('submissions', scheme='smtps'), '--mail-from', LOGIN, '--mail-rcpt', LOGIN, '-T', message_file('curl-465'))
    wait_for('INBOX', 'curl-465')


@check('curl-pop3-stls', 'curl')
def _():
    assert curl('--ssl-reqd', url('pop3')).startswith('1 ')


@check('curl-pop3s-retr', 'curl')
def _():
    assert 'Subject: ' in curl(url('pop3s', '1'))


@check('curl-pop3s-uidl', 'curl')
def _():
    assert curl(url('pop3s'), '-X', 'UIDL').startswith('1 ')


for door in ('imaps', 'pop3s'):
    @check(f'curl-{door}-wrong-password', 'curl')
    def _(door=door):
        run('curl', '-sS', '--max-time', 30, '--cacert', CA, '-u', f'{LOGIN}:{UNSPEAKABLE}', url(door), fails=True)


@check('curl-wrong-authority', 'curl')
def _():
    run('curl', '-sS', '--max-time', 30, '-u', f'{LOGIN}:{PASSWORD}', url('imaps'), fails=True)


# The watchers' door; only relais has one.

if 'HTTPS_PORT' in os.environ:
    HEALTH = f'https://localhost:{os.environ["HTTPS_PORT"]}/healthz'

    @check('curl-https-health', 'curl')
    def _():
        for host in ('localhost', '127.0.0.1'):
            assert run('curl', '-sS', '--max-time', 30, '--cacert', CA, HEALTH.replace('localhost', host)) == 'ok\n'

    @check('curl-https-wrong-authority', 'curl')
    def _():
        run('curl', '-sS', '--max-time', 30, HEALTH, fails=(60,))


# Programs that send. swaks ends with 23 or 24 where MAIL or RCPT is refused, with 28 where AUTH is.

def swaks(*arguments, door='submission', tls='--tls', fails=False):
    return run('swaks', '--server', f'{HOST}:{PORT[door]}', tls, '--tls-verify', '--tls-ca-path', CA, '--timeout', '30',
               *arguments, fails=fails)


AUTH = ('--auth-user', LOGIN, '--auth-password', PASSWORD)


@check('swaks-plain-587', 'swaks')
def _():
    swaks('--auth', 'PLAIN', *AUTH, '--from', LOGIN, '--to', LOGIN, '--header', f'Subject: swaks-587 {UNSPEAKABLE}')
    wait_for('INBOX', 'swaks-587')


@check('swaks-login-465', 'swaks')
def _():
    swaks('--auth', 'LOGIN', *AUTH, '--from', LOGIN, '--to', LOGIN, '--header', 'Subject: swaks-465',
          door='submissions', tls='--tls-on-connect')
    wait_for('INBOX', 'swaks-465')


@check('swaks-attachment', 'swaks')
def _():
    swaks('--auth', 'PLAIN', *AUTH, '--from', LOGIN, '--to', LOGIN, '--header', 'Subject: swaks-attachment',
          '--attach-type', 'application/octet-stream', '--attach', '@/bin/true')
    assert b'application/octet-stream' in wait_for('INBOX', 'swaks-attachment')


@check('swaks-from-outside', 'swaks')
def _():
    swaks('--from', 'stranger@elsewhere.example', '--to', LOGIN, '--header', f'Subject: swaks-25 {UNSPEAKABLE}', door='smtp')
    wait_for('INBOX', 'swaks-25')


@check('swaks-relay-refused', 'swaks')
def _():
    swaks('--from', 'stranger@elsewhere.example', '--to', 'someone@elsewhere.example', door='smtp', fails=(24,))


@check('swaks-without-login-refused', 'swaks')
def _():
    swaks('--from', LOGIN, '--to', 'someone@elsewhere.example', fails=(23, 24))


@check('swaks-foreign-sender-refused', 'swaks')
def _():
    swaks('--auth', 'PLAIN', *AUTH, '--from', 'someone-else@elsewhere.example', '--to', LOGIN, fails=(23, 24))


@check('swaks-wrong-password', 'swaks')
def _():
    swaks('--auth', 'PLAIN', '--auth-user', LOGIN, '--auth-password', UNSPEAKABLE, '--from', LOGIN, '--to', LOGIN, fails=(28,))


@check('msmtp', 'msmtp')
def _():
    config = private('msmtprc', f'''account default
host {HOST}
port {PORT['submission']}
tls on
tls_starttls on
tls_trust_file {CA}
auth on
user {LOGIN}
password {PASSWORD}
from {LOGIN}
''')
    run('msmtp', '-C', config, '--', LOGIN, given=message('msmtp-mail'))
    wait_for('INBOX', 'msmtp-mail')


@check('s-nail', 's-nail')
def _():
    mta = f'submissions://{LOGIN.replace("@", "%40")}:{PASSWORD}@{HOST}:{PORT["submissions"]}'
    run('s-nail', '-:/', '-Sv15-compat', f'-Smta={mta}', f'-Stls-ca-file={CA}', f'-Sfrom={LOGIN}', '-s', 's-nail-mail',
        LOGIN, given=b'body\n')
    wait_for('INBOX', 's-nail-mail')


# mbsync keeps two mailboxes alike, both ways.

MAILDIR = FOLDER / 'mbsync'


def mbsync(*arguments):
    return run('mbsync', '-c', FOLDER / 'mbsyncrc', *arguments, '-a')


def near(mailbox='INBOX'):
    return [path for part in ('new', 'cur') for path in (MAILDIR / mailbox / part).iterdir()]


@check('mbsync-pull', 'mbsync')
def _():
    empty('INBOX')
    append('INBOX', *[message(f'mbsync-{number}') for number in range(3)])
    MAILDIR.mkdir()
    private('mbsyncrc', f'''IMAPAccount far
Host {HOST}
Port {PORT['imaps']}
User "{LOGIN}"
Pass "{PASSWORD}"
SSLType IMAPS
CertificateFile {CA}
AuthMechs LOGIN PLAIN

IMAPStore far
Account far

MaildirStore near
Path {MAILDIR}/
Inbox {MAILDIR}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
''')
    mbsync()
    assert len(near()) == 3, near()


@check('mbsync-push-new-mailbox', 'mbsync')
def _():
    for part in ('cur', 'new', 'tmp'):
        (MAILDIR / 'made-here' / part).mkdir(parents=True)
    (MAILDIR / 'made-here/new/1.1.checks').write_bytes(message('mbsync-push').replace(b'\r\n', b'\n'))
    mbsync()
    wait_for('made-here', 'mbsync-push')


@check('mbsync-flags', 'mbsync')
def _():
    path = near()[0]
    path.rename(MAILDIR / 'INBOX/cur' / (path.name.split(':2,')[0] + ':2,FS'))
    mbsync()
    assert len(hits('INBOX', 'FLAGGED', 'SEEN')) == 1


@check('mbsync-delete', 'mbsync')
def _():
    next(path for path in near() if 'S' in path.name.split(':2,')[-1]).unlink()
    mbsync()
    assert len(hits('INBOX', 'ALL')) == 2


@check('mbsync-finds-nothing-more', 'mbsync')
def _():
    before = sorted(path.name for path in near())
    mbsync()
    assert sorted(path.name for path in near()) == before
    assert len(hits('INBOX', 'ALL')) == 2


# Programs that fetch.

def private(name, text):
    """A file that only its owner reads, as these programs demand."""
    path = FOLDER / name
    path.write_text(text)
    path.chmod(0o600)
    return path


for door, retriever in (('pop3s', 'SimplePOP3SSLRetriever'), ('imaps', 'SimpleIMAPSSLRetriever')):
    @check(f'getmail-{door}', 'getmail')
    def _(door=door, retriever=retriever):
        append('INBOX', message(f'getmail-{door}'))
        target = FOLDER / f'getmail-{door}'
        for part in ('cur', 'new', 'tmp'):
            (target / part).mkdir(parents=True)
        # getmail delivers as nobody where root runs it.
        owner = ''
        if os.geteuid() == 0:
            owner = 'user=nobody\n'
            run('chown', '-R', 'nobody', target)
        private(f'getmailrc-{door}', f'''[retriever]
type={retriever}
server={HOST}
port={PORT[door]}
username={LOGIN}
password={PASSWORD}
ca_certs={CA}
[destination]
type=Maildir
path={target}/
{owner}[options]
read_all=true
delete=false
''')
        run('getmail', '--getmaildir', FOLDER, '--rcfile', f'getmailrc-{door}')
        assert any((target / 'new').iterdir())


for door, protocol in (('pop3s', 'pop3'), ('imaps', 'imap')):
    @check(f'fetchmail-{door}', 'fetchmail')
    def _(door=door, protocol=protocol):
        append('INBOX', message(f'fetchmail-{door}'))
        target = FOLDER / f'fetchmail-{door}'
        config = private(f'fetchmailrc-{door}', f'set postmaster root\npoll {HOST} protocol {protocol} port {PORT[door]} '
                         f'user "{LOGIN}" password "{PASSWORD}" ssl sslcertck sslcertfile {CA} keep fetchall '
                         f'mda "cat >>{target}"\n')
        run('fetchmail', '--nodetach', '--nosyslog', '--pidfile', FOLDER / f'fetchmail-{door}.pid', '-f', config)
        assert f'Subject: fetchmail-{door}' in target.read_text()


def mpop(name, password, auth):
    """Fetches the mailbox over pop3s, and gives what came."""
    mbox = FOLDER / f'{name}.mbox'
    config = private(f'{name}rc', f'''account default
host {HOST}
port {PORT['pop3s']}
auth {auth}
tls on
tls_starttls off
tls_trust_file {CA}
user {LOGIN}
password {password}
keep on
only_new off
delivery mbox {mbox}
uidls_file {FOLDER}/{name}.uidls
''')
    run('mpop', '-C', config)
    return mbox.read_text()


@check('mpop-pop3s', 'mpop')
def _():
    append('INBOX', message('mpop-mail'))
    assert 'Subject: mpop-mail' in mpop('mpop', PASSWORD, 'plain')


if 'RELAIS' in os.environ:
    @check('mpop-pop3s-SCRAM-SHA-256', 'mpop')
    def _():
        append('INBOX', message('mpop-scram'))
        assert 'Subject: mpop-scram' in mpop('mpop-scram', APP_PASSWORD, 'scram-sha-256')


main('clients')
