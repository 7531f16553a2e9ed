"""DANE and MTA-STS between the host and the world's Postfix, towards us and from us: what is right goes, what is wrong is kept, and the reason is said."""
import json
from machine import wait_for
from world import DANE, DOMAIN, HOST, PEER, PEER_AT, PEER_HOST, POLICY_HOST, ROOM, STS, is_at_peer, peer_log, publish, tell_peer

WRONG = '3 1 1 ' + '07' * 32
DAEMON = '127.0.0.1'
DAEMON_PORT = 8461
# Serves the policy of the peer's domain: a folder of files, over TLS.
POLICIES = '''
import functools, http.server, ssl, sys
folder, certificate, key, address = sys.argv[1:]
server = http.server.HTTPServer((address, 443), functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
'''


def steps(world, host, owner, password):
    """Names and acts, in their order."""
    ways = Ways(world, host, owner, password)
    return [
        ('towards us: Postfix with DANE alone', ways.dane_in),
        ('towards us: a wrong TLSA record, and Postfix keeps the mail', ways.wrong_dane_in),
        ('towards us: Postfix by our MTA-STS policy', ways.sts_in),
        ('from us: a wrong TLSA record keeps the mail, the right one lets it go', ways.dane_out),
        ('from us: no STARTTLS where DANE wants it', ways.stripped_out),
        ('from us: an MTA-STS policy for other hosts, then for the right one', ways.sts_out),
    ]


