"""Whether the page of `make demo` keeps its promises in Chromium, over the built functions: `make test-page`.

It writes screenshots into out/page; with PAGE_PICTURES=docs, those of the documentation too.
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
import time
import unittest
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from playwright.sync_api import ConsoleMessage, Locator, Page, Route, expect

import accessibility
from demo import DESKTOP, PHONE, SECRET, Demo
from photos_dev.paths import DOCS, ROOT
from trip import TRIP, Photo, small

OUT = ROOT / "out/page"
ALBUM = "japan in spring"
DAYS = ["Saturday, 6 April 2024 4 photos", "Sunday, 7 April 2024 4 photos", "Monday, 8 April 2024 3 photos"]
# URLs of renditions.
PICTURES = re.compile(r"/(thumbnail|grid|screen)/")
# What the browser says of an answer of 400, and of a request that the test has cut off.
REFUSED, CUT_OFF = r"status of 400", r"ERR_FAILED"
# How long a WebP of a screenshot may be.
MOST_BYTES = 150_000

DEMO: Demo
PHOTOS: dict[Photo, bytes] = {}


def setUpModule() -> None:
    global DEMO
    DEMO = Demo()
    unittest.addModuleCleanup(DEMO.close)
    drawn = DEMO.draw([photo.scene() for photo in TRIP])
    PHOTOS.update({photo: photo.with_facts(jpeg) for photo, jpeg in zip(TRIP, drawn)})
    upload_trip()


def upload_trip() -> None:
    """Uploads the trip through the page, in another order than that of the clocks, and a photo that is cut off."""
    photos = [*TRIP]
    random.Random(4).shuffle(photos)
    files = {photo.name: PHOTOS[photo] for photo in photos} | {"cut off.jpg": cut(TRIP[6])}
    with visit(ALBUM) as page:
        DEMO.choose(page, files)
        expect(page.locator("#sent .words")).to_have_text(f"10 of {len(files)} photos ready, 1 failed")
        keep(page, "uploads")


def cut(photo: Photo) -> bytes:
    """The photo ten minutes later, of which the second half is missing."""
    later = photo.taken[:14] + str(int(photo.taken[14:16]) + 10) + photo.taken[16:]
    whole = small(later, place=photo.place, offset=photo.offset).with_facts(PHOTOS[photo])
    # The facts in front are those of the new segment.
    return whole[: len(whole) // 2]


@contextmanager
def visit(
    album: str, prepare: Callable[[Page], None] = lambda page: None, tolerates: str = "$^", **options: Any
) -> Iterator[Page]:
    """The page of an album. Whatever the browser complains about, also by the page's own policy, is a failure."""
    context = DEMO.context(**options)
    try:
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if is_complaint(line) else None)
        prepare(page)
        page.goto(f"{DEMO.url}/?album={quote(album)}")
        expect(page.locator("h1")).to_have_text(album)
        yield page
        complaints = [each for each in complaints if not re.search(tolerates, each)]
        if complaints:
            raise AssertionError(f"the browser complains: {complaints}")
    finally:
        context.close()


def is_complaint(line: ConsoleMessage) -> bool:
    # A test stops the events, and the page then looks by itself.
    return line.type == "error" and "/events?" not in line.location["url"]


def loaded(page: Page, pictures: Locator | None = None) -> None:
    """Scrolls to each picture, waits until all are there, and goes back."""
    pictures = pictures or page.locator("#days img, .marker img")
    expect(pictures.first).to_be_attached()
    pictures.evaluate_all(
        """async (images) => {
            for (const image of images) {
                image.scrollIntoView({ block: 'center' });
                if (!image.complete) await new Promise((done) => { image.onload = image.onerror = done; });
                await image.decode();
            }
            scrollTo(0, 0);
        }"""
    )


def cards(page: Page) -> Locator:
    return page.locator("#days .card")


def clocks(page: Page) -> list[str]:
    return page.locator("#days time").evaluate_all("times => times.map(time => time.dateTime.slice(0, 19))")


