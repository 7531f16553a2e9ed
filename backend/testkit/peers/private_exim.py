"""A private Exim on loopback, of Debian's binary, which is unpacked and not installed: it and Postfix exclude each other.

It runs without privileges as the user that its package would make, at several loopback addresses and one port, and
takes mail for the `peer` of each of its domains. What comes in at ADDRESS goes to mail/ADDRESS, what it makes itself
(reports) to mail/itself. `EXIM` in the environment says where the binary is.
"""
import os, pwd
from kit import *

USER = 'Debian-exim'
EXIM = os.environ.get('EXIM', '')


def why_no_exim():
    """Why no Exim can be started here; None where one can."""
    if not os.access(EXIM, os.X_OK):
        return 'no exim4'
    try:
        pwd.getpwnam(USER)  # the binary asks for it by name, whatever the configuration says
    except KeyError:
        return f'no user {USER}'
    return None


class Exim:
    """Runs until `stop`. `options` are main options, `routers` come before its own, `transports` beside it."""
    def __init__(self, name, domains, addresses, port, options='', routers='', transports=''):
        self.room = FOLDER / 'exim'
        self.mail, self.log = self.room / 'mail', self.room / 'log'
        self.room.mkdir()
        os.chmod(self.room, 0o755)
        run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 30, '-subj', f'/CN={name}',
            '-keyout', self.room / 'key.pem', '-out', self.room / 'certificate.pem')
        owner = pwd.getpwnam(USER)
        for path in (self.mail, self.log, self.room / 'spool'):
            path.mkdir()
            os.chown(path, owner.pw_uid, owner.pw_gid)
        os.chown(self.room / 'key.pem', owner.pw_uid, owner.pw_gid)
        # A copy that its user can reach, and without root's rights by mode.
        binary, config = self.room / 'exim4', self.room / 'exim.conf'
        shutil.copyfile(EXIM, binary)
        os.chmod(binary, 0o755)
        config.write_text(f'''exim_user = {USER}
exim_group = {USER}
exim_path = {binary}
deliver_drop_privilege = true
primary_hostname = {name}
spool_directory = {self.room}/spool
log_file_path = {self.log}/%s
pid_file_path = {self.log}/pid
log_selector = +pipelining
keep_environment =
local_interfaces = <; {' ; '.join(addresses)}
daemon_smtp_ports = {port}
domainlist ours = {' : '.join(domains)}
tls_certificate = {self.room}/certificate.pem
tls_privatekey = {self.room}/key.pem
host_lookup =
rfc1413_hosts =
message_size_limit = 50M
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
{options}
begin acl
rcpt:
  defer
    local_parts = late
    message = 4.7.1 Not now
  require
    verify = recipient
  deny
    local_parts = called
    ! verify = sender/callout
  accept
begin routers
{routers}
here:
  driver = accept
  domains = +ours
  local_parts = peer : called
  transport = file
begin transports
{transports}
file:
  driver = appendfile
  directory = {self.mail}/${{if def:received_ip_address{{$received_ip_address}}{{itself}}}}
  maildir_format
''')
        os.chmod(config, 0o644)
        # Not by root: what Exim starts on its own, as its user, would not be trusted with a configuration of ours.
        self.process = subprocess.Popen(['setpriv', f'--reuid={USER}', f'--regid={USER}', '--clear-groups', binary,
                                         '-C', str(config), '-bdf', '-q5s'], stderr=(self.room / 'errors').open('w'))
        self.wait_until(lambda: 'listening for SMTP' in self.main_log(), 'it does not listen')

    def main_log(self):
        path = self.log / 'main'
        return path.read_text(errors='replace') if path.exists() else ''

    def wait_until(self, look, otherwise, patience=60):
        def why():
            return f'{otherwise}; exim says: {(self.room / "errors").read_text()[-100:]} {self.main_log()[-200:]}'
        return wait_until(look, why, patience)

    def got(self, box, *texts, patience=60):
        """Waits for a message with these texts in that box, and gives its octets."""
        def look():
            for path in (self.mail / box / 'new').glob('*'):
                octets = path.read_bytes()
                if all(text.encode() in octets for text in texts):
                    return octets
            return None
        return self.wait_until(look, f'nothing with {texts} in {box}', patience)

    def logged(self, direction, *texts):
        """Waits for the log's line of a message taken (`<=`) or handed on (`=>`) that has these texts."""
        def look():
            lines = (line for line in self.main_log().splitlines() if f' {direction} ' in line)
            return next((line for line in lines if all(text in line for text in texts)), None)
        return self.wait_until(look, f'no line {direction} with {texts}')

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
