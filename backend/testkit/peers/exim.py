#!/usr/bin/env python3
"""A private Exim on loopback: it sends to us and takes from us, with all that it does by default and with none of it.

At with.example it offers STARTTLS, PIPELINING, CHUNKING and DSN, at without.example nothing of that. What was used
stands in its log: X is TLS, L PIPELINING (`L.`: and that no command came before the answer to EHLO), K CHUNKING.
"""
from house import *
from private_exim import *

WITH, WITHOUT = 'with.example', 'without.example'
ADDRESS = {WITH: '127.0.0.4', WITHOUT: '127.0.0.5'}
PEER_PORT = free_port(ADDRESS[WITH])
# Lines that start with a dot, one that is only a dot, long ones, some with 8 bits: 600 KiB, many chunks of Exim's.
LARGE = '\r\n'.join(['.', '..', '.Größe ' + 'x' * 900, 'From here on', ''] * 650)


def start_exim(relais_port, domain):
    only_with = f'${{if eq{{$received_ip_address}}{{{ADDRESS[WITH]}}}{{*}}}}'
    offered = ''.join(f'{what}_advertise_hosts = {only_with}\n' for what in ('tls', 'pipelining', 'chunking', 'dsn'))
    # The first person is met with all that we offer, the second with as little as possible.
    routers = ''.join(f'''{transport}:
  driver = manualroute
  domains = {domain}
  local_parts = {people}
  route_list = * localhost::{relais_port} byname
  self = send
  transport = {transport}
''' for transport, people in (('bare', LOGIN2.split('@')[0]), ('full', '*')))
    transports = f'''full:
  driver = smtp
  hosts_require_tls = *
  tls_verify_hosts = *
  tls_verify_certificates = {house.ca}
bare:
  driver = smtp
  hosts_avoid_tls = *
  hosts_avoid_pipelining = *
  hosts_try_chunking =
'''
    return Exim(f'mx.{WITH}', ADDRESS, ADDRESS.values(), PEER_PORT, offered, routers, transports)


def exim_sends(to, subject, options=(), author=f'peer@{WITH}', **more):
    with smtplib.SMTP(ADDRESS[WITH], PEER_PORT, timeout=30) as session:
        session.sendmail(author, [to], message(subject, author=author, to=to, **more), mail_options=['BODY=8BITMIME'],
                         rcpt_options=options)


def assert_large(octets):
    """That its body is LARGE; a Maildir has bare LF."""
    body = octets.replace(b'\r\n', b'\n').split(b'\n\n', 1)[1]
    assert body.rstrip(b'\n') == LARGE.encode().replace(b'\r\n', b'\n').rstrip(b'\n'), 'the body is another'


@check('exim-takes-with-all-it-offers')
def _():
    house.submit(f'peer@{WITH}', 'to-with')
    exim.got(ADDRESS[WITH], 'Subject: to-with', 'esmtps')
    words = exim.logged('<=', '@checks.example', 'to-with').split()
    assert {'L.', 'K', 'P=esmtps'} <= set(words), words


@check('exim-takes-with-nothing-offered')
def _():
    house.submit(f'peer@{WITHOUT}', 'to-without')
    exim.got(ADDRESS[WITHOUT], 'Subject: to-without')
    words = exim.logged('<=', 'to-without').split()
    assert 'P=esmtp' in words and not {'L', 'L.', 'K'} & set(words), words


@check('exim-sends-with-all-we-offer')
def _():
    exim_sends(LOGIN, 'from-full')
    assert b'with ESMTPS' in wait_for('INBOX', 'from-full')
    words = exim.logged('=>', LOGIN, 'T=full').split()
    assert {'L', 'K', 'CV=yes'} <= set(words), words


@check('exim-sends-with-nothing-used')
def _():
    exim_sends(LOGIN2, 'from-bare')
    got = wait_for('INBOX', 'from-bare', LOGIN2, PASSWORD2)
    assert b'with ESMTP' in got and b'with ESMTPS' not in got, got[:300]
    words = exim.logged('=>', LOGIN2, 'T=bare').split()
    assert not {'L', 'K'} & set(words) and not any(word.startswith('X=') for word in words), words