def keep(page: Page, name: str, picture: str = "", quality: int = 82) -> None:
    """Writes a screenshot of what is in view, and if asked to, a picture of the documentation."""
    OUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUT / f"{name}.png")
    if not picture:
        return
    session = page.context.new_cdp_session(page)
    shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
    webp = base64.b64decode(shot["data"])
    if len(webp) > MOST_BYTES:
        raise AssertionError(f"{picture} has {len(webp)} bytes")
    (OUT / picture).write_bytes(webp)
    if os.environ.get("PAGE_PICTURES") == "docs":
        (DOCS / picture).write_bytes(webp)


def focused(page: Page) -> str:
    """What has the focus: its ID, or its class."""
    return page.evaluate("document.activeElement.id || document.activeElement.className")


class Album(unittest.TestCase):
    def test_photos_are_in_the_order_of_the_clocks_of_their_places_across_days(self) -> None:
        with visit(ALBUM) as page:
            expect(cards(page)).to_have_count(len(TRIP) + 1)
            expected = sorted([photo.taken for photo in TRIP] + ["2024-04-07T14:45:20"])
            self.assertEqual(clocks(page), expected)
            days = page.locator("h3").evaluate_all("days => days.map(day => day.textContent)")
            self.assertEqual(days, DAYS)
            self.assertEqual(page.locator("#summary").inner_text(), "10 photos · 6 – 8 April 2024 · 1 failed")

    def test_a_reader_in_another_time_zone_sees_the_same_clocks(self) -> None:
        seen = set()
        for zone in ("America/Los_Angeles", "Pacific/Auckland"):
            with visit(ALBUM, timezone_id=zone) as page:
                expect(cards(page)).to_have_count(len(TRIP) + 1)
                seen.add(page.locator("#photos").inner_text())
        (text,) = seen
        self.assertIn("17:23", text)

    def test_a_photo_without_a_time_stands_at_its_upload_and_says_so(self) -> None:
        (jpeg,) = DEMO.draw([small("2024-01-01T00:00:00").scene()])
        with visit("no clock") as page:
            DEMO.choose(page, {"plain.jpg": jpeg})
            expect(cards(page)).to_have_count(1)
            self.assertRegex(cards(page).inner_text(), r"^uploaded \d\d:\d\d$")
            self.assertRegex(page.locator(".card img").get_attribute("alt") or "", r"^Photo uploaded .* UTC$")

    def test_what_a_name_or_a_camera_says_is_never_html(self) -> None:
        html = "<img src=x onerror=alert(1)>"
        photo = small("2024-05-01T10:00:00", camera=(html, html))
        (jpeg,) = DEMO.draw([photo.scene()])
        with visit(html) as page:
            DEMO.choose(page, {f"{html}.jpg": photo.with_facts(jpeg)})
            expect(cards(page)).to_have_count(1)
            self.assertIn(html, cards(page).inner_text())
            self.assertEqual(page.locator("img[src=x]").count(), 0)

    def test_an_album_without_photos_says_so(self) -> None:
        with visit("nobody was here") as page:
            expect(page.locator("#nothing")).to_be_visible()
            expect(page.locator("#map")).to_be_hidden()


class Pictures(unittest.TestCase):
    def test_a_placeholder_in_the_photos_colours_is_shown_until_the_picture_is_there(self) -> None:
        held: list[Route] = []
        hold = held.append
        with visit(ALBUM, lambda page: page.route(PICTURES, lambda route: hold(route))) as page:
            expect(page.locator(".card img.coming")).to_have_count(len(TRIP))
            keep(page, "placeholders")
            placeholders = page.locator(".card img").evaluate_all(
                "images => images.map(image => image.style.backgroundImage.slice(5, -2))"
            )
            for url, photo in zip(placeholders, TRIP):
                promised, shown = colour(page, url), colour(page, data_url(PHOTOS[photo]))
                self.assertLess(max(abs(one - other) for one, other in zip(promised, shown)), 40, (promised, shown))
            hold = Route.continue_
            for route in held:
                route.continue_()
            loaded(page)
            expect(page.locator(".card img.coming")).to_have_count(0)
            self.assertEqual(page.locator(".card img[style*=background]").count(), 0)

    def test_a_small_screen_loads_smaller_pictures_than_a_dense_one(self) -> None:
        widths = {}
        for name, viewport, density in (("phone", PHONE, 1), ("dense", DESKTOP, 2)):
            with visit(ALBUM, viewport=viewport, device_scale_factor=density) as page:
                loaded(page)
                urls = page.locator(".card img").evaluate_all("images => images.map(image => image.currentSrc)")
                widths[name] = {match[1] for match in map(PICTURES.search, urls) if match}
        self.assertLessEqual(widths["phone"], {"grid", "thumbnail"})
        self.assertIn("screen", widths["dense"])

    def test_the_lightbox_loads_the_rendition_for_the_whole_screen(self) -> None:
        with visit(ALBUM) as page:
            page.locator("button.picture").first.click()
            picture = page.locator(".stage img")
            loaded(page, picture)
            self.assertIn("/screen/", picture.evaluate("image => image.currentSrc"))


