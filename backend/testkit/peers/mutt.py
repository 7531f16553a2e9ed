#!/usr/bin/env python3
"""mutt at a terminal that nobody looks at: it logs in by SCRAM where it may, reads a message, answers it, and the answer arrives."""
from kit import *


@check('mutt-reads-and-sends', 'mutt', 'tmux')
def _():
    empty('INBOX')
    empty('INBOX', LOGIN2, PASSWORD2)
    append('INBOX', message('for-mutt', author=LOGIN2, body='words for mutt to show'))
    editor = FOLDER / 'editor'
    editor.write_text('#!/bin/sh\necho "an answer from mutt" >>"$1"\n')
    editor.chmod(0o755)
    password = app_password('mutt')
    # Left to itself it begins SCRAM-SHA-256-PLUS where that is offered, and then tells its GNU SASL of no channel binding.
    authenticators = 'plain' if password == PASSWORD else 'scram-sha-256'
    writing = f'''set smtp_url = "smtps://{LOGIN}@{HOST}:{PORT['submissions']}/"
set smtp_pass = "{password}"
set smtp_authenticators = "{authenticators}"
set from = "{LOGIN}"
set realname = "Checks"
set use_from = yes
set ssl_starttls = yes
set editor = "{editor}"
set record = "+Sent"
set copy = yes
set fast_reply = yes
set include = no
set abort_unmodified = no
set postpone = no'''
    with mutt('INBOX', LOGIN, password, writing) as terminal:
        terminal.shows('for-mutt')
        terminal.keys('Enter')
        terminal.shows('words for mutt to show')
        terminal.keys('r')
        terminal.shows('Re: for-mutt')
        terminal.keys('y')
        answer = wait_for('INBOX', 'Re: for-mutt', LOGIN2, PASSWORD2)
        assert b'an answer from mutt' in answer
        wait_for('Sent', 'Re: for-mutt')
        terminal.keys('i')
        terminal.shows('for-mutt')
        terminal.keys('q')
        wait_until(lambda: hits('INBOX', 'ANSWERED', 'SEEN'), lambda: 'the answered message is not marked', 10)


main('mutt')
