"""The page in a real browser: keys, filters, texts that are scripts, other sites' requests."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from autoevol.metrics import Reason
from tests.support.browser import BINARY, Page, page
from tests.support.command_line import rows_of
from tests.support.viewing import Client, add_row, outcome, serving, write_run

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BINARY is None, reason="no Chromium here: apt-get install chromium"),
]
SCRIPT = "<script>window.broken = 1</script><img src=x onerror='window.broken = 1'>"
SHOWN = "document.querySelector('article b')?.textContent"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a run whose second row is full of markup, in each of its texts."""
    hostile = outcome(
        2,
        id=f"{SCRIPT}.1",
        instruction=f"Name 2 trees {SCRIPT}",
        response=SCRIPT,
        input=SCRIPT,
        system=SCRIPT,
        method=SCRIPT,
        model_evolve=SCRIPT,
        suspected_by=(Reason(SCRIPT, SCRIPT, "suspicion"),),
        unknown=SCRIPT,
    )
    failed = outcome(3, "failed", [Reason("unchanged", SCRIPT)])
    unscored = outcome(4, "unscored", [Reason("transport", "timeout")])
    return write_run(tmp_path / "run", [outcome(1), hostile, failed, unscored])


def browse(folder: Path, look: Callable[[Page, Client], Awaitable[Any]]) -> Any:
    """Open the page of a run in a browser, wait for its first row, and look at it."""

    async def work(client: Client) -> Any:
        async with page() as tab:
            await tab.open(client.address)
            await tab.until(f"!!{SHOWN}")
            return await look(tab, client)

    with serving(folder) as client:
        return asyncio.run(work(client))


async def shows(tab: Page, identity: str) -> None:
    await tab.until(f"{SHOWN} === {json.dumps(identity)}")


def labels(folder: Path) -> list[tuple[str, str | None]]:
    file = folder / "labels.jsonl"
    return [(row["id"], row["label"]) for row in rows_of(file)] if file.exists() else []


async def until_marked(tab: Page, number: int) -> None:
    await tab.until(f"document.getElementById('progress').innerText.startsWith('{number} of ')")


