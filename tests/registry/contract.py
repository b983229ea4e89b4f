"""What every registry must do. A subclass says in `registry` which one it is about.

`programs` may be overridden where a registry looks closer at what it is given.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sclbl import manifest
from sclbl.errors import (
    ConflictError,
    DeletedError,
    InvalidNameError,
    InvalidProgramError,
    InvalidRefError,
    NotFoundError,
    RegistryError,
)
from sclbl.registry.base import AliasEvent, Record, Registry
from tests.registry.real import make_program

Programs = Callable[[int], tuple[bytes, bytes]]

BAD_NAMES = ["", "Churn", "-a", ".a", "_a", "a b", "a/b", "a\\b", "é", "a" * 65, "a\n", "..", "a\0"]
BAD_ALIASES = [*BAD_NAMES, "3", "1.5", "latest"]
BAD_REFS = ["@1", "churn@", "churn@0", "churn@03", "churn@-1", "churn@1@2", "churn@latest"]
BAD_REFS += ["churn@Production", "churn@99999999999999999999", "churn@³", "Churn@1", "churn@ 1"]


class RegistryContract:
    @pytest.fixture
    def registry(self) -> Iterator[Registry]:
        raise AssertionError("a subclass provides the registry")

    @pytest.fixture
    def programs(self) -> Programs:
        return make_program

    @pytest.fixture
    def churn(self, registry: Registry, programs: Programs) -> Registry:
        """A registry with churn@1, churn@2 and churn@3."""
        for number in range(3):
            registry.create("churn", *programs(number))
        return registry

    # ------------------------------------------------------------------ create

    def test_create_returns_what_was_given(self, registry: Registry, programs: Programs) -> None:
        wasm, spec = programs(0)
        before = datetime.now(UTC) - timedelta(minutes=5)
        record = registry.create(
            "churn",
            wasm,
            spec,
            alias="production",
            docs="who leaves · <b>soon</b>",
            tags={"team": "crm", "": ""},
            metrics={"auc": 0.1 + 0.2, "n": 3},
        )
        assert (record.name, record.version, record.ref) == ("churn", 1, "churn@1")
        assert record.sha256 == hashlib.sha256(wasm).hexdigest()
        assert record.spec_sha256 == hashlib.sha256(spec).hexdigest()
        assert record.size == len(wasm)
        assert record.docs == "who leaves · <b>soon</b>"
        assert record.tags == {"team": "crm", "": ""}
        assert record.metrics == {"auc": 0.1 + 0.2, "n": 3.0}
        assert record.aliases == ("production",)
        assert record.created_at.utcoffset() == timedelta(0)
        assert before < record.created_at < datetime.now(UTC) + timedelta(minutes=5)
        assert record.manifest == manifest.read(wasm)
        assert record.methods == tuple(manifest.read(wasm)["signature"]["outputs"])
        assert record.model == manifest.read(wasm)["source"]["model"]
        assert registry.get("churn@1") == record
        assert Record.from_json(record.to_json()) == record

    def test_versions_count_from_one_under_each_name(
        self, registry: Registry, programs: Programs
    ) -> None:
        made = [registry.create(n, *programs(i)).version for i, n in enumerate("abab")]
        assert made == [1, 1, 2, 2]

    def test_same_program_twice_is_two_versions(
        self, registry: Registry, programs: Programs
    ) -> None:
        first = registry.create("churn", *programs(0))
        second = registry.create("churn", *programs(0))
        assert (first.version, second.version) == (1, 2)
        assert first.sha256 == second.sha256
        registry.delete("churn@1")
        assert registry.program(second) == programs(0)[0]
        assert registry.spec(second) == programs(0)[1]

    def test_repeated_request_makes_one_version(
        self, registry: Registry, programs: Programs
    ) -> None:
        first = registry.create("churn", *programs(0), request_id="r-1")
        assert registry.create("churn", *programs(0), request_id="r-1") == first
        assert registry.create("churn", *programs(0), request_id="r-2").version == 2
        for name, number in (("churn", 1), ("other", 0)):
            with pytest.raises(ConflictError, match=r"'r-1' made churn@1 from other bytes"):
                registry.create(name, *programs(number), request_id="r-1")
        assert [record.version for record in registry.versions("churn")] == [1, 2]

    def test_a_repeated_request_says_the_same(self, registry: Registry, programs: Programs) -> None:
        said: dict[str, Any] = {
            "docs": "d", "tags": {"a": "b"}, "metrics": {"m": 0.1}, "alias": "beta",
        }  # fmt: skip
        first = registry.create("churn", *programs(0), request_id="r-1", **said)
        registry.create("churn", *programs(1), alias="beta")
        again = registry.create("churn", *programs(0), request_id="r-1", **said)
        assert (again.version, again.docs) == (first.version, "d") == (1, "d")
        others: list[dict[str, Any]] = [
            {"docs": "e"}, {"tags": {"a": "c"}}, {"metrics": {}}, {"alias": "live"},
        ]  # fmt: skip
        for other in others:
            with pytest.raises(ConflictError, match=r"made churn@1 with another alias, docs, tags"):
                registry.create("churn", *programs(0), request_id="r-1", **{**said, **other})
        assert [record.version for record in registry.versions("churn")] == [1, 2]

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_bad_names_are_refused(self, registry: Registry, programs: Programs, name: str) -> None:
        with pytest.raises(InvalidNameError, match="starting with a letter or a digit"):
            registry.create(name, *programs(0))
        with pytest.raises(InvalidNameError):
            registry.versions(name)
        assert registry.deployments() == []

    def test_a_ref_is_no_name(self, registry: Registry, programs: Programs) -> None:
        with pytest.raises(InvalidNameError, match=r"'churn@3' is a ref.*give 'churn'"):
            registry.create("churn@3", *programs(0))

    @pytest.mark.parametrize("alias", BAD_ALIASES)
    def test_bad_aliases_are_refused(self, churn: Registry, programs: Programs, alias: str) -> None:
        with pytest.raises(InvalidNameError, match="the alias"):
            churn.create("churn", *programs(0), alias=alias)
        with pytest.raises(InvalidNameError, match="the alias"):
            churn.promote("churn@1", alias)
        with pytest.raises(InvalidNameError, match="the alias"):
            churn.rollback("churn", alias)
        with pytest.raises(InvalidNameError, match="the alias"):
            churn.history("churn", alias)
        assert len(churn.versions("churn")) == 3

    @pytest.mark.parametrize(
        ("details", "message"),
        [
            ({"docs": 3}, "docs must be text, not int"),
            ({"docs": "a\0b"}, "docs holds a NUL"),
            ({"docs": "\ud800"}, "lone surrogate"),
            ({"tags": ["a"]}, "tags must be a mapping, not list"),
            ({"tags": {"a": 1}}, "tag 'a' must be text, not int"),
            ({"tags": {1: "a"}}, "a name in tags must be text, not int"),
            ({"metrics": {"auc": "0.9"}}, "metric 'auc' must be a number, not str"),
            ({"metrics": {"auc": True}}, "metric 'auc' must be a number, not bool"),
            ({"metrics": {"auc": math.nan}}, "metric 'auc' is nan; metrics must be finite"),
            ({"metrics": {"auc": math.inf}}, "metric 'auc' is inf; metrics must be finite"),
            ({"request_id": ""}, "request_id is empty"),
            ({"request_id": "r" * 129}, "request_id has 129 characters"),
        ],
    )
    def test_bad_details_are_refused(
        self, registry: Registry, programs: Programs, details: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(RegistryError, match=message):
            registry.create("churn", *programs(0), **details)
        assert registry.deployments() == []

    def test_what_is_no_program_is_refused(self, registry: Registry, programs: Programs) -> None:
        wasm, spec = programs(0)
        for broken in (b"", b"MZ", wasm[:-1], wasm[:8], spec):
            with pytest.raises(InvalidProgramError):
                registry.create("churn", broken, spec)
        assert registry.deployments() == []

    # ------------------------------------------------------------------- look

    def test_empty_registry(self, registry: Registry) -> None:
        assert registry.deployments() == []
        with pytest.raises(NotFoundError, match=r"no deployment 'churn'; the registry is empty"):
            registry.get("churn")

    def test_deployments_are_the_newest_versions_by_name(
        self, churn: Registry, programs: Programs
    ) -> None:
        for name in ("b", "a.1", "a-1", "a_1", "1"):
            churn.create(name, *programs(0))
        churn.delete("churn@3")
        refs = [record.ref for record in churn.deployments()]
        assert refs == ["1@1", "a-1@1", "a.1@1", "a_1@1", "b@1", "churn@2"]

    def test_refs(self, churn: Registry) -> None:
        churn.promote("churn@2", "production")
        assert churn.get("churn").version == 3
        assert churn.get("churn@1").version == 1
        assert churn.get("churn@production").version == 2
        assert [record.version for record in churn.versions("churn")] == [1, 2, 3]
        assert [record.aliases for record in churn.versions("churn")] == [(), ("production",), ()]

    @pytest.mark.parametrize("ref", BAD_REFS)
    def test_bad_refs_are_refused(self, churn: Registry, ref: str) -> None:
        for act in (churn.get, churn.delete, lambda r: churn.promote(r, "production")):
            with pytest.raises(InvalidRefError, match="is not a ref"):
                act(ref)

    @pytest.mark.parametrize("ref", [None, 3, b"churn"])
    def test_a_ref_is_text(self, churn: Registry, ref: Any) -> None:
        with pytest.raises(InvalidRefError, match=f"must be text.*not {type(ref).__name__}"):
            churn.get(ref)

    def test_what_is_not_there(self, churn: Registry) -> None:
        with pytest.raises(NotFoundError, match=r"no deployment 'chrun'; did you mean churn\?"):
            churn.get("chrun")
        with pytest.raises(NotFoundError, match=r"no deployment 'fraud'; there are: churn"):
            churn.versions("fraud")
        with pytest.raises(NotFoundError, match=r"churn has no version 9; live versions: 1, 2, 3"):
            churn.get("churn@9")
        with pytest.raises(NotFoundError, match=r"churn has no alias 'prod'; its aliases: none"):
            churn.get("churn@prod")
        churn.promote("churn", "production")
        with pytest.raises(NotFoundError, match=r"its aliases: production; sclbl.promote\('churn'"):
            churn.rollback("churn", "prod")
        for missing in ("0" * 64, "no hash", "../../etc/passwd", ""):
            with pytest.raises(NotFoundError, match="no live version has the program"):
                churn.program(missing)
            with pytest.raises(NotFoundError, match="no live version has the spec"):
                churn.spec(missing)

    def test_bytes_come_back(self, churn: Registry, programs: Programs) -> None:
        for number, record in enumerate(churn.versions("churn")):
            wasm, spec = programs(number)
            assert churn.program(record) == churn.program(record.sha256) == wasm
            assert churn.spec(record) == churn.spec(record.spec_sha256) == spec

    # ----------------------------------------------------------------- delete

    def test_deleted_version_is_refused_and_its_number_not_reused(
        self, churn: Registry, programs: Programs
    ) -> None:
        record = churn.get("churn@3")
        churn.delete("churn@3")
        said = r"churn@3 was deleted on \d{4}-\d\d-\d\d .* not reused; live versions: 1, 2"
        for act in (churn.get, churn.delete, lambda ref: churn.promote(ref, "production")):
            with pytest.raises(DeletedError, match=said):
                act("churn@3")
        with pytest.raises(NotFoundError, match="no live version has the program"):
            churn.program(record)
        assert churn.get("churn").version == 2
        assert churn.create("churn", *programs(5)).version == 4
        assert [record.version for record in churn.versions("churn")] == [1, 2, 4]

    def test_named_version_is_not_deleted(self, churn: Registry) -> None:
        churn.promote("churn@2", "production")
        churn.promote("churn@2", "beta")
        said = r'churn@2 is what beta, production names.*promote\("churn@<version>", "beta"\)'
        with pytest.raises(ConflictError, match=said):
            churn.delete("churn@2")
        churn.promote("churn@3", "beta")
        churn.promote("churn@3", "production")
        churn.delete("churn@2")
        assert [record.version for record in churn.versions("churn")] == [1, 3]

    def test_delete_takes_no_alias(self, churn: Registry) -> None:
        churn.promote("churn@2", "production")
        with pytest.raises(InvalidRefError, match=r"'churn@production' ends in an alias"):
            churn.delete("churn@production")
        assert churn.get("churn@production").version == 2

    def test_whole_deployment_goes_with_its_aliases(
        self, churn: Registry, programs: Programs
    ) -> None:
        churn.create("other", *programs(0))
        churn.promote("churn@2", "production")
        churn.delete("churn")
        said = r"churn was deleted on .*uploading it again makes version 4"
        for act in (churn.get, churn.versions, churn.delete):
            with pytest.raises(DeletedError, match=said):
                act("churn")
        assert [record.name for record in churn.deployments()] == ["other"]
        with pytest.raises(DeletedError, match=r"churn@2 was deleted on .*live versions: none"):
            churn.get("churn@2")
        assert churn.create("churn", *programs(0)).version == 4
        with pytest.raises(NotFoundError, match="churn has no alias 'production'"):
            churn.get("churn@production")
        with pytest.raises(NotFoundError, match="churn has no alias 'production'"):
            churn.rollback("churn", "production")

    # ------------------------------------------------------------------- edit

    def test_edit_changes_what_is_written(self, registry: Registry, programs: Programs) -> None:
        about = {"docs": "first", "tags": {"team": "crm", "draft": "yes"}, "metrics": {"auc": 0.5}}
        made = registry.create("churn", *programs(0), **about)  # type: ignore[arg-type]  # a mapping of each
        registry.create("churn", *programs(1))
        edited = registry.edit("churn@1", tags={"draft": None, "no": None, "": "é"})
        assert edited.tags == {"team": "crm", "": "é"}
        assert (edited.docs, edited.metrics) == ("first", {"auc": 0.5})
        edited = registry.edit("churn@1", docs="second", metrics={"auc": 0.1 + 0.2, "n": 3})
        assert (edited.docs, edited.metrics) == ("second", {"auc": 0.1 + 0.2, "n": 3.0})
        assert registry.edit("churn@1", docs="second") == edited
        assert registry.edit("churn@1", docs="").docs == ""
        last = registry.edit("churn@1", tags={"team": None, "": None}, metrics={})
        assert (last.tags, last.metrics) == ({}, edited.metrics)
        assert registry.get("churn@1") == last
        for kept in ("name", "version", "sha256", "spec_sha256", "size", "created_at", "manifest"):
            assert getattr(last, kept) == getattr(made, kept)
        assert registry.get("churn@2").docs == ""

    def test_edit_goes_to_what_a_ref_names(self, churn: Registry) -> None:
        assert churn.edit("churn", docs="newest").version == 3
        churn.promote("churn@2", "production")
        edited = churn.edit("churn@production", docs="served")
        assert (edited.version, edited.aliases) == (2, ("production",))
        assert [record.docs for record in churn.versions("churn")] == ["", "served", "newest"]
        assert churn.history("churn", "production")[-1].version == 2

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({}, "nothing to edit; give docs, tags or metrics"),
            ({"docs": 3}, "docs must be text, not int"),
            ({"tags": {"a": 3}}, "tag 'a' must be text, not int"),
            ({"tags": ["a"]}, "tags must be a mapping, not list"),
            ({"metrics": {"a": math.nan}}, "metric 'a' is nan; metrics must be finite"),
            ({"metrics": {"a": "x"}}, "metric 'a' must be a number, not str"),
            ({"tags": {str(i): "x" for i in range(1000)}}, "at most 1000 are kept"),
        ],
    )
    def test_bad_edits_change_nothing(
        self, registry: Registry, programs: Programs, change: dict[str, Any], message: str
    ) -> None:
        made = registry.create("churn", *programs(0), tags={"first": "x"}, docs="d")
        with pytest.raises(RegistryError, match=message):
            registry.edit("churn", **change)
        assert registry.get("churn") == made

    def test_edit_of_what_is_not_there(self, churn: Registry) -> None:
        churn.delete("churn@2")
        with pytest.raises(DeletedError, match="churn@2 was deleted"):
            churn.edit("churn@2", docs="x")
        with pytest.raises(NotFoundError, match="there is no deployment 'nobody'"):
            churn.edit("nobody", docs="x")
        with pytest.raises(InvalidRefError):
            churn.edit("Churn@1", docs="x")

    def test_threads_edit_one_version(self, registry: Registry, programs: Programs) -> None:
        registry.create("churn", *programs(0))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda i: registry.edit("churn@1", tags={f"t{i}": "x"}), range(8)))
        assert registry.get("churn").tags == {f"t{i}": "x" for i in range(8)}

    # ---------------------------------------------------------------- aliases

    def test_promote_and_history(self, churn: Registry) -> None:
        assert churn.promote("churn@1", "production").aliases == ("production",)
        assert churn.promote("churn", "production").version == 3
        churn.promote("churn@production", "production")
        churn.promote("churn@production", "beta")
        events = churn.history("churn", "production")
        assert [(e.alias, e.version, e.action) for e in events] == [
            ("production", 1, "promote"),
            ("production", 3, "promote"),
        ]
        assert events[0].at <= events[1].at
        assert events[0].at.utcoffset() == timedelta(0)
        assert [AliasEvent.from_json(e.to_json()) for e in events] == events
        assert churn.get("churn@3").aliases == ("beta", "production")
        with pytest.raises(NotFoundError, match="churn has no alias 'staging'"):
            churn.history("churn", "staging")

    def test_rollback_goes_back_step_by_step(self, churn: Registry) -> None:
        for version in (1, 2, 3):
            churn.promote(f"churn@{version}", "production")
        assert churn.rollback("churn", "production").version == 2
        assert churn.rollback("churn", "production").version == 1
        with pytest.raises(ConflictError, match=r"churn@production cannot be rolled back.*churn@1"):
            churn.rollback("churn", "production")
        assert churn.get("churn@production").version == 1
        churn.promote("churn@3", "production")
        assert churn.rollback("churn", "production").version == 1
        actions = [(e.version, e.action) for e in churn.history("churn", "production")]
        assert actions == [
            (1, "promote"),
            (2, "promote"),
            (3, "promote"),
            (2, "rollback"),
            (1, "rollback"),
            (3, "promote"),
            (1, "rollback"),
        ]

    def test_rollback_skips_deleted_versions(self, churn: Registry) -> None:
        for version in (1, 2, 3):
            churn.promote(f"churn@{version}", "production")
        churn.delete("churn@2")
        assert churn.rollback("churn", "production").version == 1
        churn.promote("churn@3", "production")
        churn.delete("churn@1")
        with pytest.raises(ConflictError, match="no other version before churn@3 that still lives"):
            churn.rollback("churn", "production")

    def test_rollback_skips_steps_that_lead_nowhere(self, churn: Registry) -> None:
        for version in (1, 3, 2, 3):
            churn.promote(f"churn@{version}", "production")
        churn.delete("churn@2")
        assert churn.rollback("churn", "production").version == 1

    def test_history_outlives_the_deployment(self, churn: Registry, programs: Programs) -> None:
        churn.promote("churn@1", "production")
        churn.delete("churn")
        churn.create("churn", *programs(0), alias="production")
        actions = [(e.version, e.action) for e in churn.history("churn", "production")]
        assert actions == [(1, "promote"), (None, "delete"), (4, "promote")]
        with pytest.raises(ConflictError, match="cannot be rolled back"):
            churn.rollback("churn", "production")

    # ------------------------------------------------------------- many at once

    def test_threads_get_numbers_of_their_own(self, registry: Registry, programs: Programs) -> None:
        def make(number: int) -> int:
            return registry.create("churn", *programs(number % 3), alias="production").version

        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(make, range(12)))
        assert sorted(made) == list(range(1, 13))
        named = [e.version for e in registry.history("churn", "production")]
        assert named == list(range(1, 13))
        assert registry.get("churn@production").version == 12

    def test_revision_tells_of_changes(self, churn: Registry, programs: Programs) -> None:
        revision = churn.revision()
        if revision is None:
            return  # nothing is promised
        churn.get("churn")
        assert churn.revision() == revision
        changes: list[Callable[[], Any]] = [
            lambda: churn.create("churn", *programs(0)),
            lambda: churn.edit("churn@1", docs="x"),
            lambda: churn.promote("churn@1", "production"),
            lambda: churn.promote("churn@2", "production"),
            lambda: churn.rollback("churn", "production"),
            lambda: churn.delete("churn@4"),
            lambda: churn.delete("churn"),
        ]
        seen = {revision}
        for change in changes:
            change()
            assert churn.revision() not in seen
            seen.add(churn.revision() or 0)

    def test_closing_is_not_final(self, churn: Registry) -> None:
        churn.close()
        assert churn.get("churn").version == 3
        churn.close()

    def test_repr_names_the_place(self, registry: Registry) -> None:
        assert registry.location in repr(registry)
