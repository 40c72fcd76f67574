"""Static files as a browser gets them: names with a hash, kept for good, down to every import."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
import pytest
import uvicorn
from channels.db import database_sync_to_async as in_database
from django.contrib.staticfiles import finders
from django.core.handlers.asgi import ASGIHandler
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from tests.conftest import MakeInstrument, eventually
from tests.signing_in import sign_in

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")
NAMED_BY_PAGES = re.compile(r'(?:src|href)="(/static/[^"#]+)')
IMPORTED = re.compile(r'(?:\bfrom|^import) "([^"]+)"', re.M)
NAMED_BY_STYLES = re.compile(r'url\("?([^")]+)"?\)')
PAGES = ("/", "/markets/", "/market/BTCUSDT/", "/trades/", "/reports/", "/settings/")


@pytest.fixture
async def address(settings: Any, tmp_path: Path) -> AsyncIterator[str]:
    """A real server whose static files were collected as the launcher collects them."""
    settings.STATIC_ROOT = tmp_path / "static"
    await asyncio.to_thread(call_command, "collectstatic", interactive=False, verbosity=0)
    config = uvicorn.Config(ASGIHandler(), port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started, what="the server")
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await asyncio.wait_for(serving, 60)


@pytest.mark.filterwarnings("error:StreamingHttpResponse must consume")
@pytest.mark.django_db(transaction=True)
async def test_whatever_a_page_loads_has_a_hashed_name_and_is_kept_for_good(
    address: str, alice: User, client: Client, make_instrument: MakeInstrument
) -> None:
    await in_database(make_instrument)()
    await in_database(sign_in)(client, alice)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    async with aiohttp.ClientSession(cookies=cookies) as session:
        waiting: list[str] = []
        for page in PAGES:
            async with session.get(address + page) as answer:
                assert answer.status == 200, page
                text = await answer.text()
                waiting += [urljoin(address, name) for name in NAMED_BY_PAGES.findall(text)]
        loaded: set[str] = set()
        while waiting:
            url = waiting.pop()
            if url not in loaded:
                loaded.add(url)
                waiting += await named_by(session, url)
    names = {HASHED.sub("", url.removeprefix(f"{address}/static/")) for url in loaded}
    assert {"js/pages/shell", "js/lib/format", "css/tokens"} <= names
    assert any(name.startswith("vendor/lightweight-charts/") for name in names)
    assert any(name.startswith("vendor/inter/") for name in names)


async def named_by(session: aiohttp.ClientSession, url: str) -> list[str]:
    """Loads one file, and says what it makes a browser load."""
    assert HASHED.search(url), f"{url}: expected a name with a hash"
    async with session.get(url) as answer:
        assert answer.status == 200, url
        assert "immutable" in answer.headers["Cache-Control"], url
        if url.endswith(".js"):
            return [urljoin(url, name) for name in IMPORTED.findall(await answer.text())]
        if url.endswith(".css"):
            return [urljoin(url, name) for name in NAMED_BY_STYLES.findall(await answer.text())]
        return []


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")  # WhiteNoise under ASGI
@pytest.mark.django_db(transaction=True)
async def test_a_plain_name_is_served_too_and_soon_asked_for_again(address: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{address}/static/css/tokens.css") as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "max-age=60, public"


def test_every_file_that_a_template_names_is_there() -> None:
    named = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r"{% static ['\"]([^'\"]+)['\"] %}", path.read_text())
    }
    assert [name for name in sorted(named) if finders.find(name) is None] == []
    assert len(named) > 20


def test_names_stay_plain_where_nothing_was_collected(client: Client) -> None:
    assert 'href="/static/css/tokens.css"' in client.get("/offline/").content.decode()
