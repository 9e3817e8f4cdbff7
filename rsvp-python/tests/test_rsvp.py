"""Two nodes in virtual time, and messages: python -m unittest discover rsvp-python/tests"""

import ast
import contextlib
import io
import pathlib
import unittest

import rsvp

SENDER, RECEIVER = "192.0.2.1", "192.0.2.2"
LINK = 1
SESSION = {"ip": {"destination": RECEIVER, "protocol": 17, "port": 5004}}
TEMPLATE = {"ip": {"source": SENDER, "port": 4000}}
TSPEC = {"rate": 125000, "bucket": 10000, "peak": None, "min_unit": 64, "max_packet": 1500}
CONFIG = {
    "router": False,
    "default_interface": {"bandwidth": {"total": 10**7, "per_flow": 10**7, "link": 10**7}},
}
SECOND = 10**6


class Host:
    """A node, and what RSVP leaves to the host: here routes and traffic control."""

    def __init__(self, address):
        self.address = address
        self.node = rsvp.Node(CONFIG, seed=bytes(31) + address[-1:].encode())
        self.events = []
        self.installed = {}
        self.node.handle(0, {"Interface": {
            "id": LINK, "name": "link0", "addresses": [address], "mtu": 1500, "up": True, "point_to_point": False,
        }})

    def poll(self, now):
        """Carries out what the node wants, and gives its messages."""
        while request := self.node.poll_request():
            self.carry_out(now, request)
        messages = []
        while sent := self.node.poll_transmit(now):
            messages.append(sent[1])
        while event := self.node.poll_event():
            self.events.append(event["kind"])
        return messages

    def carry_out(self, now, request):
        kind, what = next(iter(request.items()))
        if kind == "WatchRoute":
            local = what["destination"] == self.address
            outgoing = [] if local else [{"interface": LINK, "gateway": None}]
            route = {"local": local, "incoming": None, "outgoing": outgoing, "shared_tree": False}
            self.node.handle(now, {"Route": [what, route]})
        elif kind == "Install":
            self.installed[what["id"]] = what
            self.node.handle(now, {"Installed": [what["id"], {"Ok": None}]})
        elif kind == "Remove":
            del self.installed[what]

    def hear(self, now, source, message):
        self.node.handle(now, {"Datagram": {
            "interface": LINK, "source": source, "destination": self.address, "ttl": None, "encapsulation": "Raw",
            "payload": message,
        }})

    def upcalls(self):
        return [upcall for kind in self.events if "upcall" in kind for upcall in kind["upcall"][2]]


def run(hosts, now, until):
    """Lets time pass; a message takes 1 ms. Gives all messages."""
    log = []
    while True:
        under_way = []
        for host, peer in zip(hosts, reversed(hosts)):
            under_way += [(peer, host.address, message) for message in host.poll(now)]
        log += [message for _, _, message in under_way]
        deadlines = [timeout[0] for host in hosts if (timeout := host.node.poll_timeout())]
        now = now + 1000 if under_way else min(deadlines, default=until)
        if now >= until:
            return log
        for peer, source, message in under_way:
            peer.hear(now, source, message)
        for host in hosts:
            host.node.handle(now, "Timeout")


def reserve():
    """Two hosts with a reservation, the sender's application, and all messages until then."""
    sender, receiver = hosts = [Host(SENDER), Host(RECEIVER)]
    sending = sender.node.command(0, {"OpenSession": SESSION})["Session"]
    sender.node.command(0, {"AddSender": [sending, {
        "template": TEMPLATE, "tspec": {"token-bucket": TSPEC}, "adspec": "default", "policy": [], "ttl": 63,
    }]})
    receiving = receiver.node.command(0, {"OpenSession": SESSION})["Session"]
    receiver.node.command(0, {"Reserve": [receiving, {
        "receiver": RECEIVER, "style": "FF", "policy": [], "confirm": True,
        "flows": [{"flowspec": {"controlled-load": TSPEC}, "filters": [TEMPLATE]}],
    }]})
    return hosts, sending, run(hosts, 0, SECOND)


