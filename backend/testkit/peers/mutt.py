#!/usr/bin/env python3
"""mutt at a terminal that nobody looks at: it reads a message, answers it, and the answer arrives."""
import secrets
from kit import *

SOCKET = f'relais-{secrets.token_hex(4)}'


def tmux(*arguments):
    return run('tmux', '-L', SOCKET, '-f', '/dev/null', *arguments)


def screen_shows(text, patience=30):
    until = time.monotonic() + patience
    shown = ''
    while time.monotonic() < until:
        shown = tmux('capture-pane', '-p')
        if text in shown:
            return
        time.sleep(0.1)
    raise AssertionError(f'{text!r} never came; the screen: {" / ".join(shown.split())[-200:]}')


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
    config = FOLDER / 'muttrc'
    config.write_text(f'''set folder = "imaps://{HOST}:{PORT['imaps']}/"
set spoolfile = "+INBOX"
set imap_user = "{LOGIN}"
set imap_pass = "{PASSWORD}"
set smtp_url = "smtps://{LOGIN}@{HOST}:{PORT['submissions']}/"
set smtp_pass = "{PASSWORD}"
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
        deadline = time.monotonic() + 10
        while not hits('INBOX', 'ANSWERED', 'SEEN') and time.monotonic() < deadline:
            time.sleep(0.2)
        assert hits('INBOX', 'ANSWERED', 'SEEN')
    finally:
        subprocess.run(['tmux', '-L', SOCKET, 'kill-server'], capture_output=True)


main('mutt')