def data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def colour(page: Page, url: str) -> list[float]:
    """The mean colour of a picture."""
    return page.evaluate(
        """async (url) => {
            const picture = new Image();
            picture.src = url;
            await picture.decode();
            const ink = new OffscreenCanvas(32, 32).getContext('2d');
            ink.imageSmoothingQuality = 'high';
            ink.drawImage(picture, 0, 0, 32, 32);
            const { data } = ink.getImageData(0, 0, 32, 32);
            const channels = [0, 1, 2].map((channel) => data.filter((_, at) => at % 4 === channel));
            return channels.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
        }""",
        url,
    )


class Map(unittest.TestCase):
    def test_places_are_geojson_in_the_order_of_time_with_longitude_first(self) -> None:
        with urllib.request.urlopen(f"{DEMO.url}/places?album={quote(ALBUM)}") as answer:
            self.assertEqual(answer.headers["Content-Type"], "application/geo+json")
            collection = json.load(answer)
        self.assertEqual(collection["type"], "FeatureCollection")
        ready = [feature for feature in collection["features"] if feature["properties"]["thumbnail"]]
        found = [(feature["properties"]["timelineAt"][:19], feature["geometry"]["coordinates"]) for feature in ready]
        expected = [(photo.taken, [photo.place[1], photo.place[0]]) for photo in TRIP if photo.place]
        self.assertEqual([time for time, _ in found], [time for time, _ in expected])
        for (_, point), (_, place) in zip(found, expected):
            for one, other in zip(point, place):
                self.assertAlmostEqual(one, other, places=5)

    def test_an_album_without_places_is_an_empty_collection(self) -> None:
        with urllib.request.urlopen(f"{DEMO.url}/places?album=nobody%20was%20here") as answer:
            self.assertEqual(json.load(answer), {"type": "FeatureCollection", "features": []})

    def test_places_are_drawn_where_they_are_and_joined_in_the_order_of_time(self) -> None:
        with visit(ALBUM) as page:
            loaded(page)
            first, last = page.locator(".marker").first.bounding_box(), page.locator(".marker").last.bounding_box()
            assert first and last
            # From Tokyo to Kyoto: to the west and to the south.
            self.assertGreater(first["x"], last["x"] + 200)
            self.assertLess(first["y"], last["y"])
            days = page.locator(".way line").evaluate_all("lines => lines.map(line => line.dataset.day)")
            self.assertEqual(days, sorted(days))
            self.assertEqual(len(days), 9)  # between ten places
            self.assertRegex(page.locator(".scale").inner_text(), r"^\d+ km$")
            self.assertIn("36° N", page.locator(".net").text_content() or "")

    def test_near_places_are_one_marker_until_it_is_parted(self) -> None:
        with visit(ALBUM) as page:
            tokyo = page.locator(".marker").first
            self.assertEqual(tokyo.locator(".count").inner_text(), "4")
            self.assertEqual(
                tokyo.get_attribute("aria-label"),
                "4 photos from Saturday, 6 April 2024, 16:02 to Saturday, 6 April 2024, 18:44",
            )
            tokyo.click()
            self.assertGreaterEqual(page.locator(".marker").count(), 3)
            page.get_by_role("button", name="Whole trip").click()
            self.assertEqual(page.locator(".marker").first.locator(".count").inner_text(), "4")

    def test_a_click_on_the_map_selects_the_photo(self) -> None:
        with visit(ALBUM) as page:
            loaded(page)
            page.locator(".marker").last.click()
            selected = page.locator(".card.selected")
            expect(selected).to_have_count(1)
            expect(selected).to_be_in_viewport()
            self.assertEqual(selected.locator("time").get_attribute("datetime"), "2024-04-08T09:30:00.000")
            pressed = page.locator(".marker[aria-pressed=true]")
            expect(pressed).to_have_attribute("aria-label", "Photo of Monday, 8 April 2024, 09:30")
            keep(page, "selected")

    def test_a_photo_selects_its_place_on_the_map(self) -> None:
        with visit(ALBUM) as page:
            page.get_by_role("button", name="Show on the map: Sunday, 7 April 2024, 05:12").click()
            pressed = page.locator(".marker[aria-pressed=true]")
            expect(pressed).to_have_count(1)
            self.assertIn("Sunday, 7 April 2024", pressed.get_attribute("aria-label") or "")

    def test_a_trip_over_the_180th_meridian_stays_in_one_piece(self) -> None:
        fiji, samoa = (-17.7, 178.1), (-13.8, -171.8)
        photos = [small("2024-06-01T08:00:00", place=fiji), small("2024-06-01T09:00:00", place=samoa)]
        drawn = DEMO.draw([photo.scene() for photo in photos])
        with visit("fiji and samoa") as page:
            DEMO.choose(page, {photo.name: photo.with_facts(jpeg) for photo, jpeg in zip(photos, drawn)})
            expect(page.locator(".marker")).to_have_count(2)
            first, second = (page.locator(".marker").nth(number).bounding_box() for number in range(2))
            assert first and second
            self.assertLess(first["x"], second["x"])
            self.assertEqual(page.locator(".scale").inner_text(), "200 km")


