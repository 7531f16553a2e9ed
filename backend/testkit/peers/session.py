#!/usr/bin/env python3
"""Python's own imaplib, poplib and smtplib, through a person's day."""
import os, poplib, smtplib, threading
from kit import *


@check('smtplib-sends-to-two')
def _():
    empty('INBOX')
    empty('INBOX', LOGIN2, PASSWORD2)
    with smtplib.SMTP(HOST, PORT['submission'], timeout=30) as session:
        session.starttls(context=TLS)
        session.login(LOGIN, PASSWORD)
        refused = session.sendmail(LOGIN, [LOGIN, LOGIN2], message('to-two', to=f'{LOGIN}, {LOGIN2}'))
        assert refused == {}, refused
    wait_for('INBOX', 'to-two')
    wait_for('INBOX', 'to-two', LOGIN2, PASSWORD2)


@check('smtplib-hides-bcc')
def _():
    with smtplib.SMTP_SSL(HOST, PORT['submissions'], context=TLS, timeout=30) as session:
        session.login(LOGIN, PASSWORD)
        hidden = message('with-bcc').replace(b'Subject:', f'Bcc: {LOGIN2}\r\nSubject:'.encode(), 1)
        session.sendmail(LOGIN, [LOGIN, LOGIN2], hidden)
    # What a submission agent takes out (RFC 6409 lets it); Debian's Postfix doesn't, so only its arrival is checked there.
    got = wait_for('INBOX', 'with-bcc')
    assert 'RELAIS' not in os.environ or b'\nBcc:' not in got


@check('smtplib-refused-before-login')
def _():
    with smtplib.SMTP(HOST, PORT['submission'], timeout=30) as session:
        session.ehlo()
        assert not session.has_extn('auth'), 'AUTH is offered without TLS'
        session.starttls(context=TLS)
        try:
            session.sendmail(LOGIN, [LOGIN2], message('never'))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused):
            return
    raise AssertionError('it was taken')


@check('smtplib-unknown-recipient-refused')
def _():
    domain = LOGIN.split('@')[1]
    with smtplib.SMTP(HOST, PORT['smtp'], timeout=30) as session:
        try:
            session.sendmail('stranger@elsewhere.example', [f'nobody-here@{domain}'], message('never'))
        except smtplib.SMTPRecipientsRefused as refused:
            code = refused.recipients[f'nobody-here@{domain}'][0]
            assert code == 550, code
            return
    raise AssertionError('it was taken')


@check('smtplib-dot-lines-stay')
def _():
    body = '.\r\n..\r\n.three\r\nend'
    with smtplib.SMTP(HOST, PORT['smtp'], timeout=30) as session:
        session.sendmail('stranger@elsewhere.example', [LOGIN], message('dots', body=body))
    assert wait_for('INBOX', 'dots').endswith(b'\r\n\r\n.\r\n..\r\n.three\r\nend\r\n')


@check('smtplib-lmtp')
def _():
    if 'LMTP' not in os.environ:
        return  # the reference has no such socket
    with smtplib.LMTP(os.environ['LMTP']) as session:
        session.ehlo()
        session.mail('stranger@elsewhere.example')
        codes = [session.rcpt(to)[0] for to in (LOGIN, 'nobody-here@' + LOGIN.split('@')[1], LOGIN2)]
        assert codes == [250, 550, 250], codes
        # RFC 2033 4.2: after the dot each recipient that was taken has a reply.
        assert session.data(message('by-lmtp'))[0] == 250
        assert session.getreply()[0] == 250
    wait_for('INBOX', 'by-lmtp')
    wait_for('INBOX', 'by-lmtp', LOGIN2, PASSWORD2)


@check('imaplib-mailboxes')
def _():
    with imap() as session:
        session.delete('checks')  # may be there from before
        must(session.create('checks'))
        must(session.subscribe('checks'))
        assert any(b'checks' in line for line in must(session.lsub()))
        must(session.rename('checks', 'checks-renamed'))
        assert any(b'checks-renamed' in line for line in must(session.list('""', '*')))
        must(session.unsubscribe('checks'))
        must(session.delete('checks-renamed'))


@check('imaplib-messages')
def _():
    empty('INBOX')
    append('INBOX', message('one'), message('two'), message('three'))
    with imap() as session:
        assert must(session.select('INBOX')) == [b'3']
        must(session.store('1', '+FLAGS', r'(\Flagged note)'))
        assert must(session.search(None, 'FLAGGED', 'KEYWORD', 'note')) == [b'1']
        assert must(session.uid('SEARCH', 'SUBJECT', '"two"'))[0]
        session.delete('checks-copy')
        must(session.create('checks-copy'))
        must(session.copy('1:2', 'checks-copy'))
        must(session.store('2', '+FLAGS', r'(\Deleted)'))
        assert must(session.expunge()) == [b'2']
        must(session.close())
        assert must(session.select('checks-copy')) == [b'2']
        fetched = must(session.fetch('1', '(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])'))
        assert b'note' in fetched[0][0] or any(b'note' in part for part in fetched if isinstance(part, bytes))
        assert fetched[0][1] == f'Subject: one {UNSPEAKABLE}\r\n\r\n'.encode(), fetched
        must(session.close())
        must(session.delete('checks-copy'))


@check('imaplib-octets-come-back')
def _():
    empty('INBOX')
    sent = message('octets', body='\r\n'.join('äöü€𝄞' * 40 for _ in range(200)))
    append('INBOX', sent)
    assert wait_for('INBOX', 'octets') == sent


