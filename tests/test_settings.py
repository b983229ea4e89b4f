"""Which registry the verbs act on, and how a login is kept."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sclbl import registry, settings
from sclbl.errors import RegistryError
from sclbl.registry.local import LocalRegistry
from sclbl.registry.remote import RemoteRegistry
from sclbl.settings import Login

SECRET = "s3cret-token"


pytestmark = pytest.mark.usefixtures("home")


def test_home_is_the_users_data_directory_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCLBL_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert settings.home().name == "sclbl"
    monkeypatch.setenv("SCLBL_HOME", "~/models")
    assert settings.home() == Path.home() / "models"


def test_a_user_without_a_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def unknown(user: object) -> None:
        raise KeyError(user)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_DATA_HOME", "SCLBL_HOME"):
        monkeypatch.delenv(name, raising=False)
    for call in (settings.home, registry.connect):
        with pytest.raises(
            RegistryError, match=r"no home directory .*set SCLBL_HOME to a directory"
        ):
            call()
    monkeypatch.setenv("SCLBL_HOME", "~/models")
    with pytest.raises(RegistryError, match="no home directory"):
        settings.home()


def test_local_by_default(home: Path) -> None:
    found = registry.connect()
    assert isinstance(found, LocalRegistry)
    assert found.path == home
    assert registry.connect() is found
    assert registry.connect(home) is found
    assert registry.connect(found) is found
    found.close()


def test_a_registry_that_was_removed_is_made_anew(home: Path) -> None:
    first = registry.connect(home)
    for file in sorted(home.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    home.rmdir()
    second = registry.connect(home)
    assert second is not first
    assert second.deployments() == []
    second.close()


def test_login_is_kept_for_its_owner_alone(home: Path) -> None:
    path = settings.store_login(Login("https://example.org", SECRET))
    assert path.parent == home
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert os.listdir(home) == [path.name]
    assert settings.current_login() == Login("https://example.org", SECRET)
    found = registry.connect()
    assert isinstance(found, RemoteRegistry)
    assert found.location == "https://example.org"
    assert settings.forget_login() is True
    assert settings.forget_login() is False
    assert settings.current_login() is None


def test_storing_again_tightens_the_mode(home: Path) -> None:
    path = settings.store_login(Login("https://example.org", "old"))
    path.chmod(0o644)
    settings.store_login(Login("https://example.org", SECRET))
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_environment_goes_before_the_stored_login(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.store_login(Login("https://stored.example", "stored"))
    monkeypatch.setenv("SCLBL_TOKEN", SECRET)
    assert settings.current_login() == Login("https://stored.example", "stored")
    monkeypatch.setenv("SCLBL_URL", "https://env.example/")
    assert settings.current_login() == Login("https://env.example", SECRET)


def test_a_token_is_shown_to_its_own_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.store_login(Login("https://stored.example", "stored"))
    assert settings.login_for("https://other.example").token is None
    assert settings.login_for("http://stored.example").token is None
    assert settings.login_for("https://stored.example/").token == "stored"
    monkeypatch.setenv("SCLBL_URL", "https://env.example")
    assert settings.current_login() == Login("https://env.example", None)
    monkeypatch.setenv("SCLBL_TOKEN", SECRET)
    assert settings.login_for("https://env.example").token == SECRET
    assert settings.login_for("https://stored.example").token == "stored"
    assert settings.login_for("https://other.example").token is None


def test_a_token_is_never_printed(home: Path) -> None:
    login = Login("https://example.org", SECRET)
    assert SECRET not in f"{login!r} {login}"
    settings.store_login(login)
    assert SECRET not in repr(registry.connect())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", f'{{"token": "{SECRET}"', "\xff"])
def test_damaged_login(home: Path, text: str) -> None:
    path = settings.store_login(Login("https://example.org", SECRET))
    path.write_text(text, encoding="latin-1")
    with pytest.raises(RegistryError, match=r"stored login .*cannot be read.*sclbl.logout") as info:
        registry.connect()
    assert SECRET not in str(info.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("example.org", "must start with http:// or https://"),
        ("ftp://example.org", "must start with http:// or https://"),
        ("https://", "must start with http:// or https://"),
        ("", "must start with http:// or https://"),
        ("https://user:s3cret-token@example.org", "carries a user or password"),
        ("https://s3cret-token@example.org", "carries a user or password"),
        ("https://example.org/?token=s3cret-token", "carries a query or fragment"),
        ("https://example.org:port", "cannot be read"),
        ("https://[::1", "cannot be read"),
        ("https://user:s3cret-token", "cannot be read"),
        (None, "must be text, not NoneType"),
    ],
)
def test_bad_urls(url: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message) as info:
        settings.check_url(url)
    assert SECRET not in str(info.value)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://example.org/", "https://example.org"),
        (" http://localhost:8000 ", "http://localhost:8000"),
        ("https://example.org/models//", "https://example.org/models"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_good_urls(url: str, clean: str) -> None:
    assert settings.check_url(url) == clean


@pytest.mark.parametrize("token", ["", " ", "a b", "a\nb", "tökén", None, b"x"])
def test_bad_tokens(token: str) -> None:
    with pytest.raises(RegistryError, match="token") as info:
        settings.check_token(token)
    assert "tökén" not in str(info.value)


@pytest.mark.parametrize("where", ["", 3, b""])
def test_what_is_no_registry(where: str) -> None:
    with pytest.raises(RegistryError, match="registry must be a Registry, a directory or a URL"):
        registry.connect(where)
