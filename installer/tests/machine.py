"""Machines for tests: copies of a Debian root with their own processes, network and names and, where the kernel lets it, their own systemd
as process 1. `machines.py` tries the installer in them, `lab.py` the whole way from it to a mail.
"""
import atexit, hashlib, os, shutil, subprocess, tempfile, time
from pathlib import Path

WORK = Path(os.environ['WORK'])
HOST, ADDRESS = 'mx.example.org', '192.0.2.25'
DATA, CONFIG, STATE = '/var/lib/relais', '/etc/relais/relais.toml', '/var/lib/relais-install'
PATIENCE = 180

_machines = []


def wait_for(what, ask, patience=30):
    until = time.monotonic() + patience
    while not ask():
        if time.monotonic() > until:
            raise AssertionError(f'{what} did not happen within {patience} s')
        time.sleep(0.1)


# What happens between this process and the machine's first: namespaces of its own for everything, and devices that harm nobody.
BOOT = r'''
set -e
root=$1 group=relais-installer-$$
groups=$(mktemp -d)
if mount -t cgroup2 cgroup2 "$groups" && mkdir "$groups/$group"; then echo $$ >"$groups/$group/cgroup.procs"; fi
echo "$group" >"$root.group"
exec unshare --pid --fork --net --uts --ipc --cgroup --kill-child sh -ec '
root=$1 init=$2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" || true
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
hostname mx
ip link set lo up
ip link add eth0 type veth peer name eth1
ip addr add 192.0.2.25/24 dev eth0
ip link set eth0 up
ip link set eth1 up
cd "$root"
pivot_root . mnt
umount -l /mnt
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . $init
' sh "$root" "$2"
'''
SYSTEMD = '/lib/systemd/systemd --log-target=null --show-status=0 --unit=multi-user.target'
NO_SYSTEMD = 'sleep infinity'