class Ways:
    def __init__(self, world, host, owner, password):
        self.world, self.host, self.owner, self.password = world, host, owner, password

    # ---- Towards us ----

    def send_in(self, subject):
        """The peer's queue has it from here on; what it logs of it."""
        before = len(peer_log())
        self.world.send(f'smtp://{PEER_HOST}:25', f'pia@{PEER}', self.owner, subject)
        return lambda: peer_log()[before:]

    def dane_in(self):
        """No CA is trusted, so that only the TLSA record can verify."""
        tell_peer(self.world, 'smtp_tls_security_level=dane-only', 'smtp_dns_support_level=dnssec', 'smtp_tls_CAfile=')
        said = self.send_in('by DANE')
        wait_for('mail by DANE', lambda: 'status=sent' in said(), 60)
        assert f'Verified TLS connection established to {HOST}' in said(), said()

    def wrong_dane_in(self):
        name = f'_25._tcp.{HOST}. TLSA'
        right = self.world.say('dig', '+short', *name.split()).strip()
        publish(self.world, f'_25._tcp.{HOST}. 1 IN TLSA {WRONG}', instead_of=name)
        self.wait_for_record(name, '07070707')
        tell_peer(self.world)
        said = self.send_in('by a wrong record')
        wait_for('mail that is kept', lambda: 'status=deferred' in said(), 60)
        assert 'Server certificate not trusted' in said() or 'Server certificate not verified' in said(), said()
        publish(self.world, f'_25._tcp.{HOST}. 60 IN TLSA {right}', instead_of=name)
        self.wait_for_record(name, right.split()[3][:8])
        tell_peer(self.world)
        wait_for('mail that was kept', lambda: 'status=sent' in said(), 60)

    def sts_in(self):
        """postfix-mta-sts-resolver fetches our policy and tells Postfix what to want."""
        self.host.relais('settings', 'set', 'mta_sts.mode', 'enforce')
        wanted = next(line for line in self.host.relais('dns', 'records', DOMAIN, '--zone-file').splitlines() if line.startswith('_mta-sts.'))
        publish(self.world, wanted, instead_of=f'_mta-sts.{DOMAIN}. TXT')
        config = ROOM / 'mta-sts.yml'
        config.write_text(f'host: {DAEMON}\nport: {DAEMON_PORT}\ncache:\n  type: internal\ndefault_zone:\n  strict_testing: false\n  timeout: 4\n')
        self.world.start('mta-sts-daemon', '-c', config, SSL_CERT_FILE=str(ROOM / 'trusted.pem'))
        self.world.wait_for_port(DAEMON, DAEMON_PORT)
        tell_peer(self.world, 'smtp_tls_security_level=may', f'smtp_tls_CAfile={ROOM}/trusted.pem',
                  f'smtp_tls_policy_maps=socketmap:inet:{DAEMON}:{DAEMON_PORT}:postfix')
        told = self.world.say('postmap', '-c', ROOM / 'postfix/etc', '-q', DOMAIN, f'socketmap:inet:{DAEMON}:{DAEMON_PORT}:postfix')
        assert told.startswith(f'secure match={HOST}'), told
        said = self.send_in('by MTA-STS')
        wait_for('mail by MTA-STS', lambda: 'status=sent' in said(), 60)
        assert f'Verified TLS connection established to {HOST}' in said(), said()

    # ---- From us ----

    def send_out(self, to, subject):
        self.world.send(f'smtps://{HOST}:465', self.owner, to, subject, '--user', f'{self.owner}:{self.password}')

    def is_kept(self, destination, why):
        """It waits in our queue, and its last reply says why."""
        def waits():
            rows = json.loads(self.host.relais('queue', 'list', '--destination', destination, '--json'))['rows']
            said.append([row['last_reply'] for row in rows if row['last_reply']])
            return said[-1]

        said = []
        wait_for('mail that waits', waits, 60)
        assert all(why in reply for reply in said[-1]), said[-1]
        print(f'     {said[-1][0]}', flush=True)

    def goes(self, destination, subject):
        """What was looked up before may be believed for a second more: so it is tried again and again. Afterwards no connection is left to be used again."""
        def went():
            self.host.relais('queue', 'retry', '--destination', destination)
            return is_at_peer(subject)

        wait_for('mail at the peer', went, 60)
        count = lambda what: peer_log().count(f']: {what} from {HOST}')
        wait_for('the end of the connection', lambda: count('connect') == count('disconnect'))

    def dane_out(self):
        name = f'_25._tcp.mx.{DANE}. TLSA'
        key = self.world.say('sh', '-c', f'openssl x509 -in {ROOM}/{PEER_HOST}.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum').split()[0]
        publish(self.world, f'_25._tcp.mx.{DANE}. 1 IN TLSA {WRONG}', zone=DANE)
        self.wait_for_record(name, '07070707')
        self.send_out(f'pia@{DANE}', 'to DANE')
        self.is_kept(DANE, 'TLSA')
        publish(self.world, f'_25._tcp.mx.{DANE}. 1 IN TLSA 3 1 1 {key}', zone=DANE, instead_of=name)
        self.wait_for_record(name, key[:8].upper())
        self.goes(DANE, 'to DANE')

    def stripped_out(self):
        tell_peer(self.world, 'smtpd_tls_security_level=none')
        self.send_out(f'pia@{DANE}', 'without STARTTLS')
        self.is_kept(DANE, 'offers no TLS')
        tell_peer(self.world, 'smtpd_tls_security_level=may')
        self.goes(DANE, 'without STARTTLS')

    def sts_out(self):
        self.serve_policy('1', 'mx.elsewhere.test')
        self.world.start('python3', '-c', POLICIES, ROOM / 'policies', ROOM / f'{POLICY_HOST}.pem', ROOM / f'{POLICY_HOST}.key', PEER_AT)
        self.world.wait_for_port(PEER_AT, 443)
        self.send_out(f'pia@{STS}', 'to MTA-STS')
        self.is_kept(STS, 'MTA-STS')
        self.serve_policy('2', PEER_HOST)
        self.goes(STS, 'to MTA-STS')

    def serve_policy(self, number, mx):
        folder = ROOM / 'policies/.well-known'
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'mta-sts.txt').write_text(f'version: STSv1\nmode: enforce\nmx: {mx}\nmax_age: 86400\n')
        name = f'_mta-sts.{STS}. TXT'
        publish(self.world, f'_mta-sts.{STS}. 1 IN TXT "v=STSv1; id={number};"', zone=STS, instead_of=name)
        self.wait_for_record(name, f'id={number}')

    def wait_for_record(self, name, part):
        wait_for(f'{name} {part}', lambda: part in self.world.say('dig', '+short', *name.split()))
