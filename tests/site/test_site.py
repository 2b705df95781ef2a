"""The built site as a reader meets it: accessible in both themes, offline, on a phone, searchable, no dead links."""

import html.parser
import importlib.resources
import urllib.parse

import pytest

GENERATED = ("genindex", "search")


def page_names(site):
    """Return every page that a reader stays on, as docnames; index.html only leads on to the first page."""
    files = [path.relative_to(site) for path in site.rglob("*.html")]
    pages = [path for path in files if not path.parts[0].startswith("_") and path.name != "index.html"]
    return sorted(str(path.with_suffix("")) for path in pages)


class Scan(html.parser.HTMLParser):
    """Collects the images, the links, the targets and the loaded files of a page."""

    def __init__(self, text):
        super().__init__()
        self.images, self.links, self.ids, self.loaded = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "img":
            self.images.append(given)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in ("script", "img", "source", "iframe") and given.get("src"):
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "prefetch", "shortcut icon"):
            self.loaded.append(given["href"])


@pytest.fixture(scope="module")
def scans(site):
    return {name: Scan((site / f"{name}.html").read_text()) for name in page_names(site)}


SHARES = 4  # of the pages, so that workers share what is the longest of all tests


# The two themes differ in colors alone; all other rules are checked once.
@pytest.mark.parametrize(("theme", "rules"), [("light", {}), ("dark", {"runOnly": ["color-contrast"]})])
@pytest.mark.parametrize("share", range(SHARES))
def test_axe_finds_nothing(site, open_page, share, theme, rules):
    axe = importlib.resources.files(pytest.importorskip("axe_core_python")) / "axe.min.js"
    found = []
    for name in page_names(site)[share::SHARES]:
        page = open_page(name, theme=theme)
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
        page.add_script_tag(path=str(axe))
        for violation in page.evaluate("(rules) => axe.run(rules)", {"resultTypes": ["violations"], **rules})[
            "violations"
        ]:
            for node in violation["nodes"]:
                found.append(f"{name}: {violation['id']}: {' '.join(node['target'])}: {node['html'][:120]}")
    assert not found, "\n".join(found)


def test_no_page_asks_anything_of_the_network(site, open_page):
    asked = []
    for name in page_names(site):
        page = open_page(name)
        page.wait_for_timeout(100)
        asked += [f"{name}: {url}" for url in page.requests if not url.startswith(("file:", "data:", "blob:"))]
    assert not asked, asked


def test_no_page_names_a_file_of_the_network_to_load(scans):
    wrong = [f"{name}: {url}" for name, scan in scans.items() for url in scan.loaded if "//" in url]
    assert not wrong, wrong


def test_no_page_scrolls_sideways_on_a_phone(site, open_page):
    wide = {}
    for name in page_names(site):
        page = open_page(name, width=360)
        page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
        page.evaluate("window.scrollTo(1000, 0)")
        if page.evaluate("document.documentElement.scrollWidth") > 360 or page.evaluate("window.scrollX") > 0:
            wide[name] = page.evaluate("document.documentElement.scrollWidth")
    assert not wide, wide


def test_every_image_says_what_it_shows(scans):
    silent = [f"{name}: {image}" for name, scan in scans.items() for image in scan.images
              if not (image.get("alt") or "").strip()]  # fmt: skip
    assert not silent, silent


def test_the_folders_index_leads_to_the_first_page(site):
    assert 'url=intro.html"' in (site / "index.html").read_text()


def test_equations_are_drawn_without_a_network(open_page):
    page = open_page("parts/attacks")
    assert page.locator("mjx-container svg").count() > 5
    assert page.locator("mjx-merror").count() == 0


@pytest.mark.parametrize(("word", "expected"), [("Hessian", "parts/attacks"), ("mahalanobis", "glossary")])
def test_search_finds_a_word(open_page, word, expected):
    page = open_page(f"search?q={word}")
    page.wait_for_selector("#search-results li a")
    links = page.eval_on_selector_all("#search-results li a", "links => links.map((link) => link.href)")
    assert any(f"/{expected}.html" in link for link in links), links


