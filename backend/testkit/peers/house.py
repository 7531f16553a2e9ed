"""relais, started once more for a script that needs it set otherwise, and the little DNS that names its peers to it.

A script that makes a House is about relais alone: it ends where another program stands in its place.
"""
import json, signal, smtplib, socket, struct, threading
import kit
from kit import *

# Loopback addresses of DNS servers, one for all scripts: each has a port of its own there.
RESOLVER = '127.0.0.57'


def free_port(address, *kinds):
    """A port that nobody had there a moment ago, for TCP or, with SOCK_DGRAM too, for both."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        try:
            for kind in kinds:
                with socket.socket(type=kind) as probe:
                    probe.bind((address, port))
        except OSError:
            continue
        return port
    raise AssertionError(f'no free port at {address}')


def answers(address, port):
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError:
        return False
    return True


class House:
    """relais as a program of its own, with `settings` at the end of its relais.toml."""
    def __init__(self, settings):
        extra = FOLDER / 'extra.toml'
        extra.write_text(settings)
        # Beyond the doors of the house that the checks were given, and of those beside it.
        base = str(int(os.environ['SMTP_PORT']) + 40)
        self.folder, self.log = FOLDER / 'house', FOLDER / 'house.log'
        self.process = subprocess.Popen(
            [os.environ['RELAIS'], 'demo', '--json', '--bare', '--dir', str(self.folder), '--port-base', base,
             '--log', 'trace', '--with', str(extra)], stdout=subprocess.PIPE, stderr=self.log.open('w'))
        line = self.process.stdout.readline()
        assert line, 'relais did not start: ' + self.log.read_text()[-300:]
        facts = json.loads(line)
        self.ports = facts['ports']
        self.people = [(person['address'], person['password']) for person in facts['accounts'][:3]]
        self.context = ssl.create_default_context(cafile=facts['ca'])
        # The helpers of the kit talk to this house from here on.
        (kit.LOGIN, kit.PASSWORD), (kit.LOGIN2, kit.PASSWORD2), *_ = self.people
        kit.CA, kit.TLS = facts['ca'], self.context
        kit.PORT.update({door: port for door, port in self.ports.items() if isinstance(port, int)})
        self.ca = facts['ca']

    def submit(self, to, subject, options=(), mail_options=(), **more):
        """Sends as the first person, with RCPT's `options` (and ENVID where there are any) and with MAIL's."""
        login, password = self.people[0]
        with smtplib.SMTP(HOST, self.ports['submission'], timeout=30) as session:
            session.starttls(context=self.context)
            session.login(login, password)
            asked = ['RET=HDRS', 'ENVID=checks'] if options else []
            session.sendmail(login, [to], message(subject, to=to, **more), mail_options=[*mail_options, *asked],
                             rcpt_options=options)

    def tell(self, *words):
        """relais' command line; gives what it says."""
        return run(os.environ['RELAIS'], '--config', self.folder / 'relais.toml', *words)

    def ask(self, *words):
        """The same, of a command that answers with JSON."""
        return json.loads(self.tell(*words, '--json'))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        tell_no_secrets(self.log.read_text(errors='replace'), *(password for _, password in self.people))


def wait_for_report(*texts, patience=60):
    """Waits until the first person has a delivery report with these texts, and gives it whole."""
    wanted = [text.encode() for text in texts]

    def look():
        with imap() as session:
            must(session.select('INBOX', readonly=True))
            for number in must(session.search(None, 'TEXT', f'"{texts[0]}"'))[0].split():
                got = must(session.fetch(number, '(BODY.PEEK[])'))[0][1]
                if b'message/delivery-status' in got and all(text in got for text in wanted):
                    return got
        return None
    return wait_until(look, lambda: f'no report with {texts}', patience)


def serve_dns(addresses, texts=None):
    """A DNS that knows these domains: MX of the domain is mx.DOMAIN, whose A is the domain's address, as is its own; and TXT records by name. Gives where."""
    port = free_port(RESOLVER, socket.SOCK_DGRAM)
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind((RESOLVER, port))

    def serve():
        while True:
            query, asker = door.recvfrom(4096)
            try:
                door.sendto(dns_answer(addresses, query, {} if texts is None else texts), asker)
            except (IndexError, struct.error, UnicodeDecodeError):
                pass  # no question of DNS
    threading.Thread(target=serve, daemon=True).start()
    return f'{RESOLVER}:{port}'


def dns_answer(addresses, query, texts):
    name, at = [], 12
    while query[at]:
        name.append(query[at + 1:at + 1 + query[at]].decode().lower())
        at += query[at] + 1
    name, kind, question = '.'.join(name), struct.unpack('>H', query[at + 1:at + 3])[0], query[12:at + 5]
    record, code = b'', 0
    if name in addresses and kind == 15:
        record = struct.pack('>H', 10) + b'\2mx\xc0\x0c'
    elif name.removeprefix('mx.') in addresses and kind == 1:
        record = socket.inet_aton(addresses[name.removeprefix('mx.')])
    elif name in texts and kind == 16:
        octets = texts[name].encode()
        record = b''.join(bytes([len(part)]) + part for part in (octets[at:at + 255] for at in range(0, len(octets), 255)))
    elif name.removeprefix('mx.') not in addresses and name not in texts:
        code = 3
    answer = b'\xc0\x0c' + struct.pack('>HHIH', kind, 1, 60, len(record)) + record if record else b''
    return query[:2] + struct.pack('>HHHHH', 0x8580 | code, 1, 1 if record else 0, 0, 0) + question + answer


def why_not(*programs):
    """Why a script about relais and these programs of root's can't run here; None where it can."""
    if 'RELAIS' not in os.environ:
        return 'only for relais'
    if os.geteuid() != 0:
        return 'not root'
    missing = [program for program in programs if not shutil.which(program)]
    return f'no {" ".join(missing)}' if missing else None