class Nodes(unittest.TestCase):
    def test_two_nodes_make_a_reservation(self):
        (sender, receiver), sending, _ = reserve()
        self.assertIn("path", receiver.upcalls())
        self.assertIn("confirmed", receiver.upcalls())
        self.assertIn("resv", sender.upcalls())
        [flow] = sender.installed.values()
        self.assertEqual(flow["flowspec"], {"controlled-load": TSPEC})
        [view] = sender.node.view("installed")
        self.assertTrue(view["installed"])

        # An hour of refreshes takes no time. Then the sender leaves, and nothing is left.
        run([sender, receiver], SECOND, 3600 * SECOND)
        self.assertEqual(len(sender.installed), 1)
        sender.node.command(3600 * SECOND, {"Release": sending})
        run([sender, receiver], 3600 * SECOND, 3601 * SECOND)
        self.assertEqual(sender.installed, {})
        self.assertIn("path-gone", receiver.upcalls())
        self.assertEqual(receiver.node.view("senders"), [])

    def test_the_same_calls_give_the_same_bytes(self):
        self.assertEqual(reserve()[2], reserve()[2])

    def test_a_node_stops(self):
        node = rsvp.Node(seed=bytes(32))
        self.assertFalse(node.is_stopped())
        self.assertEqual(node.command(0, "Shutdown"), "Done")
        self.assertTrue(node.is_stopped())

    def test_a_refused_command_says_why(self):
        node = rsvp.Node(seed=bytes(32))
        with self.assertRaises(rsvp.CommandError) as caught:
            node.command(0, {"Release": 7})
        words, data = caught.exception.args
        self.assertEqual((words, data), ("no application is registered as 7", {"UnknownApi": 7}))

    def test_what_is_wrong_is_refused(self):
        for seed in bytes(31), bytes(33), b"":
            self.assertRaises(ValueError, rsvp.Node, seed=seed)
        self.assertRaises(TypeError, rsvp.Node)
        self.assertRaisesRegex(ValueError, "routr", rsvp.Node, {"routr": True}, seed=bytes(32))
        node = rsvp.Node(seed=bytes(32))
        self.assertRaises(ValueError, node.handle, 0, "Timeou")
        self.assertRaises(ValueError, node.handle, 0, None)
        self.assertRaises(ValueError, node.command, 0, {"Release": -1})
        self.assertRaises(OverflowError, node.handle, -1, "Timeout")
        self.assertRaisesRegex(ValueError, "tunnels", node.view, "tunnels")

    def test_every_view_is_there(self):
        node = rsvp.Node(seed=bytes(32))
        lists = "sessions senders reservations refusals requests installed interfaces neighbors".split()
        self.assertEqual([node.view(name) for name in lists], [[]] * len(lists))
        self.assertEqual(node.view("config")["router"], True)
        self.assertIn("dropped", node.view("counters"))


class Messages(unittest.TestCase):
    def test_what_is_decoded_encodes_to_the_same_bytes(self):
        kinds = set()
        for message in reserve()[2]:
            decoded = rsvp.decode(message)
            kinds.update(decoded["message"])
            self.assertEqual(rsvp.encode(decoded), message)
        self.assertLessEqual({"Path", "Resv", "ResvConf"}, kinds)

    def test_a_message_is_described(self):
        path = reserve()[2][0]
        self.assertEqual(rsvp.describe(path)["message"], "Path")
        damaged = path[:-1] + bytes([path[-1] ^ 1])
        self.assertEqual(rsvp.describe(damaged)["checksum"], "bad")
        self.assertRaisesRegex(ValueError, "checksum", rsvp.decode, damaged)
        self.assertRaises(ValueError, rsvp.decode, b"")

    def test_what_is_no_message_is_not_encoded(self):
        decoded = rsvp.decode(reserve()[2][0])
        for wrong in {}, {**decoded, "message": {"Pth": {}}}, {**decoded, "extra": 1}:
            self.assertRaises(ValueError, rsvp.encode, wrong)


PROJECT = pathlib.Path(__file__).parent.parent


def public(names):
    return {name for name in names if not name.startswith("_")}


class Documentation(unittest.TestCase):
    def test_the_stub_names_all_there_is(self):
        stub = ast.parse((PROJECT / "rsvp.pyi").read_text(encoding="utf-8")).body
        named = {item.name: item for item in stub if isinstance(item, (ast.FunctionDef, ast.ClassDef))}
        self.assertEqual(named.keys(), public(dir(rsvp)) - {"rsvp"})
        methods = public(item.name for item in named["Node"].body if isinstance(item, ast.FunctionDef))
        self.assertEqual(methods, public(dir(rsvp.Node)))

    def test_the_example_in_the_readme_runs(self):
        page = (PROJECT / "README.md").read_text(encoding="utf-8")
        example = page.split("```python\n")[1].split("```")[0]
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(example, {})
        self.assertEqual(said.getvalue(), "192.0.2.2 {'ip': {'source': '192.0.2.1', 'port': 4000}}\n")


if __name__ == "__main__":
    unittest.main()
