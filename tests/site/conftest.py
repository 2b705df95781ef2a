"""The built site in headless Chromium. BLINDSPOTS_SITE names the folder; by default it is _build/html."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("BLINDSPOTS_SITE", ROOT / "_build" / "html")).resolve()
CHROMIUM = next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
                 if Path(path).is_file()), None)  # fmt: skip


@pytest.fixture(scope="session")
def site():
    if not (SITE / "intro.html").is_file():
        pytest.skip(f"no built site at {SITE}; run make book, or set BLINDSPOTS_SITE")
    return SITE


@pytest.fixture(scope="session")
def browser(site):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra [dev])")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def open_page(browser):
    """Return a function that opens a page in a theme and width, and remembers what was asked of the network."""
    contexts = {}

    def opened(name, *, theme="light", width=1280):
        if (theme, width) not in contexts:
            context = browser.new_context(
                color_scheme=theme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
            )
            context.set_default_timeout(20_000)
            contexts[theme, width] = context.new_page()
            contexts[theme, width].requests = []
            contexts[theme, width].on("request", lambda request: page.requests.append(request.url))
        page = contexts[theme, width]
        page.requests.clear()
        address, _, query = name.partition("?")
        page.goto((SITE / f"{address}.html").as_uri() + (f"?{query}" if query else ""))
        if page.locator(".math").count():
            page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
            page.evaluate("MathJax.startup.promise")
        return page

    yield opened
    for page in contexts.values():
        page.context.close()
