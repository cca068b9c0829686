"""Door and loader killed with -9 under load from official clients: what was acknowledged is there exactly once."""

import random
import threading
import time

import pytest
from amplitude import Amplitude, BaseEvent, Config
from clients_house import SHOP, STORE, keys, kill, settled, wait
from mixpanel import Consumer, Mixpanel, MixpanelException

pytestmark = pytest.mark.journey

KILLS = 12
LOAD_FOR = 24.0
"""Seconds; a role comes back within two."""


class Mixpanels:
    """`mixpanel` for Python, from one thread: it sends an event until it is told that it was taken."""

    def __init__(self, address, stop):
        consumer = Consumer(events_url=f"{address}/track", request_timeout=10, retry_limit=0)
        self.client, self.taken, self._stop = Mixpanel(SHOP.token, consumer), set(), stop

    def run(self):
        number = 0
        while not self._stop.is_set():
            number += 1
            key = f"m{number}"
            properties = {"n": number, "$insert_id": key, "time": int(time.time())}
            while key not in self.taken:
                try:
                    self.client.track(f"u{number % 20}", "ordered", properties)
                    self.taken.add(key)
                except MixpanelException:
                    time.sleep(0.05)


class Amplitudes:
    """`amplitude-analytics`: it sends again by itself, and tells us what was taken."""

    def __init__(self, address, stop):
        self.taken, self.refused, self._stop = set(), [], stop
        config = Config(
            server_url=f"{address}/2/httpapi", flush_interval_millis=100, flush_max_retries=100, callback=self._told
        )
        self.client = Amplitude(STORE.token, config)

    def _told(self, event, code, _message=None):
        (self.taken.add if code == 200 else self.refused.append)(event.insert_id)

    def run(self):
        number = 0
        while not self._stop.is_set():
            number += 1
            self.client.track(
                BaseEvent("paid", user_id=f"user-{number % 20}", device_id=f"device-{number % 30}", insert_id=f"a{number}")
            )
            time.sleep(0.003)
        self.client.flush()


def test_what_was_acknowledged_is_there_exactly_once(house):
    stop = threading.Event()
    senders = [Mixpanels(house.address, stop), Amplitudes(house.address, stop)]
    threads = [threading.Thread(target=sender.run) for sender in senders]
    for thread in threads:
        thread.start()
    chance = random.Random(7)
    for _ in range(KILLS):
        time.sleep(LOAD_FOR / KILLS * chance.uniform(0.5, 1.5))
        kill(house.home, chance.choice(["door", "keeper"]))
    time.sleep(2)
    stop.set()
    for thread in threads:
        thread.join()
    senders[1].client.shutdown()
    wait(lambda: settled(house.home, SHOP) and settled(house.home, STORE), lambda: "the end of loading", within=120)
    for project, sender in ((SHOP, senders[0]), (STORE, senders[1])):
        found = keys(house.home, project)
        assert len(found) == len(set(found))
        assert sender.taken <= set(found)
        assert len(sender.taken) > 50
    assert not senders[1].refused
