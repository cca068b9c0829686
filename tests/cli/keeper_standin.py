"""A keeper in this process: it answers on the project's socket what it was told to."""

import contextlib
import json
import socketserver
import threading

from cornicen.apps.home import Home


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        with contextlib.suppress(ConnectionError):  # whoever asked was interrupted
            self.converse()

    def converse(self):
        for line in self.rfile:
            asked = json.loads(line)
            self.server.keeper.asked.append((asked["question"], asked["arguments"]))
            answer = self.server.keeper.answers[asked["question"]](**asked["arguments"])
            self.wfile.write(json.dumps(answer if "error" in answer else {"answer": answer}).encode() + b"\n")


class KeeperStandIn:
    """Answers questions, each by a function of its arguments that gives the answer or ``{"error": …}``.

    Args:
        home: Whose keeper it is.
        project: Of it.
        answers: By question.
    """

    def __init__(self, home, project, **answers):
        self.answers = answers
        self.asked = []
        path = Home.find(home).socket(project)
        path.unlink(missing_ok=True)
        self._server = socketserver.ThreadingUnixStreamServer(str(path), _Conversation)
        self._server.daemon_threads = True
        self._server.keeper = self
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
