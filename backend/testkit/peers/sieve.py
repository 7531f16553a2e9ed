#!/usr/bin/env python3
"""Python's managesieve (from PyPI; it speaks STARTTLS and SASL by itself): scripts are kept, checked, made active, and do what they say."""
import smtplib
from kit import *

NEEDED = from_pypi('managesieve==0.8.1', 'managesieve')
if not NEEDED:
    import managesieve
if 'SIEVE_PORT' not in os.environ:
    NEEDED = ('ManageSieve in this house',)

# It verifies by the machine's own CAs.
ssl.create_default_context = lambda *_, **__: TLS


def session(password=PASSWORD):
    client = managesieve.MANAGESIEVE(HOST, int(os.environ['SIEVE_PORT']), use_tls=True)
    assert client.login('', LOGIN, password) == 'OK', client.response_text
    return client


def submit(subject):
    with smtplib.SMTP(HOST, PORT['submission'], timeout=30) as smtp:
        smtp.starttls(context=TLS)
        smtp.login(LOGIN2, PASSWORD2)
        smtp.sendmail(LOGIN2, [LOGIN], message(subject, author=LOGIN2))


@check('managesieve-keeps-scripts', *NEEDED)
def _():
    client = session()
    for name, script in (('first', 'keep;'), ('grüße', '# äöü\r\nstop;')):
        assert client.havespace(name, len(script)) == 'OK'
        assert client.putscript(name, script) == 'OK', client.response_text
    assert client.setactive('first') == 'OK'
    done, scripts = client.listscripts()
    assert done == 'OK' and ('first', True) in scripts and ('grüße', False) in scripts, scripts
    assert client.getscript('grüße') == ('OK', '# äöü\r\nstop;')
    assert client.deletescript('first') == 'NO', 'the active script was removed'
    assert client.setactive('') == 'OK'
    assert client.deletescript('first') == 'OK' and client.deletescript('grüße') == 'OK'
    assert client.getscript('first')[0] == 'NO'
    client.logout()


@check('managesieve-says-what-is-wrong', *NEEDED)
def _():
    client = session()
    assert client.putscript('faulty', 'keep;\r\nfileinto "x";') == 'NO'
    said = client.response_text
    assert 'line 2, column 1' in str(said) and 'fileinto' in str(said), said
    client.logout()


@check('managesieve-refuses-a-wrong-password', *NEEDED)
def _():
    client = managesieve.MANAGESIEVE(HOST, int(os.environ['SIEVE_PORT']), use_tls=True)
    assert client.login('', LOGIN, 'wrong') == 'NO'


@check('managesieve-scripts-file-mail', *NEEDED)
def _():
    client = session(app_password('sieve'))
    script = 'require ["fileinto", "mailbox"]; if header :contains "subject" "for-sieve" { fileinto :create "Filed"; }'
    assert client.putscript('file', script) == 'OK' and client.setactive('file') == 'OK'
    submit('for-sieve')
    with imaplib.IMAP4_SSL(HOST, PORT['imaps'], ssl_context=TLS) as imap:
        imap.login(LOGIN, PASSWORD)
        assert imap.select('Filed')[1] == [b'1']
    assert client.setactive('') == 'OK' and client.deletescript('file') == 'OK'
    client.logout()


main('sieve')
