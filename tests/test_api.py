"""The public verbs, end to end over a local registry. Expected numbers are the model's own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import sclbl
from sclbl import fidelity, manifest, pipeline
from sclbl.errors import (
    AuthenticationError,
    ConflictError,
    DeletedError,
    FidelityError,
    InputError,
    InvalidNameError,
    InvalidProgramError,
    InvalidRefError,
    ModelError,
    NotFittedError,
    NotFoundError,
    ProgramError,
    RegistryError,
    SpecError,
    UnsupportedModelError,
)
from sclbl.registry.local import LocalRegistry
from sclbl.registry.remote import RemoteRegistry
from sclbl.settings import stored_login

X = np.random.default_rng(7).normal(size=(60, 3))
LABELS = np.array(["no", "perhaps", "yes"])[np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])]


pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def model() -> LogisticRegression:
    return LogisticRegression().fit(X, LABELS)


@pytest.fixture(scope="module")
def program(model: LogisticRegression) -> sclbl.Program:
    return sclbl.compile(model, X[:5], methods=["predict"])


# -------------------------------------------------------------------- upload


def test_upload_end_to_end(model: LogisticRegression, home: Path) -> None:
    before = datetime.now(UTC)
    made = sclbl.upload(
        model,
        X[:5],
        name="churn",
        alias="production",
        docs="who leaves",
        tags={"team": "crm"},
        metrics={"accuracy": float(model.score(X, LABELS))},
        verify_on=X,
    )
    assert (made.name, made.version, made.ref, made.aliases) == (
        "churn",
        1,
        "churn@1",
        ("production",),
    )
    assert made.docs == "who leaves"
    assert made.tags == {"team": "crm"}
    assert made.metrics == {"accuracy": float(model.score(X, LABELS))}
    assert before <= made.created_at <= datetime.now(UTC)
    assert made.url is None
    assert str(made.report)
    assert made.predict(X).tolist() == model.predict(X).tolist()
    assert made.predict(X).dtype == model.predict(X).dtype
    np.testing.assert_allclose(made.predict_proba(X), model.predict_proba(X), rtol=1e-12)

    # and again from what was stored
    found = sclbl.get("churn@production", registry=home)
    assert found.sha256 == made.sha256
    assert found.wasm == made.wasm
    assert found.size == len(made.wasm)
    assert found.spec.sha256 == manifest.read(made.wasm)["spec"]
    assert found.signature == made.signature
    assert set(found.methods) == set(made.methods) >= {"predict", "predict_proba"}
    assert found.classes_.tolist() == model.classes_.tolist()
    assert found.predict(X[:1]).tolist() == model.predict(X[:1]).tolist()


def test_each_upload_is_a_version(model: LogisticRegression) -> None:
    first = sclbl.upload(model, X[:5], methods=["predict"])
    other = LogisticRegression(C=0.01).fit(X, LABELS)
    second = sclbl.upload(other, X[:5], methods=["predict"])
    assert (first.ref, second.ref) == ("logistic-regression@1", "logistic-regression@2")
    assert first.sha256 != second.sha256
    assert sclbl.get("logistic-regression").predict(X).tolist() == other.predict(X).tolist()
    assert sclbl.get("logistic-regression@1").predict(X).tolist() == model.predict(X).tolist()


def test_compile_records_nothing(program: sclbl.Program, model: LogisticRegression) -> None:
    assert program.report is not None
    assert program.methods == ("predict",)
    assert program.predict(X).tolist() == model.predict(X).tolist()
    assert sclbl.deployments() == []


def test_the_same_model_gives_the_same_program(model: LogisticRegression) -> None:
    made = [sclbl.upload(model, X[:5], name="churn") for _ in range(2)]
    assert made[0].sha256 == made[1].sha256
    assert [d.version for d in made] == [1, 2]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "Churn!"}, "deployment name 'Churn!' is not well formed.*for example 'churn'"),
        ({"name": "churn@3"}, "'churn@3' is a ref.*give 'churn'"),
        ({"name": 3}, "deployment name must be text, not int"),
        ({"alias": "3"}, "alias '3' is a number"),
        ({"alias": "latest"}, "alias 'latest' is not allowed"),
        ({"docs": 1}, "docs must be text, not int"),
        ({"tags": {"a": 1}}, "tag 'a' must be text, not int"),
        ({"metrics": {"auc": float("nan")}}, "metric 'auc' is nan"),
        ({"registry": 3}, "registry must be a Registry"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(given: dict[str, Any], message: str) -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            pytest.fail(f"the model was looked at: {name}")

    with pytest.raises(RegistryError, match=message):
        sclbl.upload(Untouchable(), X[:5], **{"name": "churn", **given})


def test_models_that_cannot_be_uploaded() -> None:
    with pytest.raises(NotFittedError, match="LogisticRegression"):
        sclbl.upload(LogisticRegression(), X[:5])
    with pytest.raises(UnsupportedModelError, match=r"no stripper knows builtins\.object"):
        sclbl.upload(object(), X[:5])
    with pytest.raises(InputError, match=r"example_input is missing: .*LogisticRegression"):
        sclbl.upload(LogisticRegression().fit(X, LABELS))
    assert sclbl.deployments() == []


def test_a_breach_of_fidelity_records_nothing(
    model: LogisticRegression, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breach(*args: Any, **options: Any) -> None:
        raise FidelityError("row 3 differs")

    monkeypatch.setattr(fidelity, "verify", breach)
    with pytest.raises(FidelityError, match="row 3 differs"):
        sclbl.upload(model, X[:5])
    assert sclbl.deployments() == []


def test_upload_of_a_program(program: sclbl.Program, model: LogisticRegression) -> None:
    made = sclbl.upload(program, name="churn")
    assert made.wasm == program.wasm
    again = sclbl.upload(sclbl.load("churn@1"), name="copy")
    assert again.sha256 == made.sha256
    assert again.predict(X).tolist() == model.predict(X).tolist()


def test_upload_of_a_spec(model: LogisticRegression) -> None:
    made = sclbl.upload(sclbl.strip(model, X[:5]), alias="production")
    assert made.ref == "logistic-regression@1"
    assert made.report is not None
    assert made.predict(X).tolist() == model.predict(X).tolist()


def test_programs_that_are_not_recorded(program: sclbl.Program) -> None:
    entries = manifest.read(program.wasm)
    unverified = manifest.attach(program.wasm, {k: v for k, v in entries.items() if k != "report"})
    with pytest.raises(FidelityError, match="was never verified, so it is not recorded"):
        sclbl.upload(sclbl.Program(unverified, program.spec))
    with pytest.raises(SpecError, match="came without its spec"):
        sclbl.upload(sclbl.load(program.wasm))
    other = sclbl.strip(LinearRegression().fit(X, X[:, 0]), X[:5])
    with pytest.raises(SpecError, match=f"compiled from the spec {entries['spec']}, and carries"):
        sclbl.upload(sclbl.Program(program.wasm, other))
    with pytest.raises(ModelError, match="methods, tolerance cannot be given with <Program"):
        sclbl.upload(program, methods=["predict"], tolerance=1.0)
    assert sclbl.deployments() == []


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LogisticRegression(), "logistic-regression"),
        (LinearSVC(), "linear-svc"),
        (RandomForestClassifier(), "random-forest-classifier"),
        (type("XGBClassifier", (), {})(), "xgb-classifier"),
        (type("_Odd__Name", (), {})(), "odd__name"),
        (type("Ünïcode", (), {})(), "n-code"),
        (type("ÜÜ", (), {})(), "model"),
        (type("A" * 100, (), {})(), "a" * 64),
    ],
)
def test_default_names(model: Any, name: str) -> None:
    assert pipeline.default_name(model) == name


def test_default_name_of_results_is_that_of_their_model() -> None:
    import statsmodels.api as sm

    assert pipeline.default_name(sm.OLS(X[:, 0], X[:, 1:]).fit()) == "ols"
    assert pipeline.default_name(sm.Logit(X[:, 0] > 0, X[:, 1:]).fit(disp=0)) == "logit"


# ------------------------------------------------------------ the other verbs


def test_verbs(program: sclbl.Program) -> None:
    for _ in range(3):
        sclbl.upload(program, name="churn")
    sclbl.upload(program, name="a")
    assert [d.ref for d in sclbl.deployments()] == ["a@1", "churn@3"]
    assert [d.version for d in sclbl.versions("churn")] == [1, 2, 3]
    assert sclbl.promote("churn@1", "production").aliases == ("production",)
    assert sclbl.promote("churn", "production").version == 3
    with pytest.raises(ConflictError, match="churn@3 is what production names"):
        sclbl.delete("churn@3")
    assert sclbl.rollback("churn", "production").version == 1
    actions = [(e.version, e.action) for e in sclbl.history("churn", "production")]
    assert actions == [(1, "promote"), (3, "promote"), (1, "rollback")]
    sclbl.delete("churn@3")
    with pytest.raises(DeletedError, match="churn@3 was deleted"):
        sclbl.get("churn@3")
    assert sclbl.upload(program, name="churn").version == 4
    sclbl.delete("churn")
    assert [d.ref for d in sclbl.deployments()] == ["a@1"]
    with pytest.raises(InvalidRefError, match="'churn@0' is not a ref"):
        sclbl.get("churn@0")


def test_verbs_take_a_registry(program: sclbl.Program, tmp_path: Path) -> None:
    with LocalRegistry(tmp_path / "other") as other:
        sclbl.upload(program, name="churn", registry=other)
        assert sclbl.get("churn", registry=str(tmp_path / "other")).version == 1
        assert sclbl.load("churn@1", registry=other).sha256 == program.sha256
    assert sclbl.deployments() == []


def test_load(program: sclbl.Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sclbl.upload(program, name="churn", alias="production")
    path = program.save(tmp_path / "churn.wasm")
    monkeypatch.chdir(tmp_path)
    Path("churn").write_bytes(b"a file that is no program")
    for source in (path, str(path), "churn.wasm", "./churn.wasm", program.wasm, "churn@production"):
        assert sclbl.load(source).sha256 == program.sha256
    assert sclbl.load("churn").spec is not None
    with pytest.raises(InvalidProgramError, match="not a WebAssembly module"):
        sclbl.load("./churn")
    with pytest.raises(InvalidProgramError):
        sclbl.load(program.wasm[:-1])
    with pytest.raises(ProgramError, match=r"'nowhere.wasm' cannot be read: No such file"):
        sclbl.load("nowhere.wasm")
    with pytest.raises(NotFoundError, match="there is no deployment 'nowhere'"):
        sclbl.load("nowhere")
    with pytest.raises(InvalidRefError, match="must be text like 'churn'"):
        sclbl.load(3)  # type: ignore[arg-type]  # what a user may do


def test_register(monkeypatch: pytest.MonkeyPatch) -> None:
    from sclbl.strippers import dispatch

    class Mine(LinearRegression):
        pass

    monkeypatch.setattr(dispatch, "_REGISTERED", {})
    fitted = Mine().fit(X, X[:, 0])
    with pytest.raises(UnsupportedModelError, match="may predict differently"):
        sclbl.compile(fitted, X[:5])
    sclbl.register(Mine, dispatch.find(LinearRegression()))
    assert sclbl.upload(fitted, X[:5]).name == "mine"


def test_a_transformer(home: Path) -> None:
    scaler = StandardScaler().fit(X)
    made = sclbl.upload(scaler, X[:5])
    assert made.name == "standard-scaler"
    np.testing.assert_array_equal(made.transform(X), scaler.transform(X))


# --------------------------------------------------------------------- login


def test_login_is_stored_once_the_server_takes_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: RemoteRegistry) -> bool:
        raise AuthenticationError("the token is wrong")

    monkeypatch.setattr(RemoteRegistry, "whoami", refuse)
    with pytest.raises(AuthenticationError, match="the token is wrong"):
        sclbl.login("http://localhost:1", "token")
    assert stored_login() is None
    monkeypatch.setattr(RemoteRegistry, "whoami", lambda self: True)
    sclbl.login("http://localhost:1/", "token")
    found = stored_login()
    assert found is not None
    assert (found.url, found.token) == ("http://localhost:1", "token")
    monkeypatch.setenv("SCLBL_URL", "http://localhost:2")
    with pytest.warns(UserWarning, match="SCLBL_URL is set and goes before this login"):
        sclbl.login("http://localhost:1", "token")
    sclbl.logout()
    sclbl.logout()
    assert stored_login() is None


def test_bad_login(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RegistryError, match="must start with http:// or https://"):
        sclbl.login("localhost:8000", "token")
    with pytest.raises(RegistryError, match="the token is empty"):
        sclbl.login("http://localhost:8000", "")
    assert stored_login() is None


def test_names_are_checked_by_type(program: sclbl.Program) -> None:
    for name in (None, 3, b"churn"):
        with pytest.raises(InvalidNameError, match="deployment name must be text"):
            sclbl.versions(name)  # type: ignore[arg-type]  # what a user may do