for how, domain, person in (('chunks', WITH, 0), ('dots', WITHOUT, 1)):
    @check(f'exim-takes-a-large-message-in-{how}')
    def _(how=how, domain=domain):
        house.submit(f'peer@{domain}', f'large-to-exim-in-{how}', body=LARGE)
        assert_large(exim.got(ADDRESS[domain], f'Subject: large-to-exim-in-{how}'))

    @check(f'exim-sends-a-large-message-in-{how}')
    def _(how=how, person=person):
        login, password = house.people[person]
        exim_sends(login, f'large-from-exim-in-{how}', body=LARGE)
        assert_large(wait_for('INBOX', f'large-from-exim-in-{how}', login, password))


@check('exim-reports-our-success')
def _():
    house.submit(f'peer@{WITH}', 'success-asked', ['NOTIFY=SUCCESS,FAILURE', f'ORCPT=rfc822;peer@{WITH}'])
    report = wait_for_report('Action: delivered', f'peer@{WITH}')
    assert b'Reporting-MTA: dns; mx.' + WITH.encode() in report, 'not of Exim'
    assert b'checks' in report, 'no Original-Envelope-Id'


@check('we-report-what-exim-will-not')
def _():
    house.submit(f'peer@{WITHOUT}', 'relayed', ['NOTIFY=SUCCESS'])
    wait_for_report('Action: relayed', f'peer@{WITHOUT}')


@check('we-report-failure-at-exim')
def _():
    house.submit(f'nobody-here@{WITH}', 'failure-expected')
    wait_for_report('Action: failed', f'nobody-here@{WITH}', 'Diagnostic-Code: smtp; 550')


@check('we-report-a-delay-at-exim')
def _():
    house.submit(f'late@{WITH}', 'delay-expected')
    wait_for_report('Action: delayed', f'late@{WITH}', '4.7.1')


@check('we-report-success-to-exim')
def _():
    exim_sends(LOGIN, 'success-from-peer', ['NOTIFY=SUCCESS'])
    wait_for('INBOX', 'success-from-peer')
    exim.got(ADDRESS[WITH], 'Action: delivered', 'success-from-peer')


@check('exim-reports-our-refusal')
def _():
    exim_sends(f'nobody-here@{DOMAIN}', 'refused-by-us')
    exim.got('itself', 'Action: failed', f'nobody-here@{DOMAIN}', '550')


@check('exim-takes-smtputf8')
def _():
    house.submit(f'peer@{WITH}', 'Prüfung-utf8', mail_options=['SMTPUTF8', 'BODY=8BITMIME'])
    exim.got(ADDRESS[WITH], 'Subject: Prüfung-utf8')
    assert 'utf8' in exim.logged('<=', 'Pr')


# Exim asks us whether a sender exists: MAIL FROM:<> and RCPT, and no message after it.

@check('exim-calls-out-and-finds-the-sender')
def _():
    house.submit(f'called@{WITH}', 'called-out')
    exim.got(ADDRESS[WITH], 'Subject: called-out')


@check('exim-calls-out-and-finds-no-sender')
def _():
    try:
        exim_sends(f'called@{WITH}', 'not-called-out', author=f'nobody-here@{DOMAIN}')
    except smtplib.SMTPRecipientsRefused as refusal:
        assert b'Sender verify failed' in refusal.recipients[f'called@{WITH}'][1], refusal
    else:
        raise AssertionError('exim took it')


reason = why_not() or why_no_exim()
if reason:
    print(f'skip exim ({reason})')
    sys.exit(0)
house = House(f'''[resolver]
servers = ["{serve_dns(ADDRESS)}"]

[delivery]
port = {PEER_PORT}
delay_notice_hours = 0
''')
(LOGIN, PASSWORD), (LOGIN2, PASSWORD2), *_rest = house.people
DOMAIN = LOGIN.split('@')[1]
exim = start_exim(house.ports['smtp'], DOMAIN)
try:
    main('exim')
finally:
    exim.stop()
    house.stop()