class Machine:
    """A host: its root is a copy, with `folders` beside what is in it, and everything of it goes away at the end."""

    def __init__(self, root, folders, has_systemd=True, resolver='127.0.0.1', probe='192.0.2.25:2525'):
        _machines.append(self)
        self.root = Path(tempfile.mkdtemp(prefix='machine.', dir=WORK)) / 'root'
        subprocess.run(['cp', '-a', '--reflink=auto', root, self.root], check=True)
        for name, folder in folders.items():
            shutil.copytree(folder, self.root / name)
        self.probe = probe
        self.name_servers(has_systemd, resolver)
        (self.root / 'etc/hosts').write_text('127.0.0.1 localhost\n::1 localhost\n127.0.1.1 mx\n')
        self.log = open(WORK / 'machine.log', 'ab')
        self.digests = {}
        init = SYSTEMD if has_systemd else NO_SYSTEMD
        self.process = subprocess.Popen(['unshare', '--mount', 'sh', '-c', BOOT, 'boot', str(self.root), init],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for('the machine', lambda: self.process.poll() is None and self.first() and self.is_up(has_systemd))

    def name_servers(self, has_systemd, resolver):
        """Whom it asks: directly, or on Ubuntu behind systemd-resolved."""
        (self.root / 'etc/hostname').write_text('mx\n')
        file = self.root / 'etc/resolv.conf'
        if file.is_symlink() and has_systemd:
            (self.root / 'etc/systemd/resolved.conf').write_text(f'[Resolve]\nDNS={resolver}\nDNSSEC=no\n')
            return
        file.unlink(missing_ok=True)
        file.write_text(f'nameserver {resolver}\noptions timeout:1 attempts:1\n')

    def first(self):
        """The number of its first process, seen from here."""
        try:
            children = Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children').read_text().split()
            return children and Path(f'/proc/{children[0]}/comm').read_text().strip() in ('systemd', 'sleep') and children[0]
        except FileNotFoundError:
            return None

    def is_up(self, has_systemd):
        return not has_systemd or self.say('systemctl', 'is-system-running', fails=None).strip() in ('running', 'degraded')

    def _enter(self, whole=True):
        return ['nsenter', '--target', self.first(), *(['--all', '--root', '--wdns=/'] if whole else ['--net']), 'env', '-i',
                'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', f'RELAIS_PROBE_SMTP={self.probe}', 'RELAIS_PROBE_BLOCKLISTS=list.example']

    def say(self, *command, given='', fails=False, user=None):
        """Runs a program there and gives all that it said; with `fails` it must end badly, or with that code."""
        as_user = ['setpriv', f'--reuid={user}', f'--regid={user}', '--clear-groups'] if user else []
        done = subprocess.run([*self._enter(), *as_user, *map(str, command)], input=given, text=True, timeout=PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.log.write(f'\n$ {" ".join(map(str, command))}\n{done.stdout}[{done.returncode}]\n'.encode())
        self.log.flush()
        wanted = fails if type(fails) is int else done.returncode if fails is None or (fails and done.returncode) else 0
        assert done.returncode == wanted, f'{" ".join(map(str, command))} ended with {done.returncode}: {done.stdout[-1200:]}'
        return done.stdout

    def converse(self, answers, *command):
        """Runs a program there at a terminal, gives an answer to each question, and gives what was said."""
        ours, theirs = os.openpty()
        process = subprocess.Popen([*self._enter(), *map(str, command)], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        said, answers = '', list(answers)
        while True:
            try:
                octets = os.read(ours, 65536)
            except OSError:  # the terminal's other end is closed
                break
            said += octets.decode()
            if said.endswith(': ') and answers:
                os.write(ours, (answers.pop(0) + '\n').encode())
        os.close(ours)
        said = said.replace('\r\n', '\n')
        assert process.wait(PATIENCE) == 0 and not answers, f'{answers} left of {said[-1200:]}'
        return said

    def start_beside(self, *command):
        """A program of this host's, in the machine's network."""
        return subprocess.Popen([*self._enter(whole=False), *map(str, command)], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def tree(self):
        """Everything on its disk that somebody might miss: mode, owner and content of each path."""
        found = {}
        for folder, folders, files in os.walk(self.root):
            at = '/' + str(Path(folder).relative_to(self.root)).strip('.')
            folders[:] = [name for name in folders if (os.path.join(at, name)) not in LIVELY]
            for name in [*folders, *files]:
                path, shown = Path(folder) / name, os.path.join(at, name)
                if shown in LIVELY:
                    continue
                facts = path.lstat()
                content = os.readlink(path) if path.is_symlink() else self.digest(path, facts) if path.is_file() else ''
                found[shown] = (oct(facts.st_mode), facts.st_uid, facts.st_gid, content)
        return found

    def digest(self, path, facts):
        """Read again only where the file has changed: nothing sets ctime back."""
        state = (facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        if self.digests.get(path, (None,))[0] != state:
            self.digests[path] = (state, digest(path))
        return self.digests[path][1]

    def text(self, path):
        return (self.root / path.lstrip('/')).read_text()

    def mode(self, path):
        """As `700 relais`."""
        return self.say('stat', '-c', '%a %U', path).strip()

    def listens(self, port):
        return f':{port} ' in self.say('ss', '-Hltn') + ' '

    def relais(self, *words, given=''):
        return self.say('runuser', '-u', 'relais', '--', 'relais', *words, given=given)

    def end(self):
        if self.process.poll() is None:
            first = self.first()
            if first:
                subprocess.run(['kill', '-KILL', first])
            self.process.kill()
        self.process.wait()
        group = Path(f'{self.root}.group')
        if group.exists():
            remove_group(group.read_text().strip())
        shutil.rmtree(self.root.parent, ignore_errors=True)
        self.log.close()


# What a running machine changes by itself.
LIVELY = {'/var/log', '/var/tmp', '/var/lib/systemd', '/var/cache', '/etc/machine-id', '/etc/resolv.conf', '/release', '/next', '/tmp', '/run', '/dev',
          '/proc', '/sys', '/var/lib/relais/relais.db', '/var/lib/relais/relais.db-wal', '/var/lib/relais/relais.db-shm', '/etc/.pwd.lock'}


def remove_group(name):
    """What systemd has made below it, too; in a mount of its own, for this host may show groups otherwise."""
    script = ('d=$(mktemp -d) && mount -t cgroup2 cgroup2 "$d" || exit 0; for try in 1 2 3 4 5 6 7 8 9; do '
              'find "$d/$1" -depth -type d -exec rmdir {} \\; 2>/dev/null; [ -d "$d/$1" ] || break; sleep 0.2; done; umount "$d"; rmdir "$d"')
    subprocess.run(['unshare', '--mount', 'sh', '-c', script, 'sh', name], stderr=subprocess.DEVNULL)


@atexit.register
def end_all():
    while _machines:
        _machines.pop().end()


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
