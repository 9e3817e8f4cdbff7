"""The RSVP engine (RFC 2205, RFC 2961): messages, and nodes in virtual time.

Inputs, commands, outputs and views are what JSON knows, in the forms that docs/c-api.md of the project shows: an enum without
contents is a str ("Timeout"), one with contents a dict with one key ({"Route": [key, route]}).
"""

from typing import Any, Optional, Union, final

__all__ = ["__version__", "CommandError", "Node", "decode", "encode", "describe"]

__version__: str

class CommandError(Exception):
    """The node refuses a command. `args` are its words, and the error as data."""

def decode(message: bytes) -> dict[str, Any]:
    """Reads a message, given from the common header on.

    Gives "header" (flags, send_ttl), "head" (what RFC 2961 puts in front of any message) and "message". Raises ValueError
    if it is damaged, or a Bundle; `describe` takes those, too.
    """

def encode(message: dict[str, Any]) -> bytes:
    """Writes a message in the form that `decode` gives, with length and checksum; "head" may be left out.

    Raises ValueError if it is of another form, or longer than RSVP can say.
    """

def describe(message: bytes) -> dict[str, Any]:
    """Takes a message apart, however damaged: what `rsvp-cli decode --json` prints of it (docs/decode.md). "error" says
    what is wrong."""

@final
class Node:
    """An RSVP node. It has no sockets, clock or routing table: whoever holds it hands in what happened, with the time, and
    carries out what it polls. Times are microseconds since a start of the caller's.

    The same configuration, seed and calls give the same outputs.
    """

    def __new__(cls, config: Optional[dict[str, Any]] = None, *, seed: bytes, now: int = 0) -> "Node":
        """`config`: what it leaves out is the default. `seed`: 32 octets."""

    def handle(self, now: int, input: Union[str, dict[str, Any]]) -> None:
        """Takes note of what happened. A neighbour's fault is answered or counted; ValueError is the caller's."""

    def command(self, now: int, command: Union[str, dict[str, Any]]) -> Union[str, dict[str, Any]]:
        """Carries out a local command, and gives the reply. Raises CommandError if the node refuses it."""

    def poll_transmit(self, now: int) -> Optional[tuple[dict[str, Any], bytes]]:
        """The next message to send: how, and its bytes. None: nothing may leave now."""

    def poll_event(self) -> Optional[dict[str, Any]]:
        """The next event, oldest first."""

    def poll_request(self) -> Optional[dict[str, Any]]:
        """The next request."""

    def poll_timeout(self) -> Optional[tuple[int, str]]:
        """When to call handle(now, "Timeout"), and why; None: the node waits for nothing."""

    def is_stopped(self) -> bool:
        """Whether everything that the command "Shutdown" began is done."""

    def view(self, name: str) -> Any:
        """The state: "sessions", "senders", "reservations", "refusals", "requests", "installed", "interfaces",
        "neighbors" (lists), "counters" or "config" (dicts)."""