@check('imaplib-sees-what-arrives-while-idle')
def _():
    empty('INBOX')
    with imap() as session:
        must(session.select('INBOX'))
        tag = session._new_tag()
        session.send(tag + b' IDLE\r\n')
        assert session.readline().startswith(b'+')
        sender = threading.Timer(0.2, append, ('INBOX', message('while-idle')))
        sender.start()
        line = session.readline()
        while b'EXISTS' not in line:
            line = session.readline()
        sender.join()
        session.send(b'DONE\r\n')
        while not line.startswith(tag):
            line = session.readline()
        assert b'OK' in line


# Debian's Dovecot has none of these before it is told to.

if 'RELAIS' in os.environ:
    @check('imaplib-rights')
    def _():
        with imap() as session:
            assert must(session.myrights('INBOX'))[0].endswith(b' lrswipkxtecda')
            acl = must(session.getacl('INBOX'))[0]
            assert LOGIN.encode() in acl and acl.endswith(b' lrswipkxtecda'), acl
            assert session.setacl('INBOX', 'nobody-here', 'lr')[0] == 'NO'
            must(session.setacl('INBOX', LOGIN2, 'lr'))
            assert LOGIN2.encode() in must(session.getacl('INBOX'))[0]
            must(session.deleteacl('INBOX', LOGIN2))
            assert LOGIN2.encode() not in must(session.getacl('INBOX'))[0]

    @check('imaplib-notes')
    def _():
        with imap() as session:
            must(session.xatom('SETMETADATA', 'INBOX', '(/private/comment "noted")'))
            must(session.xatom('GETMETADATA', 'INBOX', '(/private/comment /shared/comment)'))
            assert session.response('METADATA')[1] == \
                [b'"INBOX" (/private/comment "noted" /shared/comment NIL)']
            must(session.xatom('LIST', '""', 'INBOX', 'RETURN (METADATA (/private/comment) MYRIGHTS)'))
            assert b'"noted"' in session.response('METADATA')[1][0]
            must(session.xatom('SETMETADATA', 'INBOX', '(/private/comment NIL)'))

    @check('imaplib-draft-is-replaced')
    def _():
        empty('INBOX')
        append('INBOX', message('draft'))
        with imap() as session:
            must(session.select('INBOX'))
            session.literal = message('better')
            must(session.xatom('REPLACE', '1', 'INBOX', r'(\Draft)'))
        assert not hits('INBOX', 'SUBJECT draft')
        assert len(hits('INBOX', 'SUBJECT better')) == 1

    @check('imaplib-watches-others-under-churn')
    def _():
        boxes = [f'churn-{number}' for number in range(5)]
        with imap() as session:
            for box in boxes:
                session.delete(box)
                must(session.create(box))
        with imap() as watcher:
            must(watcher.xatom('NOTIFY', 'SET', '(personal (MessageNew MessageExpunge FlagChange MailboxName))'))

            def churn():
                with imap() as session:
                    for number in range(100):
                        must(session.append(boxes[number % 5], None, None, message(f'churn-{number}')))
                    must(session.select(boxes[0]))
                    must(session.store('1:10', '+FLAGS', r'(\Deleted)'))
                    must(session.expunge())
                    must(session.close())
                    must(session.delete(boxes[4]))
            sender = threading.Thread(target=churn)
            sender.start()
            # The last that is told of each is how it stands, however much was told before.
            told, wanted = {}, {boxes[0]: 10, boxes[1]: 20, boxes[2]: 20, boxes[3]: 20, boxes[4]: None}
            while told != wanted:
                line = watcher.readline().decode()
                assert line.startswith(('* STATUS', '* LIST')), line
                box = next((box for box in boxes if f'"{box}"' in line), None)
                if box and line.startswith('* STATUS'):
                    told[box] = int(line.split('MESSAGES ')[1].split()[0])
                elif box:
                    told[box] = None
            sender.join()
            must(watcher.noop())


@check('poplib-reads-and-deletes')
def _():
    empty('INBOX')
    append('INBOX', message('pop-one'), message('pop-two'))
    session = poplib.POP3_SSL(HOST, PORT['pop3s'], context=TLS, timeout=30)
    session.user(LOGIN)
    session.pass_(PASSWORD)
    assert session.stat()[0] == 2
    assert 'UIDL' in session.capa()
    uids = [line.split()[1] for line in session.uidl()[1]]
    assert len(set(uids)) == 2
    assert f'Subject: pop-one {UNSPEAKABLE}'.encode() in session.retr(1)[1]
    assert b'' in session.top(2, 0)[1]
    session.dele(1)
    session.rset()
    session.dele(1)
    session.quit()
    again = poplib.POP3(HOST, PORT['pop3'], timeout=30)
    again.stls(context=TLS)
    again.user(LOGIN)
    again.pass_(PASSWORD)
    assert [line.split()[1] for line in again.uidl()[1]] == uids[1:]
    again.quit()


@check('poplib-deletes-on-quit-only')
def _():
    empty('INBOX')
    append('INBOX', message('pop-stays'))
    session = poplib.POP3_SSL(HOST, PORT['pop3s'], context=TLS, timeout=30)
    session.user(LOGIN)
    session.pass_(PASSWORD)
    session.dele(1)
    session.close()
    time.sleep(0.5)
    assert len(hits('INBOX', 'ALL')) == 1


main('session')