def test_internal_links_resolve(site, scans):
    dead = []
    for name, scan in scans.items():
        for link in scan.links:
            address, _, target = link.partition("#")
            if urllib.parse.urlsplit(link).scheme or (link.startswith(("#", "javascript:")) and not target):
                continue
            path = ((site / f"{name}.html").parent / urllib.parse.unquote(address.partition("?")[0])).resolve()
            path = site / f"{name}.html" if not address else path
            if not path.is_file():
                dead.append(f"{name}: {link}")
            elif target and path.suffix == ".html":
                page = str(path.relative_to(site).with_suffix(""))
                if urllib.parse.unquote(target) not in scans[page].ids:
                    dead.append(f"{name}: {link}")
    assert not dead, dead


def test_every_page_has_one_main_heading_and_a_title(site, open_page):
    for name in page_names(site):
        page = open_page(name)
        assert page.locator("h1:visible").count() == 1 or name in GENERATED, name
        assert page.title().strip(), name


def test_the_scorecard_filters_by_part_and_verdict(open_page):
    page = open_page("scorecard")
    rows, count = page.locator("tr.claim"), page.locator(".scorecard-filter output")
    total = rows.count()
    assert page.locator(".scorecard-filter").is_visible() and count.inner_text() == f"{total} of {total} claims"
    assert page.locator("tr.claim:visible").count() == 0, "a box opens by hand or by a search"
    options = page.eval_on_selector_all("[data-filter=is] option", "list => list.map((option) => option.value)")
    for verdict in filter(None, options):
        page.get_by_label("Verdict").select_option(verdict)
        shown = page.locator("tr.claim:not([hidden])")
        assert shown.count() == page.locator(f"tr.claim.is-{verdict}").count() > 0
        assert count.inner_text() == f"{shown.count()} of {total} claims"
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function(f"document.querySelectorAll('tr.claim:not([hidden])').length === {total}")


def test_the_scorecard_finds_words_and_opens_what_it_found(open_page):
    page = open_page("scorecard")
    page.get_by_label("Find").fill("ssim 3.1")
    page.wait_for_function("location.hash.includes('find=')")
    shown = page.locator("tr.claim:not([hidden])")
    assert 0 < shown.count() < page.locator("tr.claim").count()
    assert page.locator("tr.claim:visible").count() == shown.count() or shown.count() > 150
    texts = shown.evaluate_all("rows => rows.map((row) => (row.id + ' ' + row.textContent).toLowerCase())")
    assert all("ssim" in text and "3.1" in text for text in texts)
    assert page.locator(".scorecard-part:visible").count() < page.locator(".scorecard-part").count()


def test_a_count_of_the_first_page_leads_to_its_claims(open_page):
    page = open_page("intro")
    link = page.locator("table.scorecard-summary a[href*='is=']").first
    number = int(link.inner_text())
    link.click()
    page.wait_for_selector(".scorecard-filter:visible")
    assert page.locator("tr.claim:not([hidden])").count() == number
    assert all(page.locator(f"[data-filter={name}]").input_value() for name in ("part", "is"))


def test_a_link_to_a_claim_opens_its_box(site, browser):
    page = browser.new_page()
    page.goto((site / "scorecard.html").as_uri())
    name = page.locator("tr.claim").last.get_attribute("id")
    page.goto("about:blank")
    page.goto((site / "scorecard.html").as_uri() + f"#{name}")
    page.locator(f"[id='{name}']").wait_for(state="visible")
    assert page.locator("details[open] tr.claim:visible").count() < page.locator("tr.claim").count()
    page.close()


def test_the_scorecard_stands_without_javascript(site, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "scorecard.html").as_uri())
    first = page.locator("details.chapter-claims").first
    first.locator("summary").click()
    assert first.locator("tr.claim:visible").count() == first.locator("tr.claim").count() > 0
    assert not page.locator(".scorecard-filter").is_visible()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_shows_the_image_of_its_theme_and_its_caption(open_page, theme):
    page = open_page("notebooks/attacks/ssim_one_step", theme=theme)
    figure = page.locator("figure.record-figure").first
    assert figure.locator(f"img.only-{theme}").is_visible()
    assert figure.locator("img:visible").count() == 1
    assert figure.locator("figcaption").is_visible()


def test_each_notebook_can_be_downloaded(site, scans):
    names = [name for name in scans if name.startswith("notebooks/")]
    assert names
    for name in names:
        files = [link for link in scans[name].links if link.endswith(".ipynb")]
        assert files, name
        assert ((site / name).parent / files[0]).is_file()