def photos_of(album: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{DEMO.url}/photos?album={quote(album)}") as answer:
        return json.load(answer)["photos"]


class Failures(unittest.TestCase):
    def test_a_truncated_photo_gets_advice_without_internals(self) -> None:
        with visit(ALBUM) as page:
            failed = page.locator(".card.failed")
            expect(failed).to_have_count(1)
            self.assertIn("A part of the photo is missing", failed.inner_text())
            self.assertIn("Upload it again", failed.inner_text())
            (failure,) = [photo["failure"] for photo in photos_of(ALBUM) if photo["status"] == "FAILED"]
            self.assertEqual(failure["type"], "TruncatedPhoto")
            text = page.content()
            for internal in (*failure.values(), DEMO.outputs["OriginalsBucketName"]):
                self.assertNotIn(internal, text)

    def test_an_upload_that_is_refused_says_why_and_does_not_stop_the_others(self) -> None:
        photo = small("2024-07-01T10:00:00")
        (jpeg,) = DEMO.draw([photo.scene()])
        with visit("mixed", tolerates=REFUSED) as page:
            DEMO.choose(page, {"notes.pdf": b"%PDF-1.7", "a.jpg": photo.with_facts(jpeg)})
            expect(page.locator("#sent .words")).to_have_text("1 of 2 photos ready, 1 failed")
            self.assertIn("notes.pdf", page.locator("#sent li.failed .name").inner_text())
            self.assertGreater(len(page.locator("#sent li.failed .why").inner_text()), 20)

    def test_an_interrupted_upload_can_be_tried_again(self) -> None:
        photo = small("2024-07-02T10:00:00")
        (jpeg,) = DEMO.draw([photo.scene()])
        with visit("interrupted", tolerates=CUT_OFF) as page:
            page.route("**/*", lambda route: route.abort() if route.request.method == "PUT" else route.fallback())
            DEMO.choose(page, {"a.jpg": photo.with_facts(jpeg)})
            again = page.get_by_role("button", name="Try again: a.jpg")
            again.wait_for()
            page.unroute("**/*")
            again.click()
            expect(page.locator("#sent .words")).to_have_text("1 of 1 photo ready")


class Live(unittest.TestCase):
    def test_a_notice_brings_a_photo_into_a_page_that_awaits_none(self) -> None:
        photo = small("2024-08-01T10:00:00")
        (jpeg,) = DEMO.draw([photo.scene()])
        key = "live/by another.jpg"
        with visit("live") as page:
            expect(page.locator("#nothing")).to_be_visible()
            DEMO.put(key, photo.with_facts(jpeg))
            until(lambda: DEMO.item(key).get("status") == {"S": "READY"})
            expect(page.locator("#nothing")).to_be_visible()
            notify({"version": "1", "photoKey": key, "album": "live", "status": "READY"})
            expect(cards(page)).to_have_count(1)
            notify({"version": "1", "photoKey": key, "status": "DELETED"})
            expect(cards(page)).to_have_count(0)

    def test_where_there_is_no_stream_of_events_the_page_looks_by_itself(self) -> None:
        photo = small("2024-08-02T10:00:00")
        (jpeg,) = DEMO.draw([photo.scene()])
        with visit("polled", lambda page: page.route("**/events?*", lambda route: route.abort())) as page:
            DEMO.choose(page, {"a.jpg": photo.with_facts(jpeg)})
            expect(cards(page)).to_have_count(1)

    def test_progress_is_told_to_those_who_cannot_see_it(self) -> None:
        photo = small("2024-08-03T10:00:00")
        (jpeg,) = DEMO.draw([photo.scene()])
        with visit("told") as page:
            DEMO.choose(page, {"a.jpg": photo.with_facts(jpeg)})
            expect(page.locator("#add [role=status]")).to_have_text("1 of 1 photo ready")


def notify(notice: dict[str, Any]) -> None:
    """What the stack's worker does with each notice of the topic."""
    request = urllib.request.Request(
        f"{DEMO.url}/notices", json.dumps(notice).encode(), {"Authorization": f"Bearer {SECRET}"}, method="POST"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"it does not hold after {seconds} s")
        time.sleep(0.2)


class Keyboard(unittest.TestCase):
    def test_a_whole_visit_needs_no_mouse(self) -> None:
        with visit(ALBUM) as page:
            expect(cards(page)).to_have_count(len(TRIP) + 1)
            keys = page.keyboard
            keys.press("Tab")
            self.assertEqual(focused(page), "skip")
            keys.press("Enter")
            self.assertEqual(focused(page), "photos")
            keys.press("Tab")
            self.assertEqual(focused(page), "picture")
            self.assertEqual(page.evaluate("getComputedStyle(document.activeElement).outlineStyle"), "solid")
            keys.press("Enter")
            dialog = page.get_by_role("dialog", name="Saturday, 6 April 2024, 16:02")
            expect(dialog).to_be_visible()
            keys.press("ArrowRight")
            expect(page.locator("#lightbox h2")).to_have_text("Saturday, 6 April 2024, 17:23")
            keys.press("ArrowLeft")
            keys.press("ArrowLeft")
            expect(page.locator("#lightbox .count")).to_have_text("1 of 10 photos")
            keys.press("End")
            expect(page.locator("#lightbox .count")).to_have_text("10 of 10 photos")
            keys.press("Escape")
            expect(dialog).to_be_hidden()
            self.assertEqual(focused(page), "picture")
            self.assertIn("at 18:20", page.evaluate("document.activeElement.querySelector('img').alt"))

    def test_the_focus_stays_in_the_dialog(self) -> None:
        with visit(ALBUM) as page:
            page.locator("button.picture").first.focus()
            page.keyboard.press("Enter")
            reached = set()
            for _ in range(14):
                page.keyboard.press("Tab")
                reached.add(focused(page))
                # Beside the dialog, Chromium gives the focus to its own bars, which is the body for the page.
                self.assertTrue(page.evaluate("document.activeElement.matches('body, dialog, dialog *')"))
            self.assertLessEqual({"close", "previous", "next"}, reached)

    def test_the_map_can_be_used_by_keyboard(self) -> None:
        with visit(ALBUM) as page:
            page.locator(".marker").first.focus()
            page.keyboard.press("Enter")
            self.assertIn("marker", focused(page), "zooming in has lost the focus")
            self.assertEqual(page.evaluate("document.activeElement.ariaPressed"), "true")
            page.keyboard.press("Enter")
            expect(page.locator("#lightbox")).to_be_visible()


class Accessibility(unittest.TestCase):
    def assert_accessible(self, page: Page) -> None:
        self.assertEqual(accessibility.flaws(page), [])

    def test_an_album_is_accessible_in_every_colour_and_width(self) -> None:
        for scheme in ("light", "dark"):
            for viewport in (DESKTOP, PHONE):
                look = {"color_scheme": scheme, "viewport": viewport}
                with self.subTest(**look), visit(ALBUM, **look) as page:
                    loaded(page)
                    self.assert_accessible(page)
                    regions = {node.name for node in accessibility.tree(page) if node.role == "region"}
                    self.assertEqual(regions, {"Add photos", "Map", "Photos", *DAYS})

    def test_the_lightbox_is_accessible_and_hides_the_page_behind_it(self) -> None:
        with visit(ALBUM) as page:
            page.locator("button.picture").first.click()
            page.get_by_text("More EXIF").click()
            expect(page.locator(".about details dt").first).to_be_visible()
            self.assert_accessible(page)
            self.assertNotIn("Photos", [node.name for node in accessibility.tree(page) if node.role == "heading"])

    def test_uploads_are_accessible(self) -> None:
        with visit("accessible uploads", tolerates=REFUSED) as page:
            DEMO.choose(page, {"notes.pdf": b"%PDF-1.7"})
            expect(page.locator("#sent li.failed")).to_have_count(1)
            self.assert_accessible(page)

    def test_each_picture_is_described_by_its_facts(self) -> None:
        with visit(ALBUM) as page:
            expect(cards(page)).to_have_count(len(TRIP) + 1)
            described = page.locator(".card img").evaluate_all("images => images.map(image => image.alt)")
            where, camera = "35.6586° N, 139.7454° E", "Apple iPhone 15 Pro"
            self.assertEqual(described[1], f"Photo taken on Saturday, 6 April 2024 at 17:23, at {where}, with {camera}")
            self.assertEqual(len(described), len(set(described)))

    def test_nothing_moves_for_those_who_want_less_motion(self) -> None:
        moving = {}
        for wish in ("reduce", "no-preference"):
            with visit(ALBUM, lambda page: page.route(PICTURES, lambda route: None), reduced_motion=wish) as page:
                expect(page.locator(".card img.coming")).to_have_count(len(TRIP))
                moving[wish] = page.evaluate("document.getAnimations().length")
        self.assertEqual(moving["reduce"], 0)
        self.assertGreater(moving["no-preference"], 0)


class Look(unittest.TestCase):
    def test_nothing_sticks_out_of_a_phone(self) -> None:
        for width in (320, 360, 414):
            with visit(ALBUM, viewport={"width": width, "height": 740}, has_touch=True) as page:
                loaded(page)
                self.assertEqual(page.evaluate("document.documentElement.scrollWidth"), width)
                page.locator("button.picture").first.tap()
                self.assertEqual(page.locator("dialog").evaluate("dialog => dialog.scrollWidth"), width)

    def test_a_dark_system_gets_a_dark_page(self) -> None:
        with visit(ALBUM, color_scheme="dark") as page:
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            self.assertLess(max(map(int, re.findall(r"\d+", ground))), 40)

    def test_the_pages_policy_forbids_scripts_and_pictures_of_others(self) -> None:
        with visit(ALBUM, tolerates="Content Security Policy") as page:
            broken = page.evaluate(
                """async () => {
                    const broken = [];
                    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
                        broken.push(effectiveDirective);
                    });
                    const script = document.createElement('script');
                    script.textContent = 'globalThis.didRun = true';
                    document.body.append(script);
                    const image = new Image();
                    image.src = 'http://localhost:1/picture.png';
                    await new Promise((done) => setTimeout(done, 300));
                    return [...broken, globalThis.didRun ?? false];
                }"""
            )
            self.assertEqual(broken, ["script-src-elem", "img-src", False])

    def test_screenshots_show_it(self) -> None:
        desktop, phone = {"width": 1280, "height": 980}, {"viewport": PHONE, "device_scale_factor": 2}
        for name, picture, options in (
            ("desktop-light", "demo.webp", {"viewport": desktop}),
            ("desktop-dark", "demo-dark.webp", {"viewport": desktop, "color_scheme": "dark"}),
            ("phone-light", "demo-phone.webp", phone),
            ("phone-dark", "", phone | {"color_scheme": "dark"}),
        ):
            with visit(ALBUM, **options) as page:
                loaded(page)
                keep(page, name, picture)
                page.screenshot(path=OUT / f"{name}-whole.png", full_page=True)
                page.locator("button.picture").nth(4).click()
                loaded(page, page.locator(".stage img"))
                keep(page, f"{name}-lightbox", "demo-lightbox.webp" if name == "desktop-light" else "")


if __name__ == "__main__":
    unittest.main()