def test_keys_mark_rows_and_take_marks_back(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> None:
        await tab.press("g")
        await shows(tab, f"{SCRIPT}.1")
        await tab.press("b")
        await shows(tab, "seed-3.1")
        await until_marked(tab, 2)
        # This row has no mark: the last one is taken back.
        await tab.press("u")
        await shows(tab, f"{SCRIPT}.1")
        await until_marked(tab, 1)
        await tab.press("k")
        await shows(tab, "seed-1.1")
        await tab.press("u")
        await until_marked(tab, 0)
        await tab.press("ArrowDown")
        await shows(tab, f"{SCRIPT}.1")

    browse(folder, look)
    ids = ["seed-1.1", f"{SCRIPT}.1"]
    assert labels(folder) == [(ids[0], "good"), (ids[1], "bad"), (ids[1], None), (ids[0], None)]


def test_a_row_whose_texts_are_not_there_yet_is_not_marked(folder: Path) -> None:
    """Three keys at once: only the first of them is about what can be read."""
    press = """for (const key of 'ggg')
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))"""

    async def look(tab: Page, _: Client) -> None:
        await tab.value(press)
        await shows(tab, f"{SCRIPT}.1")
        await until_marked(tab, 1)

    browse(folder, look)
    assert labels(folder) == [("seed-1.1", "good")]


def press_at_once(*keys: str) -> str:
    """Return a script that presses keys before the page can answer any of them."""
    return f"""for (const key of {json.dumps(keys)}) document.body.dispatchEvent(
        new KeyboardEvent('keydown', {{ key, bubbles: true }}))"""


def test_a_mark_is_taken_back_before_it_is_saved(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> None:
        await tab.press("g")
        await shows(tab, f"{SCRIPT}.1")
        await until_marked(tab, 1)
        await tab.value(press_at_once("b", "u"))
        await shows(tab, f"{SCRIPT}.1")
        await tab.call("Runtime.evaluate", expression="state.queue", awaitPromise=True)

    browse(folder, look)
    second = f"{SCRIPT}.1"
    assert labels(folder) == [("seed-1.1", "good"), (second, "bad"), (second, None)]


def test_keys_work_under_another_alphabet(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> None:
        await tab.value("""document.body.dispatchEvent(
            new KeyboardEvent('keydown', { key: 'ㅎ', code: 'KeyG', bubbles: true }))""")
        await until_marked(tab, 1)

    browse(folder, look)
    assert labels(folder) == [("seed-1.1", "good")]


def test_the_word_file_is_searched_like_any_other(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> None:
        await tab.press("/")
        for letter in "file":
            await tab.press(letter)
        await tab.until_text("No row is like this")

    browse(folder, look)


def test_a_mark_is_taken_back_under_another_filter_too(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> None:
        await tab.press("g")
        await until_marked(tab, 1)
        await tab.value("document.querySelector('[name=status][value=failed]').click()")
        await shows(tab, "seed-3.1")
        await tab.value("document.querySelector('[data-act=undo]').click()")
        await until_marked(tab, 0)

    browse(folder, look)
    assert labels(folder) == [("seed-1.1", "good"), ("seed-1.1", None)]


def test_the_texts_of_rows_stay_texts(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> tuple[str, Any, Any]:
        await tab.press("j")
        text = await tab.until_text("nobody could tell whether it teaches")
        await tab.press("j")
        await shows(tab, "seed-3.1")
        scripts = await tab.value("[...document.scripts].map((script) => script.src)")
        return text, scripts, await tab.value("[window.broken, document.images.length]")

    text, scripts, broken = browse(folder, look)
    # Its id, method, model, text, rule, evidence, remark, response, input, system; the list, too.
    assert text.count(SCRIPT) >= 11
    assert [script.rpartition("/")[2] for script in scripts] == ["view.js"]
    assert broken == [None, 0]


def test_no_script_in_the_page_would_run(folder: Path) -> None:
    """Even if a text became markup, the policy of the page keeps it from running."""
    attempt = """
        const script = document.createElement('script');
        script.textContent = 'window.broken = 1';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.broken = 1">');
        new Promise((done) => setTimeout(() => done(window.broken ?? 'none'), 300));
    """

    async def look(tab: Page, _: Client) -> Any:
        result = await tab.call("Runtime.evaluate", expression=attempt, awaitPromise=True)
        return result["result"]["value"]

    assert browse(folder, look) == "none"


def test_filters_show_their_rows_and_survive_a_reload(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> None:
        await tab.value("document.querySelector('[name=status][value=failed]').click()")
        await shows(tab, "seed-3.1")
        await tab.until("document.querySelectorAll('#list li').length === 1")
        add_row(folder, outcome(5, "failed", [Reason("echo", "x")]))
        await tab.call("Page.reload")
        await tab.until("document.querySelectorAll('#list li').length === 2")
        assert await tab.value("document.querySelector('[name=status]:checked').value") == "failed"
        # A key that is typed into the search marks nothing.
        await tab.press("/")
        for letter in "bug":
            await tab.press(letter)
        await tab.until_text("No row is like this")
        assert await tab.value("document.getElementById('search').value") == "bug"

    browse(folder, look)
    assert labels(folder) == []


def test_a_long_list_goes_on_with_the_keys(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [outcome(n) for n in range(120)])

    async def look(tab: Page, _: Client) -> None:
        await tab.value("document.querySelector('#list li:last-child button').click()")
        await shows(tab, "seed-49.1")
        await tab.press("g")
        await shows(tab, "seed-50.1")
        await tab.until("document.querySelectorAll('#list li').length === 100")

    browse(folder, look)
    assert labels(folder) == [("seed-49.1", "good")]


def test_a_list_begins_anew_where_the_run_has_sorted_its_rows(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [outcome(n) for n in range(130)])

    async def look(tab: Page, _: Client) -> Any:
        await tab.until("document.querySelectorAll('#list li').length === 50")
        file = folder / "evolved.jsonl"
        lines = file.read_text("utf-8").splitlines(keepends=True)
        anew = folder / "anew.jsonl"
        anew.write_text("".join(reversed(lines)), "utf-8")
        anew.replace(file)
        await tab.value("document.getElementById('more').click()")
        await tab.until_text("The run has put its rows into another order")
        await shows(tab, "seed-129.1")
        for loaded in (100, 130):
            await tab.value("document.getElementById('more').click()")
            await tab.until(f"document.querySelectorAll('#list li').length === {loaded}")
        names = "[...document.querySelectorAll('#list .name')].map((node) => node.textContent)"
        return await tab.value(names)

    assert browse(folder, look) == [f"seed-{n}.1" for n in reversed(range(130))]


def test_keys_mark_after_the_mouse_has_chosen_and_with_caps_lock(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> None:
        await tab.until("[...document.querySelector('[name=rule]').options].length > 1")
        await tab.value("""(() => {
            const field = document.querySelector('[name=rule]');
            field.focus();
            field.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }));
            field.value = 'unchanged';
            field.dispatchEvent(new Event('change', { bubbles: true }));
        })()""")
        await shows(tab, "seed-3.1")
        await tab.press("G")
        await until_marked(tab, 1)

    browse(folder, look)
    assert labels(folder) == [("seed-3.1", "good")]


def test_a_key_that_is_held_down_brings_each_row_once(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [outcome(n) for n in range(120)])

    async def look(tab: Page, _: Client) -> Any:
        await tab.value("document.querySelector('#list li:last-child button').click()")
        await tab.value(press_at_once(*["j"] * 5))
        await shows(tab, "seed-54.1")
        await tab.until("document.querySelectorAll('#list li').length >= 100")
        names = "[...document.querySelectorAll('#list .name')].map((node) => node.textContent)"
        return await tab.value(names), await tab.value("document.getElementById('total').innerText")

    names, total = browse(folder, look)
    assert len(names) == len({*names}) == 100
    assert total == "100 of 120 rows"


def test_a_kind_marks_the_row_bad_and_the_row_stays(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> None:
        # At once: the second kind is added to the first, which is not saved yet.
        await tab.value("""for (const kind of ['easier', 'echo'])
            document.querySelector(`[data-kind=${kind}]`).click()""")
        await until_marked(tab, 1)
        await tab.until("document.querySelector('[data-kind=echo]').ariaPressed === 'true'")
        await shows(tab, "seed-1.1")

    browse(folder, look)
    *_, last = rows_of(folder / "labels.jsonl")
    assert (last["label"], last["kinds"], last["response_kinds"]) == ("bad", ["easier"], ["echo"])


def test_an_unscored_row_has_no_mark(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> Any:
        await tab.value("document.querySelector('[name=status][value=unscored]').click()")
        await shows(tab, "seed-4.1")
        await tab.press("g")
        return await tab.value("document.querySelector('.actions .good').disabled")

    assert browse(folder, look)
    assert labels(folder) == []


def test_a_phone_shows_the_row_and_marks_it_with_a_finger(folder: Path) -> None:
    async def look(tab: Page, _: Client) -> None:
        await tab.size(390, 844)
        assert await tab.value("document.documentElement.scrollWidth <= 390")
        await tab.value("document.querySelector('.actions .good').click()")
        await shows(tab, f"{SCRIPT}.1")
        assert await tab.value("document.documentElement.scrollWidth <= 390")
        await tab.value("document.getElementById('toggle-list').click()")
        await tab.value("document.querySelector('#list li:nth-child(3) button').click()")
        await shows(tab, "seed-3.1")

    browse(folder, look)
    assert labels(folder) == [("seed-1.1", "good")]


def test_a_mark_that_was_not_saved_is_said(folder: Path) -> None:
    (folder / "labels.jsonl").touch()

    async def look(tab: Page, _: Client) -> str:
        (folder / "labels.jsonl").unlink()
        (folder / "labels.jsonl").mkdir()
        await tab.press("g")
        await tab.until("!document.getElementById('notice').hidden")
        return str(await tab.value("document.getElementById('notice').textContent"))

    assert "labels.jsonl" in browse(folder, look)


FOREIGN = """<!doctype html><title>foreign</title><iframe src="ADDRESS"></iframe>
<form method=post enctype=text/plain action="ADDRESSlabels" target=x>
<input name='BODY' value=""></form><iframe name=x></iframe>
<script>
const headers = { "Content-Type": "application/json" };
const text = (reply) => reply.text();
const tries = [
  fetch("ADDRESSrows").then(text),
  fetch("ADDRESSrows", { mode: "no-cors" }).then(text),
  fetch("ADDRESSlabels", { method: "POST", mode: "no-cors", body: 'BODY' }).then(text),
  fetch("ADDRESSlabels", { method: "POST", headers, body: 'BODY' }).then(text),
];
document.forms[0].submit();
Promise.allSettled(tries).then((results) => { window.results = results; });
</script>"""


@contextlib.contextmanager
def foreign_site(text: str) -> Iterator[str]:
    """Serve a page of another site, which is a port of its own; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def test_a_foreign_page_reads_nothing_and_marks_nothing_even_with_the_address(
    folder: Path,
) -> None:
    """It knows the address with its token, which it cannot, and still gets nowhere."""

    async def look(tab: Page, client: Client) -> Any:
        key = client.get("rows").tree["rows"][0]["key"]
        body = json.dumps({"key": key, "label": "bad"})
        text = FOREIGN.replace("ADDRESS", client.address).replace("BODY", body)
        with foreign_site(text) as site:
            await tab.open(site)
            await tab.until("!!window.results")
            results = "window.results.map((result) => result.value ?? result.status)"
            tree = await tab.call("Page.getFrameTree")
            frames = [child["frame"]["url"] for child in tree["frameTree"]["childFrames"]]
            return await tab.value(results), frames

    results, frames = browse(folder, look)
    assert results == ["rejected"] * 4
    assert frames[0].startswith("chrome-error:")
    assert labels(folder) == []
