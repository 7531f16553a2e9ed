#!/usr/bin/env python3
"""mutt at a terminal that nobody looks at: it logs in by SCRAM where it may, reads a message, answers it, and the answer arrives."""
import secrets
from kit import *

SOCKET = f'relais-{secrets.token_hex(4)}'


def tmux(*arguments):
    return run('tmux', '-L', SOCKET, '-f', '/dev/null', *arguments)


def screen_shows(text, patience=30):
    def screen():
        return tmux('capture-pane', '-p')
    wait_until(lambda: text in screen(),
               lambda: f'{text!r} never came; the screen: {" / ".join(screen().split())[-200:]}', patience)


def keys(*names):
    tmux('send-keys', *names)


@check('mutt-reads-and-sends', 'mutt', 'tmux')
def _():
    empty('INBOX')
    empty('INBOX', LOGIN2, PASSWORD2)
    append('INBOX', message('for-mutt', author=LOGIN2, body='words for mutt to show'))
    editor = FOLDER / 'editor'
    editor.write_text('#!/bin/sh\necho "an answer from mutt" >>"$1"\n')
    editor.chmod(0o755)
    config, password = FOLDER / 'muttrc', app_password('mutt')
    # Left to itself it begins SCRAM-SHA-256-PLUS where that is offered, and then tells its GNU SASL of no channel binding.
    authenticators = 'plain' if password == PASSWORD else 'scram-sha-256'
    config.write_text(f'''set folder = "imaps://{HOST}:{PORT['imaps']}/"
set spoolfile = "+INBOX"
set imap_user = "{LOGIN}"
set imap_pass = "{password}"
set smtp_url = "smtps://{LOGIN}@{HOST}:{PORT['submissions']}/"
set smtp_pass = "{password}"
set smtp_authenticators = "{authenticators}"
set from = "{LOGIN}"
set realname = "Checks"
set use_from = yes
set ssl_starttls = yes
set ssl_ca_certificates_file = "{CA}"
set editor = "{editor}"
set record = "+Sent"
set copy = yes
set fast_reply = yes
set include = no
set abort_unmodified = no
set wait_key = no
set sleep_time = 0
set header_cache = ""
set postpone = no
''')
    tmux('new-session', '-d', '-x', '100', '-y', '30', f'mutt -F {config}')
    try:
        screen_shows('for-mutt')
        keys('Enter')
        screen_shows('words for mutt to show')
        keys('r')
        screen_shows('Re: for-mutt')
        keys('y')
        answer = wait_for('INBOX', 'Re: for-mutt', LOGIN2, PASSWORD2)
        assert b'an answer from mutt' in answer
        wait_for('Sent', 'Re: for-mutt')
        keys('i')
        screen_shows('for-mutt')
        keys('q')
        wait_until(lambda: hits('INBOX', 'ANSWERED', 'SEEN'), lambda: 'the answered message is not marked', 10)
    finally:
        subprocess.run(['tmux', '-L', SOCKET, 'kill-server'], capture_output=True)


main('mutt')
