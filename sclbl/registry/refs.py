"""Names, aliases and refs: what they may look like, and what to do when they do not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sclbl.errors import InvalidNameError, InvalidRefError

MAX_LENGTH = 64
#: Also what a 32-bit integer column of any database holds.
MAX_VERSION = 2**31 - 1

_WORD = re.compile(r"[a-z0-9][a-z0-9._-]*")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_RULES = (
    f"use at most {MAX_LENGTH} of a-z, 0-9, '-', '_' and '.', starting with a letter or a digit"
)


@dataclass(frozen=True, slots=True)
class Ref:
    """A parsed ref: at most one of `version` and `alias` is set; neither means the newest."""

    name: str
    version: int | None = None
    alias: str | None = None

    def __str__(self) -> str:
        end = self.version if self.version is not None else self.alias
        return self.name if end is None else f"{self.name}@{end}"


def suggest_name(text: str) -> str:
    """Return the nearest well-formed name: ``LogisticRegression`` → ``logistic-regression``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", text)
    kept = re.sub(r"[^a-z0-9._-]+", "-", spaced.lower()).strip("-._")
    return kept[:MAX_LENGTH].rstrip("-._") or "model"


def _check_word(word: object, what: str) -> str:
    if not isinstance(word, str):
        raise InvalidNameError(f"{what} must be text, not {type(word).__name__}; {_RULES}")
    if len(word) > MAX_LENGTH:
        raise InvalidNameError(f"{what} {word[:20]!r}… has {len(word)} characters; {_RULES}")
    if not _WORD.fullmatch(word):
        raise InvalidNameError(
            f"{what} {word!r} is not well formed; {_RULES}, for example {suggest_name(word)!r}"
        )
    return word


def check_name(name: object) -> str:
    """Return a deployment's name if it is well formed.

    Raises
    ------
    InvalidNameError
        It is not; the message gives the rules and a name that would do.
    """
    if isinstance(name, str) and "@" in name:
        before = suggest_name(name.split("@")[0])
        raise InvalidNameError(
            f"{name[:80]!r} is a ref, and a plain name is needed here: give {before!r} "
            "(versions are numbered by the registry, aliases are moved by promote)"
        )
    return _check_word(name, "the deployment name")


def check_alias(alias: object) -> str:
    """Return an alias if it is well formed.

    Raises
    ------
    InvalidNameError
        It is not, or it is a number or ``latest``.
    """
    word = _check_word(alias, "the alias")
    if _NUMBER.fullmatch(word):
        raise InvalidNameError(
            f"the alias {word!r} is a number, which would be taken for a version; "
            f"give it a letter, for example 'v{word}'"
        )
    if word == "latest":
        raise InvalidNameError(
            "the alias 'latest' is not allowed: a deployment's name alone is its newest version"
        )
    return word


def parse_ref(ref: object) -> Ref:
    """Read a ref: ``churn``, ``churn@3`` or ``churn@production``.

    Raises
    ------
    InvalidRefError
        It is none of these.
    """
    if not isinstance(ref, str):
        raise InvalidRefError(
            f"a ref must be text like 'churn', 'churn@3' or 'churn@production', "
            f"not {type(ref).__name__}"
        )
    name, at, end = ref.partition("@")
    try:
        check_name(name)
        if not at:
            return Ref(name)
        if re.fullmatch(r"[0-9]+", end):
            return Ref(name, version=_version(ref, end))
        return Ref(name, alias=check_alias(end))
    except InvalidNameError as error:
        raise InvalidRefError(
            f"{ref[:80]!r} is not a ref like 'churn', 'churn@3' or 'churn@production': {error}"
        ) from None


def parse_deletable(ref: object) -> Ref:
    """Read a ref that says for good what is deleted: a version or a whole deployment.

    Raises
    ------
    InvalidRefError
        It is no ref, or ends in an alias.
    """
    parsed = parse_ref(ref)
    if parsed.alias is not None:
        raise InvalidRefError(
            f"{ref!r} ends in an alias, which may move meanwhile; delete a version "
            f"('{parsed.name}@3') or the whole deployment ('{parsed.name}')"
        )
    return parsed


def _version(ref: str, digits: str) -> int:
    if digits[0] == "0" or len(digits) > 10 or int(digits) > MAX_VERSION:
        raise InvalidRefError(
            f"{ref[:80]!r} is not a ref: versions are whole numbers from 1 to {MAX_VERSION}, "
            "without leading zeros"
        )
    return int(digits)
