"""A private Postfix on loopback: queue, mailboxes and log stand in a folder of its own. Needs root, as Postfix does."""
import pwd
from kit import *


class Postfix:
    """Runs until `stop`. `main` and `master` are added to what every one of ours has; mailboxes of `virtual` stand in `mail`."""
    def __init__(self, room, main, master):
        self.room, self.mail, self.log = room, room / 'mail', room / 'log'
        for part in ('etc', 'queue', 'data', 'mail'):
            (room / part).mkdir(parents=True)
        owner = pwd.getpwnam('nobody')
        os.chown(self.mail, owner.pw_uid, owner.pw_gid)
        os.chown(room / 'data', pwd.getpwnam('postfix').pw_uid, -1)
        os.chmod(room, 0o755)
        (room / 'etc/main.cf').write_text(f'''compatibility_level = 3.6
config_directory = {room}/etc
queue_directory = {room}/queue
data_directory = {room}/data
maillog_file = {self.log}
maillog_file_prefixes = {room}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = all
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
biff = no
virtual_mailbox_base = {self.mail}
virtual_uid_maps = static:{owner.pw_uid}
virtual_gid_maps = static:{owner.pw_gid}
notify_classes =
{main}''')
        (room / 'etc/master.cf').write_text(f'''cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
{master}''')
        run('postfix', '-c', room / 'etc', 'start')

    def wait_for(self, box, *texts, patience=60):
        """Waits for a message with these texts in one of its mailboxes, and gives its octets."""
        wanted = [text.encode() for text in texts]

        def look():
            for path in (self.mail / box / 'new').glob('*'):
                got = path.read_bytes()
                if all(text in got for text in wanted):
                    return got
            return None

        def why():
            log = self.log.read_text()[-250:] if self.log.exists() else 'no log'
            return f'nothing with {texts} at the peer; its log: {log}'
        return wait_until(look, why, patience)

    def stop(self):
        subprocess.run(['postfix', '-c', str(self.room / 'etc'), 'stop'], capture_output=True)
