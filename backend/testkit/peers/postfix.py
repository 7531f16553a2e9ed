#!/usr/bin/env python3
"""A private Postfix on loopback: it sends to us and takes from us, with and without STARTTLS, with delivery reports.

Its two names, with.example and without.example, are found by a small DNS of our own; the one offers STARTTLS and the
other doesn't. relais is started once more for it, told of that DNS and of Postfix's port. Needs root, as Postfix does.
"""
from house import *
from private_postfix import Postfix

WITH, WITHOUT = 'with.example', 'without.example'
ADDRESS = {WITH: '127.0.0.2', WITHOUT: '127.0.0.3'}
PEER_PORT = free_port(ADDRESS[WITH])
LMTP = FOLDER / 'lmtp.sock'


def start_postfix(relais_port, domain):
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 30, '-subj', f'/CN=mx.{WITH}',
        '-keyout', FOLDER / 'peer-key.pem', '-out', FOLDER / 'peer-certificate.pem')
    return Postfix(FOLDER / 'postfix', f'''syslog_name = peer
myhostname = mx.{WITH}
virtual_mailbox_domains = {WITH}, {WITHOUT}
virtual_mailbox_maps = inline:{{ peer@{WITH}=with/ peer@{WITHOUT}=without/ }}
default_transport = error:only loopback
transport_maps = inline:{{ {LOGIN}=smtp:[127.0.0.1]:{relais_port} {LOGIN2}=bare:[127.0.0.1]:{relais_port} {LOGIN3}=lmtp:unix:{LMTP} {domain}=smtp:[127.0.0.1]:{relais_port} }}
smtp_tls_security_level = encrypt
smtp_tls_CAfile = {house.ca}
smtpd_tls_received_header = yes
smtpd_tls_chain_files = {FOLDER}/peer-key.pem, {FOLDER}/peer-certificate.pem
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ late@{WITH} = 451 4.7.1 Not now }} }}, permit_mynetworks, reject
smtputf8_enable = yes
''', f'''127.0.0.2:{PEER_PORT} inet n - n - - smtpd
  -o smtpd_tls_security_level=may
127.0.0.3:{PEER_PORT} inet n - n - - smtpd
  -o smtpd_tls_security_level=none
  -o smtpd_discard_ehlo_keywords=dsn,silent-discard
tlsmgr unix - - n 1000? 1 tlsmgr
verify unix - - n - 1 verify
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
bare unix - - n - - smtp
  -o smtp_tls_security_level=none
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
scache unix - - n - 1 scache
''')


def peer_sends(to, subject, options=(), author=f'peer@{WITH}'):
    with smtplib.SMTP(ADDRESS[WITH], PEER_PORT, timeout=30) as session:
        session.sendmail(author, [to], message(subject, author=author, to=to),
                         mail_options=['RET=HDRS'] if options else [], rcpt_options=options)


def at_peer(box, *texts):
    """Waits for a message with these texts in one of Postfix's mailboxes."""
    return postfix.wait_for(box, *texts).decode(errors='replace')


@check('postfix-takes-with-starttls')
def _():
    house.submit(f'peer@{WITH}', 'to-with')
    assert 'using TLSv1' in at_peer('with', 'Subject: to-with')


@check('postfix-takes-without-starttls')
def _():
    house.submit(f'peer@{WITHOUT}', 'to-without')
    assert 'using TLSv1' not in at_peer('without', 'Subject: to-without')


@check('postfix-sends-with-starttls')
def _():
    peer_sends(LOGIN, 'from-with')
    assert b'with ESMTPS' in wait_for('INBOX', 'from-with')


@check('postfix-sends-without-starttls')
def _():
    peer_sends(LOGIN2, 'from-without')
    got = wait_for('INBOX', 'from-without', LOGIN2, PASSWORD2)
    assert b'with ESMTP ' in got or b'with ESMTP\r\n' in got


@check('postfix-reports-our-success')
def _():
    house.submit(f'peer@{WITH}', 'success-asked', ['NOTIFY=SUCCESS,FAILURE', f'ORCPT=rfc822;peer@{WITH}'])
    at_peer('with', 'Subject: success-asked')
    report = wait_for_report('Action: delivered')
    assert b'checks' in report, 'no Original-Envelope-Id'


@check('we-report-failure-at-postfix')
def _():
    house.submit(f'nobody-here@{WITH}', 'failure-expected')
    report = wait_for_report('Action: failed')
    assert f'nobody-here@{WITH}'.encode() in report
    assert b'5.1.1' in report


@check('no-report-where-none-is-wanted')
def _():
    house.submit(f'nobody-here@{WITH}', 'silent-failure', ['NOTIFY=NEVER'])
    house.submit(f'peer@{WITH}', 'after-silence')
    at_peer('with', 'Subject: after-silence')
    assert not hits('INBOX', 'TEXT', '"silent-failure"')


@check('we-report-a-delay')
def _():
    house.submit(f'late@{WITH}', 'delay-expected')
    report = wait_for_report('Action: delayed')
    assert b'4.7.1' in report and b'Will-Retry-Until: ' in report


@check('we-report-what-the-peer-will-not')
def _():
    house.submit(f'peer@{WITHOUT}', 'relayed', ['NOTIFY=SUCCESS'])
    at_peer('without', 'Subject: relayed')
    assert f'peer@{WITHOUT}'.encode() in wait_for_report('Action: relayed')


@check('postfix-sends-by-lmtp')
def _():
    peer_sends(LOGIN3, 'by-lmtp')
    assert b'with LMTP' in wait_for('INBOX', 'by-lmtp', LOGIN3, PASSWORD3)


@check('we-report-success-to-postfix')
def _():
    peer_sends(LOGIN, 'success-from-peer', ['NOTIFY=SUCCESS'])
    wait_for('INBOX', 'success-from-peer')
    at_peer('with', 'Action: delivered', 'success-from-peer')


@check('postfix-reports-our-refusal')
def _():
    domain = LOGIN.split('@')[1]
    peer_sends(f'nobody-here@{domain}', 'refused-by-us')
    assert '550' in at_peer('with', 'Action: failed', f'nobody-here@{domain}')


@check('postfix-takes-smtputf8')
def _():
    house.submit(f'peer@{WITH}', 'Prüfung-utf8', mail_options=['SMTPUTF8', 'BODY=8BITMIME'])
    at_peer('with', 'Subject: Prüfung-utf8')


reason = why_not('postfix')
if reason:
    print(f'skip postfix ({reason})')
    sys.exit(0)
house = House(f'''[[listen]]
protocol = "lmtp"
at = "unix:{LMTP}"

[resolver]
servers = ["{serve_dns(ADDRESS)}"]

[delivery]
port = {PEER_PORT}
delay_notice_hours = 0
''')
(LOGIN, PASSWORD), (LOGIN2, PASSWORD2), (LOGIN3, PASSWORD3) = house.people
postfix = None
try:
    postfix = start_postfix(house.ports['smtp'], LOGIN.split('@')[1])
    main('postfix')
finally:
    if postfix:
        postfix.stop()
    house.stop()
