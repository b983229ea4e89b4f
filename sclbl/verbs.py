"""The verbs that messages advise, as they are written in Python and on the command line.

A message is made where an error is raised, which may be on a server, and read in Python or in a
terminal. So it carries both spellings, and whoever shows it takes the one of its reader.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Verb:
    """A call that a message advises.

    Parameters
    ----------
    python, shell : str
        How it is written in Python and on the command line.
    """

    python: str
    shell: str


class Message(str):
    """A text for readers of Python, with the same text for readers of a terminal in `shell`."""

    shell: str

    def __new__(cls, python: str, shell: str) -> Message:
        """Make a message of its two texts."""
        message = super().__new__(cls, python)
        message.shell = shell
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return Message, (str(self), self.shell)


def say(*parts: str | Verb) -> Message:
    """Return the message that these texts and verbs make."""
    return Message(
        "".join(part if isinstance(part, str) else part.python for part in parts),
        "".join(part if isinstance(part, str) else part.shell for part in parts),
    )


def deployments() -> Verb:
    """Return how deployments are listed."""
    return Verb("sclbl.deployments()", "`sclbl list`")


def upload(name: str) -> Verb:
    """Return how the first version of a deployment is made."""
    return Verb(
        f"sclbl.upload(model, X, name={name!r})",
        f"`sclbl upload FILE.onnx --name {shlex.quote(name)}`, or sclbl.upload in Python,",
    )


def promote(ref: str, alias: str) -> Verb:
    """Return how an alias is moved."""
    return Verb(
        f"sclbl.promote({ref!r}, {alias!r})",
        f"`sclbl promote {shlex.quote(ref)} {shlex.quote(alias)}`",
    )


def promote_some(name: str, alias: str) -> Verb:
    """Return how an alias is moved to a version that the reader chooses."""
    return Verb(
        f'sclbl.promote("{name}@<version>", "{alias}")', f"`sclbl promote {name}@VERSION {alias}`"
    )


def rollback(name: str, alias: str) -> Verb:
    """Return how an alias is moved back."""
    return Verb(f'sclbl.rollback("{name}", "{alias}")', f"`sclbl rollback {name} {alias}`")


def login() -> Verb:
    """Return how one logs in to a server."""
    return Verb("sclbl.login(url, token)", "`sclbl login URL`")


def logout() -> Verb:
    """Return how one logs out."""
    return Verb("sclbl.logout()", "`sclbl logout`")
