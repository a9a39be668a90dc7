"""The seam between the session and its two encodings: what a wire can seal and open, and the rows both speak about (PROTOCOL.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from handshake import Agreement
from store import Batch

LANE_CLASSES: Final = ("control", "response", "alert", "event", "metric", "bulk")
REGISTRY: Final = "agent.registry"
CONTROL: Final = "agent.control"
MODULE: Final = "core"
Lane = tuple[bytes, int]


@dataclass
class Received:
    """A message of the gateway: `kind` is that of section 4's table, `fields` has the names of section 15."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Ready:
    """The agent's first frame."""

    generation: int
    catalogue_version: int
    agent_version: str
    host: str


class Wire(Protocol):
    """One encoding of one connection."""

    subprotocol: str

    def wrap(self, struct: bytes, agent_id: str) -> bytes | str:
        """A handshake message (M2) as a WebSocket message."""

    def unwrap(self, message: bytes | str) -> bytes:
        """The handshake struct (M1, M3, refusal) of a WebSocket message."""

    def agreed(self, agreement: Agreement, agent_id: str) -> None:
        """From now on everything is sealed."""

    def ready(self, ready: Ready) -> list[bytes | str]:
        """Seals `ready`."""

    def heartbeat(self, beat: dict[str, Any]) -> list[bytes | str]:
        """Seals a heartbeat with the fields of section 15."""

    def want(self, wants: dict[str, tuple[int, int]]) -> list[bytes | str]:
        """Seals what waits, by lane class: size of the next frame, and of all."""

    def data_class(self, batch: Batch) -> str:
        """The lane class whose credit a batch spends."""

    def data_size(self, batch: Batch) -> int:
        """How many bytes of credit the batch takes."""

    def data(self, batch: Batch, catalogue: int) -> list[bytes | str]:
        """Seals one batch."""

    def message(self, kind: str, channel: str, identifier: str, document: dict[str, Any]) -> list[bytes | str]:
        """Seals a control message."""

    def error(self, code: str, channel: str, identifier: str, detail: str) -> list[bytes | str]:
        """Seals an error."""

    def open(self, message: bytes | str) -> Received:
        """Opens and reads what the gateway sent."""
