"""A mail server on the loopback that keeps what it is given; as much of SMTP as one mail needs."""

import email
import email.policy
import socketserver
import threading


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 here")
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"QUIT":
                self.say("221 bye")
                return
            if verb == b"DATA":
                self.say("354 go on")
                self.take()
            elif verb == b"RCPT" and any(refused.encode() in line for refused in self.server.refused):
                self.say("550 nobody of that name")
            elif verb == b"RCPT":
                self.server.rcpt.append(line.decode().partition("<")[2].partition(">")[0])
                self.say("250 ok")
            else:
                self.say("250 ok" if verb in {b"EHLO", b"HELO", b"MAIL", b"RSET", b"NOOP"} else "502 no")

    def take(self):
        kept = b"".join(iter(self.rfile.readline, b".\r\n"))
        if self.server.full:
            self.say("452 the disk is full, dear <secret>")
            return
        self.server.mails.append(email.message_from_bytes(kept, policy=email.policy.default))
        self.say("250 taken")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class MailServer(socketserver.ThreadingTCPServer):
    """Listens until closed; ``mails`` are those it took, ``rcpt`` whom they were for."""

    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.mails, self.rcpt, self.refused, self.full = [], [], (), False
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
